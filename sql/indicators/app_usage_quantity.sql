/*
of: app_usage
reads: month
name_zh: 应用业务量
name_en: Usage of the mobile applications
unit: '笔'
quantity: quantity
description_zh: 本期各月粤省事、粤商通、粤康码、健康核验的业务量之和
description_en: 'Sum of the monthly transactions of 粤省事, 粤商通, 粤康码 and 健康核验'
excluded:
    other_measure: {zh: 其他指标，如注册用户数, en: 'another measure, as registered users'}
*/
select
    *,
    case when measure <> all(:app_usage_measure) then 'other_measure' end as left_out_because
from app_usage
