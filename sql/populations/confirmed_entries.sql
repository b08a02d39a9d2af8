/*
name_zh: 已确认的目录
name_en: Confirmed catalogue entries
grain: one row per entry of the list
reads: {data_catalogue: last_day}
excluded:
    not_confirmed: {zh: 未确认, en: not confirmed}
*/
select
    *,
    case when confirmation <> '已确认' then 'not_confirmed' end as excluded_because
from data_catalogue
