/*
name_zh: 公共资源交易完成项目数
name_en: Projects traded
domain: resource_trading
unit: '宗'
kind: flow
decimals: 0
sources: [resource_trade]
published_no: '32'
section: 一(二)5二
published: true
description_zh: 本期有标段成交的项目，按项目编号计
description_en: 'Projects with a lot that was traded in the period, by project number'
excluded:
    not_completed: {zh: 流标或终止, en: failed or terminated}
    other_lot: {zh: 同一项目的其他标段, en: another lot of a project that is counted once}
*/
with completed_status as (
    select value
    from core.value_set
    where value_set = 'completed_trade_status' and valid_at @> :last_day
),

happened as (
    select *
    from core.resource_trade
    where
        known_at @> :as_known
        and traded_on >= :first_day
        and traded_on < :next_day
),

lot as (
    -- A project counts once, by its completed lot with the smallest number.
    select
        *,
        row_number() over (
            partition by
                project_no, trade_status in (select completed_status.value from completed_status)
            order by record_key collate "C" asc
        ) as lot_place
    from happened
),

judged as (
    select
        *,
        case
            when
                trade_status not in (select completed_status.value from completed_status)
                then 'not_completed'
            when lot_place > 1 then 'other_lot'
        end as excluded_because
    from lot
)

select
    null::text as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'resource_trade' as source,
    record_key,
    load_id,
    row_number
from judged
