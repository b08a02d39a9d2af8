/*
view: completeness
description: >-
    完整性 One row per half-year and source that its figures need: whether every delivery that its contract expects is there
columns:
    period: 半年期 SDMX code of the half-year
    source: 来源 Source
    last_day: 末日 Last day of the half-year
    snapshot_date: 最新快照日期 The newest day that an accepted delivery speaks for; null when there is none
    files_waiting: 等待文件数 Files without a verdict yet
    deliveries_expected: 应报批次 Days of the half-year that have to be delivered, each in mart.expected_delivery
    deliveries_there: 已报批次 Those that were delivered, late ones included
    is_complete: 是否完整 Every expected delivery is there, and no file of the source waits
    indicator_codes: 指标代码 The published indicators that read it
*/
with newest as (
    select
        source,
        max(snapshot_date) as snapshot_date
    from lineage.standing
    where upper_inf(known_at)
    group by source
),

waiting as (
    select
        source,
        count(*) as files
    from lineage.delivery
    where verdict is null
    group by source
),

expected as (
    select
        period,
        source,
        count(*) as deliveries,
        count(*) filter (where state in ('there', 'late')) as there
    from mart.expected_delivery
    group by period, source
)

select
    p.period,
    n.source,
    p.last_day,
    s.snapshot_date,
    coalesce(w.files, 0) as files_waiting,
    coalesce(e.deliveries, 0) as deliveries_expected,
    coalesce(e.there, 0) as deliveries_there,
    -- A source that its contract expects nothing of in this half-year has nothing to be complete.
    coalesce(e.there = e.deliveries, true) and coalesce(w.files, 0) = 0 as is_complete,
    n.indicator_codes
from lineage.open_period as p
cross join indicators.source_reader as n
left join newest as s on n.source = s.source
left join waiting as w on n.source = w.source
left join expected as e on p.period = e.period and n.source = e.source
