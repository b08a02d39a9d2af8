/*
name_zh: 12345热线工单数（按最近派单）
name_en: Hotline tickets by last dispatch
domain: hotline
unit: '张'
kind: flow
decimals: 0
sources: [hotline_ticket]
decided_within: record_key
published: false
description_zh: 最近派单时间在本期的工单
description_en: Tickets last dispatched in the period
*/
with happened as (
    select *
    from core.hotline_ticket_resolved
    where
        known_at @> :as_known
        and dispatched_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and dispatched_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
)

select
    resolved_body_code as body_code,
    true as in_numerator,
    false as in_denominator,
    1 as quantity,
    null as excluded_because,
    'hotline_ticket' as source,
    record_key,
    load_id,
    row_number
from happened
