-- Seals: what a vintage holds, the chain of their hashes, and the guard that lets nobody change one.

alter table indicators.vintage add column sequence bigint not null unique;
alter table indicators.vintage add column approved_at timestamptz not null;
alter table indicators.vintage add column note text not null;
alter table indicators.vintage add column exceptions jsonb not null;
alter table indicators.vintage add column declarations text not null;
alter table indicators.vintage add column proposal_digest text not null;
alter table indicators.vintage add check (lower(btrim(prepared_by)) <> lower(btrim(approved_by)));
alter table indicators.vintage add check (btrim(prepared_by) <> '' and btrim(approved_by) <> '');
comment on column indicators.vintage.sequence is 'Place in the one chain of all vintages of all periods, from 1';
comment on column indicators.vintage.sealed_at is
'The instant up to which rows are known in it: the figures as known then are the sealed ones';
comment on column indicators.vintage.exceptions is
'What was open and sealed nevertheless: objects of kind (completeness, identity, reconciliation), name and texts';
comment on column indicators.vintage.declarations is 'Fingerprint of all declarations that the warehouse was derived from';
comment on column indicators.vintage.proposal_digest is 'SHA-256 over what was proposed and approved; sealing it again is no new seal';
comment on column indicators.vintage.previous_hash is 'The hash of the vintage before it in the chain; null for the first';
comment on column indicators.vintage.hash is
'SHA-256 over the facts of the vintage, the hash before it and the row_hash of everything that it holds';

alter table indicators.sealed_observation add column row_hash text not null;
comment on column indicators.sealed_observation.row_hash is 'SHA-256 over the other columns, so that a changed row is found';

create table indicators.sealed_definition (
    period text not null,
    vintage integer not null,
    indicator_code text not null,
    reading text not null,
    definition jsonb not null,
    definition_hash text not null,
    row_hash text not null,
    primary key (period, vintage, indicator_code, reading),
    foreign key (period, vintage) references indicators.vintage
);
comment on table indicators.sealed_definition is 'Every definition of a vintage with its select, as its figures were computed';

create table indicators.sealed_delivery (
    period text not null,
    vintage integer not null,
    load_id bigint not null,
    delivery_id bigint not null,
    source text not null,
    snapshot_date date,
    sequence integer,
    file_name text not null,
    sha256 text not null,
    received_at timestamptz not null,
    indicator_codes text[] not null,
    row_hash text not null,
    primary key (period, vintage, load_id),
    foreign key (period, vintage) references indicators.vintage
);
comment on table indicators.sealed_delivery is 'Every delivery of which rows went into a vintage, left out ones included';
comment on column indicators.sealed_delivery.indicator_codes is 'The indicators that its rows went into';

alter table indicators.restatement add column follows text[] not null;
alter table indicators.restatement add column row_hash text not null;
alter table indicators.restatement add check (
    reason in (
        'late_data', 'corrected_source', 'changed_definition', 'changed_scope', 'computation_fault',
        'transcription_fault'
    )
);
alter table indicators.restatement add check (btrim(note) <> '');
comment on column indicators.restatement.follows is
'Of a ratio or average: the restated counts of its sources that it moved with; empty for a figure restated by itself';

-- The guard. Always enabled: also where session_replication_role is replica.
create function indicators.refuse_change() returns trigger
language plpgsql as $function$
begin
    raise exception '已封存的数据不能修改，只能重述 / a seal is never changed, only restated: indicators.%', tg_table_name
        using errcode = 'integrity_constraint_violation', hint = 'halfyear restate PERIOD';
end
$function$;

create function indicators.continue_chain() returns trigger
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

create function indicators.refuse_addition() returns trigger
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

create trigger continue_chain before insert on indicators.vintage
for each row execute function indicators.continue_chain();
alter table indicators.vintage enable always trigger continue_chain;

do $block$
declare
    sealed text;
begin
    foreach sealed in array array['vintage', 'sealed_observation', 'sealed_definition', 'sealed_delivery', 'restatement']
    loop
        execute format(
            'create trigger refuse_change before update or delete or truncate on indicators.%I '
            'for each statement execute function indicators.refuse_change()', sealed
        );
        execute format('alter table indicators.%I enable always trigger refuse_change', sealed);
        if sealed <> 'vintage' then
            execute format(
                'create trigger refuse_addition after insert on indicators.%I '
                'referencing new table as added for each statement execute function indicators.refuse_addition()',
                sealed
            );
            execute format('alter table indicators.%I enable always trigger refuse_addition', sealed);
        end if;
    end loop;
end;
$block$;

-- A pair that was sealed shows its sealed bodies only: one that appears later is for the next vintage.
create or replace view indicators.figure as
with latest as (
    select
        period,
        max(vintage) as vintage
    from indicators.vintage
    group by period
),

sealed as (
    select o.*
    from indicators.sealed_observation as o
    inner join latest as l on o.period = l.period and o.vintage = l.vintage
),

provisional as (
    select o.*
    from indicators.observation as o
    where
        o.superseded_at is null
        and not exists (
            select 1 from sealed as s
            where
                s.period = o.period
                and s.indicator_code = o.indicator_code
                and s.reading = o.reading
        )
)

select
    period,
    indicator_code,
    reading,
    body_code,
    numerator,
    denominator,
    value,
    printed,
    'sealed' as status,
    vintage,
    definition_hash,
    computed_at
from sealed
union all
select
    period,
    indicator_code,
    reading,
    body_code,
    numerator,
    denominator,
    value,
    printed,
    'provisional' as status,
    null as vintage,
    definition_hash,
    computed_at
from provisional;

-- The provisional value of a sealed period follows a changed definition too: the seal does not move, and what would
-- have to be restated shows.
create or replace view indicators.due as
with city as not materialized (
    select
        period,
        indicator_code,
        reading,
        numerator,
        definition_hash
    from indicators.observation
    where superseded_at is null and body_code is null
),

wanted as not materialized (
    select
        c.period,
        c.indicator_code,
        c.reading,
        c.is_covered,
        d.definition_hash,
        d.without_rows
    from indicators.coverage as c
    inner join indicators.definition as d
        on c.indicator_code = d.indicator_code and c.reading = d.reading
)

select
    period,
    indicator_code,
    reading
from indicators.stale
union
select
    w.period,
    w.indicator_code,
    w.reading
from wanted as w
left join city as o
    on w.period = o.period and w.indicator_code = o.indicator_code and w.reading = o.reading
where
    o.period is null
    or o.definition_hash <> w.definition_hash
    or (o.numerator is not null and not w.is_covered)
    or (o.numerator is null and w.is_covered and w.without_rows = 'zero')
union
select
    o.period,
    o.indicator_code,
    o.reading
from city as o
left join wanted as w
    on o.period = w.period and o.indicator_code = w.indicator_code and o.reading = w.reading
where w.period is null;
