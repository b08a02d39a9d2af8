/*
name_zh: 热线话单平均办理时长（基准测试）
name_en: Average handling time of hotline calls (benchmark)
domain: hotline
unit: '小时'
kind: average
basis: flow
decimals: 1
sources: [hotline_call]
decided_within: record_key
published: true
description_zh: 本期办结的话单从派单到办结的平均小时数
description_en: 'Hours from dispatch to closing, averaged over the calls closed in the period'
excluded:
    returned: {zh: 已退单, en: returned}
*/
with happened as (
    select *
    from core.hotline_call_resolved
    where
        known_at @> :as_known
        and closed_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and closed_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
),

judged as (
    select
        *,
        case
            when call_status = '已退单' then 'returned'
        end as excluded_because
    from happened
),

counted as (
    select
        *,
        true as in_numerator,
        extract(epoch from closed_at - dispatched_at) / 3600 as quantity
    from judged
    where excluded_because is null
    union all
    select
        *,
        false as in_numerator,
        1 as quantity
    from judged
)

select
    resolved_body_code as body_code,
    in_numerator,
    not in_numerator and excluded_because is null as in_denominator,
    quantity,
    excluded_because,
    'hotline_call' as source,
    record_key,
    load_id,
    row_number
from counted
