/*
of: units_to_catalogue
name_zh: 目录挂接率（单位填报）
name_en: Catalogue mounting rate, as the units report it
unit: '%'
kind: ratio
decimals: 2
quantity: entries_mounted
over: entries_catalogued
description_zh: 需编目挂接单位填报的已挂接数之和除以已编目数之和
description_en: Entries mounted over entries catalogued, both summed over the units that have to
    catalogue
excluded:
    not_reported: {zh: 未填已编目数或已挂接数, en: the unit left out one of the two counts}
*/
select
    *,
    case
        when entries_catalogued is null or entries_mounted is null then 'not_reported'
    end as left_out_because
from units_to_catalogue
