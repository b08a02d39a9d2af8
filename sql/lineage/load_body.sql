create view lineage.load_body as
select
    l.load_id,
    coalesce(
        by_code.code, by_name.code, by_region.code, by_town.code, l.body_code, l.body_name
    ) as body_code,
    sum(l.rows)::bigint as rows
from lineage.load_part as l
inner join lineage.load as o on l.load_id = o.load_id
inner join lineage.delivery as d on o.delivery_id = d.delivery_id
left join core.body as by_code on l.body_code = by_code.code
left join core.body_name as by_name
    on
        case when by_code.code is null then l.body_name end = by_name.name
        and by_name.valid_at @> d.snapshot_date
left join core.body_region as by_region
    on
        case when by_code.code is null and by_name.code is null then l.region_code end
        = by_region.region_code
left join core.body_region as by_town
    on
        case
            when
                by_code.code is null and by_name.code is null and by_region.code is null
                then left(l.region_code, 9)
        end
        = by_town.region_code
group by 1, 2;
comment on view lineage.load_body is
'One row per load and body that its accepted rows name, as the lists of bodies say today of its day; as delivered where they know'
' it not, null where the rows name none';
