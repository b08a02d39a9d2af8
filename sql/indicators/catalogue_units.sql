/*
name_zh: 需编目挂接单位数
name_en: Bodies that have to catalogue and mount
domain: data_catalogue
unit: 个
kind: stock
decimals: 0
sources: [catalogue_unit]
published_no: '43'
section: 一(三)4
published: true
description_zh: 期末清单中需编目挂接的单位
description_en: Units on the list of the last day that have to catalogue and mount
excluded:
    not_required: {zh: 无需编目挂接, en: the unit need not catalogue}
*/
with listed as (
    select *
    from core.catalogue_unit_resolved
    where known_at @> :as_known and valid_at @> :last_day
)

select
    resolved_body_code as body_code,
    must_catalogue as in_numerator,
    false as in_denominator,
    1 as quantity,
    case when not must_catalogue then 'not_required' end as excluded_because,
    'catalogue_unit' as source,
    record_key,
    load_id,
    row_number
from listed
