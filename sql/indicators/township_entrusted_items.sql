/*
name_zh: 委托乡镇实施的县级政务服务事项数
name_en: Items entrusted to towns
domain: delegation
unit: '项'
kind: flow
decimals: 0
sources: [devolved_item]
published_no: '11'
section: 一(二)2
published: true
description_zh: 生效日期在本期、由本市交乡镇承接的事项，按批次和事项名称计
description_en: 'Items of the city that towns take over in the period, by batch and name'
excluded:
    other_source: {zh: 其他下放来源或承接层级, en: handed over by or to another level}
    other_body: {zh: 同一批次同一事项的其他承接部门, en: another receiving body of an item that is counted once}
*/
with happened as (
    select *
    from core.devolved_item_resolved
    where
        known_at @> :as_known
        and effective_on >= :first_day
        and effective_on < :next_day
),

item as (
    -- An item of a batch counts once, by the receiving body that comes first.
    select
        *,
        (from_level = '本市' and receiving_level = '乡镇') as is_meant,
        row_number() over (
            partition by batch, item_name, (from_level = '本市' and receiving_level = '乡镇')
            order by body_name collate "C" asc
        ) as body_no
    from happened
),

judged as (
    select
        *,
        case
            when not is_meant then 'other_source'
            when body_no > 1 then 'other_body'
        end as excluded_because
    from item
)

select
    resolved_body_code as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'devolved_item' as source,
    record_key,
    load_id,
    row_number
from judged
