-- A bad value of a column that decides nothing loads as null, and is kept with its reason as a rejected row is.

create table quarantine.rejected_value (
    load_id bigint not null,
    row_number bigint not null,
    record_key text,
    column_name text not null,
    rule text not null,
    reason_zh text not null,
    reason_en text not null,
    masked_value text
);
create index on quarantine.rejected_value (load_id, row_number);
comment on table quarantine.rejected_value is
'One row per value that was loaded as null, and rule that it broke; its row is in core with the rest of its values';
comment on column quarantine.rejected_value.row_number is 'The number that a person sees in the file';
comment on column quarantine.rejected_value.masked_value is 'The cell, shortened; *** where the column is personal';

alter table lineage.load add column values_nulled bigint not null default 0;
comment on column lineage.load.values_nulled is
'Values that could not be used and are null in rows that passed every check; which ones is in quarantine.rejected_value';
