/*
name_zh: 粤视会会议场次
name_en: Video meetings
domain: applications
unit: '场'
kind: flow
decimals: 0
sources: [video_meeting]
decided_within: record_key
published: true
description_zh: 开始时间在本期的粤视会会议
description_en: Video meetings that began in the period
*/
with happened as (
    select *
    from core.video_meeting_resolved
    where
        known_at @> :as_known
        and started_at >= (:first_day)::timestamp at time zone 'Asia/Shanghai'
        and started_at < (:next_day)::timestamp at time zone 'Asia/Shanghai'
)

select
    resolved_body_code as body_code,
    true as in_numerator,
    false as in_denominator,
    1 as quantity,
    null as excluded_because,
    'video_meeting' as source,
    record_key,
    load_id,
    row_number
from happened
