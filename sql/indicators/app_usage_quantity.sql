/*
name_zh: 应用业务量
name_en: Usage of the mobile applications
domain: applications
unit: '笔'
kind: flow
decimals: 0
sources: [app_usage]
decided_within: record_key
published: true
description_zh: 本期各月粤省事、粤商通、粤康码、健康核验的业务量之和
description_en: 'Sum of the monthly transactions of 粤省事, 粤商通, 粤康码 and 健康核验'
excluded:
    other_measure: {zh: 其他指标，如注册用户数, en: 'another measure, as registered users'}
*/
with counted_measure as (
    select value
    from core.value_set
    where value_set = 'app_usage_measure' and valid_at @> :last_day
),

happened as (
    select *
    from core.app_usage
    where
        known_at @> :as_known
        and month >= :first_day
        and month < :next_day
),

judged as (
    select
        *,
        case
            when
                measure not in (select counted_measure.value from counted_measure)
                then 'other_measure'
        end as excluded_because
    from happened
)

select
    null::text as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    quantity,
    excluded_because,
    'app_usage' as source,
    record_key,
    load_id,
    row_number
from judged
