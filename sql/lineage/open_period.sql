create view lineage.open_period as
with bounds as (
    select
        min(snapshot_date) as first_date,
        max(snapshot_date) as newest_date
    from lineage.standing
    where upper_inf(known_at)
),

half_year as (
    select
        extract(year from day)::integer as year,
        extract(month from day) > 6 as is_second,
        day::date as first_day
    from
        bounds,
        generate_series(
            date_trunc('year', first_date::timestamp),
            newest_date::timestamp,
            interval '6 months'
        ) as day
    where day + interval '6 months' > first_date::timestamp
)

select
    lpad(year::text, 4, '0') || case when is_second then '-S2' else '-S1' end as period,
    first_day,
    (first_day + interval '6 months')::date - 1 as last_day,
    (first_day + interval '6 months')::date as next_day
from half_year;
comment on view lineage.open_period is
'Every half-year from the first to the newest accepted snapshot: the periods that have observations';
