/*
of: items_from_prefecture
name_zh: 承接市级下放事项数（委托）
name_en: 'Of these, entrusted'
unit: '项'
published_no: '9'
section: 一(二)1
description_zh: 承接市级事项中下放方式为委托的
description_en: 'Of devolved_items, those that were entrusted (委托)'
excluded:
    other_kind: {zh: 其他下放方式, en: handed over in another way}
*/
select
    *,
    case when transfer_kind <> '委托' then 'other_kind' end as left_out_because
from items_from_prefecture
