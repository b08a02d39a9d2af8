-- Who prepared and who approved, by a record that neither of them writes.

create table indicators.proposal (
    proposal_id bigint generated always as identity primary key,
    period text not null,
    vintage integer not null check (vintage >= 1),
    digest text not null check (digest ~ '^[0-9a-f]{64}$'),
    way text not null check (way in ('airflow', 'terminal')),
    prepared_by text not null check (btrim(prepared_by) <> ''),
    account text not null,
    login text not null,
    reference text not null,
    request jsonb not null,
    title text not null,
    content text not null,
    prepared_at timestamptz not null,
    expires_at timestamptz not null
);
create index proposal_of on indicators.proposal (period, vintage, digest);
comment on table indicators.proposal is
'One row per proposal of a seal: what a preparer asks to be approved, and which account asked';
comment on column indicators.proposal.way is 'Where it is approved: under Required Actions in Airflow, or on a terminal';
comment on column indicators.proposal.prepared_by is 'The name that is printed as the preparer''s';
comment on column indicators.proposal.account is
'Who asked: the user of Airflow, else system_user of the session, as method:identity; empty where the server proved nobody';
comment on column indicators.proposal.login is 'session_user of the session that stored it';
comment on column indicators.proposal.reference is 'The run of Airflow, as DAG/run; empty on a terminal';
comment on column indicators.proposal.content is 'What the approver is shown, in Markdown';

alter table indicators.vintage
add column proof text check (proof in ('airflow', 'os_account', 'database_role', 'declared')),
add column preparer_account text,
add column approver_account text,
add column evidence text,
add constraint proof_is_whole check (
    num_nulls(proof, preparer_account, approver_account, evidence) in (0, 4)
);
comment on column indicators.vintage.proof is
'How it was proved that two persons sealed: airflow, os_account, database_role; declared: two names of one account; null: '
'sealed before this was recorded';
comment on column indicators.vintage.preparer_account is 'The account that prepared, see indicators.proposal.account';
comment on column indicators.vintage.approver_account is 'The account that approved, likewise';
comment on column indicators.vintage.evidence is 'The run of Airflow that holds the answer, as DAG/run; else empty';
