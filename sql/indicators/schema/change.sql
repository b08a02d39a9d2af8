-- One expression, which the planner puts into the query that asks. Readers of the mart may call it.
create or replace function indicators.change(p_kind text, p_value numeric, p_earlier numeric)
returns numeric
language sql immutable parallel safe
as $function$
select case
    when p_kind = 'ratio' and p_earlier <> 0 then p_value - p_earlier
    -- A quotient has the decimals of its parts, so these are given some.
    else trim_scale(round((p_value - p_earlier) * 100.000000000000000 / nullif(p_earlier, 0), 12))
end
$function$;

comment on function indicators.change(text, numeric, numeric) is
'环比 or 同比 of an exact value against an earlier one: per cent, of a ratio percentage points; null over zero';
