create or replace function indicators.mark_stale(p_source text, p_periods text[], p_reason text)
returns setof text
language sql as $function$
with due as (
    select distinct
        p.period,
        d.indicator_code,
        d.reading
    from indicators.definition as d
    cross join unnest(d.sources, d.readings) as named (source, reading)
    cross join lineage.open_period as p
    where
        (p_source is null or named.source = p_source)
        and case
            when p_source is null then p.period = any(p_periods)
            when named.reading = 'history' then true
            when named.reading = 'year_end_before'
                then lpad((left(p.period, 4)::integer - 1)::text, 4, '0') || '-S2' = any(p_periods)
            else p.period = any(p_periods)
        end
),

marked as (
    insert into indicators.stale (period, indicator_code, reading, reason)
    select period, indicator_code, reading, p_reason
    from due
    returning period
)

select distinct period from marked
$function$;
comment on function indicators.mark_stale is
'Marks what reads a source (null: every indicator) whose rows changed in the given half-years, by what each definition reads: '
'the last day or an event of the half-year, the end of the year before, or all of history. Gives the half-years that it '
'marked; called within the load';
