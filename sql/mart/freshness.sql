/*
view: freshness
description: >-
    时效 One row per source: its newest accepted snapshot and whether the next one is overdue
columns:
    source: 来源 Source
    title_zh: 中文名 Title in Chinese
    title_en: 英文名 Title in English
    snapshot_date: 最新快照日期 The day that the newest accepted delivery speaks for
    received_at: 接收时间 When that delivery arrived
    file_name: 文件名 Its file
    schedule: 计划 Cron expression of the source's night, Asia/Shanghai
    expected_on: 应到日期 The day by which the next delivery should be here, by schedule and latency
    is_overdue: 是否逾期 That day is over, or nothing was ever accepted
    files_late: 迟到文件数 Files that arrived later than the contract allows
    files_waiting: 等待文件数 Files without a verdict yet
    files_refused: 被拒文件数 Files that were refused
*/
with today as (
    select (now() at time zone 'Asia/Shanghai')::date as day
),

newest as (
    select distinct on (s.source)
        s.source,
        s.snapshot_date,
        d.received_at,
        d.file_name
    from lineage.standing as s
    inner join lineage.load as l on s.load_id = l.load_id
    inner join lineage.delivery as d on l.delivery_id = d.delivery_id
    where upper_inf(s.known_at)
    order by s.source asc, s.snapshot_date desc
),

delivered as (
    select
        source,
        count(*) filter (where is_late) as files_late,
        count(*) filter (where verdict is null) as files_waiting,
        count(*) filter (where verdict = 'refused') as files_refused
    from lineage.delivery
    group by source
)

select
    e.source,
    e.title_zh,
    e.title_en,
    n.snapshot_date,
    n.received_at,
    n.file_name,
    e.schedule,
    n.snapshot_date + e.days_between + e.latency_days as expected_on,
    n.snapshot_date is null or n.snapshot_date + e.days_between + e.latency_days < t.day
        as is_overdue,
    coalesce(d.files_late, 0) as files_late,
    coalesce(d.files_waiting, 0) as files_waiting,
    coalesce(d.files_refused, 0) as files_refused
from lineage.source as e
cross join today as t
left join newest as n on e.source = n.source
left join delivered as d on e.source = d.source
