/*
of: items_served
name_zh: 事项可网办率
name_en: Online service rate
unit: '%'
kind: ratio
decimals: 2
description_zh: 期末在用事项中可网办的比例
description_en: Share of the items in use on the last day that can be applied for online
*/
select
    *,
    is_online as is_counted
from items_served
