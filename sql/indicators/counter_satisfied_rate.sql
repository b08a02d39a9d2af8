/*
of: counter_cases_accepted
name_zh: 窗口评价满意占比
name_en: Counter cases rated satisfied
unit: '%'
kind: ratio
decimals: 2
published_no: '25'
section: 一(二)5一
description_zh: 本期受理的窗口办件中评价为非常满意或满意的比例；未评价的留在分母中
description_en: Share of the cases accepted in the period that are rated 非常满意 or 满意; unrated cases
    stay in the denominator
*/
select
    *,
    rating = any(:satisfied_counter_rating) as is_counted
from counter_cases_accepted
