-- Event tables are partitioned by half-year. The loader may not create tables in core, so the owner's function does.
-- A new one is filled before it is attached: an index that is built in one go takes half of what its rows one by one
-- take, and nobody who reads the others waits.

create or replace function core.new_partition(p_source text, p_first_day date) returns text
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    v_name text := core.partition_name(p_source, p_first_day);
    v_index text;
begin
    if to_regclass(format('core.%I', v_name)) is not null then
        return null;
    end if;
    if extract(day from p_first_day) <> 1 or extract(month from p_first_day) not in (1, 7) then
        raise exception '% is not the first day of a half-year', p_first_day;
    end if;
    execute format('create table core.%I (like core.%I)', v_name, p_source);
    -- These indexes cost next to nothing for each row, but a scan of the table when they are built later.
    for v_index in
        select pg_get_indexdef(i.indexrelid)
        from pg_catalog.pg_index as i
        inner join pg_catalog.pg_class as c on i.indexrelid = c.oid
        inner join pg_catalog.pg_am as a on c.relam = a.oid
        where
            i.indrelid = format('core.%I', p_source)::regclass
            and (a.amname = 'brin' or (i.indpred is not null and not i.indisunique))
    loop
        execute regexp_replace(v_index, '^CREATE INDEX .* ON ONLY \S+ ', format('create index on core.%I ', v_name));
    end loop;
    execute format('grant select, insert, update, delete on core.%I to halfyear_loader', v_name);
    return v_name;
end
$$;

comment on function core.new_partition(text, date) is
'Make a table that may become the partition of an event table for the half-year that begins on the given day, and give'
' its name; null where there is that partition already';
