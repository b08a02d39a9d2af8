/*
of: confirmed_entries
name_zh: 其中：不予共享目录数
name_en: Catalogue entries confirmed, not shared
unit: '条'
part_of: catalogue_entries_confirmed
description_zh: 已确认目录中共享类型为不予共享的条目
description_en: Of the confirmed entries, those not shared
excluded:
    other_sharing: {zh: 其他共享类型, en: another type of sharing}
*/
select
    *,
    case when sharing <> '不予共享' then 'other_sharing' end as left_out_because
from confirmed_entries
