/*
of: kiosks_deployed
reads: {kiosk_transaction: served_on}
name_zh: 一体机空转台数
name_en: Idle kiosks
unit: '台'
description_zh: 期末在用而本期没有业务的自助机
description_en: Machines in service on the last day without a transaction in the period
excluded:
    has_served: {zh: 本期有业务, en: it had transactions in the period}
*/
select
    *,
    case
        when kiosk_code in (
            select served.kiosk_code
            from kiosk_transaction as served
            where served.transactions > 0
        ) then 'has_served'
    end as left_out_because
from kiosks_deployed
