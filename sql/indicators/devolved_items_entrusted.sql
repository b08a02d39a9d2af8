/*
name_zh: 承接市级下放事项数（委托）
name_en: 'Of these, entrusted'
domain: delegation
unit: '项'
kind: flow
decimals: 0
sources: [devolved_item]
published_no: '9'
section: 一(二)1
published: true
description_zh: 承接市级事项中下放方式为委托的
description_en: 'Of devolved_items, those that were entrusted (委托)'
excluded:
    other_source: {zh: 其他下放来源或承接层级, en: handed over by or to another level}
    other_body: {zh: 同一批次同一事项的其他承接部门, en: another receiving body of an item that is counted once}
    other_kind: {zh: 其他下放方式, en: handed over in another way}
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
        from_level = '地级市' as is_meant,
        row_number() over (
            partition by batch, item_name, from_level = '地级市'
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
            when transfer_kind <> '委托' then 'other_kind'
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
