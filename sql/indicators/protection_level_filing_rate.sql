/*
name_zh: 等保备案率
name_en: Protection-level filing rate
domain: security
unit: '%'
kind: ratio
basis: stock
scale: 100
decimals: 2
sources: [cloud_migration]
published: true
description_zh: 期末台账中有备案证明编号的系统比例，一级系统无需备案，未定级的视为未备案
description_en: Share of the systems on the list of the last day that have a filing certificate;
    level one needs none, without a level counts as not filed
excluded:
    no_filing_needed: {zh: 一级系统无需备案, en: level one needs no filing}
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
            when protection_level = '一级' then 'no_filing_needed'
        end as excluded_because
    from listed
)

select
    resolved_body_code as body_code,
    excluded_because is null and filing_no is not null as in_numerator,
    excluded_because is null as in_denominator,
    1 as quantity,
    excluded_because,
    'cloud_migration' as source,
    record_key,
    load_id,
    row_number
from judged
