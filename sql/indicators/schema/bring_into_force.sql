-- The figures in force: that of the newest vintage where a half-year is sealed, else the provisional one. Who asks for one
-- half-year or one indicator does not choose anew among all that was ever observed and sealed: the choice is kept in
-- indicators.in_force, in the statement that moves it, by triggers on observations, vintages and definitions, and by
-- nothing else.

create or replace function indicators.bring_into_force(
    p_period text, p_codes text[], p_readings text[]
) returns void
language plpgsql security definer set search_path = pg_catalog set enable_nestloop = off
as $$
begin
    -- Without nested loops: the planner has no statistics of a half-year that was just sealed, and would compare every
    -- figure with every other.
    -- Two transactions that move one half-year follow each other; each statement sees what was committed before it.
    perform pg_advisory_xact_lock_shared(8150006);
    perform pg_advisory_xact_lock(8150007, hashtext(p_period));
    delete from indicators.in_force as f
    where
        f.period = p_period
        and (p_codes is null or (f.indicator_code, f.reading) in (select * from unnest(p_codes, p_readings)))
        and not exists (
            select from indicators.in_force_derived as d
            where
                d.period = p_period
                and d.indicator_code = f.indicator_code
                and d.reading = f.reading
                and coalesce(d.body_code, '') = f.body_key
        );
    insert into indicators.in_force as f (
        period, indicator_code, reading, body_code, numerator, denominator, value, printed, vintage,
        is_published, definition_hash, computed_at, unit, first_printed, body_name, compared
    )
    select d.*
    from indicators.in_force_derived as d
    where
        d.period = p_period
        and (p_codes is null or (d.indicator_code, d.reading) in (select * from unnest(p_codes, p_readings)))
    on conflict (period, indicator_code, reading, body_key) do update
    set
        numerator = excluded.numerator,
        denominator = excluded.denominator,
        value = excluded.value,
        printed = excluded.printed,
        vintage = excluded.vintage,
        is_published = excluded.is_published,
        definition_hash = excluded.definition_hash,
        computed_at = excluded.computed_at,
        unit = excluded.unit,
        first_printed = excluded.first_printed,
        body_name = excluded.body_name,
        compared = excluded.compared
    where
        (
            f.numerator, f.denominator, f.value, f.printed, f.vintage, f.is_published, f.definition_hash,
            f.computed_at, f.unit, f.first_printed, f.body_name, f.compared
        ) is distinct from (
            excluded.numerator, excluded.denominator, excluded.value, excluded.printed, excluded.vintage,
            excluded.is_published, excluded.definition_hash, excluded.computed_at, excluded.unit,
            excluded.first_printed, excluded.body_name, excluded.compared
        );
end
$$;
comment on function indicators.bring_into_force(text, text[], text[]) is
'Choose the figures in force of a half-year anew: those of the given pairs of indicator and reading, or all (null)';
