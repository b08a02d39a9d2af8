-- The rows behind a number, for the views of mart. A view's functions run with the rights of whoever asks it, and a reader
-- sees nothing but mart: so the owner's function runs the select, whose text only migrate writes.

create or replace function indicators.trace(
    p_code text, p_reading text, p_first_day date, p_as_known timestamptz
) returns table (
    body_code text,
    in_numerator boolean,
    in_denominator boolean,
    quantity numeric,
    excluded_because text,
    source text,
    record_key text,
    load_id bigint,
    row_number bigint
)
language plpgsql stable security definer set search_path = pg_catalog
as $$
declare
    v_select text;
    v_next_day date := (p_first_day + interval '6 months')::date;
begin
    select d.trace_text into v_select
    from indicators.definition as d
    where d.indicator_code = p_code and d.reading = p_reading;
    if v_select is null then
        return;
    end if;
    return query execute
        'select c.body_code, c.in_numerator, c.in_denominator, c.quantity::numeric, c.excluded_because::text, '
        'c.source::text, c.record_key, c.load_id, c.row_number from (' || v_select || ') as c'
    using
        p_first_day,
        v_next_day - 1,
        v_next_day,
        p_first_day::timestamp at time zone 'Asia/Shanghai',
        v_next_day::timestamp at time zone 'Asia/Shanghai',
        p_as_known;
end
$$;

comment on function indicators.trace(text, text, date, timestamptz) is
'The rows that a definition returns for the half-year that begins on a day, as known at an instant (infinity: now)';
