-- The loader may write observations and vintages, but not indicators.in_force: this function runs as the owner.

create or replace function indicators.observation_moved() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    v_moved record;
begin
    if tg_op = 'TRUNCATE' then
        perform indicators.bring_into_force(f.period, null, null)
        from (select distinct period from indicators.in_force) as f;
        return null;
    end if;
    for v_moved in execute
        'select period, array_agg(indicator_code) as codes, array_agg(reading) as readings from ('
        'select period, indicator_code, reading from touched union '
        'select period, indicator_code, reading from ' || case tg_op when 'UPDATE' then 'replaced' else 'touched' end
        || ') as pair group by period order by period'
    loop
        perform indicators.bring_into_force(v_moved.period, v_moved.codes, v_moved.readings);
    end loop;
    return null;
end
$$;

create or replace trigger observation_added after insert on indicators.observation
referencing new table as touched
for each statement execute function indicators.observation_moved();
create or replace trigger observation_changed after update on indicators.observation
referencing old table as replaced new table as touched
for each statement execute function indicators.observation_moved();
create or replace trigger observation_removed after delete on indicators.observation
referencing old table as touched
for each statement execute function indicators.observation_moved();
create or replace trigger observation_emptied after truncate on indicators.observation
for each statement execute function indicators.observation_moved();
