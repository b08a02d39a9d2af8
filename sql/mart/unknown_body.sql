/*
view: unknown_body
description: >-
    未知单位 One row per source and body, by code and name, that neither the list nor the aliases know, as judged after
    the last loads; whether that is still so, mart.reference_judgement says
columns:
    source: 来源 Source
    body_code: 单位代码 Code as delivered, where the source has one
    body_name: 单位名称 Name as delivered, where the source has one
    rows: 行数 Rows that hold now, count for the city and belong to no body
    first_load_id: 首次装载 First load among these rows
    newest_load_id: 最近装载 Newest load among these rows
    judged_at: 核对时间 When the rows of the source were judged
*/
select
    u.source,
    u.body_code,
    u.body_name,
    sum(u.rows)::bigint as rows,
    min(u.load_id) as first_load_id,
    max(u.load_id) as newest_load_id,
    j.judged_at
from lineage.unknown_body as u
inner join lineage.reference_judgement as j on u.source = j.source
group by u.source, u.body_code, u.body_name, j.judged_at
