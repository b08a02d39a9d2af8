-- The seals of the half-years that the figures are compared with.
select
    b.compared,
    b.period,
    v.vintage,
    to_char(v.sealed_at at time zone 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI') as sealed_at,
    v.hash
from (values (1, '上期', %(previous)s), (2, '上年同期', %(year_ago)s)) as b (place, compared, period)
left join lateral (
    select
        n.vintage,
        n.sealed_at,
        n.hash
    from mart.vintage as n
    where n.period = b.period
    order by n.vintage desc
    limit 1
) as v on true
order by b.place
