/*
of: security_records
name_zh: 政务外网安全事件数
name_en: Security events
unit: '起'
description_zh: 本期发现的安全事件
description_en: Security events found in the period
excluded:
    other_kind: {zh: 其他类别, en: another kind}
*/
select
    *,
    case when event_kind <> '安全事件' then 'other_kind' end as left_out_because
from security_records
