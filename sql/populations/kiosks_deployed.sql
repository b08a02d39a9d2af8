/*
name_zh: 投放的自助机
name_en: Kiosks
grain: one row per machine of the list
reads: {kiosk: last_day}
excluded:
    not_in_service: {zh: 故障、停用或未启用, en: 'out of order, withdrawn or not yet in service'}
*/
select
    *,
    case when kiosk_status <> all(:kiosk_in_service) then 'not_in_service' end as excluded_because
from kiosk
