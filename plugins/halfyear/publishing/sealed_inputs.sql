select
    i.load_id,
    d.delivery_id,
    d.source,
    d.snapshot_date,
    d.sequence,
    d.file_name,
    d.sha256,
    d.received_at,
    array_agg(distinct i.indicator_code order by i.indicator_code) as indicator_codes
from lineage.observation_input as i
inner join lineage.load as l on i.load_id = l.load_id
inner join lineage.delivery as d on l.delivery_id = d.delivery_id
where i.period = %(period)s
group by i.load_id, d.delivery_id
order by d.source, d.snapshot_date, d.sequence, i.load_id
