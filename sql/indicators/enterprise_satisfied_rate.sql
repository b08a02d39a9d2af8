/*
of: enterprise_cases_accepted
name_zh: 企业服务中心满意占比
name_en: Enterprise cases rated satisfied
unit: '%'
kind: ratio
published_no: '30'
section: 一(二)5一
description_zh: 本期受理的企业服务中心办件中评价为非常满意或满意的比例；未评价的留在分母中
description_en: Share of the cases accepted in the period that are rated 非常满意 or 满意; unrated cases
    stay in the denominator
*/
select
    *,
    rating = any(:satisfied_counter_rating) as is_counted
from enterprise_cases_accepted
