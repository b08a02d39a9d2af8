-- Vintages of all half-years are one chain.

create or replace function indicators.continue_chain() returns trigger
language plpgsql as $function$
declare
    last_vintage record;
begin
    select v.sequence, v.hash into last_vintage
    from indicators.vintage as v
    order by v.sequence desc
    limit 1;
    if new.sequence <> coalesce(last_vintage.sequence, 0) + 1
        or new.previous_hash is distinct from last_vintage.hash
        or new.vintage <> 1 + (
            select coalesce(max(v.vintage), 0) from indicators.vintage as v where v.period = new.period
        )
    then
        raise exception '版次不接续封存链 / the vintage does not continue the chain: % vintage %', new.period, new.vintage
            using errcode = 'integrity_constraint_violation';
    end if;
    return new;
end
$function$;

create or replace trigger continue_chain before insert on indicators.vintage
for each row execute function indicators.continue_chain();
alter table indicators.vintage enable always trigger continue_chain;
