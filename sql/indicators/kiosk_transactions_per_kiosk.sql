/*
name_zh: 粤智助台均业务量
name_en: Transactions per kiosk
domain: kiosks
unit: '笔/台'
kind: average
basis: {kiosk_transaction: flow, kiosk: stock}
decimals: 0
template: '{value}笔'
sources: [kiosk_transaction, kiosk]
published_no: '20'
section: 一(二)3
published: true
description_zh: 本期业务量除以期末在用台数
description_en: kiosk_transactions over kiosks_in_service
excluded:
    not_in_service: {zh: 故障、停用或未启用, en: 'out of order, withdrawn or not yet in service'}
*/
with service_status as (
    select value
    from core.value_set
    where value_set = 'kiosk_in_service' and valid_at @> :last_day
),

listed as (
    select *
    from core.kiosk_resolved
    where known_at @> :as_known and valid_at @> :last_day
),

happened as (
    select *
    from core.kiosk_transaction
    where
        known_at @> :as_known
        and served_on >= :first_day
        and served_on < :next_day
),

contribution as (
    select
        null::text as body_code,
        true as in_numerator,
        transactions as quantity,
        null as excluded_because,
        'kiosk_transaction' as source,
        record_key,
        load_id,
        row_number
    from happened
    union all
    select
        null::text as body_code,
        false as in_numerator,
        1 as quantity,
        case
            when
                kiosk_status not in (select service_status.value from service_status)
                then 'not_in_service'
        end as excluded_because,
        'kiosk' as source,
        record_key,
        load_id,
        row_number
    from listed
)

select
    body_code,
    in_numerator,
    not in_numerator and excluded_because is null as in_denominator,
    quantity,
    excluded_because,
    source,
    record_key,
    load_id,
    row_number
from contribution
