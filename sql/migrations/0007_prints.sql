-- What a seal prints beside its values, and which definitions continue each other.

-- Changes are computed from exact values; a sealed figure is compared with what it was compared with when it was sealed.
alter table indicators.in_force
drop column shown,
add column unit text,
add column first_printed text,
add column body_name text,
add column compared jsonb;
create index in_force_before on indicators.in_force (next_period, indicator_code, body_key)
include (value, printed, unit, vintage, first_printed, definition_hash) where is_published;
create index in_force_year_before on indicators.in_force (
    next_year_period, indicator_code, body_key
) include (value, printed, unit, vintage, first_printed, definition_hash) where is_published;
comment on column indicators.in_force.unit is 'Unit of the value: by the seal, or for a provisional figure today';
comment on column indicators.in_force.first_printed is
'Of a restated figure: as the first vintage printed it, where that is another print; else null';
comment on column indicators.in_force.body_name is 'Name of the body by the seal; null for a provisional figure';
alter table indicators.sealed_definition
add column sort_order integer generated always as ((definition ->> 'sort_order')::integer) stored,
add column domain_zh text generated always as (definition ->> 'domain_zh') stored,
add column domain_en text generated always as (definition ->> 'domain_en') stored;

comment on column indicators.in_force.compared is
'What the seal compares the figure with: previous and year_ago, each as indicators.comparison makes it; null: not sealed';

create table indicators.sealed_comparison (
    period text not null,
    vintage integer not null,
    indicator_code text not null,
    reading text not null,
    body_code text,
    body_name text,
    compared text not null,
    row_hash text not null,
    foreign key (period, vintage) references indicators.vintage,
    unique nulls not distinct (period, vintage, indicator_code, reading, body_code)
);
comment on table indicators.sealed_comparison is
'One row per published figure of a vintage: the body''s name, and the half-years that the figure is compared with';
comment on column indicators.sealed_comparison.compared is
'JSON with previous and year_ago, each as indicators.comparison makes it, null where there was none';

create table indicators.sealed_print (
    period text not null,
    vintage integer not null,
    page text not null,
    content text not null,
    row_hash text not null,
    primary key (period, vintage, page),
    foreign key (period, vintage) references indicators.vintage
);
comment on table indicators.sealed_print is
'What else is printed of a vintage: of each page (identities, reconciliation, quality, names) its rows when it was sealed';
comment on column indicators.sealed_print.content is 'JSON array of the rows, one object each';

create table indicators.series_link (
    indicator_code text not null,
    from_hash text not null check (from_hash ~ '^[0-9a-f]{64}$'),
    to_hash text not null check (to_hash ~ '^[0-9a-f]{64}$'),
    factor numeric not null check (factor > 0),
    reason text not null check (btrim(reason) <> ''),
    reviewed_by text not null check (btrim(reviewed_by) <> ''),
    primary key (indicator_code, from_hash, to_hash),
    check (from_hash <> to_hash)
);
comment on table indicators.series_link is
'Definitions of an indicator that a person declared comparable, from expectations/indicators/series_link.csv';
comment on column indicators.series_link.factor is 'A value by from_hash times this is a value by to_hash: 10000 from 亿元 to 万元';

create table indicators.unit (
    unit text primary key,
    code text not null unique,
    name_zh text not null,
    name_en text not null
);
comment on table indicators.unit is 'Units of indicators with their SDMX codes, from expectations/indicators/units.yaml';

alter table indicators.definition add column part_of text;
comment on column indicators.definition.part_of is 'The code of the whole of which it is a part; null: none';
