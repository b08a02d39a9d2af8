/*
name_zh: 企业服务中心受理宗数
name_en: Cases accepted at the enterprise service centre
domain: enterprise
unit: '宗'
kind: flow
decimals: 0
sources: [enterprise_case]
decided_within: record_key
published_no: '28'
section: 一(二)5一
published: true
description_zh: 受理时间在本期的企业服务中心办件，不论办件状态；不含在大厅窗口办件中
description_en: 'Cases accepted in the period, whatever their state; not part of counter_cases'
*/
with happened as (
    select *
    from core.enterprise_case_resolved
    where
        known_at @> :as_known
        and accepted_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and accepted_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
)

select
    resolved_body_code as body_code,
    true as in_numerator,
    false as in_denominator,
    1 as quantity,
    null as excluded_because,
    'enterprise_case' as source,
    record_key,
    load_id,
    row_number
from happened
