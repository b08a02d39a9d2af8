/*
of: enterprise_cases_accepted
name_zh: 企业开办宗数
name_en: 'Of these, founding an enterprise'
unit: '宗'
published_no: '29'
section: 一(二)5一
description_zh: 本期受理的企业开办办件
description_en: Cases accepted in the period that found an enterprise
excluded:
    not_startup: {zh: 不是企业开办, en: no founding of an enterprise}
*/
select
    *,
    case when not is_startup then 'not_startup' end as left_out_because
from enterprise_cases_accepted
