/*
of: confirmed_entries
name_zh: 其中：自建系统数据目录
name_en: Catalogue entries confirmed, of systems built by the city
unit: '条'
part_of: catalogue_entries_confirmed
published_no: '46'
section: 一(三)4
description_zh: 已确认目录中所属系统类型为自建系统的条目
description_en: Of the confirmed entries, those of systems built by the city
excluded:
    vertical: {zh: 垂直系统的目录, en: an entry of a vertical system}
*/
select
    *,
    case when system_kind <> '自建系统' then 'vertical' end as left_out_because
from confirmed_entries
