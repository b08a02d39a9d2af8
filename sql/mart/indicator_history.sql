/*
view: indicator_history
description: >-
    指标历史 One row per period, indicator, reading, body and value that ever held: sealed vintages, the
    provisional value and the earlier provisional ones
columns:
    period: 半年期 SDMX code of the half-year
    indicator_code: 指标代码 Code of the indicator
    reading: 口径 Empty for the main reading
    name_zh: 中文名 Name in Chinese, as it was sealed, else as defined today
    name_en: 英文名 Name in English, as it was sealed, else as defined today
    body_code: 单位代码 Unified social credit code of the body; null for the whole city
    body_name: 单位名称 Name of the body; 全市 for the whole city
    status: 状态 sealed, provisional, or superseded (an earlier provisional value)
    vintage: 版次 Number of the sealed vintage; null for provisional values
    numerator: 分子 Sum of quantity over the rows that count
    denominator: 分母 The same over the rows of the denominator
    value: 值 Exact value
    printed: 印刷值 As it was or would have been printed
    computed_at: 计算时间 When the value was computed
    superseded_at: 被取代时间 When the next value took its place; null for the one in force
    sealed_at: 封存时间 When the vintage was sealed
    prepared_by: 编制人 Who prepared the vintage
    approved_by: 批准人 Who approved the vintage
    reason: 重述原因 Why a later vintage changed the figure
    note: 重述说明 What the preparer wrote about it
    definition_hash: 定义指纹 SHA-256 of the definition it was computed by
*/
with value_of as (
    select
        o.period,
        o.indicator_code,
        o.reading,
        o.body_code,
        case when o.superseded_at is null then 'provisional' else 'superseded' end as status,
        null::integer as vintage,
        o.numerator,
        o.denominator,
        o.value,
        o.printed,
        o.computed_at,
        o.superseded_at,
        null::timestamptz as sealed_at,
        null as prepared_by,
        null as approved_by,
        null as reason,
        null as note,
        o.definition_hash
    from indicators.observation as o
    union all
    select
        s.period,
        s.indicator_code,
        s.reading,
        s.body_code,
        'sealed' as status,
        s.vintage,
        s.numerator,
        s.denominator,
        s.value,
        s.printed,
        s.computed_at,
        later.sealed_at as superseded_at,
        v.sealed_at,
        v.prepared_by,
        v.approved_by,
        r.reason,
        r.note,
        s.definition_hash
    from indicators.sealed_observation as s
    inner join indicators.vintage as v on s.period = v.period and s.vintage = v.vintage
    left join indicators.vintage as later
        on s.period = later.period and s.vintage + 1 = later.vintage
    left join indicators.restatement as r
        on
            s.period = r.period
            and s.vintage = r.vintage
            and s.indicator_code = r.indicator_code
            and s.reading = r.reading
            and s.body_code is not distinct from r.body_code
)

select
    h.period,
    h.indicator_code,
    h.reading,
    coalesce(z.name_zh, d.name_zh) as name_zh,
    coalesce(z.name_en, d.name_en) as name_en,
    h.body_code,
    case when h.body_code is null then '全市' else coalesce(c.body_name, b.name) end as body_name,
    h.status,
    h.vintage,
    h.numerator,
    h.denominator,
    h.value,
    h.printed,
    h.computed_at,
    h.superseded_at,
    h.sealed_at,
    h.prepared_by,
    h.approved_by,
    h.reason,
    h.note,
    h.definition_hash
from value_of as h
left join indicators.definition as d
    on h.indicator_code = d.indicator_code and h.reading = d.reading
left join indicators.sealed_definition as z
    on
        h.period = z.period
        and h.vintage = z.vintage
        and h.indicator_code = z.indicator_code
        and h.reading = z.reading
left join indicators.sealed_body as c
    on
        h.period = c.period
        and h.vintage = c.vintage
        and h.body_code = c.body_code
left join core.body as b on h.body_code = b.code
