/*
name_zh: 新增上云政务信息系统数（含逾期登记）
name_en: Information systems added, late registrations included
domain: cloud_migration
unit: '个'
kind: flow
decimals: 0
sources: [cloud_migration]
published: false
description_zh: 申请上云日期在本期的系统，包括期末后才列入台账的
description_en: Systems whose application lies in the period, those first listed later included
excluded:
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
            when upper(valid_at) <= :last_day then 'removed_from_list'
        end as excluded_because
    from version
    where applied_on >= :first_day and applied_on < :next_day
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
