/*
name_zh: 跨域通办事项数（期末）
name_en: 'Items served across cities or counties, on the last day'
domain: service_items
unit: '项'
kind: stock
decimals: 0
sources: [service_item]
published: false
description_zh: 期末在用且通办范围为跨市或跨县的事项
description_en: Items in use whose scope is 跨市 or 跨县 on the last day
excluded:
    not_published: {zh: 期末未在用：暂停或取消, en: suspended or cancelled on the last day}
    heading_kind: {zh: 事项类型为00（行政权力事项），只是类目, en: 'kind 00 (行政权力事项), a heading'}
    other_scope: {zh: 其他通办范围或不通办, en: another scope or none}
*/
with counted_scope as (
    select value
    from core.value_set
    where value_set = 'cross_region_scope' and valid_at @> :last_day
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
            when item_kind = '行政权力事项' then 'heading_kind'
            when
                service_scope is null
                or service_scope not in (select counted_scope.value from counted_scope)
                then 'other_scope'
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
