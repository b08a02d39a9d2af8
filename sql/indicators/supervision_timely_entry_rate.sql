/*
name_zh: 监管数据录入及时率
name_en: Timely entry rate of supervision
domain: supervision
unit: '%'
kind: ratio
basis: flow
scale: 100
decimals: 2
sources: [supervision_act]
decided_within: record_key
published: true
description_zh: 本期监管行为中在规定天数内录入的比例；天数见口径表 timely_entry_days
description_en: Share of the acts of the period that were entered within the days that the value
    set timely_entry_days names
*/
with day_limit as (
    select max(value::integer) as days
    from core.value_set
    where value_set = 'timely_entry_days' and valid_at @> :last_day
),

happened as (
    select *
    from core.supervision_act_resolved
    where
        known_at @> :as_known
        and inspected_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and inspected_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
),

judged as (
    select
        *,
        (entered_at at time zone 'Asia/Shanghai')::date
        - (inspected_at at time zone 'Asia/Shanghai')::date as entry_days
    from happened
)

select
    resolved_body_code as body_code,
    entry_days <= (select day_limit.days from day_limit) as in_numerator,
    true as in_denominator,
    1 as quantity,
    null as excluded_because,
    'supervision_act' as source,
    record_key,
    load_id,
    row_number
from judged
