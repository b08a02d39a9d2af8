create view lineage.expected_day as
select
    p.period,
    n.source,
    day::date as expected_on,
    day::date as earliest_on
from lineage.open_period as p
cross join generate_series(p.first_day, p.last_day, interval '1 day') as day
inner join lineage.delivery_plan as n on n.valid_at @> day::date
where
    n.is_daily
    -- The last day of a month that is in the plan.
    or (
        extract(day from day + interval '1 day') = 1
        and extract(month from day)::integer = any(n.month_ends)
    )
union all
select
    p.period,
    s.source,
    p.last_day as expected_on,
    p.first_day as earliest_on
from lineage.open_period as p
cross join lineage.source as s
where not exists (
    select from lineage.delivery_plan as n
    where n.source = s.source
);
comment on view lineage.expected_day is
'One row per half-year, source and day that has to be delivered. Where batches are irregular, one of any day of the half-year does:'
' from earliest_on, which is else the day itself';
