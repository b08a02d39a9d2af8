-- A vintage holds what was added in the transaction that sealed it, or in a savepoint of that. A row that is seen while the
-- transaction that wrote it is in progress is our own. Of an id the upper half is that of now: for one of another age the
-- status is refused, and so is the addition.

create or replace function indicators.refuse_addition() returns trigger
language plpgsql as $function$
begin
    if exists (
        select from added as a
        left join indicators.vintage as v on a.period = v.period and a.vintage = v.vintage
        where
            v.xmin is null
            or pg_xact_status(
                ((pg_current_xact_id()::text::bigint >> 32 << 32) + v.xmin::text::bigint)::text::xid8
            ) <> 'in progress'
    ) then
        raise exception '已封存的数据不能增加 / nothing is added to a seal: indicators.%', tg_table_name
            using errcode = 'integrity_constraint_violation', hint = 'halfyear restate PERIOD';
    end if;
    return null;
end
$function$;

create or replace trigger refuse_addition after insert on indicators.sealed_observation
referencing new table as added for each statement execute function indicators.refuse_addition();
alter table indicators.sealed_observation enable always trigger refuse_addition;

create or replace trigger refuse_addition after insert on indicators.sealed_definition
referencing new table as added for each statement execute function indicators.refuse_addition();
alter table indicators.sealed_definition enable always trigger refuse_addition;

create or replace trigger refuse_addition after insert on indicators.sealed_delivery
referencing new table as added for each statement execute function indicators.refuse_addition();
alter table indicators.sealed_delivery enable always trigger refuse_addition;

create or replace trigger refuse_addition after insert on indicators.restatement
referencing new table as added for each statement execute function indicators.refuse_addition();
alter table indicators.restatement enable always trigger refuse_addition;

create or replace trigger refuse_addition after insert on indicators.sealed_comparison
referencing new table as added for each statement execute function indicators.refuse_addition();
alter table indicators.sealed_comparison enable always trigger refuse_addition;

create or replace trigger refuse_addition after insert on indicators.sealed_print
referencing new table as added for each statement execute function indicators.refuse_addition();
alter table indicators.sealed_print enable always trigger refuse_addition;
