/*
view: definition
description: 指标定义 One row per indicator and reading, as the files of sql/indicators declare it
columns:
    indicator_code: 指标代码 Code of the indicator
    reading: 口径 Empty for the main reading, else the name of a second one
    is_published: 是否发布口径 Whether this reading is the one that is published
    name_zh: 中文名 Name in Chinese
    name_en: 英文名 Name in English
    domain: 领域 Domain, which names the wide view
    domain_zh: 领域中文名 Domain in Chinese
    domain_en: 领域英文名 Domain in English
    unit: 单位 Unit of value
    kind: 类型 stock, flow, ratio or average
    decimals: 小数位 Decimals that are printed
    population: 统计总体 The population that it adds to, a file of sql/populations; null where nobody else counts its rows
    sources: 来源 Sources whose rows it reads
    readings: 读法 How it reads each source in order, on the last_day or year_end_before, its history, by a date, or by group
    published_no: 报告编号 Number of the figure in the half-year report
    section: 报告章节 Section of the half-year report
    description_zh: 说明 What it counts, in Chinese
    description_en: 英文说明 What it counts, in English
    excluded: 剔除原因 Reasons for which rows are left out, with their texts
    part_of: 所属总数 Code of the whole of which it is a part; null where it is none
    sort_order: 次序 Order of the tables
    definition_hash: 定义指纹 SHA-256 over all that moves the number
    changed_at: 变更时间 Since when the definition has this hash
*/
select
    indicator_code,
    reading,
    is_published,
    name_zh,
    name_en,
    domain,
    domain_zh,
    domain_en,
    unit,
    kind,
    decimals,
    population,
    sources,
    readings,
    published_no,
    section,
    description_zh,
    description_en,
    excluded,
    part_of,
    sort_order,
    definition_hash,
    changed_at
from indicators.definition
