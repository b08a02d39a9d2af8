create view indicators.coverage as
select
    p.period,
    d.indicator_code,
    d.reading,
    bool_and(
        indicators.is_known(named.reading, p.first_day, s.first_date, s.newest_date)
    ) as is_covered
from lineage.open_period as p
cross join indicators.definition as d
cross join unnest(d.sources, d.readings) as named (source, reading)
left join indicators.delivered('infinity') as s on named.source = s.source
group by p.period, d.indicator_code, d.reading;
comment on view indicators.coverage is
'Whether anything is known for an indicator in a period: where nothing is, its figure is null and not zero';
