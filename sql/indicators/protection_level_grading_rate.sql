/*
name_zh: 等保定级率
name_en: Protection-level grading rate
domain: security
unit: '%'
kind: ratio
basis: stock
scale: 100
decimals: 2
sources: [cloud_migration]
published: true
description_zh: 期末台账中已定级的系统比例
description_en: Share of the systems on the list of the last day that have a protection level
*/
with listed as (
    select *
    from core.cloud_migration_resolved
    where known_at @> :as_known and valid_at @> :last_day
)

select
    resolved_body_code as body_code,
    protection_level is not null as in_numerator,
    true as in_denominator,
    1 as quantity,
    null as excluded_because,
    'cloud_migration' as source,
    record_key,
    load_id,
    row_number
from listed
