/*
name_zh: 台账上的政务信息系统
name_en: Systems that the ledger ever named
grain: one row per system, in its version of the last day; where there is none, in the nearest one
reads: {cloud_migration: history}
*/
select distinct on (record_key) *
from cloud_migration
order by
    record_key asc,
    lower(valid_at) > :last_day asc,
    abs(lower(valid_at) - :last_day) asc
