/*
name_zh: 粤智助业务量
name_en: Kiosk transactions
domain: kiosks
unit: '笔'
kind: flow
decimals: 0
sources: [kiosk_transaction]
decided_within: record_key
published_no: '19'
section: 一(二)3
published: true
description_zh: 本期各自助机业务量之和
description_en: Sum of the transactions of all machines in the period
*/
with happened as (
    select *
    from core.kiosk_transaction
    where
        known_at @> :as_known
        and served_on >= :first_day
        and served_on < :next_day
)

select
    null::text as body_code,
    true as in_numerator,
    false as in_denominator,
    transactions as quantity,
    null as excluded_because,
    'kiosk_transaction' as source,
    record_key,
    load_id,
    row_number
from happened
