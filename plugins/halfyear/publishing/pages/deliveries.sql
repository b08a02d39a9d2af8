select
    d.source,
    f.title_zh,
    d.snapshot_date,
    d.sequence,
    d.file_name,
    d.sha256,
    to_char(d.received_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') as received_at,
    d.indicators
from (
    select
        s.source,
        s.snapshot_date,
        s.sequence,
        s.file_name,
        s.sha256,
        s.received_at,
        cardinality(s.indicator_codes) as indicators
    from mart.sealed_delivery as s
    where s.period = %(period)s and s.vintage = %(vintage)s
    union all
    -- Of a draft, those that speak for a day of the half-year.
    select
        p.source,
        p.snapshot_date,
        p.sequence,
        p.file_name,
        p.sha256,
        p.received_at,
        null as indicators
    from lineage.delivery as p
    where
        %(vintage)s::integer is null
        and p.verdict in ('loaded', 'loaded_with_quarantine')
        and p.snapshot_date between %(first_day)s and %(last_day)s
) as d
left join mart.freshness as f on d.source = f.source
order by d.source, d.snapshot_date, d.sequence, d.file_name
