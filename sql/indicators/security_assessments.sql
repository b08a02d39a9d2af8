/*
of: security_records
name_zh: 上线前风险评估数
name_en: Risk assessments before going live
unit: '次'
description_zh: 本期的上线前风险评估
description_en: Risk assessments before going live in the period
excluded:
    other_kind: {zh: 其他类别, en: another kind}
*/
select
    *,
    case when event_kind <> '上线前风险评估' then 'other_kind' end as left_out_because
from security_records
