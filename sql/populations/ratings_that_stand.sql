/*
name_zh: 有效评价
name_en: Ratings that stand
grain: one row per rating of a case; of the valid ones that are no defaults the newest stands for its case
of: ratings_given
excluded:
    default_rating: {zh: 默认好评：未作评价, en: silence counted as a rating}
    invalid_rating: {zh: 平台判为无效, en: invalid on the platform}
    replaced_rating: {zh: 已被同一办件的再次评价取代, en: a later rating of the case stands instead}
*/
select
    *,
    case
        when state = '默认' and state <> all(:valid_rating) then 'default_rating'
        when state <> all(:valid_rating) then 'invalid_rating'
        when round < newest_valid_round then 'replaced_rating'
    end as excluded_because
from ratings_given
