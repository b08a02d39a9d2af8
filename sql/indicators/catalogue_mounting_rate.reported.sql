/*
name_zh: 目录挂接率（单位填报）
name_en: Catalogue mounting rate, as the units report it
domain: data_catalogue
unit: '%'
kind: ratio
basis: stock
scale: 100
decimals: 2
sources: [catalogue_unit]
published: false
description_zh: 需编目挂接单位填报的已挂接数之和除以已编目数之和
description_en: Entries mounted over entries catalogued, both summed over the units that have to
    catalogue
excluded:
    not_required: {zh: 无需编目挂接, en: the unit need not catalogue}
    not_reported: {zh: 未填已编目数或已挂接数, en: the unit left out one of the two counts}
*/
with listed as (
    select
        *,
        case
            when not must_catalogue then 'not_required'
            when entries_catalogued is null or entries_mounted is null then 'not_reported'
        end as excluded_because
    from core.catalogue_unit_resolved
    where known_at @> :as_known and valid_at @> :last_day
),

counted as (
    select
        *,
        true as in_numerator,
        entries_mounted as quantity
    from listed
    where excluded_because is null
    union all
    select
        *,
        false as in_numerator,
        coalesce(entries_catalogued, 0) as quantity
    from listed
)

select
    resolved_body_code as body_code,
    in_numerator,
    not in_numerator and excluded_because is null as in_denominator,
    quantity,
    excluded_because,
    'catalogue_unit' as source,
    record_key,
    load_id,
    row_number
from counted
