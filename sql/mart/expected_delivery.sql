/*
view: expected_delivery
description: >-
    应报批次 One row per half-year, source and day that its contract expects a delivery of, and what became of it
columns:
    period: 半年期 SDMX code of the half-year
    source: 来源 Source
    expected_on: 应报日 Day that has to be delivered; for irregular batches the last day of the half-year, and any day of it does
    state: >-
        状态 there, late (there, but later than the contract allows), refused, empty (an event file without rows, which the
        contract does not take for 零报告), absent
    snapshot_date: 快照日期 Day that the delivery speaks for; null when there is none
    file_name: 文件名 The file that stands or was refused; null when there is none
    rows: 行数 Its accepted rows
*/
with standing as (
    select
        s.source,
        s.snapshot_date,
        d.file_name,
        d.is_late,
        l.rows_passed as rows
    from lineage.standing as s
    inner join lineage.load as l on s.load_id = l.load_id
    inner join lineage.delivery as d on l.delivery_id = d.delivery_id
    where upper_inf(s.known_at)
),

refused as (
    select distinct on (source, snapshot_date)
        source,
        snapshot_date,
        file_name
    from lineage.delivery
    where verdict = 'refused' and snapshot_date is not null
    order by source asc, snapshot_date asc, sequence desc, delivery_id desc
),

found as (
    select
        e.period,
        e.source,
        e.expected_on,
        c.mode = 'events' and not c.allows_silence as needs_rows,
        s.snapshot_date,
        s.file_name,
        s.is_late,
        s.rows
    from lineage.expected_day as e
    inner join lineage.source as c on e.source = c.source
    left join lateral (
        select
            t.snapshot_date,
            t.file_name,
            t.is_late,
            t.rows
        from standing as t
        where
            t.source = e.source
            and t.snapshot_date between e.earliest_on and e.expected_on
        order by t.rows = 0, t.snapshot_date desc
        limit 1
    ) as s on true
)

select
    f.period,
    f.source,
    f.expected_on,
    case
        when f.snapshot_date is not null and f.needs_rows and f.rows = 0 then 'empty'
        when f.snapshot_date is not null and f.is_late then 'late'
        when f.snapshot_date is not null then 'there'
        when r.snapshot_date is not null then 'refused'
        else 'absent'
    end as state,
    coalesce(f.snapshot_date, r.snapshot_date) as snapshot_date,
    coalesce(f.file_name, r.file_name) as file_name,
    f.rows
from found as f
left join refused as r on f.source = r.source and f.expected_on = r.snapshot_date
