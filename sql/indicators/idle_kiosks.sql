/*
name_zh: 一体机空转台数
name_en: Idle kiosks
domain: kiosks
unit: '台'
kind: stock
basis: {kiosk: stock, kiosk_transaction: flow}
decimals: 0
sources: [kiosk, kiosk_transaction]
published: true
description_zh: 期末在用而本期没有业务的自助机
description_en: Machines in service on the last day without a transaction in the period
excluded:
    not_in_service: {zh: 故障、停用或未启用, en: 'out of order, withdrawn or not yet in service'}
    has_served: {zh: 本期有业务, en: it had transactions in the period}
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

served as (
    select kiosk_code
    from core.kiosk_transaction
    where
        known_at @> :as_known
        and served_on >= :first_day
        and served_on < :next_day
    group by kiosk_code
    having sum(transactions) > 0
),

judged as (
    select
        *,
        case
            when
                kiosk_status not in (select service_status.value from service_status)
                then 'not_in_service'
            when kiosk_code in (select served.kiosk_code from served) then 'has_served'
        end as excluded_because
    from listed
)

select
    resolved_body_code as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'kiosk' as source,
    record_key,
    load_id,
    row_number
from judged
