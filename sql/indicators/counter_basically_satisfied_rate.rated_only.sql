/*
of: counter_cases_accepted
name_zh: 窗口评价基本满意占比（仅已评价）
name_en: 'Counter cases rated basically satisfied, of rated cases'
unit: '%'
kind: ratio
decimals: 1
description_zh: 本期受理的窗口办件中评价为基本满意的比例，仅计已评价的办件
description_en: 'Share of the cases accepted in the period that are rated 基本满意, rated cases only'
excluded:
    not_rated: {zh: 未评价, en: not rated}
*/
select
    *,
    case when rating is null or rating = '未评价' then 'not_rated' end as left_out_because,
    rating = any(:basically_satisfied_counter_rating) as is_counted
from counter_cases_accepted
