/*
name_zh: 业务培训场次
name_en: Training sessions held
domain: training_session
unit: 场
kind: flow
decimals: 0
sources: [training_session]
published: true
description_zh: 开始时间在本期的培训；未知单位主办的计入全市
description_en: Sessions that began in the period; those of unknown bodies count for the city
excluded:
    nobody_there: {zh: 参训终端数为零, en: no terminal took part}
*/
with session as (
    select
        *,
        case
            when terminals = 0 then 'nobody_there'
        end as excluded_because
    from core.training_session_resolved
    where
        known_at @> :as_known
        and (started_at at time zone 'Asia/Shanghai')::date >= :first_day
        and (started_at at time zone 'Asia/Shanghai')::date < :next_day
)

select
    resolved_body_code as body_code,
    excluded_because is null as in_numerator,
    false as in_denominator,
    1 as quantity,
    excluded_because,
    'training_session' as source,
    record_key,
    load_id,
    row_number
from session
