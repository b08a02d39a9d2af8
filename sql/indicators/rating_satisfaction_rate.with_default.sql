/*
of: ratings_given
name_zh: 好差评群众满意率（含默认好评）
name_en: 'Satisfaction rate of ratings, silence included'
unit: '%'
kind: ratio
description_zh: 有效评价和默认好评中非常满意、满意、基本满意的比例
description_en: 'Share of the valid ratings and of the defaults that are 非常满意, 满意 or 基本满意'
excluded:
    invalid_rating: {zh: 平台判为无效, en: invalid on the platform}
    replaced_rating: {zh: 已被同一办件的再次评价取代, en: a later rating of the case stands instead}
*/
select
    *,
    case
        when state = '无效' then 'invalid_rating'
        when round < newest_given_round then 'replaced_rating'
    end as left_out_because,
    satisfaction_code = any(:satisfied_service_rating) as is_counted
from ratings_given
