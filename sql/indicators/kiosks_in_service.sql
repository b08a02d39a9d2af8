/*
name_zh: 粤智助自助机台数
name_en: Kiosks in service
domain: kiosks
unit: '台'
kind: stock
decimals: 0
sources: [kiosk]
published_no: '18'
section: 一(二)3
published: true
description_zh: 期末设备状态为在用的自助机
description_en: Machines that are 在用 on the last day
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

judged as (
    select
        *,
        case
            when
                kiosk_status not in (select service_status.value from service_status)
                then 'not_in_service'
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
