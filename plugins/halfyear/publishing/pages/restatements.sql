select
    r.period,
    r.vintage,
    r.name_zh,
    r.reading,
    r.body_code,
    r.body_name,
    r.old_printed,
    r.new_printed,
    r.reason_zh,
    r.note,
    r.approved_by,
    (
        select string_agg(coalesce(d.name_zh, f.code), '、' order by f.place)
        from unnest(r.follows) with ordinality as f (code, place)
        left join mart.definition as d on f.code = d.indicator_code and d.is_published
    ) as follows
from mart.restatement as r
left join mart.definition as o on r.indicator_code = o.indicator_code and r.reading = o.reading
where r.period in (%(period)s, %(previous)s, %(year_ago)s)
order by r.period desc, r.vintage asc, o.sort_order asc, r.body_code asc nulls first
