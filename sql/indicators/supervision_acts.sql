/*
name_zh: 监管行为数
name_en: Acts of supervision
domain: supervision
unit: '条'
kind: flow
decimals: 0
sources: [supervision_act]
decided_within: record_key
published: true
description_zh: 检查时间在本期的监管行为
description_en: Acts of supervision inspected in the period
*/
with happened as (
    select *
    from core.supervision_act_resolved
    where
        known_at @> :as_known
        and inspected_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and inspected_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
)

select
    resolved_body_code as body_code,
    true as in_numerator,
    false as in_denominator,
    1 as quantity,
    null as excluded_because,
    'supervision_act' as source,
    record_key,
    load_id,
    row_number
from happened
