/*
of: confirmed_entries
name_zh: 已确认政务数据资源目录数
name_en: Catalogue entries confirmed
unit: '条'
published_no: '44'
section: 一(三)4
description_zh: 期末目录中确认状态为已确认的条目，不论发布状态
description_en: Entries on the list of the last day that are 已确认, whatever their publication state
*/
