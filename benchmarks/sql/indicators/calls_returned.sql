/*
of: calls_dispatched
name_zh: 热线退单数（基准测试）
name_en: Hotline calls returned (benchmark)
unit: '张'
description_zh: 最近派单时间在本期、已退单的话单
description_en: Calls last dispatched in the period that were returned
excluded:
    not_returned: {zh: 未退单, en: not returned}
*/
select
    *,
    case when call_status <> '已退单' then 'not_returned' end as left_out_because
from calls_dispatched
