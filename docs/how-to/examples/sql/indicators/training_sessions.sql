/*
of: training_session
reads: started_at
name_zh: 业务培训场次
name_en: Training sessions held
unit: 场
description_zh: 开始时间在本期的培训；未知单位主办的计入全市
description_en: Sessions that began in the period; those of unknown bodies count for the city
excluded:
    nobody_there: {zh: 参训终端数为零, en: no terminal took part}
*/
select
    *,
    case when terminals = 0 then 'nobody_there' end as left_out_because
from training_session
