-- A provisional figure is published, and has its unit, as its definition says today.

create or replace function indicators.definition_moved() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op = 'UPDATE' then
        if not exists (
            select from touched as t
            inner join replaced as r on t.indicator_code = r.indicator_code and t.reading = r.reading
            where (t.is_published, t.unit) is distinct from (r.is_published, r.unit)
        ) then
            return null;
        end if;
    end if;
    -- Other transactions that bring figures into force wait for this one, and then read the new definitions.
    perform pg_advisory_xact_lock(8150006);
    perform indicators.bring_into_force(moved.period, moved.codes, moved.readings)
    from (
        select
            kept.period,
            array_agg(kept.indicator_code) as codes,
            array_agg(kept.reading) as readings
        from (
            select distinct
                f.period,
                f.indicator_code,
                f.reading
            from indicators.in_force as f
            inner join touched as t on f.indicator_code = t.indicator_code and f.reading = t.reading
        ) as kept
        group by kept.period
    ) as moved;
    return null;
end
$$;

create or replace trigger definition_added after insert on indicators.definition
referencing new table as touched
for each statement execute function indicators.definition_moved();
create or replace trigger definition_changed after update on indicators.definition
referencing old table as replaced new table as touched
for each statement execute function indicators.definition_moved();
create or replace trigger definition_removed after delete on indicators.definition
referencing old table as touched
for each statement execute function indicators.definition_moved();
