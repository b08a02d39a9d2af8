/*
name_zh: 热线退单数（基准测试）
name_en: Hotline calls returned (benchmark)
domain: hotline
unit: '张'
kind: flow
decimals: 0
sources: [hotline_call]
decided_within: record_key
published: true
description_zh: 最近派单时间在本期、已退单的话单
description_en: Calls last dispatched in the period that were returned
*/
with happened as (
    select *
    from core.hotline_call_resolved
    where
        known_at @> :as_known
        and call_status = '已退单'
        and dispatched_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and dispatched_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
)

select
    resolved_body_code as body_code,
    true as in_numerator,
    false as in_denominator,
    1 as quantity,
    null as excluded_because,
    'hotline_call' as source,
    record_key,
    load_id,
    row_number
from happened
