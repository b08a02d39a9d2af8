/*
name_zh: 热线话单按时回复率（基准测试）
name_en: On-time reply rate of hotline calls (benchmark)
domain: hotline
unit: '%'
kind: ratio
basis: flow
scale: 100
decimals: 0
sources: [hotline_call]
decided_within: record_key
published: true
description_zh: 办理时限在本期的话单（含已退单）中在时限前回复的比例
description_en: 'Share of the calls due in the period, returned ones too, that were replied to
    by then'
*/
with happened as (
    select *
    from core.hotline_call_resolved
    where
        known_at @> :as_known
        and due_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and due_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
)

select
    resolved_body_code as body_code,
    coalesce(replied_at <= due_at, false) as in_numerator,
    true as in_denominator,
    1 as quantity,
    null as excluded_because,
    'hotline_call' as source,
    record_key,
    load_id,
    row_number
from happened
