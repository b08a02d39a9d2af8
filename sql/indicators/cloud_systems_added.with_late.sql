/*
of: cloud_systems
name_zh: 新增上云政务信息系统数（含逾期登记）
name_en: Information systems added, late registrations included
unit: '个'
description_zh: 申请上云日期在本期的系统，包括期末后才列入台账的
description_en: Systems whose application lies in the period, those first listed later included
excluded:
    removed_from_list: {zh: 期末前已移出台账, en: taken off the list before the last day}
*/
select
    *,
    case when upper(valid_at) <= :last_day then 'removed_from_list' end as left_out_because
from cloud_systems
where applied_on >= :first_day and applied_on < :next_day
