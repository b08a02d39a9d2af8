/*
name_zh: 企业开办宗数
name_en: 'Of these, founding an enterprise'
domain: enterprise
unit: '宗'
kind: flow
decimals: 0
sources: [enterprise_case]
decided_within: record_key
published_no: '29'
section: 一(二)5一
published: true
description_zh: 本期受理的企业开办办件
description_en: Cases accepted in the period that found an enterprise
excluded:
    not_startup: {zh: 不是企业开办, en: no founding of an enterprise}
*/
with happened as (
    select *
    from core.enterprise_case_resolved
    where
        known_at @> :as_known
        and accepted_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and accepted_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
),

judged as (
    select
        *,
        case
            when not is_startup then 'not_startup'
        end as excluded_because
    from happened
)

select
    resolved_body_code as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'enterprise_case' as source,
    record_key,
    load_id,
    row_number
from judged
