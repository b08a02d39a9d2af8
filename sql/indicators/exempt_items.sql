/*
of: items_served
name_zh: 四免事项数
name_en: Items with waivers (四免)
unit: '项'
description_zh: 期末在用且列入四免的事项
description_en: 'Items in use on the last day for which papers, seals, signatures or visits are
    waived'
excluded:
    not_exempt: {zh: 未列入四免, en: nothing is waived}
*/
select
    *,
    case when is_exempt is not true then 'not_exempt' end as left_out_because
from items_served
