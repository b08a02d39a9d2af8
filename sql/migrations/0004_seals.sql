-- Seals: what a vintage holds, and the chain of their hashes. Triggers let nobody change one.

create table indicators.vintage (
    period text not null,
    vintage integer not null check (vintage >= 1),
    sealed_at timestamptz not null,
    prepared_by text not null,
    approved_by text not null,
    code_version text not null,
    previous_hash text,
    hash text not null,
    sequence bigint not null unique,
    approved_at timestamptz not null,
    note text not null,
    exceptions jsonb not null,
    declarations text not null,
    proposal_digest text not null,
    primary key (period, vintage),
    check (prepared_by <> approved_by),
    check (lower(btrim(prepared_by)) <> lower(btrim(approved_by))),
    check (btrim(prepared_by) <> '' and btrim(approved_by) <> '')
);
comment on table indicators.vintage is 'One row per seal of a period: the first publication and each restatement';
comment on column indicators.vintage.sequence is 'Place in the one chain of all vintages of all periods, from 1';
comment on column indicators.vintage.sealed_at is
'The instant up to which rows are known in it: the figures as known then are the sealed ones';
comment on column indicators.vintage.exceptions is
'What was open and sealed nevertheless: objects of kind (completeness, identity, reconciliation), name and texts';
comment on column indicators.vintage.declarations is 'Fingerprint of all declarations that the warehouse was derived from';
comment on column indicators.vintage.proposal_digest is 'SHA-256 over what was proposed and approved; sealing it again is no new seal';
comment on column indicators.vintage.previous_hash is 'The hash of the vintage before it in the chain; null for the first';
comment on column indicators.vintage.hash is
'SHA-256 over the facts of the vintage, the hash before it and the row_hash of everything that it holds';

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
    row_hash text not null,
    foreign key (period, vintage) references indicators.vintage,
    unique nulls not distinct (period, vintage, indicator_code, reading, body_code)
);
comment on table indicators.sealed_observation is 'Every observation of a vintage, as it was sealed';
comment on column indicators.sealed_observation.row_hash is 'SHA-256 over the other columns, so that a changed row is found';

create table indicators.sealed_definition (
    period text not null,
    vintage integer not null,
    indicator_code text not null,
    reading text not null,
    definition jsonb not null,
    definition_hash text not null,
    row_hash text not null,
    name_zh text generated always as (definition ->> 'name_zh') stored,
    name_en text generated always as (definition ->> 'name_en') stored,
    domain text generated always as (definition ->> 'domain') stored,
    unit text generated always as (definition ->> 'unit') stored,
    kind text generated always as (definition ->> 'kind') stored,
    decimals integer generated always as ((definition ->> 'decimals')::integer) stored,
    is_published boolean generated always as ((definition ->> 'is_published')::boolean) stored,
    primary key (period, vintage, indicator_code, reading),
    foreign key (period, vintage) references indicators.vintage
);
comment on table indicators.sealed_definition is 'Every definition of a vintage with its select, as its figures were computed';
comment on column indicators.sealed_definition.name_zh is
'Like the columns after it a part of definition, which alone is hashed: read for every figure, it is not unpacked each time';

create table indicators.sealed_delivery (
    period text not null,
    vintage integer not null,
    load_id bigint not null,
    delivery_id bigint not null,
    source text not null,
    snapshot_date date,
    sequence integer,
    file_name text not null,
    sha256 text not null,
    received_at timestamptz not null,
    indicator_codes text[] not null,
    row_hash text not null,
    primary key (period, vintage, load_id),
    foreign key (period, vintage) references indicators.vintage
);
comment on table indicators.sealed_delivery is 'Every delivery of which rows went into a vintage, left out ones included';
comment on column indicators.sealed_delivery.indicator_codes is 'The indicators that its rows went into';

create table indicators.restatement (
    period text not null,
    vintage integer not null,
    indicator_code text not null,
    reading text not null,
    body_code text,
    reason text not null check (
        reason in (
            'late_data', 'corrected_source', 'changed_definition', 'changed_scope',
            'computation_fault', 'transcription_fault'
        )
    ),
    note text not null check (btrim(note) <> ''),
    old_value numeric,
    old_printed text not null,
    new_value numeric,
    new_printed text not null,
    follows text[] not null,
    row_hash text not null,
    foreign key (period, vintage) references indicators.vintage,
    unique nulls not distinct (period, vintage, indicator_code, reading, body_code)
);
comment on table indicators.restatement is 'One row per figure that a later vintage changed: reason, old and new';
comment on column indicators.restatement.follows is
'Of a ratio or average: the restated counts of its sources that it moved with; empty for a figure restated by itself';
