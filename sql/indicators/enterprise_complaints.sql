/*
name_zh: 企业服务中心投诉数
name_en: Complaints about the enterprise service centre
domain: enterprise
unit: '宗'
kind: flow
decimals: 0
sources: [manual_return]
decided_within: record_key
published_no: '31'
section: 一(二)5一
without_rows: 'null'
published: true
description_zh: 手工填报台账中本期数值之和；没有发生须填报0
description_en: Sum of the quantities of the period in the ledger of manual returns; none has to
    be reported as 0
*/
with happened as (
    select *
    from core.manual_return
    where
        known_at @> :as_known
        and occurred_on >= :first_day
        and occurred_on < :next_day
        and indicator_code = 'enterprise_complaints'
)

select
    null::text as body_code,
    true as in_numerator,
    false as in_denominator,
    quantity,
    null as excluded_because,
    'manual_return' as source,
    record_key,
    load_id,
    row_number
from happened
