-- What a value rests on may differ by source; what was printed is compared; identities between figures are kept.

alter table indicators.definition add column bases text[];
update indicators.definition set bases = array_fill(basis, array[cardinality(sources)]);
alter table indicators.definition alter column bases set not null;
comment on column indicators.definition.bases is
'For each source in order: stock = known from a snapshot on or before the last day; flow = from a delivery in the period or later';

create or replace view indicators.coverage as
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
        case named.basis
            when 'stock' then s.first_date <= p.last_day
            else s.newest_date >= p.first_day
        end as is_delivered
    from lineage.open_period as p
    cross join indicators.definition as d
    cross join unnest(d.sources, d.bases) as named (source, basis)
    left join delivered as s on named.source = s.source
)

select
    period,
    indicator_code,
    reading,
    bool_and(coalesce(is_delivered, false)) as is_covered
from needed
group by period, indicator_code, reading;

alter table indicators.definition drop column basis;

alter table indicators.published_figure drop constraint published_figure_pkey;
alter table indicators.published_figure add primary key (period, indicator_code);
alter table indicators.published_figure alter column value set not null;
alter table indicators.published_figure add column shares_of text;
alter table indicators.published_figure add check (decimals between 0 and 12);
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
