create view indicators.source_reader as
select
    named.source,
    array_agg(d.indicator_code order by d.indicator_code) as indicator_codes
from indicators.definition as d
cross join unnest(d.sources) as named (source)
where d.is_published
group by named.source;
comment on view indicators.source_reader is
'One row per source that published indicators read, with these: what a fault of the source touches';
