/*
view: printed_identity
description: >-
    公布数勾稽 One row per half-year, quarter or month and identity over printed figures: whether what was printed agrees
    with itself. Figures that were not printed are not asked for
columns:
    period: 时期 SDMX code of the half-year, quarter or month
    period_kind: 时期类型 half_year, quarter or month
    rule: 规则 Name of the identity
    description_zh: 说明 What has to hold, in Chinese
    description_en: 英文说明 The same in English
    is_kept: 是否成立 Whether it holds within the tolerance
    figures: 公布值 The figures that it speaks of as printed, by code
    difference: 差额 Left side minus right side
    tolerance: 容差 By how much rounding to the printed digits may move the difference
    checked_at: 检查时间 When it was last asked
*/
select
    n.period,
    n.period_kind,
    n.rule,
    n.description_zh,
    n.description_en,
    n.is_kept,
    n.figures,
    n.difference,
    n.tolerance,
    n.checked_at
from indicators.printed_identity as n
where
    not exists (
        select from indicators.print_in_force as p
        where p.period = n.period and p.page = 'printed_identities'
    )
union all
select
    s.period,
    s.period_kind,
    s.rule,
    s.description_zh,
    s.description_en,
    s.is_kept,
    s.figures,
    s.difference,
    s.tolerance,
    s.checked_at
from indicators.print_in_force as p
cross join lateral jsonb_populate_recordset(null::indicators.printed_identity, p.content) as s
where p.page = 'printed_identities'
