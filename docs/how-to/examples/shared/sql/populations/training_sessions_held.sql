/*
name_zh: 举办的业务培训
name_en: Training sessions that were held
grain: one row per session
reads: {training_session: started_at}
excluded:
    nobody_there: {zh: 参训终端数为零, en: no terminal took part}
*/
select
    *,
    case when terminals = 0 then 'nobody_there' end as excluded_because
from training_session
