/*
of: items_served
name_zh: 跨省通办事项数（期末）
name_en: 'Items served across provinces, on the last day'
unit: '项'
description_zh: 期末在用且通办范围为跨省的事项
description_en: Items in use whose scope is 跨省 on the last day
excluded:
    other_scope: {zh: 其他通办范围或不通办, en: another scope or none}
*/
select
    *,
    case when not is_across_provinces then 'other_scope' end as left_out_because
from items_served
