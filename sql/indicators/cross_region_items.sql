/*
of: items_served
reads: {service_item: year_end_before}
name_zh: 跨域通办事项数
name_en: Items served across cities or counties
unit: '项'
published_no: '15'
section: 一(二)3
description_zh: 上年末在用且通办范围为跨市或跨县的事项；全国通办不在内
description_en: Items in use whose scope is 跨市 or 跨县 on the last day of the year before; 全国 is not
    among them
excluded:
    other_scope: {zh: 其他通办范围或不通办, en: another scope or none}
*/
select
    *,
    case when not is_across_regions then 'other_scope' end as left_out_because
from items_served
