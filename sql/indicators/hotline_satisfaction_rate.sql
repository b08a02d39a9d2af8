/*
of: tickets_by_first_dispatch
name_zh: 热线工单满意率
name_en: Satisfaction rate of hotline tickets
unit: '%'
kind: ratio
decimals: 2
published_no: '36'
section: 一(二)5三
description_zh: 本期工单中已评价的（满意、基本满意、不满意）里满意的比例
description_en: 'Of the tickets of the period that were rated 满意, 基本满意 or 不满意, the share of 满意'
excluded:
    not_rated: {zh: 未评价, en: not rated}
*/
select
    *,
    case
        when (satisfaction = any(:rated_hotline_reply)) is not true then 'not_rated'
    end as left_out_because,
    satisfaction = any(:satisfied_hotline_reply) as is_counted
from tickets_by_first_dispatch
