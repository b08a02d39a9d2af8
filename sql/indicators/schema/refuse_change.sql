-- Nobody changes a seal, nor the proposal that it was made by. The guard is always enabled: also where session_replication_role is replica.

create or replace function indicators.refuse_change() returns trigger
language plpgsql as $function$
begin
    raise exception '已封存的数据不能修改，只能重述 / a seal is never changed, only restated: indicators.%', tg_table_name
        using errcode = 'integrity_constraint_violation', hint = 'halfyear restate PERIOD';
end
$function$;

create or replace trigger refuse_change before update or delete or truncate
on indicators.vintage
for each statement execute function indicators.refuse_change();
alter table indicators.vintage enable always trigger refuse_change;

create or replace trigger refuse_change before update or delete or truncate
on indicators.sealed_observation
for each statement execute function indicators.refuse_change();
alter table indicators.sealed_observation enable always trigger refuse_change;

create or replace trigger refuse_change before update or delete or truncate
on indicators.sealed_definition
for each statement execute function indicators.refuse_change();
alter table indicators.sealed_definition enable always trigger refuse_change;

create or replace trigger refuse_change before update or delete or truncate
on indicators.sealed_delivery
for each statement execute function indicators.refuse_change();
alter table indicators.sealed_delivery enable always trigger refuse_change;

create or replace trigger refuse_change before update or delete or truncate
on indicators.restatement
for each statement execute function indicators.refuse_change();
alter table indicators.restatement enable always trigger refuse_change;

create or replace trigger refuse_change before update or delete or truncate
on indicators.sealed_comparison
for each statement execute function indicators.refuse_change();
alter table indicators.sealed_comparison enable always trigger refuse_change;

create or replace trigger refuse_change before update or delete or truncate
on indicators.sealed_print
for each statement execute function indicators.refuse_change();
alter table indicators.sealed_print enable always trigger refuse_change;

create or replace trigger refuse_change before update or delete or truncate
on indicators.proposal
for each statement execute function indicators.refuse_change();
alter table indicators.proposal enable always trigger refuse_change;
