/*
view: completeness
description: >-
    完整性 One row per half-year and source that its figures need: whether the source has delivered up to the last day
columns:
    period: 半年期 SDMX code of the half-year
    source: 来源 Source
    last_day: 末日 Last day of the half-year
    snapshot_date: 最新快照日期 The newest day that an accepted delivery speaks for; null when there is none
    files_waiting: 等待文件数 Files without a verdict yet
    is_complete: 是否完整 It has delivered up to the last day, and no file of it waits
    indicator_codes: 指标代码 The published indicators that read it
*/
with needed as (
    select
        named.source,
        array_agg(d.indicator_code order by d.indicator_code) as indicator_codes
    from indicators.definition as d
    cross join unnest(d.sources) as named (source)
    where d.is_published
    group by named.source
),

newest as (
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
)

select
    p.period,
    n.source,
    p.last_day,
    s.snapshot_date,
    coalesce(w.files, 0) as files_waiting,
    coalesce(s.snapshot_date >= p.last_day, false) and coalesce(w.files, 0) = 0 as is_complete,
    n.indicator_codes
from lineage.open_period as p
cross join needed as n
left join newest as s on n.source = s.source
left join waiting as w on n.source = w.source
