create or replace function core.partition_name(p_source text, p_first_day date) returns text
language sql immutable
as $$
select p_source || '_' || to_char(p_first_day, 'YYYY')
    || case when extract(month from p_first_day) < 7 then '_s1' else '_s2' end
$$;

comment on function core.partition_name(text, date) is
'The name of the partition of an event table for the half-year that begins on the given day';
