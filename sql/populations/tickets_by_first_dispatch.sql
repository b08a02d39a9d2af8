/*
name_zh: 首次派单在本期的工单
name_en: Tickets by their first dispatch
grain: one row per ticket and source; what was dispatched before the half-year and again in it is left out
reads: {hotline_ticket: group}
excluded:
    dispatched_before: {zh: 首次派单在本期之前，本期为改派, en: first dispatched before the period and re-assigned in it}
*/
-- Not materialized: PostgreSQL reads a materialized one outside its parallel workers only.
with standing as not materialized (
    select load_id
    from lineage.standing
    where source = 'hotline_ticket' and known_at @> :as_known
),

again as not materialized (
    -- Tickets of the period, dispatched for the first time or again, that were also dispatched in another half-year.
    select distinct
        record_key,
        ticket_no
    from core.hotline_ticket
    where
        dispatched_at >= :begins_at and dispatched_at < :ends_at
        and load_id in (select standing.load_id from standing)
        and ticket_no in (
            select spanning.group_value
            from core.spanning_group as spanning
            where spanning.source = 'hotline_ticket'
        )
),

dispatched_before as (
    select distinct record_key
    from core.hotline_ticket
    where
        dispatched_at < :begins_at
        and load_id in (select standing.load_id from standing)
        and ticket_no in (select again.ticket_no from again)
),

ticket as (
    select *
    from core.hotline_ticket_resolved
    where known_at @> :as_known and dispatched_at >= :begins_at and dispatched_at < :ends_at
    union all
    select *
    from core.hotline_ticket_resolved
    where
        known_at @> :as_known
        and (dispatched_at < :begins_at or dispatched_at >= :ends_at)
        and ticket_no in (select again.ticket_no from again)
        and record_key in (select again.record_key from again)
)

select
    *,
    case
        when record_key in (select dispatched_before.record_key from dispatched_before)
            then 'dispatched_before'
    end as excluded_because
from ticket
