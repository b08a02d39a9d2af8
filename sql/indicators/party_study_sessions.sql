/*
name_zh: 集中学习次数
name_en: Study sessions
domain: party_building
unit: '次'
kind: flow
decimals: 0
sources: [manual_return]
decided_within: record_key
published_no: '1'
section: 一(一)1
without_rows: 'null'
published: true
description_zh: 手工填报台账中本期数值之和
description_en: Sum of the quantities of the period in the ledger of manual returns
*/
with happened as (
    select *
    from core.manual_return
    where
        known_at @> :as_known
        and occurred_on >= :first_day
        and occurred_on < :next_day
        and indicator_code = 'party_study_sessions'
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
