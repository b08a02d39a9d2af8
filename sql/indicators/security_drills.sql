/*
of: security_records
name_zh: 应急演练次数
name_en: Emergency drills
unit: '次'
description_zh: 本期的应急演练
description_en: Emergency drills in the period
excluded:
    other_kind: {zh: 其他类别, en: another kind}
*/
select
    *,
    case when event_kind <> '应急演练' then 'other_kind' end as left_out_because
from security_records
