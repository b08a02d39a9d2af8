-- Which deliveries are expected of a source, and what each load consists of: what is absent or unusual is found by these.

alter table lineage.source
add column mode text,
add column allows_silence boolean not null default false,
add column keeps_bodies boolean not null default false;
comment on column lineage.source.mode is 'register or events';
comment on column lineage.source.allows_silence is
'Whether an event file without rows says that nothing happened (零报告); otherwise it is an open point';
comment on column lineage.source.keeps_bodies is 'Whether a body that its deliveries named before stays in all later ones';

create table lineage.delivery_plan (
    source text not null,
    valid_at daterange not null,
    month_ends integer[] not null,
    is_daily boolean not null,
    primary key (source, valid_at)
);
comment on table lineage.delivery_plan is
'The days that a source has to deliver, as its contract declares them; written by migrate only. A source without a row delivers'
' irregular batches';
comment on column lineage.delivery_plan.valid_at is 'The days for which this line says which are expected';
comment on column lineage.delivery_plan.month_ends is 'Months on whose last day a file is expected';

create table lineage.load_part (
    load_id bigint not null references lineage.load on delete cascade,
    body_code text,
    body_name text,
    region_code text,
    rows bigint not null,
    digest numeric not null
);
create index on lineage.load_part (load_id);
comment on table lineage.load_part is
'What the accepted rows of a load consist of: one row per body as delivered (one in all where the source names none)';
comment on column lineage.load_part.digest is
'Sum of the hashes of these rows, whatever their order and format: loads with the same sums have the same rows';

comment on column indicators.vintage.exceptions is
'What was open and sealed nevertheless: objects of kind (completeness, anomaly, identity, reconciliation), name and texts, with'
' indicator_codes that it touches and the preparer''s explanation, where there are any';
