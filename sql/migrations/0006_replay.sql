-- Loads are judged again when the contract, or a list that its rules read, is another one than then. What was known by the
-- earlier judgement stays known of its instants, so its load stays.

alter table lineage.load drop constraint load_delivery_id_key;
alter table lineage.load
add column lists_fingerprint text,
add column replaced_at timestamptz;
create unique index load_in_force on lineage.load (delivery_id) where replaced_at is null;
create index on lineage.load (delivery_id);
comment on table lineage.load is
'One row per delivery that was read and checked, and per judgement of it: versions and the account of its rows';
comment on column lineage.load.lists_fingerprint is
'SHA-256 over the lists of the warehouse that the rules of the contract read; null: they read none';
comment on column lineage.load.replaced_at is
'When a replay replaced it by a load of the same delivery under another contract; null: it is in force';

create table lineage.replay (
    replay_id bigint generated always as identity primary key,
    source text not null,
    contract_version text not null,
    contract_fingerprint text not null,
    loads_replaced bigint not null,
    loads_unchanged bigint not null,
    rows_freed bigint not null,
    rows_held bigint not null,
    replayed_at timestamptz not null default clock_timestamp()
);
comment on table lineage.replay is
'One row per source and replay: how many loads of an older contract were judged again, and what became of them';
comment on column lineage.replay.loads_unchanged is
'Loads that say the same under the contract of today: they stay, with its fingerprint';
comment on column lineage.replay.rows_freed is 'Rows that were in quarantine and are no longer';
comment on column lineage.replay.rows_held is 'Rows that are in quarantine and were not before';
