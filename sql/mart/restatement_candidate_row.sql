/*
view: restatement_candidate_row
description: >-
    待重述明细 One row per half-year, figure that would be restated, and row that it has now and had not at the seal,
    or the other way round; a row that counts otherwise is removed as it was and added as it is
columns:
    period: 半年期 SDMX code of the half-year
    indicator_code: 指标代码 Code of the indicator
    reading: 口径 Empty for the main reading
    change: 变化 added = known now and not at the seal; removed = the other way round
    body_code: 单位代码 Body that the row counts for; null when no list knows it
    in_numerator: 计入分子 Whether the row counts
    in_denominator: 计入分母 Whether the row counts in the denominator
    quantity: 数量 What the row adds
    excluded_because: 剔除原因 Why the row is left out; the texts are in mart.definition
    source: 来源 Source
    record_key: 记录键 Key of the record; persons as tokens
    load_id: 装载编号 The load of this version of the record
    row_number: 行号 Number of the row that a person sees in the file
    file_name: 文件名 File
    snapshot_date: 快照日期 The day that the file speaks for
    received_at: 接收时间 When the file arrived
*/
with candidate as (
    select distinct
        k.period,
        k.indicator_code,
        k.reading,
        k.sealed_at,
        p.first_day
    from mart.restatement_candidate as k
    inner join lineage.open_period as p on k.period = p.period
),

moved as (
    -- Rows that the definition gives at both instants cancel out.
    select
        c.period,
        c.indicator_code,
        c.reading,
        t.body_code,
        t.in_numerator,
        t.in_denominator,
        t.quantity,
        t.excluded_because,
        t.source,
        t.record_key,
        case when sum(i.sign) > 0 then 'added' else 'removed' end as change,
        coalesce(max(t.load_id) filter (where i.sign > 0), max(t.load_id)) as load_id,
        coalesce(max(t.row_number) filter (where i.sign > 0), max(t.row_number)) as row_number
    from candidate as c
    cross join lateral (values (1, 'infinity'), (-1, c.sealed_at)) as i (sign, as_known)
    cross join lateral indicators.trace(c.indicator_code, c.reading, c.first_day, i.as_known) as t
    group by
        c.period,
        c.indicator_code,
        c.reading,
        t.body_code,
        t.in_numerator,
        t.in_denominator,
        t.quantity,
        t.excluded_because,
        t.source,
        t.record_key
    having sum(i.sign) <> 0
)

select
    moved.period,
    moved.indicator_code,
    moved.reading,
    moved.change,
    moved.body_code,
    moved.in_numerator,
    moved.in_denominator,
    moved.quantity,
    moved.excluded_because,
    moved.source,
    moved.record_key,
    moved.load_id,
    moved.row_number,
    delivery.file_name,
    delivery.snapshot_date,
    delivery.received_at
from moved
left join lineage.load as l on moved.load_id = l.load_id
left join lineage.delivery as delivery on l.delivery_id = delivery.delivery_id
