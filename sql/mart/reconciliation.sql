/*
view: reconciliation
description: >-
    对账 One row per half-year and printed figure: what was printed beside what the rows say, with a verdict.
    Figures are matched by their code and never by their value
columns:
    period: 半年期 SDMX code of the half-year
    published_no: 报告编号 Number of the figure in the half-year report
    indicator_code: 指标代码 Code of the indicator
    section: 报告章节 Section of the half-year report
    name_zh: 中文名 Name in Chinese; null when no definition has the code
    name_en: 英文名 Name in English
    unit: 单位 Unit in which it was printed
    published_printed: 公布值 As it stands in the report, words included
    published_value: 公布数值 The number that was printed
    computed_printed: 计算印刷值 What the rows would print; — when nothing is known
    computed_value: 计算值 The exact value
    numerator: 分子 Sum of quantity over the rows that count
    denominator: 分母 The same over the rows of the denominator, for ratios and averages
    difference: 差 Computed, rounded to the printed decimals, minus printed; null without a computed value
    verdict: >-
        结论 一致 equal as printed, 已重述 equal to an earlier vintage and restated since,
        舍入差 equal at another rounding, 口径差 another reading reproduces it,
        差异 different, 无来源 nothing computed
    reading: 口径 For 口径差 the reading that reproduces the print
    explanation_zh: 说明 How the verdict comes about
    explanation_en: 英文说明 The same in English
    possible_denominators: >-
        可能的分母 For a share that is printed without its denominator: which counts could print it, together
        with the other shares of the same thing
    status: 状态 sealed or provisional
    sort_order: 次序 Order of the report's tables
*/
select
    s.period,
    s.published_no,
    s.indicator_code,
    s.section,
    s.name_zh,
    s.name_en,
    s.unit,
    s.published_printed,
    s.published_value,
    s.computed_printed,
    s.computed_value,
    s.numerator,
    s.denominator,
    s.difference,
    s.verdict,
    s.reading,
    s.explanation_zh,
    s.explanation_en,
    s.possible_denominators,
    s.status,
    s.sort_order
from indicators.print_in_force as p
cross join lateral jsonb_populate_recordset(null::indicators.reconciliation_now, p.content) as s
where p.page = 'reconciliation'
union all
select
    n.period,
    n.published_no,
    n.indicator_code,
    n.section,
    n.name_zh,
    n.name_en,
    n.unit,
    n.published_printed,
    n.published_value,
    n.computed_printed,
    n.computed_value,
    n.numerator,
    n.denominator,
    n.difference,
    n.verdict,
    n.reading,
    n.explanation_zh,
    n.explanation_en,
    n.possible_denominators,
    n.status,
    n.sort_order
from indicators.reconciliation_now as n
where not exists (
    select
    from indicators.print_in_force as p
    cross join lateral jsonb_to_recordset(p.content) as s (indicator_code text)
    where p.period = n.period and p.page = 'reconciliation' and s.indicator_code = n.indicator_code
)
