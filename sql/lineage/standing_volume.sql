create view lineage.standing_volume as
with mark as (
    select
        source,
        snapshot_date as day
    from lineage.standing
    where upper_inf(known_at)
    union distinct
    select
        source,
        expected_on
    from lineage.expected_day
    where earliest_on = expected_on
),

before as (
    select
        source,
        day,
        lag(day) over (partition by source order by day) as day_before
    from mark
),

counted as (
    select
        p.period,
        s.source,
        s.snapshot_date,
        s.load_id,
        d.file_name,
        e.mode,
        l.rows_passed as rows,
        case
            when e.mode = 'register' then 1
            else s.snapshot_date - coalesce(b.day_before, p.first_day - 1)
        end as days
    from lineage.standing as s
    inner join lineage.open_period as p on s.snapshot_date between p.first_day and p.last_day
    inner join lineage.source as e on s.source = e.source
    inner join lineage.load as l on s.load_id = l.load_id
    inner join lineage.delivery as d on l.delivery_id = d.delivery_id
    inner join before as b on s.source = b.source and s.snapshot_date = b.day
    where upper_inf(s.known_at)
)

select
    period,
    source,
    snapshot_date,
    load_id,
    file_name,
    mode,
    rows,
    days,
    coalesce(array_agg(load_id) over past, '{}') as past_loads,
    coalesce(array_agg(days) over past, '{}') as past_days,
    coalesce(array_agg(rows / days::double precision) over past, '{}') as past_rates
from counted
window past as (
    partition by source order by snapshot_date
    rows between 24 preceding and 1 preceding
);
comment on view lineage.standing_volume is
'One row per delivery that stands: its rows, the days that it covers (events: since the delivery or the expected day before,'
' the first one since its half-year began; registers: 1), and the same of the up to 24 deliveries of its source before it';
