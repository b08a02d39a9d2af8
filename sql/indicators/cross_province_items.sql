/*
of: items_served
reads: {service_item: year_end_before}
name_zh: 跨省通办事项数
name_en: Items served across provinces
unit: '项'
published_no: '14'
section: 一(二)3
description_zh: 上年末在用且通办范围为跨省的事项；全国通办不在内
description_en: Items in use whose scope is 跨省 on the last day of the year before; 全国 is not among
    them
excluded:
    other_scope: {zh: 其他通办范围或不通办, en: another scope or none}
*/
select
    *,
    case when not is_across_provinces then 'other_scope' end as left_out_because
from items_served
