/*
view: identity
description: >-
    勾稽关系 One row per half-year and identity between figures that holds; where it does not, one row per body that
    breaks it, with the figures and the difference
columns:
    period: 半年期 SDMX code of the half-year
    rule: 规则 Name of the identity
    description_zh: 说明 What has to hold, in Chinese
    description_en: 英文说明 The same in English
    is_kept: 是否成立 Whether it holds for the city and every body
    rows_checked: 检查数 The city and the bodies that have figures
    body_code: 单位代码 Body that breaks it; null for the whole city, or where it holds
    body_name: 单位名称 Name of the body; 全市 for the whole city
    figures: 指标值 The figures that it speaks of, by indicator code, where it does not hold
    difference: 差额 Left side minus right side, where it does not hold
    checked_at: 检查时间 When it was last asked
*/
select
    c.period,
    c.rule,
    c.description_zh,
    c.description_en,
    c.success as is_kept,
    c.element_count as rows_checked,
    b.body_code,
    case when not c.success then coalesce(n.name, '全市') end as body_name,
    b.figures,
    b.difference,
    c.checked_at
from indicators.identity_check as c
left join indicators.identity_breach as b on c.period = b.period and c.rule = b.rule
left join core.body as n on b.body_code = n.code
