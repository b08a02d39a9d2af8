create or replace function core.attach_partition(p_source text, p_first_day date) returns void
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    -- Bounds are local days; a bare date bound of a timestamptz column is read in the session's zone.
    perform set_config('timezone', 'Asia/Shanghai', true);
    execute format(
        'alter table core.%I attach partition core.%I for values from (%L) to (%L)',
        p_source,
        core.partition_name(p_source, p_first_day),
        p_first_day,
        (p_first_day + interval '6 months')::date
    );
end
$$;

comment on function core.attach_partition(text, date) is
'Attach what core.new_partition made to its event table, which builds the indexes that it lacks';
