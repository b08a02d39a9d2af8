/*
of: items_in_use
name_zh: 公共服务事项数
name_en: Public service items
unit: '项'
published_no: '38'
section: 一(三)1
description_zh: 期末在用的公共服务事项
description_en: Public service items in use on the last day
excluded:
    other_kind: {zh: 其他事项类型, en: another kind of item}
*/
select
    *,
    case when item_kind <> all(:public_service_item_kind) then 'other_kind' end as left_out_because
from items_in_use
