/*
view: restatement
description: 重述 One row per figure that a later vintage changed, with its reason, old and new
columns:
    period: 半年期 SDMX code of the half-year
    vintage: 版次 The vintage that changed it
    indicator_code: 指标代码 Code of the indicator
    reading: 口径 Empty for the main reading
    name_zh: 中文名 Name in Chinese, as it was sealed
    name_en: 英文名 Name in English, as it was sealed
    unit: 单位 Unit of value
    body_code: 单位代码 Unified social credit code of the body; null for the whole city
    body_name: 单位名称 Name of the body; 全市 for the whole city
    reason: >-
        原因代码 late_data, corrected_source, changed_definition, changed_scope, computation_fault or
        transcription_fault
    reason_zh: 原因 The reason in Chinese
    reason_en: 英文原因 The reason in English
    note: 说明 What the preparer wrote
    follows: 随动 Of a ratio or average, the restated counts of its sources that it moved with; empty otherwise
    old_value: 原值 Value of the vintage before
    old_printed: 原印刷值 As it was printed; — where there was none
    new_value: 新值 Value of this vintage
    new_printed: 新印刷值 As it is printed now; — where there is none
    prepared_by: 编制人 Who prepared the restatement
    approved_by: 批准人 Who approved it
    sealed_at: 封存时间 When it was sealed
*/
select
    r.period,
    r.vintage,
    r.indicator_code,
    r.reading,
    d.definition ->> 'name_zh' as name_zh,
    d.definition ->> 'name_en' as name_en,
    d.definition ->> 'unit' as unit,
    r.body_code,
    case when r.body_code is null then '全市' else coalesce(c.body_name, b.name) end as body_name,
    r.reason,
    t.zh as reason_zh,
    t.en as reason_en,
    r.note,
    r.follows,
    r.old_value,
    r.old_printed,
    r.new_value,
    r.new_printed,
    v.prepared_by,
    v.approved_by,
    v.sealed_at
from indicators.restatement as r
inner join indicators.vintage as v on r.period = v.period and r.vintage = v.vintage
left join indicators.restatement_reason as t on r.reason = t.reason
left join core.body as b on r.body_code = b.code
left join indicators.sealed_body as c
    on
        r.period = c.period
        and r.vintage = c.vintage
        and r.body_code = c.body_code
left join lateral (
    -- A figure that is gone has its definition in an earlier vintage.
    select s.definition
    from indicators.sealed_definition as s
    where
        s.period = r.period and s.indicator_code = r.indicator_code and s.reading = r.reading
        and s.vintage <= r.vintage
    order by s.vintage desc
    limit 1
) as d on true
