/*
of: items_from_prefecture
name_zh: 承接市级下放事项数（下放）
name_en: 'Of these, delegated'
unit: '项'
published_no: '8'
section: 一(二)1
description_zh: 承接市级事项中下放方式为下放的
description_en: 'Of devolved_items, those that were delegated (下放)'
excluded:
    other_kind: {zh: 其他下放方式, en: handed over in another way}
*/
select
    *,
    case when transfer_kind <> '下放' then 'other_kind' end as left_out_because
from items_from_prefecture
