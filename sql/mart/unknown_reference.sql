/*
view: unknown_reference
description: >-
    未知引用 One row per source, column and value that refers to a record of another source which no accepted
    snapshot ever named, as judged after the last loads; such rows load and count
columns:
    source: 来源 Source whose rows refer
    column_name: 列 Their column
    refers_to: 引用 Source and key that should know it
    value: 值 What they name
    rows: 行数 Rows that hold now
    first_load_id: 首次装载 First load among these rows
    newest_load_id: 最近装载 Newest load among these rows
    judged_at: 核对时间 When the rows of the source were judged
*/
select
    u.source,
    u.column_name,
    u.refers_to,
    u.value,
    sum(u.rows)::bigint as rows,
    min(u.load_id) as first_load_id,
    max(u.load_id) as newest_load_id,
    j.judged_at
from lineage.unknown_reference as u
inner join lineage.reference_judgement as j on u.source = j.source
group by u.source, u.column_name, u.refers_to, u.value, j.judged_at
