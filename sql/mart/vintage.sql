/*
view: vintage
description: >-
    版次 One row per seal of a half-year: the first publication and each restatement, with the chain of hashes
columns:
    period: 半年期 SDMX code of the half-year
    vintage: 版次 1 is the first publication, each further one a restatement
    sequence: 链序 Place in the one chain of all vintages of all half-years
    sealed_at: 封存时间 The instant up to which rows are known in it
    prepared_by: 编制人 Who prepared it
    approved_by: 批准人 Who approved it, never the preparer
    approved_at: 批准时间 When it was approved
    code_version: 程序版本 Version of the code that computed and sealed it
    note: 说明 What the preparer wrote
    exceptions: >-
        例外 What was open and sealed nevertheless, by name: sources that did not deliver up to the last day,
        identities that do not hold, draft figures that the rows do not give
    figures: 指标数 Sealed figures of the whole city
    restated: 重述数 Figures of the whole city that this vintage changed
    previous_hash: 前一指纹 Hash of the vintage before it in the chain; null for the first
    hash: 指纹 SHA-256 over everything that it holds and the hash before it
*/
with city as (
    select
        period,
        vintage,
        count(*) as figures
    from indicators.sealed_observation
    where body_code is null
    group by period, vintage
),

restated as (
    select
        period,
        vintage,
        count(*) as figures
    from indicators.restatement
    where body_code is null
    group by period, vintage
)

select
    v.period,
    v.vintage,
    v.sequence,
    v.sealed_at,
    v.prepared_by,
    v.approved_by,
    v.approved_at,
    v.code_version,
    v.note,
    v.exceptions,
    coalesce(c.figures, 0) as figures,
    coalesce(r.figures, 0) as restated,
    v.previous_hash,
    v.hash
from indicators.vintage as v
left join city as c on v.period = c.period and v.vintage = c.vintage
left join restated as r on v.period = r.period and v.vintage = r.vintage
