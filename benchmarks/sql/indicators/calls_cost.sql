/*
name_zh: 热线话单处理成本（基准测试）
name_en: Cost of hotline calls (benchmark)
domain: hotline
unit: '元'
kind: flow
decimals: 2
sources: [hotline_call]
decided_within: record_key
published: true
description_zh: 最近派单时间在本期的话单的处理成本
description_en: Cost of the calls last dispatched in the period
*/
with happened as (
    select *
    from core.hotline_call_resolved
    where
        known_at @> :as_known
        and dispatched_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and dispatched_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
)

select
    resolved_body_code as body_code,
    true as in_numerator,
    false as in_denominator,
    coalesce(cost_yuan, 0) as quantity,
    null as excluded_because,
    'hotline_call' as source,
    record_key,
    load_id,
    row_number
from happened
