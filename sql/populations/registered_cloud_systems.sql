/*
name_zh: 期末在台账上的政务信息系统
name_en: Systems on the ledger of the last day
grain: one row per system
of: cloud_systems
excluded:
    late_registration: {zh: 期末后才首次列入台账（迟报）, en: first listed after the last day}
    removed_from_list: {zh: 期末已不在台账中, en: no longer listed on the last day}
*/
select
    *,
    case
        when lower(valid_at) > :last_day then 'late_registration'
        when not valid_at @> :last_day then 'removed_from_list'
    end as excluded_because
from cloud_systems
