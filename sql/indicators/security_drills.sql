/*
name_zh: 应急演练次数
name_en: Emergency drills
domain: security
unit: '次'
kind: flow
decimals: 0
sources: [security_event]
decided_within: record_key
published: true
description_zh: 本期的应急演练
description_en: Emergency drills in the period
excluded:
    other_kind: {zh: 其他类别, en: another kind}
*/
with happened as (
    select *
    from core.security_event
    where
        known_at @> :as_known
        and found_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and found_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
),

judged as (
    select
        *,
        case
            when event_kind <> '应急演练' then 'other_kind'
        end as excluded_because
    from happened
)

select
    null::text as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'security_event' as source,
    record_key,
    load_id,
    row_number
from judged
