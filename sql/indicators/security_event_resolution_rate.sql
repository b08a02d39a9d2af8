/*
name_zh: 安全事件处置率
name_en: Resolution rate of security events
domain: security
unit: '%'
kind: ratio
basis: flow
scale: 100
decimals: 2
sources: [security_event]
decided_within: record_key
published: true
description_zh: 本期安全事件中期末前处置完成的比例
description_en: Share of the security events of the period that were resolved by the last day
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
            when event_kind <> '安全事件' then 'other_kind'
        end as excluded_because
    from happened
)

select
    null::text as body_code,
    excluded_because is null
    and coalesce(resolved_at < (:next_day)::timestamp at time zone 'Asia/Shanghai', false)
        as in_numerator,
    excluded_because is null as in_denominator,
    1 as quantity,
    excluded_because,
    'security_event' as source,
    record_key,
    load_id,
    row_number
from judged
