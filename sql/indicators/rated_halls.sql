/*
name_zh: 提供扫码评价的政务服务大厅数
name_en: Service halls with scan-code rating
domain: service_halls
unit: '个'
kind: stock
decimals: 0
sources: [service_hall]
published_no: '21'
section: 一(二)4
published: true
description_zh: 期末名录中提供扫码评价的市、镇、村大厅
description_en: 'Halls of city, towns and villages on the list of the last day that offer rating
    by scanning a code'
excluded:
    no_rating_code: {zh: 未提供扫码评价, en: no rating by scanning}
*/
with listed as (
    select *
    from core.service_hall_resolved
    where known_at @> :as_known and valid_at @> :last_day
),

judged as (
    select
        *,
        case
            when not has_rating_qr then 'no_rating_code'
        end as excluded_because
    from listed
)

select
    resolved_body_code as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'service_hall' as source,
    record_key,
    load_id,
    row_number
from judged
