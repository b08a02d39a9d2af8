create view indicators.coverage as
with delivered as (
    select
        source,
        min(snapshot_date) as first_date,
        max(snapshot_date) as newest_date
    from lineage.standing
    where upper_inf(known_at)
    group by source
),

needed as (
    select
        p.period,
        d.indicator_code,
        d.reading,
        case named.reading
            when 'last_day' then s.first_date <= p.last_day
            when 'year_end_before' then s.first_date < date_trunc('year', p.first_day::timestamp)
            else s.newest_date >= p.first_day
        end as is_delivered
    from lineage.open_period as p
    cross join indicators.definition as d
    cross join unnest(d.sources, d.readings) as named (source, reading)
    left join delivered as s on named.source = s.source
)

select
    period,
    indicator_code,
    reading,
    bool_and(coalesce(is_delivered, false)) as is_covered
from needed
group by period, indicator_code, reading;
comment on view indicators.coverage is
'Whether anything is known for an indicator in a period: where not, it is null and not zero';
