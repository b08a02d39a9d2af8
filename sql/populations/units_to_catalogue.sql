/*
name_zh: 需编目挂接的单位
name_en: Units that must catalogue
grain: one row per unit of the list
reads: {catalogue_unit: last_day}
excluded:
    not_required: {zh: 不需编目挂接, en: need not catalogue}
*/
select
    *,
    case when not must_catalogue then 'not_required' end as excluded_because
from catalogue_unit
