-- One expression, which the planner puts into the query that asks. Readers of the mart may call it: it is read when it is
-- made, so that they need no right to the schema.
create or replace function indicators.comparison(
    p_kind text, p_value numeric, p_unit text,
    p_base_value numeric,
    p_base_printed text,
    p_base_unit text,
    p_base_vintage integer,
    p_base_first_printed text,
    p_factor numeric
) returns jsonb
language sql immutable parallel safe
return jsonb_build_object(
    'value', p_base_value * coalesce(p_factor, 1),
    'printed', p_base_printed,
    'vintage', p_base_vintage,
    'first_printed', p_base_first_printed,
    'change',
    case
        when p_factor is not null then indicators.change(p_kind, p_value, p_base_value * p_factor)
    end,
    'not_comparable',
    case
        when p_factor is not null then null
        when p_unit = p_base_unit then 'definition'
        else 'unit'
    end
);

comment on function indicators.comparison(text, numeric, text, numeric, text, text, integer, text, numeric) is
'What a value is compared with, and its change: factor is 1 for an equal definition, that of a series_link, or null for none';
