select
    s.source,
    f.title_zh,
    s.snapshot_date,
    s.sequence,
    s.file_name,
    s.sha256,
    s.received_at,
    cardinality(s.indicator_codes) as indicators
from mart.sealed_delivery as s
left join mart.freshness as f on s.source = f.source
where s.period = %(period)s and s.vintage = %(vintage)s
order by s.source, s.snapshot_date, s.sequence, s.file_name
