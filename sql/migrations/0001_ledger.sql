-- The layers of the warehouse in the order in which data meets them, and the ledger of what happened.

create schema staging;
create schema quarantine;
create schema core;
create schema indicators;
create schema mart;
create schema lineage;

comment on schema staging is '贴源层 One load''s rows, not yet believed; a table per load, dropped afterwards';
comment on schema quarantine is '隔离区 Rejected rows with rule, column and reason; personal values masked';
comment on schema core is '明细层 Accepted rows of every source, with both time axes';
comment on schema indicators is '汇总层 Definitions and observations per half-year';
comment on schema mart is '应用层 The only schema that dashboards read';
comment on schema lineage is '血缘 Deliveries, loads, checks and what an observation was made of';

create table lineage.migration (
    name text primary key,
    sha256 text not null,
    applied_at timestamptz not null default clock_timestamp()
);
comment on table lineage.migration is 'Numbered migrations that were applied, with the hash of their text';

create table lineage.declaration (
    name text primary key,
    fingerprint text not null,
    applied_at timestamptz not null default clock_timestamp()
);
comment on table lineage.declaration is
'Fingerprints of what the warehouse was last derived from: contracts, body lists, generated views';

create table lineage.delivery (
    delivery_id bigint generated always as identity primary key,
    source text not null,
    snapshot_date date,
    sequence integer,
    file_name text not null,
    sha256 text,
    bytes bigint,
    modified_at timestamptz,
    received_at timestamptz not null default clock_timestamp(),
    is_late boolean not null default false,
    verdict text check (
        verdict in (
            'loaded', 'loaded_with_quarantine', 'refused', 'repeated', 'superseded', 'ignored'
        )
    ),
    rule text,
    reason_zh text,
    reason_en text,
    judged_at timestamptz,
    unique nulls not distinct (source, file_name, sha256)
);
create index on lineage.delivery (source, snapshot_date, sequence);
comment on table lineage.delivery is 'One row per file that arrived: its identity and its verdict; no verdict yet = it waits';
comment on column lineage.delivery.snapshot_date is 'The day the export speaks for, from the file name';
comment on column lineage.delivery.sequence is 'The re-delivery number of that day; no suffix is 1';
comment on column lineage.delivery.sha256 is 'SHA-256 of the bytes as received, which are kept under it in landing';
comment on column lineage.delivery.is_late is 'It arrived later after its day than the contract allows';
comment on column lineage.delivery.verdict is
'loaded, loaded_with_quarantine, refused, repeated (same source, day and bytes), superseded, ignored';

create table lineage.acceptance (
    delivery_id bigint primary key references lineage.delivery,
    reason text not null check (btrim(reason) <> ''),
    accepted_by text not null,
    accepted_at timestamptz not null default clock_timestamp()
);
comment on table lineage.acceptance is 'An operator''s override of a refused register snapshot';

create table lineage.load (
    load_id bigint primary key,
    delivery_id bigint not null unique references lineage.delivery,
    contract_version text not null,
    contract_fingerprint text not null,
    code_version text not null,
    rows_read bigint not null,
    rows_passed bigint not null,
    rows_loaded bigint not null,
    rows_quarantined bigint not null,
    rows_skipped bigint not null,
    state text not null check (state in ('checked', 'refused')),
    rule text,
    reason_zh text,
    reason_en text,
    sheet text,
    encoding text,
    unknown_columns text[] not null default '{}',
    started_at timestamptz not null,
    finished_at timestamptz not null default clock_timestamp(),
    check (rows_read = rows_loaded + rows_quarantined + rows_skipped)
);
create sequence lineage.load_id owned by lineage.load.load_id;
comment on table lineage.load is 'One row per delivery that was read and checked: versions and the account of its rows';
comment on column lineage.load.state is
'checked: the file itself is usable; refused: it is not (rule and reason). The verdict also weighs the other deliveries';
comment on column lineage.load.rows_passed is 'Rows that passed every check';
comment on column lineage.load.rows_loaded is
'Rows that went into core: those that passed, or none while the file is refused or superseded';
comment on column lineage.load.rows_skipped is
'Totals, notes, blanks, repeated headers, duplicates, and the rows that passed in a file that does not stand';

create table lineage.standing (
    source text not null,
    snapshot_date date not null,
    load_id bigint not null references lineage.load,
    known_at tstzrange not null
);
create unique index on lineage.standing (source, snapshot_date) where upper_inf(known_at);
create index on lineage.standing (load_id);
comment on table lineage.standing is 'Which accepted delivery stands for a day of a source, and since when that is known';

create table lineage.check_result (
    load_id bigint not null,
    rule text not null,
    expectation_type text,
    column_name text,
    severity text not null check (severity in ('critical', 'warning', 'info')),
    dimension text not null,
    success boolean not null,
    element_count bigint not null,
    unexpected_count bigint not null,
    description_zh text not null,
    description_en text not null,
    checked_at timestamptz not null default clock_timestamp()
);
create index on lineage.check_result (load_id);
comment on table lineage.check_result is 'One row per rule and load: Great Expectations'' results and the findings of the reader';

create table quarantine.rejected_row (
    load_id bigint not null,
    row_number bigint not null,
    record_key text,
    column_name text,
    rule text not null,
    reason_zh text not null,
    reason_en text not null,
    masked_value text
);
create index on quarantine.rejected_row (load_id, row_number);
comment on table quarantine.rejected_row is 'One row per rejected row and rule; a row may break several';
comment on column quarantine.rejected_row.row_number is 'The number that a person sees in the file';
comment on column quarantine.rejected_row.record_key is 'The key, where it can be read: such a row neither ends nor changes its record';
comment on column quarantine.rejected_row.masked_value is 'The cell, shortened; *** where the column is personal';

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
