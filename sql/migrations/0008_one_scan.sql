-- Figures are computed from their rows, whole: what adds up from night to night goes, and what a definition reads is said.

drop table if exists indicators.partial_sum;
drop table if exists indicators.summed_through;
drop table if exists indicators.changed_record;
alter table lineage.observation_input drop column if exists rows;

create table if not exists core.spanning_group (
    source text not null,
    group_value text not null,
    primary key (source, group_value)
);
comment on table core.spanning_group is
'The groups of events (a ticket, a case) that have or had rows in several half-years: only these need to be looked for there';

-- Definitions are derived from their files; migrate writes them again.
drop view indicators.due;
drop view indicators.coverage;
delete from indicators.definition;
alter table indicators.definition drop column if exists decided_within;
alter table indicators.definition drop column bases;
alter table indicators.definition add column population text;
alter table indicators.definition add column readings text[] not null;
alter table indicators.definition add column parts jsonb;
alter table indicators.definition add column trace_text text not null;
comment on column indicators.definition.population is 'The population that it adds to, a file of sql/populations; null: none';
comment on column indicators.definition.readings is
'For each source in order, how it is read: last_day, year_end_before, history, group, or by which date or time of its events';
comment on column indicators.definition.parts is 'The select in parts, so that a population is asked once for all its indicators';
comment on column indicators.definition.trace_text is 'The select with numbered parameters, for indicators.trace';

create view indicators.coverage as
with delivered as (
    select
        source,
        min(snapshot_date) as first_date,
        max(snapshot_date) as newest_date
    from lineage.standing
    where upper_inf(known_at)
    group by source
),

needed as (
    select
        p.period,
        d.indicator_code,
        d.reading,
        case named.reading
            when 'last_day' then s.first_date <= p.last_day
            when 'year_end_before' then s.first_date < date_trunc('year', p.first_day::timestamp)
            else s.newest_date >= p.first_day
        end as is_delivered
    from lineage.open_period as p
    cross join indicators.definition as d
    cross join unnest(d.sources, d.readings) as named (source, reading)
    left join delivered as s on named.source = s.source
)

select
    period,
    indicator_code,
    reading,
    bool_and(coalesce(is_delivered, false)) as is_covered
from needed
group by period, indicator_code, reading;
comment on view indicators.coverage is
'Whether anything is known for an indicator in a period: where not, it is null and not zero';

create view indicators.due as
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
comment on view indicators.due is 'Every pair of indicator and period that has to be computed';

drop function indicators.mark_stale(text, text[], text);
create function indicators.mark_stale(p_source text, p_periods text[], p_reason text)
returns setof text
language sql as $function$
with due as (
    select distinct
        p.period,
        d.indicator_code,
        d.reading
    from indicators.definition as d
    cross join unnest(d.sources, d.readings) as named (source, reading)
    cross join lineage.open_period as p
    where
        (p_source is null or named.source = p_source)
        and case
            when p_source is null then p.period = any(p_periods)
            when named.reading = 'history' then true
            when named.reading = 'year_end_before'
                then lpad((left(p.period, 4)::integer - 1)::text, 4, '0') || '-S2' = any(p_periods)
            else p.period = any(p_periods)
        end
),

marked as (
    insert into indicators.stale (period, indicator_code, reading, reason)
    select period, indicator_code, reading, p_reason
    from due
    returning period
)

select distinct period from marked
$function$;
comment on function indicators.mark_stale is
'Marks what reads a source (null: every indicator) whose rows changed in the given half-years, by what each definition reads: '
'the last day or an event of the half-year, the end of the year before, or all of history. Gives the half-years that it '
'marked; called within the load';

-- What is in force is kept, and found without reading the history. sql/core/in_force.sql says how.
create table indicators.in_force (
    period text not null,
    indicator_code text not null,
    reading text not null,
    body_code text,
    numerator numeric,
    denominator numeric,
    value numeric,
    shown numeric,
    printed text not null,
    vintage integer,
    is_published boolean not null,
    definition_hash text not null,
    computed_at timestamptz not null,
    body_key text not null generated always as (coalesce(body_code, '')) stored,
    next_period text not null generated always as (
        case right(period, 1)
            when '1' then left(period, 4) || '-S2'
            else lpad((left(period, 4)::integer + 1)::text, 4, '0') || '-S1'
        end
    ) stored,
    next_year_period text not null generated always as (
        lpad((left(period, 4)::integer + 1)::text, 4, '0') || right(period, 3)
    ) stored,
    primary key (period, indicator_code, reading, body_key)
);
create index in_force_of_period on indicators.in_force (period, body_code, indicator_code)
where is_published;
create index in_force_of_indicator on indicators.in_force (indicator_code, body_code, period)
where is_published;
-- What a figure is compared with is read from these alone.
create index in_force_before on indicators.in_force (next_period, indicator_code, body_key)
include (value, shown) where is_published;
create index in_force_year_before on indicators.in_force (
    next_year_period, indicator_code, body_key
) include (value, shown) where is_published;
comment on table indicators.in_force is
'One row per period, indicator, reading and body: the figure in force. Triggers keep it; nobody writes it';
comment on column indicators.in_force.shown is
'The value rounded to the decimals of its definition: changes are computed from it';
comment on column indicators.in_force.vintage is 'The newest vintage where it holds the figure; null: provisional';
comment on column indicators.in_force.is_published is
'Whether this reading is the published one: by the seal, or for a provisional figure today';
comment on column indicators.in_force.body_key is 'body_code, and empty for the whole city';
comment on column indicators.in_force.next_period is 'The half-year after: where this value is the previous one';
comment on column indicators.in_force.next_year_period is
'The half-year one year later: where this value is that of the year before';

alter table indicators.sealed_definition
add column name_zh text generated always as (definition ->> 'name_zh') stored,
add column name_en text generated always as (definition ->> 'name_en') stored,
add column domain text generated always as (definition ->> 'domain') stored,
add column unit text generated always as (definition ->> 'unit') stored,
add column kind text generated always as (definition ->> 'kind') stored,
add column decimals integer generated always as ((definition ->> 'decimals')::integer) stored,
add column is_published boolean generated always as (
    (definition ->> 'is_published')::boolean
) stored;
comment on column indicators.sealed_definition.name_zh is
'Like the columns after it a part of definition, which alone is hashed: read for every figure, it is not unpacked each time';

-- The history of a half-year, superseded values too.
create index observation_of_period on indicators.observation (period, indicator_code);

-- What rows name and nobody knows is judged after loads and kept; mart.unknown_body_row and mart.unknown_reference_row ask
-- the rows of today each time.
create table lineage.unknown_body (
    source text not null,
    body_code text,
    body_name text,
    load_id bigint not null,
    rows bigint not null
);
create index on lineage.unknown_body (source);
comment on table lineage.unknown_body is
'One row per source, body that no list knows, and load: how many of its rows that hold now name it';

create table lineage.unknown_reference (
    source text not null,
    column_name text not null,
    refers_to text not null,
    value text not null,
    load_id bigint not null,
    rows bigint not null
);
create index on lineage.unknown_reference (source);
comment on table lineage.unknown_reference is
'One row per column, value that no accepted snapshot ever named, and load: how many of its rows that hold now refer to it';

create table lineage.reference_judgement (
    source text primary key,
    seen jsonb not null,
    judged_at timestamptz not null default clock_timestamp()
);
comment on table lineage.reference_judgement is
'One row per source whose rows were judged: what its rows in lineage.unknown_body and lineage.unknown_reference speak of';
comment on column lineage.reference_judgement.seen is
'The newest instant at which anything became known of the source and of those that it refers to, and the declarations';
