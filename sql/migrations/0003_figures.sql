-- Figures: definitions, observations per half-year, what is in force, what is due, what was printed, and identities.

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
    population text,
    readings text[] not null,
    parts jsonb,
    trace_text text not null,
    primary key (indicator_code, reading)
);
create unique index on indicators.definition (indicator_code) where is_published;
comment on table indicators.definition is
'One row per indicator and reading, as sql/indicators declares it; written by migrate only';
comment on column indicators.definition.reading is 'Empty for <code>.sql, else the second word of <code>.<reading>.sql';
comment on column indicators.definition.scale is 'value = numerator (/ denominator) x scale; 100 for per cent';
comment on column indicators.definition.without_rows is
'What a covered period without any row is: zero, or null where a zero has to be reported';
comment on column indicators.definition.excluded is 'The reasons for which rows are left out, with their texts';
comment on column indicators.definition.definition_hash is
'SHA-256 over everything that moves the number; titles and descriptions do not';
comment on column indicators.definition.population is 'The population that it adds to, a file of sql/populations; null: none';
comment on column indicators.definition.readings is
'For each source in order, how it is read: last_day, year_end_before, history, group, or by which date or time of its events';
comment on column indicators.definition.parts is 'The select in parts, so that a population is asked once for all its indicators';
comment on column indicators.definition.trace_text is 'The select with numbered parameters, for indicators.trace';

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
-- The history of a half-year, superseded values too.
create index observation_of_period on indicators.observation (period, indicator_code);
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

create table indicators.announcement (
    period text primary key,
    newest_mark bigint not null,
    announced_at timestamptz not null
);
comment on table indicators.announcement is
'Up to which mark the scheduler was told that a half-year is due: each is told once, however many loads touched it';
comment on column indicators.announcement.newest_mark is 'The newest indicators.stale.stale_id that was told';

-- What is in force is kept, and found without reading the history: indicators.bring_into_force says how.
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

create table indicators.published_figure (
    period text not null,
    published_no text not null,
    indicator_code text not null,
    section text not null,
    printed text not null,
    value numeric not null,
    unit text not null,
    decimals integer not null check (decimals between 0 and 12),
    shares_of text,
    primary key (period, indicator_code)
);
comment on table indicators.published_figure is
'What the bureau printed, as printed, from expectations/indicators/published_figure.csv: one row per period and indicator';
comment on column indicators.published_figure.printed is 'As it stands in the report, words included';
comment on column indicators.published_figure.value is 'The number that these words mean, in the unit, with the decimals that were printed';
comment on column indicators.published_figure.shares_of is
'For shares printed without their denominator: a name of what they are shares of; shares of one thing bear one name';

create table indicators.identity_check (
    period text not null,
    rule text not null,
    expectation_type text not null,
    description_zh text not null,
    description_en text not null,
    success boolean not null,
    element_count bigint not null,
    unexpected_count bigint not null,
    checked_at timestamptz not null default clock_timestamp(),
    primary key (period, rule)
);
comment on table indicators.identity_check is
'One row per half-year and identity between figures: whether it holds for the city and every body';
comment on column indicators.identity_check.element_count is 'Rows that were looked at: the city and every body with a figure';

create table indicators.identity_breach (
    period text not null,
    rule text not null,
    body_code text,
    figures jsonb not null,
    difference numeric,
    foreign key (period, rule) references indicators.identity_check on delete cascade,
    unique nulls not distinct (period, rule, body_code)
);
comment on table indicators.identity_breach is 'One row per identity that does not hold, half-year and body: the figures and by how much';
comment on column indicators.identity_breach.body_code is 'Null for the whole city';
