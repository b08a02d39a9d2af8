/*
of: items_in_use
name_zh: 依申请类事项数
name_en: Items on application
unit: '项'
published_no: '37b'
section: 一(三)1
description_zh: 期末在用的行政许可、行政给付、行政确认、行政奖励、行政裁决和其他行政权力事项
description_en: 'Licences, payments, confirmations, rewards, rulings and other powers in use on
    the last day'
excluded:
    other_kind: {zh: 其他事项类型, en: another kind of item}
*/
select
    *,
    case when item_kind <> all(:application_item_kind) then 'other_kind' end as left_out_because
from items_in_use
