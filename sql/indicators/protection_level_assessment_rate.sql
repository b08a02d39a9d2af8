/*
name_zh: 等保测评率
name_en: Protection-level assessment rate
domain: security
unit: '%'
kind: ratio
basis: stock
scale: 100
decimals: 2
sources: [cloud_migration]
published: true
description_zh: 期末台账中三级及以上系统一年内测评过的比例
description_en: Share of the systems of level three and above on the list of the last day that
    were assessed within a year
excluded:
    not_graded: {zh: 未定级, en: no level}
    no_assessment_needed: {zh: 一级、二级无需每年测评, en: levels one and two need no yearly assessment}
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
            when protection_level is null then 'not_graded'
            when protection_level in ('一级', '二级') then 'no_assessment_needed'
        end as excluded_because
    from listed
)

select
    resolved_body_code as body_code,
    excluded_because is null
    and coalesce(assessed_on >= (:last_day - interval '1 year')::date, false) as in_numerator,
    excluded_because is null as in_denominator,
    1 as quantity,
    excluded_because,
    'cloud_migration' as source,
    record_key,
    load_id,
    row_number
from judged
