/*
view: body
description: 单位 One row per body of the reviewed list
columns:
    body_code: 统一社会信用代码 Unified social credit code
    body_name: 单位名称 Name
    kind: 单位类型 Kind of body
    level: 层级 市 镇 村
    parent_code: 上级单位代码 Code of the body above
    parent_name: 上级单位名称 Name of the body above
    region_code: 行政区划代码 Region code
*/
select
    b.code as body_code,
    b.name as body_name,
    b.kind,
    b.level,
    b.parent_code,
    p.name as parent_name,
    b.region_code
from core.body as b
left join core.body as p on b.parent_code = p.code
