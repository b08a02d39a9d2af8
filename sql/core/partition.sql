-- Event tables are partitioned by half-year. The loader may not create tables in core, so the owner's function does.

create or replace function core.ensure_partition(p_source text, p_first_day date) returns void
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    v_name text := p_source || '_' || to_char(p_first_day, 'YYYY')
        || case when extract(month from p_first_day) < 7 then '_s1' else '_s2' end;
begin
    if to_regclass(format('core.%I', v_name)) is not null then
        return;
    end if;
    if extract(day from p_first_day) <> 1 or extract(month from p_first_day) not in (1, 7) then
        raise exception '% is not the first day of a half-year', p_first_day;
    end if;
    -- Bounds are local days; a bare date bound of a timestamptz column is read in the session's zone.
    perform set_config('timezone', 'Asia/Shanghai', true);
    execute format(
        'create table core.%I partition of core.%I for values from (%L) to (%L)',
        v_name, p_source, p_first_day, (p_first_day + interval '6 months')::date
    );
    execute format('grant select, insert, update, delete on core.%I to halfyear_loader', v_name);
end
$$;

comment on function core.ensure_partition(text, date) is
'Create the partition of an event table for the half-year that begins on the given day';

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
