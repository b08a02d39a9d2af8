/*
of: items_from_prefecture
name_zh: 承接市级下放事项数（明确职责）
name_en: 'Of these, clarified'
unit: '项'
published_no: '10'
section: 一(二)1
description_zh: 承接市级事项中下放方式为明确职责的
description_en: 'Of devolved_items, those for which the duty was made clear (明确职责)'
excluded:
    other_kind: {zh: 其他下放方式, en: handed over in another way}
*/
select
    *,
    case when transfer_kind <> '明确职责' then 'other_kind' end as left_out_because
from items_from_prefecture
