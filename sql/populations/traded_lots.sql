/*
name_zh: 成交的标段
name_en: Lots that were traded
grain: one row per lot
reads: {resource_trade: traded_on}
excluded:
    not_completed: {zh: 流标或终止, en: failed or terminated}
*/
select
    *,
    case
        when trade_status <> all(:completed_trade_status) then 'not_completed'
    end as excluded_because
from resource_trade
