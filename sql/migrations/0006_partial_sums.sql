-- Figures are kept as sums by body, so that a night adds to them what it changed instead of summing all rows again.

alter table indicators.definition add column decided_within text;
comment on column indicators.definition.decided_within is
'Rows that differ in this column do not bear on each other: record_key, or the group of the source; null: any row may';

create table indicators.partial_sum (
    period text not null,
    indicator_code text not null,
    reading text not null,
    body_code text,
    rows bigint not null,
    numerator numeric not null,
    denominator numeric not null,
    unique nulls not distinct (period, indicator_code, reading, body_code)
);
comment on table indicators.partial_sum is
'What the current observations are made of: one row per period, indicator, reading and body that rows count for';
comment on column indicators.partial_sum.body_code is
'The body that the rows themselves name, before villages are added to their towns; null: none that a list knows';
comment on column indicators.partial_sum.rows is 'Rows of the select, those that are left out included';
comment on column indicators.partial_sum.numerator is 'Sum of quantity where in_numerator';
comment on column indicators.partial_sum.denominator is 'Sum of quantity where in_denominator';

alter table lineage.observation_input add column rows bigint not null default 0;
alter table lineage.observation_input alter column rows drop default;
comment on column lineage.observation_input.rows is 'How many rows of the select come from the load';

create table indicators.summed_through (
    period text not null,
    indicator_code text not null,
    reading text not null,
    source text not null,
    known_through timestamptz not null,
    fingerprint text not null,
    primary key (period, indicator_code, reading)
);
create index on indicators.summed_through (source, known_through);
comment on table indicators.summed_through is
'Up to which instant the partial sums hold what is known; only of definitions that are decided within a record or group';
comment on column indicators.summed_through.fingerprint is
'The definition and all declarations by which the sums were made; after a change of either they are made anew';

create table indicators.changed_record (
    source text not null,
    record_key text,
    known_from timestamptz not null
);
create index on indicators.changed_record (source, known_from);
comment on table indicators.changed_record is
'The records whose rows a load changed, until every partial sum holds them; without a key: all may have changed by then';
comment on column indicators.changed_record.known_from is 'The instant from which the change is known';

create table core.spanning_group (
    source text not null,
    group_value text not null,
    primary key (source, group_value)
);
comment on table core.spanning_group is
'The groups of events (a ticket, a case) that have or had rows in several half-years: only these need to be looked for there';

-- Figures that were computed before have no partial sums yet.
select indicators.mark_stale(null, coalesce(array_agg(period), '{}'), 'partial sums')
from lineage.open_period;

-- One half-year is asked at a time: its condition goes into both parts instead of being applied to all half-years.
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
        d.without_rows,
        exists(
            select 1 from indicators.vintage as v
            where v.period = c.period
        ) as is_sealed
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
