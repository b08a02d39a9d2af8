-- Groups of events that lie in several half-years. Partitions are half-years, so a row's partition says where it lies.

create or replace function core.note_spanning_groups(
    p_source text, p_column text, p_loads bigint[]
) returns void
language plpgsql
as $$
declare
    v_partition regclass;
    v_has_rows boolean;
    v_filled integer := 0;
begin
    for v_partition in
        select inhrelid::regclass from pg_catalog.pg_inherits
        where inhparent = format('core.%I', p_source)::regclass
    loop
        execute format('select exists (select from %s)', v_partition) into v_has_rows;
        v_filled := v_filled + v_has_rows::integer;
        exit when v_filled > 1;
    end loop;
    if v_filled < 2 then
        return;
    end if;
    execute format(
        'insert into core.spanning_group (source, group_value) '
        'select %1$L, event.%2$I from core.%3$I as event '
        'where event.%2$I is not null and ($1 is null or event.%2$I in '
        '(select loaded.%2$I from core.%3$I as loaded where loaded.load_id = any($1))) '
        'group by event.%2$I having min(event.tableoid) <> max(event.tableoid) on conflict do nothing',
        p_source, p_column, p_source
    ) using p_loads;
end
$$;

comment on function core.note_spanning_groups(text, text, bigint[]) is
'Note the groups of a source, of those that the given loads have rows of (null: of all), that lie in several half-years';
