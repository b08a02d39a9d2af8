/*
of: cloud_migration
reads: last_day
name_zh: 待上云政务信息系统数
name_en: Cloud migration backlog
unit: '个'
description_zh: 期末已申请而尚未上云的系统（不含不上云）
description_en: Systems that have applied by the last day and are not yet 已上云, 不上云 left out
excluded:
    not_to_migrate: {zh: 不上云, en: the system will not migrate}
    migrated: {zh: 已上云, en: the system has migrated}
    applied_later: {zh: 期末后申请, en: applied after the last day}
*/
select
    *,
    case
        when applied_on >= :next_day then 'applied_later'
        when migration = '不上云' then 'not_to_migrate'
        when migration = '已上云' then 'migrated'
    end as left_out_because
from cloud_migration
