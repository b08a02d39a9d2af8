/*
of: ratings_that_stand
name_zh: 差评整改率
name_en: Rectification rate of bad ratings
unit: '%'
kind: ratio
decimals: 2
description_zh: 本期不满意和非常不满意的有效评价中期末前已整改的比例
description_en: Share of the valid ratings 不满意 and 非常不满意 of the period that were put right by the
    last day
excluded:
    not_bad: {zh: 不是差评, en: not a bad rating}
*/
select
    *,
    case
        when satisfaction_code <> all(:dissatisfied_service_rating) then 'not_bad'
    end as left_out_because,
    rectified_at < :ends_at as is_counted
from ratings_that_stand
