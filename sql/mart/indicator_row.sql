/*
view: indicator_row
description: >-
    指标明细 One row per period, indicator, reading and contributing or left out row: what a number is made of. Ask for
    one period and one indicator; each pair runs the select of its definition
columns:
    period: 半年期 SDMX code of the half-year
    indicator_code: 指标代码 Code of the indicator
    reading: 口径 Empty for the main reading
    body_code: 单位代码 Body that the row counts for; null when no list knows it
    in_numerator: 计入分子 Whether the row counts
    in_denominator: 计入分母 Whether the row counts in the denominator
    quantity: 数量 What the row adds
    excluded_because: 剔除原因 Why the row is left out; the texts are in mart.definition
    source: 来源 Source
    record_key: 记录键 Key of the record; persons as tokens
    load_id: 装载编号 The load that first showed this version
    row_number: 行号 Number of the row that a person sees in the file
    file_name: 文件名 File
    snapshot_date: 快照日期 The day that the file speaks for
*/
select
    p.period,
    d.indicator_code,
    d.reading,
    r.body_code,
    r.in_numerator,
    r.in_denominator,
    r.quantity,
    r.excluded_because,
    r.source,
    r.record_key,
    r.load_id,
    r.row_number,
    delivery.file_name,
    delivery.snapshot_date
from lineage.open_period as p
cross join indicators.definition as d
cross join lateral indicators.trace(d.indicator_code, d.reading, p.first_day, 'infinity') as r
left join lineage.load as l on r.load_id = l.load_id
left join lineage.delivery as delivery on l.delivery_id = delivery.delivery_id
