/*
view: restatement_candidate
description: >-
    待重述 One row per figure of a sealed half-year that the rows known now would give otherwise: the seal stands
    until it is restated. The rows that caused it are in mart.restatement_candidate_row
columns:
    period: 半年期 SDMX code of the half-year
    vintage: 版次 Newest sealed vintage
    indicator_code: 指标代码 Code of the indicator
    reading: 口径 Empty for the main reading
    name_zh: 中文名 Name in Chinese
    name_en: 英文名 Name in English
    kind: 类型 stock, flow, ratio or average
    unit: 单位 Unit of value
    body_code: 单位代码 Unified social credit code of the body; null for the whole city
    body_name: 单位名称 Name of the body; 全市 for the whole city
    sealed_value: 封存值 Value of the seal
    sealed_printed: 封存印刷值 As it was printed; — where the seal has none
    provisional_value: 暂定值 Value that the rows known now give
    provisional_printed: 暂定印刷值 As it would be printed; — where there is none
    difference: 差 Provisional minus sealed value
    is_print_changed: 印刷值是否变化 Whether the printed form moves, and not only the counts behind it
    is_definition_changed: 定义是否变更 Whether the definition is another one than that of the seal
    sealed_at: 封存时间 When the vintage was sealed
    computed_at: 计算时间 When the provisional value was computed
*/
with latest as (
    select distinct on (period)
        period,
        vintage,
        sealed_at
    from indicators.vintage
    order by period asc, vintage desc
),

sealed as (
    select
        o.*,
        l.sealed_at
    from indicators.sealed_observation as o
    inner join latest as l on o.period = l.period and o.vintage = l.vintage
),

provisional as (
    select
        o.*,
        l.vintage,
        l.sealed_at
    from indicators.observation as o
    inner join latest as l on o.period = l.period
    where o.superseded_at is null
),

compared as (
    select
        coalesce(s.period, p.period) as period,
        coalesce(s.vintage, p.vintage) as vintage,
        coalesce(s.indicator_code, p.indicator_code) as indicator_code,
        coalesce(s.reading, p.reading) as reading,
        coalesce(s.body_code, p.body_code) as body_code,
        s.value as sealed_value,
        coalesce(s.printed, '—') as sealed_printed,
        p.value as provisional_value,
        coalesce(p.printed, '—') as provisional_printed,
        s.numerator as sealed_numerator,
        s.denominator as sealed_denominator,
        p.numerator as provisional_numerator,
        p.denominator as provisional_denominator,
        s.definition_hash <> p.definition_hash as is_definition_changed,
        coalesce(s.sealed_at, p.sealed_at) as sealed_at,
        p.computed_at
    from sealed as s
    full outer join provisional as p
        on
            s.period = p.period
            and s.indicator_code = p.indicator_code
            and s.reading = p.reading
            and coalesce(s.body_code, '') = coalesce(p.body_code, '')
)

select
    c.period,
    c.vintage,
    c.indicator_code,
    c.reading,
    coalesce(d.name_zh, z.definition ->> 'name_zh') as name_zh,
    coalesce(d.name_en, z.definition ->> 'name_en') as name_en,
    coalesce(d.kind, z.definition ->> 'kind') as kind,
    coalesce(d.unit, z.definition ->> 'unit') as unit,
    c.body_code,
    case when c.body_code is null then '全市' else b.name end as body_name,
    c.sealed_value,
    c.sealed_printed,
    c.provisional_value,
    c.provisional_printed,
    c.provisional_value - c.sealed_value as difference,
    c.sealed_printed <> c.provisional_printed as is_print_changed,
    coalesce(c.is_definition_changed, false) as is_definition_changed,
    c.sealed_at,
    c.computed_at
from compared as c
left join indicators.definition as d
    on c.indicator_code = d.indicator_code and c.reading = d.reading
left join indicators.sealed_definition as z
    on
        c.period = z.period and c.vintage = z.vintage
        and c.indicator_code = z.indicator_code and c.reading = z.reading
left join core.body as b on c.body_code = b.code
where
    c.sealed_printed <> c.provisional_printed
    or c.sealed_value is distinct from c.provisional_value
    or c.sealed_numerator is distinct from c.provisional_numerator
    or c.sealed_denominator is distinct from c.provisional_denominator
