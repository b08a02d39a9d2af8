/*
name_zh: 四免事项数
name_en: Items with waivers (四免)
domain: service_items
unit: '项'
kind: stock
decimals: 0
sources: [service_item]
published: true
description_zh: 期末在用且列入四免的事项
description_en: 'Items in use on the last day for which papers, seals, signatures or visits are
    waived'
excluded:
    not_published: {zh: 期末未在用：暂停或取消, en: suspended or cancelled on the last day}
    heading_kind: {zh: 事项类型为00（行政权力事项），只是类目, en: 'kind 00 (行政权力事项), a heading'}
    not_exempt: {zh: 未列入四免, en: nothing is waived}
*/
with published_status as (
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
            when item_kind = '行政权力事项' then 'heading_kind'
            when is_exempt is not true then 'not_exempt'
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
