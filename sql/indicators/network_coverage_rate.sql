/*
name_zh: 镇村政务外网覆盖率
name_en: Coverage of towns and villages by the government network
domain: network
unit: '%'
kind: ratio
basis: stock
scale: 100
decimals: 0
sources: [network_site]
published_no: '40'
section: 一(三)3
published: true
description_zh: 期末已接入政务外网的镇、村占全部镇、村的比例
description_en: Share of the towns and villages that the government network reaches on the last
    day
*/
with listed as (
    select *
    from core.network_site_resolved
    where known_at @> :as_known and valid_at @> :last_day
)

select
    resolved_body_code as body_code,
    is_connected as in_numerator,
    true as in_denominator,
    1 as quantity,
    null as excluded_because,
    'network_site' as source,
    record_key,
    load_id,
    row_number
from listed
