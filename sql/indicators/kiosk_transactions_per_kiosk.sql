/*
reads: {kiosk_transaction: served_on, kiosk: last_day}
name_zh: 粤智助台均业务量
name_en: Transactions per kiosk
unit: '笔/台'
kind: average
template: '{value}笔'
published_no: '20'
section: 一(二)3
description_zh: 本期业务量除以期末在用台数
description_en: kiosk_transactions over kiosks_in_service
excluded:
    not_in_service: {zh: 故障、停用或未启用, en: 'out of order, withdrawn or not yet in service'}
*/
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
from kiosk_transaction
union all
select
    null::text as body_code,
    false as in_numerator,
    kiosk_status = any(:kiosk_in_service) as in_denominator,
    1 as quantity,
    case when kiosk_status <> all(:kiosk_in_service) then 'not_in_service' end as excluded_because,
    'kiosk' as source,
    record_key,
    load_id,
    row_number
from kiosk
