/*
of: hotline_call
reads: closed_at
name_zh: 热线话单平均办理时长（基准测试）
name_en: Average handling time of hotline calls (benchmark)
unit: '小时'
kind: average
decimals: 1
quantity: hours
over: 1
description_zh: 本期办结的话单从派单到办结的平均小时数
description_en: 'Hours from dispatch to closing, averaged over the calls closed in the period'
excluded:
    returned: {zh: 已退单, en: returned}
*/
select
    *,
    case when call_status = '已退单' then 'returned' end as left_out_because,
    extract(epoch from closed_at - dispatched_at) / 3600 as hours
from hotline_call
