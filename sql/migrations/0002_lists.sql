-- The lists that people review, which migrate writes from expectations/, and the groups of events that lie in several half-years.

create table core.body (
    code text primary key,
    name text not null,
    kind text not null,
    level text not null check (level in ('市', '镇', '村')),
    parent_code text references core.body deferrable initially deferred,
    region_code text
);
comment on table core.body is 'The reviewed list of bodies, from expectations/core/body.csv';

create table core.body_alias (
    name text not null,
    code text not null references core.body deferrable initially deferred,
    valid_from date,
    reviewed_by text not null,
    unique nulls not distinct (name, valid_from)
);
comment on table core.body_alias is
'Reviewed other names of bodies, from expectations/core/body_alias.csv; without valid_from the name always held';

create table core.value_set (
    value_set text not null,
    value text not null,
    valid_from date not null,
    valid_until date,
    reviewed_by text not null,
    valid_at daterange generated always as (daterange(valid_from, valid_until)) stored,
    primary key (value_set, value, valid_from),
    check (valid_until > valid_from)
);
comment on table core.value_set is
'The reviewed definitions, from expectations/core/value_set.csv: which values belong to a set, and on which days';
comment on column core.value_set.valid_until is 'The first day on which the value no longer belongs to the set; null: it still does';
comment on column core.value_set.valid_at is 'The days on which the value belongs to the set';

create table core.county (
    county_code text primary key check (county_code ~ '^[0-9]{6}$')
);
comment on table core.county is
'The provinces, cities and counties of GB/T 2260 in every edition since 1981, from expectations/core/county.csv';

create table core.region (
    region_code text primary key check (region_code ~ '^[0-9]{6}([0-9]{3}([0-9]{3})?)?$'),
    name text not null,
    level text not null,
    check (level = case length(region_code) when 6 then '市' when 9 then '镇' else '村' end)
);
comment on table core.region is
'The city itself with all its towns and villages, from expectations/core/region.csv';

create table core.spanning_group (
    source text not null,
    group_value text not null,
    primary key (source, group_value)
);
comment on table core.spanning_group is
'The groups of events (a ticket, a case) that have or had rows in several half-years: only these need to be looked for there';
