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
    proof: >-
        两人证明 How it was proved that two persons sealed: airflow, os_account, database_role; declared is no proof, two
        names of one account; null where it was sealed before this was recorded
    preparer_account: 编制账号 The account that prepared, as Airflow or the database server says it
    approver_account: 批准账号 The account that approved, likewise
    evidence: 凭据 The run of Airflow that holds question and answer, as DAG/run; else empty
    code_version: 程序版本 Version of the code that computed and sealed it
    note: 说明 What the preparer wrote
    exceptions: >-
        例外 What was open and sealed nevertheless, by name: sources of which an expected delivery is not there, anomalies
        with their explanation, identities that do not hold, draft figures that the rows do not give
    figures: 指标数 Published figures of the whole city in it
    observations: 指标值数 All values in it, of bodies and of other readings too
    restated: 重述数 Figures of the whole city that this vintage changed
    previous_hash: 前一指纹 Hash of the vintage before it in the chain; null for the first
    hash: 指纹 SHA-256 over everything that it holds and the hash before it
*/
with held as (
    select
        o.period,
        o.vintage,
        count(*) as observations,
        count(*) filter (where o.body_code is null and d.is_published) as figures
    from indicators.sealed_observation as o
    left join indicators.sealed_definition as d
        on
            o.period = d.period
            and o.vintage = d.vintage
            and o.indicator_code = d.indicator_code
            and o.reading = d.reading
    group by o.period, o.vintage
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
    v.proof,
    v.preparer_account,
    v.approver_account,
    v.evidence,
    v.code_version,
    v.note,
    v.exceptions,
    coalesce(h.figures, 0) as figures,
    coalesce(h.observations, 0) as observations,
    coalesce(r.figures, 0) as restated,
    v.previous_hash,
    v.hash
from indicators.vintage as v
left join held as h on v.period = h.period and v.vintage = h.vintage
left join restated as r on v.period = r.period and v.vintage = r.vintage
