/*
view: indicator
description: >-
    指标 One row per period, indicator and body: the sealed value where there is one, else the provisional one
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
    previous_value: 上期值 Value of the half-year before
    change_on_previous: 环比 Change on the half-year before, per cent; ratios in percentage points
    year_ago_value: 上年同期值 Value of the same half-year of the year before
    change_on_year: 同比 Change on the same half-year of the year before; ratios in percentage points
    status: 状态 sealed or provisional
    vintage: 版次 Number of the sealed vintage; null while provisional
    computed_at: 计算时间 When the value was computed
*/
select
    f.period,
    f.indicator_code,
    -- A sealed figure keeps the words, unit and rounding that it was sealed with, and stays when its definition goes.
    coalesce(z.name_zh, d.name_zh) as name_zh,
    coalesce(z.name_en, d.name_en) as name_en,
    coalesce(z.domain, d.domain) as domain,
    coalesce(z.unit, d.unit) as unit,
    coalesce(z.kind, d.kind) as kind,
    f.body_code,
    case when f.body_code is null then '全市' else b.name end as body_name,
    f.numerator,
    f.denominator,
    f.value,
    f.printed,
    p.value as previous_value,
    indicators.change(coalesce(z.kind, d.kind), f.shown, p.shown) as change_on_previous,
    y.value as year_ago_value,
    indicators.change(coalesce(z.kind, d.kind), f.shown, y.shown) as change_on_year,
    case when f.vintage is null then 'provisional' else 'sealed' end as status,
    f.vintage,
    f.computed_at
from indicators.in_force as f
left join indicators.definition as d
    on f.indicator_code = d.indicator_code and f.reading = d.reading
left join indicators.sealed_definition as z
    on
        f.period = z.period
        and f.vintage = z.vintage
        and f.indicator_code = z.indicator_code
        and f.reading = z.reading
-- By the half-years that they precede, so that a question for one half-year reads three by their indexes.
left join indicators.in_force as p
    on
        f.period = p.next_period
        and f.indicator_code = p.indicator_code
        and f.body_key = p.body_key
        and p.is_published
left join indicators.in_force as y
    on
        f.period = y.next_year_period
        and f.indicator_code = y.indicator_code
        and f.body_key = y.body_key
        and y.is_published
left join core.body as b on f.body_code = b.code
where f.is_published
