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
    rows_checked: 检查数 Of how many both sides are known, the city and bodies; a rule for the city counts once
    body_code: 单位代码 Body that breaks it; null for the whole city, or where it holds
    body_name: 单位名称 Name of the body; 全市 for the whole city
    figures: 指标值 The figures that it speaks of, by indicator code, where it does not hold
    difference: 差额 Left side minus right side, where it does not hold
    checked_at: 检查时间 When it was last asked
*/
select
    n.period,
    n.rule,
    n.description_zh,
    n.description_en,
    n.is_kept,
    n.rows_checked,
    n.body_code,
    n.body_name,
    n.figures,
    n.difference,
    n.checked_at
from indicators.identity_now as n
where
    not exists (
        select from indicators.print_in_force as p
        where p.period = n.period and p.page = 'identities'
    )
union all
select
    s.period,
    s.rule,
    s.description_zh,
    s.description_en,
    s.is_kept,
    s.rows_checked,
    s.body_code,
    s.body_name,
    s.figures,
    s.difference,
    s.checked_at
from indicators.print_in_force as p
cross join lateral jsonb_populate_recordset(null::indicators.identity_now, p.content) as s
where p.page = 'identities'
