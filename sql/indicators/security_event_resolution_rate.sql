/*
of: security_records
name_zh: 安全事件处置率
name_en: Resolution rate of security events
unit: '%'
kind: ratio
decimals: 2
description_zh: 本期安全事件中期末前处置完成的比例
description_en: Share of the security events of the period that were resolved by the last day
excluded:
    other_kind: {zh: 其他类别, en: another kind}
*/
select
    *,
    case when event_kind <> '安全事件' then 'other_kind' end as left_out_because,
    resolved_at < :ends_at as is_counted
from security_records
