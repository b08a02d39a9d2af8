-- A vintage holds what was added in the transaction that sealed it.

create or replace function indicators.refuse_addition() returns trigger
language plpgsql as $function$
begin
    if exists (
        select from added as a
        left join indicators.vintage as v on a.period = v.period and a.vintage = v.vintage
        where v.xmin is distinct from pg_current_xact_id()::xid
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
