/*
name_zh: 政务服务大厅办结事项宗数
name_en: Cases closed at the counters
domain: counters
unit: '宗'
kind: flow
decimals: 0
sources: [counter_case]
decided_within: record_key
published: false
description_zh: 办结时间在本期的窗口办件
description_en: Cases closed in the period
*/
with happened as (
    select *
    from core.counter_case_resolved
    where
        known_at @> :as_known
        and closed_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and closed_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
)

select
    resolved_body_code as body_code,
    true as in_numerator,
    false as in_denominator,
    1 as quantity,
    null as excluded_because,
    'counter_case' as source,
    record_key,
    load_id,
    row_number
from happened
