/*
view: unknown_reference
description: >-
    未知引用 One row per source, column and value that refers to a record of another source which no accepted
    snapshot ever named; such rows load and count
columns:
    source: 来源 Source whose rows refer
    column_name: 列 Their column
    refers_to: 引用 Source and key that should know it
    value: 值 What they name
    rows: 行数 Rows that hold now
    first_load_id: 首次装载 First load among these rows
    newest_load_id: 最近装载 Newest load among these rows
*/
select
    source,
    column_name,
    refers_to,
    value,
    count(*) as rows,
    min(load_id) as first_load_id,
    max(load_id) as newest_load_id
from mart.unknown_reference_row
group by source, column_name, refers_to, value
