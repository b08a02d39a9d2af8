-- A plan made without statistics of rows that have just come can be ten times slower; autovacuum comes too late.

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
