-- The figures in force: that of the newest vintage where a half-year is sealed, else the provisional one. Who asks for one
-- half-year or one indicator does not choose anew among all that was ever observed and sealed: the choice is kept in
-- indicators.in_force, in the statement that moves it, by the triggers below and by nothing else.

create or replace view indicators.in_force_derived as
with newest as not materialized (
    select
        period,
        max(vintage) as vintage
    from indicators.vintage
    group by period
),

sealed as not materialized (
    select s.*
    from indicators.sealed_observation as s
    inner join newest as n on s.period = n.period and s.vintage = n.vintage
)

select
    s.period,
    s.indicator_code,
    s.reading,
    s.body_code,
    s.numerator,
    s.denominator,
    s.value,
    round(s.value, coalesce(z.decimals, d.decimals)) as shown,
    s.printed,
    s.vintage,
    coalesce(z.is_published, d.is_published, false) as is_published,
    s.definition_hash,
    s.computed_at
from sealed as s
left join indicators.sealed_definition as z
    on
        s.period = z.period
        and s.vintage = z.vintage
        and s.indicator_code = z.indicator_code
        and s.reading = z.reading
left join indicators.definition as d
    on s.indicator_code = d.indicator_code and s.reading = d.reading
union all
select
    o.period,
    o.indicator_code,
    o.reading,
    o.body_code,
    o.numerator,
    o.denominator,
    o.value,
    round(o.value, d.decimals) as shown,
    o.printed,
    null as vintage,
    coalesce(d.is_published, false) as is_published,
    o.definition_hash,
    o.computed_at
from indicators.observation as o
left join indicators.definition as d
    on o.indicator_code = d.indicator_code and o.reading = d.reading
where
    o.superseded_at is null
    and not exists (
        select from sealed as s
        where
            s.period = o.period
            and s.indicator_code = o.indicator_code
            and s.reading = o.reading
            and coalesce(s.body_code, '') = coalesce(o.body_code, '')
    );
comment on view indicators.in_force_derived is
'What indicators.in_force has to hold, chosen anew among observations, vintages and definitions';

create or replace view indicators.figure as
select
    period,
    indicator_code,
    reading,
    body_code,
    numerator,
    denominator,
    value,
    printed,
    case when vintage is null then 'provisional' else 'sealed' end as status,
    vintage,
    definition_hash,
    computed_at,
    body_key
from indicators.in_force;

create or replace function indicators.bring_into_force(
    p_period text, p_codes text[], p_readings text[]
) returns void
language plpgsql security definer set search_path = pg_catalog set enable_nestloop = off
as $$
begin
    -- Of a half-year that was only just sealed the planner knows nothing, and would compare every figure with every other.
    -- Two transactions that move one half-year follow each other; each statement sees what was committed before it.
    perform pg_advisory_xact_lock_shared(8150006);
    perform pg_advisory_xact_lock(8150007, hashtext(p_period));
    delete from indicators.in_force as f
    where
        f.period = p_period
        and (p_codes is null or (f.indicator_code, f.reading) in (select * from unnest(p_codes, p_readings)))
        and not exists (
            select from indicators.in_force_derived as d
            where
                d.period = p_period
                and d.indicator_code = f.indicator_code
                and d.reading = f.reading
                and coalesce(d.body_code, '') = f.body_key
        );
    insert into indicators.in_force as f (
        period, indicator_code, reading, body_code, numerator, denominator, value, shown, printed, vintage,
        is_published, definition_hash, computed_at
    )
    select d.*
    from indicators.in_force_derived as d
    where
        d.period = p_period
        and (p_codes is null or (d.indicator_code, d.reading) in (select * from unnest(p_codes, p_readings)))
    on conflict (period, indicator_code, reading, body_key) do update
    set
        numerator = excluded.numerator,
        denominator = excluded.denominator,
        value = excluded.value,
        shown = excluded.shown,
        printed = excluded.printed,
        vintage = excluded.vintage,
        is_published = excluded.is_published,
        definition_hash = excluded.definition_hash,
        computed_at = excluded.computed_at
    where
        (
            f.numerator, f.denominator, f.value, f.shown, f.printed, f.vintage, f.is_published, f.definition_hash,
            f.computed_at
        ) is distinct from (
            excluded.numerator, excluded.denominator, excluded.value, excluded.shown, excluded.printed,
            excluded.vintage, excluded.is_published, excluded.definition_hash, excluded.computed_at
        );
end
$$;
comment on function indicators.bring_into_force(text, text[], text[]) is
'Choose the figures in force of a half-year anew: those of the given pairs of indicator and reading, or all (null)';

-- The loader writes observations and vintages, and nothing here: the owner's functions do.
create or replace function indicators.observation_moved() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
declare
    v_moved record;
begin
    if tg_op = 'TRUNCATE' then
        perform indicators.bring_into_force(f.period, null, null)
        from (select distinct period from indicators.in_force) as f;
        return null;
    end if;
    for v_moved in execute
        'select period, array_agg(indicator_code) as codes, array_agg(reading) as readings from ('
        'select period, indicator_code, reading from touched union '
        'select period, indicator_code, reading from ' || case tg_op when 'UPDATE' then 'replaced' else 'touched' end
        || ') as pair group by period order by period'
    loop
        perform indicators.bring_into_force(v_moved.period, v_moved.codes, v_moved.readings);
    end loop;
    return null;
end
$$;

create or replace function indicators.vintage_added() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    perform indicators.bring_into_force(new.period, null, null);
    return null;
end
$$;

-- A provisional figure is published and rounded as its definition says today.
create or replace function indicators.definition_moved() returns trigger
language plpgsql security definer set search_path = pg_catalog
as $$
begin
    if tg_op = 'UPDATE' then
        if not exists (
            select from touched as t
            inner join replaced as r on t.indicator_code = r.indicator_code and t.reading = r.reading
            where (t.is_published, t.decimals) is distinct from (r.is_published, r.decimals)
        ) then
            return null;
        end if;
    end if;
    -- Whoever brings figures into force at this time looks at the definitions afterwards.
    perform pg_advisory_xact_lock(8150006);
    update indicators.in_force as f
    set is_published = coalesce(d.is_published, false), shown = round(f.value, d.decimals)
    from (select distinct indicator_code, reading from touched) as t
    left join indicators.definition as d on t.indicator_code = d.indicator_code and t.reading = d.reading
    where
        f.indicator_code = t.indicator_code
        and f.reading = t.reading
        and f.vintage is null
        and (f.is_published, f.shown)
        is distinct from (coalesce(d.is_published, false), round(f.value, d.decimals));
    return null;
end
$$;

create or replace trigger observation_added after insert on indicators.observation
referencing new table as touched
for each statement execute function indicators.observation_moved();
create or replace trigger observation_changed after update on indicators.observation
referencing old table as replaced new table as touched
for each statement execute function indicators.observation_moved();
create or replace trigger observation_removed after delete on indicators.observation
referencing old table as touched
for each statement execute function indicators.observation_moved();
create or replace trigger observation_emptied after truncate on indicators.observation
for each statement execute function indicators.observation_moved();

create or replace trigger definition_added after insert on indicators.definition
referencing new table as touched
for each statement execute function indicators.definition_moved();
create or replace trigger definition_changed after update on indicators.definition
referencing old table as replaced new table as touched
for each statement execute function indicators.definition_moved();
create or replace trigger definition_removed after delete on indicators.definition
referencing old table as touched
for each statement execute function indicators.definition_moved();

-- At the end of the transaction, in which all that a vintage holds is added.
drop trigger if exists vintage_added on indicators.vintage;
create constraint trigger vintage_added after insert on indicators.vintage
deferrable initially deferred
for each row execute function indicators.vintage_added();

-- Where nothing is in force yet, or a migration emptied it. Where definitions are still to come, they publish.
insert into indicators.in_force (
    period, indicator_code, reading, body_code, numerator, denominator, value, shown, printed,
    vintage, is_published, definition_hash, computed_at
)
select d.*
from indicators.in_force_derived as d
where not exists (select from indicators.in_force);
