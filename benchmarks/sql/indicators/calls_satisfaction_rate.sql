/*
name_zh: 热线话单满意率（基准测试）
name_en: Satisfaction rate of hotline calls (benchmark)
domain: hotline
unit: '%'
kind: ratio
basis: flow
scale: 100
decimals: 2
sources: [hotline_call]
decided_within: record_key
published: true
description_zh: 本期话单中已评价的（满意、基本满意、不满意）里满意的比例
description_en: 'Of the calls of the period that were rated 满意, 基本满意 or 不满意, the share of 满意'
excluded:
    dispatched_before: {zh: 首次派单在本期之前，本期为改派, en: first dispatched before the period and re-assigned in it}
    not_rated: {zh: 未评价, en: not rated}
*/
with satisfied as (
    select value
    from core.value_set
    where value_set = 'satisfied_hotline_reply' and valid_at @> :last_day
),

rated as (
    select value
    from core.value_set
    where value_set = 'rated_hotline_reply' and valid_at @> :last_day
),

standing as (
    select load_id
    from lineage.standing
    where source = 'hotline_call' and known_at @> :as_known
),

again as (
    -- Calls of the period, dispatched for the first time or again, that were also dispatched in another half-year.
    select distinct
        record_key,
        call_no
    from core.hotline_call
    where
        dispatched_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and dispatched_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
        and load_id in (select standing.load_id from standing)
        and call_no in (
            select spanning.group_value
            from core.spanning_group as spanning
            where spanning.source = 'hotline_call'
        )
),

dispatched_before as (
    select distinct record_key
    from core.hotline_call
    where
        dispatched_at < (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and load_id in (select standing.load_id from standing)
        and call_no in (select again.call_no from again)
),

call as (
    select *
    from core.hotline_call_resolved
    where
        known_at @> :as_known
        and dispatched_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and dispatched_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
    union all
    select *
    from core.hotline_call_resolved
    where
        known_at @> :as_known
        and (
            dispatched_at < (:first_day)::timestamp at time zone 'Asia/Shanghai'
            or dispatched_at >= (:next_day)::timestamp at time zone 'Asia/Shanghai'
        )
        and call_no in (select again.call_no from again)
        and record_key in (select again.record_key from again)
),

judged as (
    select
        *,
        case
            when
                record_key in (select dispatched_before.record_key from dispatched_before)
                then 'dispatched_before'
            when
                satisfaction is null or satisfaction not in (select rated.value from rated)
                then 'not_rated'
        end as excluded_because
    from call
)

select
    resolved_body_code as body_code,
    excluded_because is null
    and satisfaction in (select satisfied.value from satisfied) as in_numerator,
    excluded_because is null as in_denominator,
    1 as quantity,
    excluded_because,
    'hotline_call' as source,
    record_key,
    load_id,
    row_number
from judged
