/*
of: items_taken_over
name_zh: 委托乡镇实施的县级政务服务事项数
name_en: Items entrusted to towns
unit: '项'
published_no: '11'
section: 一(二)2
description_zh: 生效日期在本期、由本市交乡镇承接的事项，按批次和事项名称计
description_en: 'Items of the city that towns take over in the period, by batch and name'
excluded:
    other_source: {zh: 其他下放来源或承接层级, en: handed over by or to another level}
    other_body: {zh: 同一批次同一事项的其他承接部门, en: another receiving body of an item that is counted once}
*/
select
    *,
    case
        when not is_to_town then 'other_source'
        when body_no > 1 then 'other_body'
    end as left_out_because
from items_taken_over
