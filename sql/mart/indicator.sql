/*
view: indicator
description: >-
    指标 One row per period, indicator and body: the sealed value where there is one, else the provisional one. What is
    printed of a sealed value, its words, comparisons and changes too, is that of its seal
columns:
    period: 半年期 SDMX code of the half-year, as 2022-S1
    indicator_code: 指标代码 Code of the indicator
    name_zh: 中文名 Name in Chinese
    name_en: 英文名 Name in English
    domain: 领域 Domain, which names the wide view
    unit: 单位 Unit of value
    kind: 类型 stock, flow, ratio or average
    body_code: 单位代码 Unified social credit code of the body; null for the whole city
    body_name: 单位名称 Name of the body; 全市 for the whole city
    numerator: 分子 Sum of quantity over the rows that count; null when nothing is known
    denominator: 分母 The same over the rows of the denominator, for ratios and averages
    value: 值 Exact value in the unit, ratios x 100; null when unknown or over zero
    printed: 印刷值 Rounded half up, with trailing zeros and unit; — for null
    previous_value: 上期值 Value of the half-year before, in the unit of this one where a series link says how
    change_on_previous: 环比 Change of the exact values, per cent; of ratios in percentage points; null where not comparable
    year_ago_value: 上年同期值 Value of the same half-year of the year before
    change_on_year: 同比 Change on the same half-year of the year before, as change_on_previous
    status: 状态 sealed or provisional
    vintage: 版次 Number of the sealed vintage; null while provisional
    computed_at: 计算时间 When the value was computed
    previous_printed: 上期印刷值 As it was printed for that half-year
    previous_vintage: 上期版次 Vintage of that value; null while it is provisional
    previous_first_printed: 上期原印刷值 Where that half-year was restated, as its first vintage printed it; else null
    previous_not_comparable: 环比不可比原因 unit or definition, where that is another one; null where comparable
    year_ago_printed: 上年同期印刷值 As it was printed for that half-year
    year_ago_vintage: 上年同期版次 Vintage of that value; null while it is provisional
    year_ago_first_printed: 上年同期原印刷值 Where that half-year was restated, as its first vintage printed it; else null
    year_ago_not_comparable: 同比不可比原因 unit or definition, where that is another one; null where comparable
    decimals: 小数位 Decimals that are printed
    sort_order: 次序 Order of the tables
    domain_zh: 领域中文名 Domain in Chinese
    domain_en: 领域英文名 Domain in English
*/
select
    period,
    indicator_code,
    name_zh,
    name_en,
    domain,
    unit,
    kind,
    body_code,
    body_name,
    numerator,
    denominator,
    value,
    printed,
    (previous ->> 'value')::numeric as previous_value,
    (previous ->> 'change')::numeric as change_on_previous,
    (year_ago ->> 'value')::numeric as year_ago_value,
    (year_ago ->> 'change')::numeric as change_on_year,
    case when vintage is null then 'provisional' else 'sealed' end as status,
    vintage,
    computed_at,
    previous ->> 'printed' as previous_printed,
    (previous ->> 'vintage')::integer as previous_vintage,
    previous ->> 'first_printed' as previous_first_printed,
    previous ->> 'not_comparable' as previous_not_comparable,
    year_ago ->> 'printed' as year_ago_printed,
    (year_ago ->> 'vintage')::integer as year_ago_vintage,
    year_ago ->> 'first_printed' as year_ago_first_printed,
    year_ago ->> 'not_comparable' as year_ago_not_comparable,
    decimals,
    sort_order,
    domain_zh,
    domain_en
from indicators.compared_figure
