/*
of: confirmed_entries
name_zh: 目录挂接率
name_en: Catalogue mounting rate
unit: '%'
kind: ratio
decimals: 2
description_zh: 已确认目录中至少挂接一个资源的比例
description_en: Share of the confirmed entries with at least one mounted resource
*/
select
    *,
    resource_count > 0 as is_counted
from confirmed_entries
