/*
name_zh: 待上云政务信息系统数
name_en: Cloud migration backlog
domain: cloud_migration
unit: '个'
kind: stock
decimals: 0
sources: [cloud_migration]
published: true
description_zh: 期末已申请而尚未上云的系统（不含不上云）
description_en: Systems that have applied by the last day and are not yet 已上云, 不上云 left out
excluded:
    not_to_migrate: {zh: 不上云, en: the system will not migrate}
    migrated: {zh: 已上云, en: the system has migrated}
    applied_later: {zh: 期末后申请, en: applied after the last day}
*/
with listed as (
    select *
    from core.cloud_migration_resolved
    where known_at @> :as_known and valid_at @> :last_day
),

judged as (
    select
        *,
        case
            when applied_on >= :next_day then 'applied_later'
            when migration = '不上云' then 'not_to_migrate'
            when migration = '已上云' then 'migrated'
        end as excluded_because
    from listed
)

select
    resolved_body_code as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'cloud_migration' as source,
    record_key,
    load_id,
    row_number
from judged
