create or replace function indicators.vintage_added() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    perform indicators.bring_into_force(new.period, null, null);
    return null;
end
$$;

-- At the end of the transaction, in which all that a vintage holds is added. A constraint trigger cannot be replaced.
drop trigger if exists vintage_added on indicators.vintage;
create constraint trigger vintage_added after insert on indicators.vintage
deferrable initially deferred
for each row execute function indicators.vintage_added();
