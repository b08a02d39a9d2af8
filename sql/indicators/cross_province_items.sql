/*
name_zh: 跨省通办事项数
name_en: Items served across provinces
domain: service_items
unit: '项'
kind: stock
decimals: 0
sources: [service_item]
published_no: '14'
section: 一(二)3
without_rows: 'null'
published: true
description_zh: 上年末在用且通办范围为跨省的事项；全国通办不在内
description_en: Items in use whose scope is 跨省 on the last day of the year before; 全国 is not among
    them
excluded:
    not_published: {zh: 上年末未在用：暂停或取消, en: suspended or cancelled on the last day of the year before}
    heading_kind: {zh: 事项类型为00（行政权力事项），只是类目, en: 'kind 00 (行政权力事项), a heading'}
    other_scope: {zh: 其他通办范围或不通办, en: another scope or none}
*/
with counted_scope as (
    select value
    from core.value_set
    where
        value_set = 'cross_province_scope'
        and valid_at @> (date_trunc('year', (:first_day)::timestamp)::date - 1)
),

published_status as (
    select value
    from core.value_set
    where
        value_set = 'published_item_status'
        and valid_at @> (date_trunc('year', (:first_day)::timestamp)::date - 1)
),

listed as (
    select *
    from core.service_item_resolved
    where
        known_at @> :as_known
        and valid_at @> (date_trunc('year', (:first_day)::timestamp)::date - 1)
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
