select
    u.body_name,
    u.body_code,
    array_agg(distinct u.source order by u.source) as sources,
    sum(u.rows)::bigint as unknown_rows,
    min(d.snapshot_date) as first_day
from mart.unknown_body as u
inner join lineage.load as l on u.first_load_id = l.load_id
inner join lineage.delivery as d on l.delivery_id = d.delivery_id
group by u.body_name, u.body_code
order by unknown_rows desc, u.body_name asc, u.body_code asc
