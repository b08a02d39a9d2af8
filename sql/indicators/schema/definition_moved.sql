-- A provisional figure is published and rounded as its definition says today.

create or replace function indicators.definition_moved() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op = 'UPDATE' then
        if not exists (
            select from touched as t
            inner join replaced as r on t.indicator_code = r.indicator_code and t.reading = r.reading
            where (t.is_published, t.decimals) is distinct from (r.is_published, r.decimals)
        ) then
            return null;
        end if;
    end if;
    -- Whoever brings figures into force at this time looks at the definitions afterwards.
    perform pg_advisory_xact_lock(8150006);
    update indicators.in_force as f
    set is_published = coalesce(d.is_published, false), shown = round(f.value, d.decimals)
    from (select distinct indicator_code, reading from touched) as t
    left join indicators.definition as d on t.indicator_code = d.indicator_code and t.reading = d.reading
    where
        f.indicator_code = t.indicator_code
        and f.reading = t.reading
        and f.vintage is null
        and (f.is_published, f.shown)
        is distinct from (coalesce(d.is_published, false), round(f.value, d.decimals));
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
