/*
name_zh: 高频事项马上办比率
name_en: Instant-service rate of frequent items
domain: service_items
unit: '%'
kind: ratio
basis: stock
scale: 100
decimals: 2
sources: [service_item]
published_no: '17'
section: 一(二)3
published: true
description_zh: 期末在用的高频事项中可马上办的比例
description_en: Share of the frequent items in use on the last day that are done at once
excluded:
    not_published: {zh: 期末未在用：暂停或取消, en: suspended or cancelled on the last day}
    heading_kind: {zh: 事项类型为00（行政权力事项），只是类目, en: 'kind 00 (行政权力事项), a heading'}
    not_frequent: {zh: 不是高频事项, en: not asked for often}
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
            when not is_frequent then 'not_frequent'
        end as excluded_because
    from listed
)

select
    resolved_body_code as body_code,
    excluded_because is null and is_instant is true as in_numerator,
    excluded_because is null as in_denominator,
    1 as quantity,
    excluded_because,
    'service_item' as source,
    record_key,
    load_id,
    row_number
from judged
