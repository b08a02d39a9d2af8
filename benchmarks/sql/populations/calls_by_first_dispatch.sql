/*
name_zh: 首次派单在本期的话单（基准测试）
name_en: Calls by their first dispatch (benchmark)
grain: one row per call; what was dispatched before the half-year and again in it is left out
reads: {hotline_call: group}
excluded:
    dispatched_before: {zh: 首次派单在本期之前，本期为改派, en: first dispatched before the period and re-assigned in it}
*/
-- Not materialized: PostgreSQL reads a materialized one outside its parallel workers only.
with standing as not materialized (
    select load_id
    from lineage.standing
    where source = 'hotline_call' and known_at @> :as_known
),

again as not materialized (
    -- Calls of the period, dispatched for the first time or again, that were also dispatched in another half-year.
    select distinct
        record_key,
        call_no
    from core.hotline_call
    where
        dispatched_at >= :begins_at and dispatched_at < :ends_at
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
        dispatched_at < :begins_at
        and load_id in (select standing.load_id from standing)
        and call_no in (select again.call_no from again)
),

call as (
    select *
    from core.hotline_call_resolved
    where known_at @> :as_known and dispatched_at >= :begins_at and dispatched_at < :ends_at
    union all
    select *
    from core.hotline_call_resolved
    where
        known_at @> :as_known
        and (dispatched_at < :begins_at or dispatched_at >= :ends_at)
        and call_no in (select again.call_no from again)
        and record_key in (select again.record_key from again)
)

select
    *,
    case
        when record_key in (select dispatched_before.record_key from dispatched_before)
            then 'dispatched_before'
    end as excluded_because
from call
