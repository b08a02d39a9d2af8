/*
of: confirmed_entries
name_zh: 其中：垂直系统数据目录
name_en: Catalogue entries confirmed, of vertical systems
unit: '条'
part_of: catalogue_entries_confirmed
published_no: '45'
section: 一(三)4
description_zh: 已确认目录中所属系统类型为垂直系统的条目
description_en: Of the confirmed entries, those of vertical systems
excluded:
    self_built: {zh: 自建系统的目录, en: an entry of a system built by the city}
*/
select
    *,
    case when system_kind <> '垂直系统' then 'self_built' end as left_out_because
from confirmed_entries
