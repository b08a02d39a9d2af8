/*
name_zh: 依申请类事项数
name_en: Items on application
domain: service_items
unit: '项'
kind: stock
decimals: 0
sources: [service_item]
published_no: '37b'
section: 一(三)1
published: true
description_zh: 期末在用的行政许可、行政给付、行政确认、行政奖励、行政裁决和其他行政权力事项
description_en: 'Licences, payments, confirmations, rewards, rulings and other powers in use on
    the last day'
excluded:
    not_published: {zh: 期末未在用：暂停或取消, en: suspended or cancelled on the last day}
    other_kind: {zh: 其他事项类型, en: another kind of item}
*/
with counted_kind as (
    select value
    from core.value_set
    where value_set = 'application_item_kind' and valid_at @> :last_day
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
