/*
name_zh: 承接地级市下放的事项
name_en: Items taken over from the prefecture
grain: one row per item, batch and receiving body; the body that comes first stands for its item and batch
of: items_taken_over
excluded:
    other_source: {zh: 其他下放来源或承接层级, en: handed over by or to another level}
    other_body: {zh: 同一批次同一事项的其他承接部门, en: another receiving body of an item that is counted once}
*/
select
    *,
    case
        when not is_from_prefecture then 'other_source'
        when body_no > 1 then 'other_body'
    end as excluded_because
from items_taken_over
