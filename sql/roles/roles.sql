-- Who may do what: the loader runs the pipeline, the publisher reads all of it and seals, the reader sees mart and nothing
-- else.
-- The owner of the database migrates. Run after every migration; grants are stated whole.

revoke all on schema public from public;
do $block$
begin
    execute format('revoke temporary on database %I from public', current_database());
    execute format('grant temporary on database %I to halfyear_loader', current_database());
    -- Large objects belong to whoever makes them. On a server where we are not superuser, its keeper decides.
    begin
        revoke execute on function
        lo_creat(integer), lo_create(oid), lo_from_bytea(oid, bytea), lo_open(oid, integer) from public;
    exception when insufficient_privilege then
        null;
    end;
end;
$block$;

grant usage, create on schema staging to halfyear_loader;
grant usage on schema quarantine, core, indicators, mart, lineage to halfyear_loader;
grant select, insert, update, delete on all tables in schema core, indicators to halfyear_loader;
grant select, insert, update, delete on all tables in schema quarantine, lineage to halfyear_loader;
grant usage on all sequences in schema lineage, indicators to halfyear_loader;
grant execute on all functions in schema core, indicators to halfyear_loader;
grant select on all tables in schema mart to halfyear_loader;
revoke insert, update, delete on lineage.migration, lineage.declaration from halfyear_loader;
revoke insert, update, delete on lineage.source, lineage.delivery_plan from halfyear_loader;
revoke insert, update, delete on core.body, core.body_alias, core.value_set from halfyear_loader;
revoke insert, update, delete on core.county, core.region from halfyear_loader;
-- The text of a definition is run: only migrate writes it. A seal is added to, never changed.
revoke insert, update, delete on indicators.definition from halfyear_loader;
-- What is in force follows from observations and seals, by the owner's triggers.
revoke insert, update, delete on indicators.in_force from halfyear_loader;
-- What was printed comes from a file that a person edits.
revoke insert,
update,
delete on indicators.published_figure,
indicators.printed_only,
indicators.printed_identity,
indicators.series_link from halfyear_loader;
revoke insert, update, delete on indicators.unit from halfyear_loader;
-- Who loads does not seal.
revoke insert, update, delete on indicators.vintage, indicators.proposal from halfyear_loader;
revoke insert, update, delete on indicators.sealed_observation from halfyear_loader;
revoke insert, update, delete on indicators.sealed_definition from halfyear_loader;
revoke insert, update, delete on indicators.sealed_delivery from halfyear_loader;
revoke insert, update, delete on indicators.restatement from halfyear_loader;
revoke insert,
update,
delete on indicators.sealed_comparison,
indicators.sealed_print from halfyear_loader;
do $block$
declare
    view regclass;
begin
    for view in
        select format('%I.%I', schemaname, viewname)::regclass from pg_catalog.pg_views
        where schemaname in ('core', 'indicators', 'lineage', 'quarantine')
    loop
        execute format('revoke insert, update, delete on %s from halfyear_loader', view);
    end loop;
end;
$block$;

-- A seal and a proposal are added to, never changed; a trigger asks for two persons.
grant usage on schema core, indicators, mart, lineage to halfyear_publisher;
grant select on all tables in schema core, indicators, mart, lineage to halfyear_publisher;
grant execute on all functions in schema indicators to halfyear_publisher;
grant insert on indicators.proposal, indicators.vintage to halfyear_publisher;
grant insert on indicators.sealed_observation to halfyear_publisher;
grant insert on indicators.sealed_definition to halfyear_publisher;
grant insert on indicators.sealed_delivery to halfyear_publisher;
grant insert on indicators.restatement to halfyear_publisher;
grant insert on indicators.sealed_comparison, indicators.sealed_print to halfyear_publisher;

grant usage on schema mart to halfyear_reader;
grant select on all tables in schema mart to halfyear_reader;
revoke execute on all functions in schema core, indicators from public;
-- Views run functions with the rights of whoever asks: the rows behind a number, 环比 and 同比, what is unlike the past.
grant execute on function indicators.trace(text, text, date, timestamptz) to halfyear_reader;
grant execute on function indicators.change(text, numeric, numeric) to halfyear_reader;
grant execute on function indicators.is_outside_past(
    bigint, integer, double precision[]
) to halfyear_reader;
grant execute on function indicators.comparison(
    text, numeric, text, numeric, text, text, integer, text, numeric
) to halfyear_reader;
