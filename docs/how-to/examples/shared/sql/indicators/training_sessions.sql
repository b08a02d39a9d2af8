/*
of: training_sessions_held
name_zh: 业务培训场次
name_en: Training sessions held
unit: 场
description_zh: 开始时间在本期的培训；未知单位主办的计入全市
description_en: Sessions that began in the period; those of unknown bodies count for the city
*/
