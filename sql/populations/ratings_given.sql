/*
name_zh: 作出的评价
name_en: Ratings
grain: one row per rating of a case, with the newest round of its case in whichever half-year that was given
reads: {service_rating: group}
*/
with rating as (
    select
        *,
        case when is_default then '默认' when is_valid then '有效' else '无效' end as state
    from core.service_rating_resolved
    where known_at @> :as_known and rated_at >= :begins_at and rated_at < :ends_at
),

again as (
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
        and (rated_at < :begins_at or rated_at >= :ends_at)
        and case_no in (
            select rating.case_no
            from rating
            inner join core.spanning_group as spanning on rating.case_no = spanning.group_value
            where spanning.source = 'service_rating'
        )
),

newest as (
    select
        case_no,
        max(round) filter (where state = any(:valid_rating)) as newest_valid_round,
        max(round) filter (where state <> '无效') as newest_given_round
    from again
    group by case_no
)

select
    rating.*,
    coalesce(newest.newest_valid_round, 1) as newest_valid_round,
    coalesce(newest.newest_given_round, 1) as newest_given_round
from rating
left join newest on rating.case_no = newest.case_no
