/*
of: tickets_by_first_dispatch
name_zh: 热线工单满意率（全部工单）
name_en: Satisfaction rate over all hotline tickets
unit: '%'
kind: ratio
decimals: 2
description_zh: 本期全部工单中满意的比例
description_en: Share of 满意 among all tickets of the period
*/
select
    *,
    satisfaction = any(:satisfied_hotline_reply) as is_counted
from tickets_by_first_dispatch
