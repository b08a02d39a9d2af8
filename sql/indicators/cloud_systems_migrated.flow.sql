/*
name_zh: 已完成上云数（按完成日期）
name_en: Information systems migrated in the period
domain: cloud_migration
unit: '个'
kind: flow
decimals: 0
sources: [cloud_migration]
published: false
description_zh: 期末台账中完成上云日期在本期的系统，不论何时申请
description_en: Systems on the list of the last day whose migration was done in the period,
    whenever they applied
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
