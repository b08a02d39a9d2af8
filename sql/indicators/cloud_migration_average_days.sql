/*
name_zh: 平均上云天数
name_en: Average days from application to cloud
domain: cloud_migration
unit: '天'
kind: average
basis: flow
decimals: 1
sources: [cloud_migration]
published: true
description_zh: 本期完成上云的系统从申请到完成的平均天数
description_en: Days from application to migration, averaged over the systems whose migration
    was done in the period
excluded:
    late_registration: {zh: 逾期登记：期末后才列入台账, en: late registration; first listed after the last day}
    removed_from_list: {zh: 期末前已移出台账, en: taken off the list before the last day}
*/
with version as (
    -- Of each system the version on the list of the last day; where there is none, the nearest one.
    select distinct on (record_key) *
    from core.cloud_migration_resolved
    where known_at @> :as_known
    order by
        record_key asc,
        lower(valid_at) > :last_day asc,
        abs(lower(valid_at) - :last_day) asc
),

judged as (
    select
        *,
        case
            when lower(valid_at) > :last_day then 'late_registration'
            when not valid_at @> :last_day then 'removed_from_list'
        end as excluded_because
    from version
    where migrated_on >= :first_day and migrated_on < :next_day
),

counted as (
    select
        *,
        true as in_numerator,
        migrated_on - applied_on as quantity
    from judged
    where excluded_because is null
    union all
    select
        *,
        false as in_numerator,
        1 as quantity
    from judged
)

select
    resolved_body_code as body_code,
    in_numerator,
    not in_numerator and excluded_because is null as in_denominator,
    quantity,
    excluded_because,
    'cloud_migration' as source,
    record_key,
    load_id,
    row_number
from counted
