-- What contracts say of their sources, for the views that dashboards read.

create table lineage.source (
    source text primary key,
    title_zh text not null,
    title_en text not null,
    schedule text not null,
    latency_days integer not null,
    days_between integer not null,
    reads text[] not null
);
comment on table lineage.source is 'One row per source, as its contract declares it; written by migrate only';
comment on column lineage.source.schedule is 'Cron expression of its night, Asia/Shanghai';
comment on column lineage.source.latency_days is 'Days after its night within which a delivery is not late';
comment on column lineage.source.days_between is 'The longest gap in days between two of its nights';
comment on column lineage.source.reads is
'The sources whose rows decide whether what its rows name is known: those that they refer to, and itself; empty where its'
' rows name neither bodies nor records of others';
