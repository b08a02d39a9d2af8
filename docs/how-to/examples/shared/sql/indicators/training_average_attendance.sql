/*
of: training_sessions_held
name_zh: 业务培训场均参训人数
name_en: Average attendance of training sessions
unit: 人/场
kind: average
decimals: 1
quantity: attendees
over: 1
description_zh: 本期培训的参训人数除以场次；未填人数的场次除外
description_en: Attendees per session, over the sessions of the period that say how many there were
excluded:
    not_said: {zh: 未填参训人数, en: the number of attendees is missing}
*/
select
    *,
    case when attendees is null then 'not_said' end as left_out_because
from training_sessions_held
