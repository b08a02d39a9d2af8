/*
name_zh: 政务信息系统上云率
name_en: Cloud migration rate
domain: cloud_migration
unit: '%'
kind: ratio
basis: stock
scale: 100
decimals: 2
sources: [cloud_migration]
published: true
description_zh: 期末台账中已上云系统占应上云系统（不含不上云）的比例
description_en: Share of the systems on the list of the last day that are 已上云, 不上云 left out
excluded:
    not_to_migrate: {zh: 不上云, en: the system will not migrate}
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
            when migration = '不上云' then 'not_to_migrate'
        end as excluded_because
    from listed
)

select
    resolved_body_code as body_code,
    excluded_because is null and migration = '已上云' as in_numerator,
    excluded_because is null as in_denominator,
    1 as quantity,
    excluded_because,
    'cloud_migration' as source,
    record_key,
    load_id,
    row_number
from judged
