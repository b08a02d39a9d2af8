create or replace function indicators.covered(
    p_numbers integer[],
    p_sources text[],
    p_readings text[],
    p_first_day date,
    p_as_known timestamptz
) returns setof integer
language sql stable
as $function$
select named.number
from unnest(p_numbers, p_sources, p_readings) as named (number, source, reading)
left join indicators.delivered(p_as_known) as d on named.source = d.source
group by named.number
having bool_and(indicators.is_known(named.reading, p_first_day, d.first_date, d.newest_date))
$function$;

comment on function indicators.covered(integer[], text[], text[], date, timestamptz) is
'Which of numbered definitions, given by the sources that they read and how, have anything known for a half-year, as known at'
' an instant (infinity: now); indicators.coverage says so of all definitions and half-years';
