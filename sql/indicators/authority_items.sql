/*
name_zh: 依职权类事项数
name_en: Items of authority
domain: service_items
unit: '项'
kind: stock
decimals: 0
sources: [service_item]
published_no: '37a'
section: 一(三)1
published: true
description_zh: 期末在用的行政处罚、行政强制、行政检查事项；行政征收另计
description_en: 'Penalties, compulsory measures and inspections in use on the last day; levies are
    counted apart'
excluded:
    not_published: {zh: 期末未在用：暂停或取消, en: suspended or cancelled on the last day}
    other_kind: {zh: 其他事项类型, en: another kind of item}
*/
with counted_kind as (
    select value
    from core.value_set
    where value_set = 'authority_item_kind' and valid_at @> :last_day
),

published_status as (
    select value
    from core.value_set
    where value_set = 'published_item_status' and valid_at @> :last_day
),

listed as (
    select *
    from core.service_item_resolved
    where known_at @> :as_known and valid_at @> :last_day
),

judged as (
    select
        *,
        case
            when
                item_status not in (select published_status.value from published_status)
                then 'not_published'
            when item_kind not in (select counted_kind.value from counted_kind) then 'other_kind'
        end as excluded_because
    from listed
)

select
    resolved_body_code as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'service_item' as source,
    record_key,
    load_id,
    row_number
from judged
