select
    d.source,
    f.title_zh,
    d.snapshot_date,
    d.sequence,
    d.file_name,
    d.sha256,
    d.received_at,
    null as indicators
from lineage.delivery as d
left join mart.freshness as f on d.source = f.source
where
    d.verdict in ('loaded', 'loaded_with_quarantine')
    and d.snapshot_date between %(first_day)s and %(last_day)s
order by d.source, d.snapshot_date, d.sequence, d.file_name
