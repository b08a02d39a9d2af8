/*
name_zh: 窗口评价满意占比
name_en: Counter cases rated satisfied
domain: counters
unit: '%'
kind: ratio
basis: flow
scale: 100
decimals: 2
sources: [counter_case]
decided_within: record_key
published_no: '25'
section: 一(二)5一
published: true
description_zh: 本期受理的窗口办件中评价为非常满意或满意的比例；未评价的留在分母中
description_en: Share of the cases accepted in the period that are rated 非常满意 or 满意; unrated cases
    stay in the denominator
*/
with counted_rating as (
    select value
    from core.value_set
    where value_set = 'satisfied_counter_rating' and valid_at @> :last_day
),

happened as (
    select *
    from core.counter_case_resolved
    where
        known_at @> :as_known
        and accepted_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and accepted_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
)

select
    resolved_body_code as body_code,
    rating is not null
    and rating in (select counted_rating.value from counted_rating) as in_numerator,
    true as in_denominator,
    1 as quantity,
    null as excluded_because,
    'counter_case' as source,
    record_key,
    load_id,
    row_number
from happened
