/*
name_zh: 公共资源交易完成标段数
name_en: Lots traded
domain: resource_trading
unit: '宗'
kind: flow
decimals: 0
sources: [resource_trade]
decided_within: record_key
published: false
description_zh: 本期成交的标段
description_en: Lots that were traded in the period
excluded:
    not_completed: {zh: 流标或终止, en: failed or terminated}
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

judged as (
    select
        *,
        case
            when
                trade_status not in (select completed_status.value from completed_status)
                then 'not_completed'
        end as excluded_because
    from happened
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
