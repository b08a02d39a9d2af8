/*
view: unknown_body
description: 未知单位 One row per source and body, by code and name, that neither the list nor the aliases know
columns:
    source: 来源 Source
    body_code: 单位代码 Code as delivered, where the source has one
    body_name: 单位名称 Name as delivered, where the source has one
    rows: 行数 Rows that hold now, count for the city and belong to no body
    first_load_id: 首次装载 First load among these rows
    newest_load_id: 最近装载 Newest load among these rows
*/
select
    source,
    body_code,
    body_name,
    count(*) as rows,
    min(load_id) as first_load_id,
    max(load_id) as newest_load_id
from mart.unknown_body_row
group by source, body_code, body_name
