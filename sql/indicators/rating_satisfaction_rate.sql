/*
name_zh: 好差评群众满意率
name_en: Satisfaction rate of ratings
domain: ratings
unit: '%'
kind: ratio
basis: flow
scale: 100
decimals: 0
sources: [service_rating]
decided_within: case_no
published_no: '23'
section: 一(二)4
published: true
description_zh: 有效评价中非常满意、满意、基本满意的比例
description_en: 'Share of the valid ratings that are 非常满意, 满意 or 基本满意'
excluded:
    default_rating: {zh: 默认好评：未作评价, en: silence counted as a rating}
    invalid_rating: {zh: 平台判为无效, en: invalid on the platform}
    replaced_rating: {zh: 已被同一办件的再次评价取代, en: a later rating of the case stands instead}
*/
with counted_state as (
    select value
    from core.value_set
    where value_set = 'valid_rating' and valid_at @> :last_day
),

satisfied as (
    select value
    from core.value_set
    where value_set = 'satisfied_service_rating' and valid_at @> :last_day
),

rating as (
    select
        *,
        case when is_default then '默认' when is_valid then '有效' else '无效' end as state
    from core.service_rating_resolved
    where
        known_at @> :as_known
        and rated_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and rated_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
),

spanning as (
    select distinct rating.case_no
    from rating
    inner join core.spanning_group as other on rating.case_no = other.group_value
    where other.source = 'service_rating'
),

again as (
    -- A later rating of the case stands instead, in whichever half-year it was given.
    select
        case_no,
        round,
        state
    from rating
    where round > 1
    union all
    select
        case_no,
        round,
        case when is_default then '默认' when is_valid then '有效' else '无效' end as state
    from core.service_rating
    where
        known_at @> :as_known
        and round > 1
        and (
            rated_at < (:first_day)::timestamp at time zone 'Asia/Shanghai'
            or rated_at >= (:next_day)::timestamp at time zone 'Asia/Shanghai'
        )
        and case_no in (select spanning.case_no from spanning)
),

replaced as (
    select
        case_no,
        max(round) as newest_round
    from again
    where state in (select counted_state.value from counted_state)
    group by case_no
),

standing as (
    select
        rating.*,
        coalesce(replaced.newest_round, 1) as newest_round
    from rating
    left join replaced on rating.case_no = replaced.case_no
),

judged as (
    select
        *,
        case
            when
                state = '默认' and state not in (select counted_state.value from counted_state)
                then 'default_rating'
            when state not in (select counted_state.value from counted_state) then 'invalid_rating'
            when round < newest_round then 'replaced_rating'
        end as excluded_because
    from standing
)

select
    resolved_body_code as body_code,
    excluded_because is null
    and satisfaction_code in (select satisfied.value from satisfied) as in_numerator,
    excluded_because is null as in_denominator,
    1 as quantity,
    excluded_because,
    'service_rating' as source,
    record_key,
    load_id,
    row_number
from judged
