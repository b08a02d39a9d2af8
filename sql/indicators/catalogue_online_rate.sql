/*
of: confirmed_entries
name_zh: 目录发布率
name_en: Catalogue online rate
unit: '%'
kind: ratio
decimals: 2
description_zh: 已确认目录中期末在线的比例
description_en: Share of the confirmed entries that are online on the last day
*/
select
    *,
    publication = any(:online_publication) as is_counted
from confirmed_entries
