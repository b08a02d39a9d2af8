/*
name_zh: 其中：不予共享目录数
name_en: Catalogue entries confirmed, not shared
domain: data_catalogue
unit: '条'
kind: stock
decimals: 0
sources: [data_catalogue]
published: true
description_zh: 已确认目录中共享类型为不予共享的条目
description_en: Of the confirmed entries, those not shared
excluded:
    not_confirmed: {zh: 提供单位尚未确认或已退回, en: the providing body has not confirmed the entry}
    other_sharing: {zh: 其他共享类型, en: another type of sharing}
*/
with listed as (
    select *
    from core.data_catalogue_resolved
    where known_at @> :as_known and valid_at @> :last_day
),

judged as (
    select
        *,
        case
            when confirmation <> '已确认' then 'not_confirmed'
            when sharing <> '不予共享' then 'other_sharing'
        end as excluded_because
    from listed
)

select
    resolved_body_code as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'data_catalogue' as source,
    record_key,
    load_id,
    row_number
from judged
