-- One expression, which the planner puts into the query that asks.
create or replace function indicators.is_known(
    p_reading text, p_first_day date, p_first_date date, p_newest_date date
) returns boolean
language sql immutable parallel safe
as $function$
select coalesce(
    case p_reading
        when 'last_day' then p_first_date < p_first_day + interval '6 months'
        when 'year_end_before' then p_first_date < date_trunc('year', p_first_day::timestamp)
        else p_newest_date >= p_first_day
    end,
    false
)
$function$;

comment on function indicators.is_known(text, date, date, date) is
'Whether anything is known of a source that is read so for the half-year that begins on a day: a list from a snapshot of the'
' day that is read or before, events from a delivery in the half-year or later';
