/*
of: counter_cases_accepted
name_zh: 窗口评价基本满意占比
name_en: Counter cases rated basically satisfied
unit: '%'
kind: ratio
decimals: 1
published_no: '26'
section: 一(二)5一
description_zh: 本期受理的窗口办件中评价为基本满意的比例；未评价的留在分母中
description_en: Share of the cases accepted in the period that are rated 基本满意; unrated cases stay
    in the denominator
*/
select
    *,
    rating = any(:basically_satisfied_counter_rating) as is_counted
from counter_cases_accepted
