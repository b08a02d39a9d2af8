/*
name_zh: 首席代表覆盖率
name_en: Chief representative coverage rate
domain: service_halls
unit: '%'
kind: ratio
basis: stock
scale: 100
decimals: 2
sources: [service_hall]
published: true
description_zh: 期末名录中已落实首席代表的大厅比例；未填报视为未落实
description_en: Share of the halls on the list of the last day that have chief representatives;
    not reported counts as none
*/
with listed as (
    select *
    from core.service_hall_resolved
    where known_at @> :as_known and valid_at @> :last_day
)

select
    resolved_body_code as body_code,
    has_chief_representative is true as in_numerator,
    true as in_denominator,
    1 as quantity,
    null as excluded_because,
    'service_hall' as source,
    record_key,
    load_id,
    row_number
from listed
