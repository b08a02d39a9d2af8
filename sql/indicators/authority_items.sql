/*
of: items_in_use
name_zh: 依职权类事项数
name_en: Items of authority
unit: '项'
published_no: '37a'
section: 一(三)1
description_zh: 期末在用的行政处罚、行政强制、行政检查事项；行政征收另计
description_en: 'Penalties, compulsory measures and inspections in use on the last day; levies are
    counted apart'
excluded:
    other_kind: {zh: 其他事项类型, en: another kind of item}
*/
select
    *,
    case when item_kind <> all(:authority_item_kind) then 'other_kind' end as left_out_because
from items_in_use
