-- Indicators: definitions, observations per half-year, what is due, and the seals that later come over them.

create view lineage.open_period as
with bounds as (
    select
        min(snapshot_date) as first_date,
        max(snapshot_date) as newest_date
    from lineage.standing
    where upper_inf(known_at)
),

half_year as (
    select
        extract(year from day)::integer as year,
        extract(month from day) > 6 as is_second,
        day::date as first_day
    from
        bounds,
        generate_series(
            date_trunc('year', first_date::timestamp),
            newest_date::timestamp,
            interval '6 months'
        ) as day
    where day + interval '6 months' > first_date::timestamp
)

select
    lpad(year::text, 4, '0') || case when is_second then '-S2' else '-S1' end as period,
    first_day,
    (first_day + interval '6 months')::date - 1 as last_day,
    (first_day + interval '6 months')::date as next_day
from half_year;
comment on view lineage.open_period is
'Every half-year from the first to the newest accepted snapshot: the periods that have observations';

create table indicators.definition (
    indicator_code text not null,
    reading text not null,
    name_zh text not null,
    name_en text not null,
    domain text not null,
    domain_zh text not null,
    domain_en text not null,
    unit text not null,
    kind text not null check (kind in ('stock', 'flow', 'ratio', 'average')),
    basis text not null check (basis in ('stock', 'flow')),
    decimals integer not null check (decimals between 0 and 12),
    scale numeric not null check (scale > 0),
    template text not null,
    without_rows text not null check (without_rows in ('zero', 'null')),
    sources text[] not null,
    published_no text,
    section text,
    description_zh text not null,
    description_en text not null,
    excluded jsonb not null,
    is_published boolean not null,
    sort_order integer not null,
    sql_text text not null,
    definition_hash text not null,
    changed_at timestamptz not null default clock_timestamp(),
    primary key (indicator_code, reading)
);
create unique index on indicators.definition (indicator_code) where is_published;
comment on table indicators.definition is
'One row per indicator and reading, as sql/indicators declares it; written by migrate only';
comment on column indicators.definition.reading is 'Empty for <code>.sql, else the second word of <code>.<reading>.sql';
comment on column indicators.definition.basis is
'stock: known from a snapshot on or before the last day; flow: from a delivery in the period or later';
comment on column indicators.definition.scale is 'value = numerator (/ denominator) x scale; 100 for per cent';
comment on column indicators.definition.without_rows is
'What a covered period without any row is: zero, or null where a zero has to be reported';
comment on column indicators.definition.excluded is 'The reasons for which rows are left out, with their texts';
comment on column indicators.definition.definition_hash is
'SHA-256 over everything that moves the number; titles and descriptions do not';

create table indicators.observation (
    observation_id bigint generated always as identity primary key,
    period text not null,
    indicator_code text not null,
    reading text not null,
    body_code text,
    numerator numeric,
    denominator numeric,
    value numeric,
    printed text not null,
    definition_hash text not null,
    computed_at timestamptz not null,
    superseded_at timestamptz
);
create unique index observation_current on indicators.observation (
    period, indicator_code, reading, body_code
) nulls not distinct where superseded_at is null;
comment on table indicators.observation is
'One row per period, indicator, reading, body and computed value; superseded_at is null for the current one';
comment on column indicators.observation.body_code is 'Null for the whole city';
comment on column indicators.observation.numerator is 'Sum of quantity where in_numerator; null when nothing is known';
comment on column indicators.observation.denominator is 'The same where in_denominator, for ratios and averages';
comment on column indicators.observation.value is 'Exact, after unit conversion, ratios x 100; null when unknown or over zero';
comment on column indicators.observation.printed is 'Rounded half up, with trailing zeros and unit; — for null';

create table lineage.observation_input (
    period text not null,
    indicator_code text not null,
    reading text not null,
    load_id bigint not null references lineage.load,
    primary key (period, indicator_code, reading, load_id)
);
create index on lineage.observation_input (load_id);
comment on table lineage.observation_input is
'Which loads the rows of a current observation come from, rows left out included';

-- Marks are only added by loads and only taken away by the computation that serves them. A unique key with
-- "on conflict do nothing" would lose the mark of a load that commits while an older mark is being served.
create table indicators.stale (
    stale_id bigint generated always as identity primary key,
    period text not null,
    indicator_code text not null,
    reading text not null,
    since timestamptz not null default clock_timestamp(),
    reason text not null
);
create index on indicators.stale (period);
comment on table indicators.stale is 'Marks: this indicator of this period has to be computed again, since when and why';

create function indicators.mark_stale(p_source text, p_periods text[], p_reason text) returns void
language sql as $function$
insert into indicators.stale (period, indicator_code, reading, reason)
select touched.period, d.indicator_code, d.reading, p_reason
from indicators.definition as d
cross join unnest(p_periods) as touched (period)
where p_source is null or p_source = any(d.sources)
$function$;
comment on function indicators.mark_stale is
'Marks every indicator that reads a source (null: every indicator) in the given periods; called within the load';

create table indicators.vintage (
    period text not null,
    vintage integer not null check (vintage >= 1),
    sealed_at timestamptz not null,
    prepared_by text not null,
    approved_by text not null,
    code_version text not null,
    previous_hash text,
    hash text not null,
    primary key (period, vintage),
    check (prepared_by <> approved_by)
);
comment on table indicators.vintage is 'One row per seal of a period: the first publication and each restatement';

create table indicators.sealed_observation (
    period text not null,
    vintage integer not null,
    indicator_code text not null,
    reading text not null,
    body_code text,
    numerator numeric,
    denominator numeric,
    value numeric,
    printed text not null,
    definition_hash text not null,
    computed_at timestamptz not null,
    foreign key (period, vintage) references indicators.vintage,
    unique nulls not distinct (period, vintage, indicator_code, reading, body_code)
);
comment on table indicators.sealed_observation is 'Every observation of a vintage, as it was sealed';

create table indicators.restatement (
    period text not null,
    vintage integer not null,
    indicator_code text not null,
    reading text not null,
    body_code text,
    reason text not null,
    note text not null,
    old_value numeric,
    old_printed text not null,
    new_value numeric,
    new_printed text not null,
    foreign key (period, vintage) references indicators.vintage,
    unique nulls not distinct (period, vintage, indicator_code, reading, body_code)
);
comment on table indicators.restatement is 'One row per figure that a later vintage changed: reason, old and new';

create table indicators.published_figure (
    period text not null,
    published_no text not null,
    indicator_code text not null,
    section text not null,
    printed text not null,
    value numeric,
    unit text not null,
    decimals integer not null,
    primary key (period, published_no)
);
comment on table indicators.published_figure is 'What the bureau printed, as printed, by code and section';

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
        case d.basis
            when 'stock' then s.first_date <= p.last_day
            else s.newest_date >= p.first_day
        end as is_delivered
    from lineage.open_period as p
    cross join indicators.definition as d
    cross join unnest(d.sources) as named (source)
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

-- Beyond the marks, what is due follows from the state itself: a new period, a new or changed definition, a source
-- that delivered for the first time or no longer did, a period or a definition that is gone.
create view indicators.due as
with city as (
    select
        period,
        indicator_code,
        reading,
        numerator,
        definition_hash
    from indicators.observation
    where superseded_at is null and body_code is null
),

wanted as (
    select
        c.period,
        c.indicator_code,
        c.reading,
        c.is_covered,
        d.definition_hash,
        d.without_rows,
        exists(
            select 1 from indicators.vintage as v
            where v.period = c.period
        ) as is_sealed
    from indicators.coverage as c
    inner join indicators.definition as d
        on c.indicator_code = d.indicator_code and c.reading = d.reading
),

marked as (
    select
        s.period,
        s.indicator_code,
        s.reading
    from indicators.stale as s
)

select
    period,
    indicator_code,
    reading
from marked
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
    or (o.definition_hash <> w.definition_hash and not w.is_sealed)
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

create view indicators.figure as
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
                and s.body_code is not distinct from o.body_code
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
comment on view indicators.figure is
'The value in force: that of the newest vintage where the period is sealed, else the provisional one';

create table indicators.announcement (
    period text primary key,
    newest_mark bigint not null,
    announced_at timestamptz not null
);
comment on table indicators.announcement is
'Up to which mark the scheduler was told that a half-year is due: each is told once, however many loads touched it';
comment on column indicators.announcement.newest_mark is 'The newest indicators.stale.stale_id that was told';
