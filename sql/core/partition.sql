-- Event tables are partitioned by half-year. The loader may not create tables in core, so the owner's function does.

-- A new one is filled before it is attached: an index that is built in one go takes half of what its rows one by one
-- take, and nobody who reads the others waits.
drop function if exists core.ensure_partition(text, date);

create or replace function core.new_partition(p_source text, p_first_day date) returns text
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    v_name text := p_source || '_' || to_char(p_first_day, 'YYYY')
        || case when extract(month from p_first_day) < 7 then '_s1' else '_s2' end;
    v_index text;
begin
    if to_regclass(format('core.%I', v_name)) is not null then
        return null;
    end if;
    if extract(day from p_first_day) <> 1 or extract(month from p_first_day) not in (1, 7) then
        raise exception '% is not the first day of a half-year', p_first_day;
    end if;
    execute format('create table core.%I (like core.%I)', v_name, p_source);
    -- These cost their rows next to nothing, and a scan of the table when they are built.
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

create or replace function core.attach_partition(p_source text, p_first_day date) returns void
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    -- Bounds are local days; a bare date bound of a timestamptz column is read in the session's zone.
    perform set_config('timezone', 'Asia/Shanghai', true);
    execute format(
        'alter table core.%I attach partition core.%I for values from (%L) to (%L)',
        p_source,
        p_source || '_' || to_char(p_first_day, 'YYYY')
        || case when extract(month from p_first_day) < 7 then '_s1' else '_s2' end,
        p_first_day,
        (p_first_day + interval '6 months')::date
    );
end
$$;

comment on function core.attach_partition(text, date) is
'Attach what core.new_partition made to its event table, which builds the indexes that it lacks';

-- A plan made without statistics of rows that have just come can be ten times slower; autovacuum comes too late.
drop function if exists core.refresh_statistics(text, text[]);

create or replace function core.refresh_statistics(p_source text, p_periods text[], p_rows bigint)
returns void
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    v_table regclass;
begin
    for v_table in
        select c.oid::regclass
        from pg_catalog.pg_class as c
        where
            c.relnamespace = 'core'::regnamespace
            and c.relkind = 'r'
            and p_rows >= greatest(1000, c.reltuples / 100)
            and c.relname in (
                select p_source
                union
                select p_source || '_' || lower(replace(period, '-', '_'))
                from unnest(p_periods) as touched (period)
            )
    loop
        execute format('analyze %s', v_table);
    end loop;
end
$$;

comment on function core.refresh_statistics(text, text[], bigint) is
'Gather statistics of a source''s table, or of its partitions of the given half-years, where so many changed rows are'
' a hundredth of it, and a thousand: a plan made by the statistics of before may be a bad one then';
