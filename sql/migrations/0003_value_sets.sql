-- Definitions as data: which values count as what, and since when.

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
