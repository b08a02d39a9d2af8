/*
of: items_in_use
name_zh: 行政征收事项数
name_en: Levy items
unit: '项'
published_no: '39'
section: 一(三)1
description_zh: 期末在用的行政征收事项
description_en: Levies in use on the last day
excluded:
    other_kind: {zh: 其他事项类型, en: another kind of item}
*/
select
    *,
    case when item_kind <> all(:levy_item_kind) then 'other_kind' end as left_out_because
from items_in_use
