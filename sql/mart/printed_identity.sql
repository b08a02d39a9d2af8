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
    p.period,
    p.period_kind,
    p.rule,
    p.description_zh,
    p.description_en,
    p.is_kept,
    p.figures,
    p.difference,
    p.tolerance,
    p.checked_at
from indicators.printed_identity as p
