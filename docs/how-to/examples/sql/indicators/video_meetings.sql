/*
name_zh: 粤视会会议场次
name_en: Video meetings held
domain: video_meeting
unit: 场
kind: flow
decimals: 0
sources: [video_meeting]
published: true
description_zh: 开始时间在本期的会议；未知单位主办的计入全市
description_en: Meetings that began in the period; those of unknown bodies count for the city
excluded:
    nobody_there: {zh: 参会终端数为零, en: no terminal took part}
*/
with meeting as (
    select
        *,
        case
            when terminals = 0 then 'nobody_there'
        end as excluded_because
    from core.video_meeting_resolved
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
    'video_meeting' as source,
    record_key,
    load_id,
    row_number
from meeting
