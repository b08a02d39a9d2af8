/*
view: quality_scorecard
description: >-
    质量计分卡 One row per delivery and quality dimension (GB/T 36344) that was checked; a file that was
    refused before any check has one row without dimension
columns:
    source: 来源 Source
    snapshot_date: 快照日期 The day that the file speaks for; null when its name says none
    file_name: 文件名 File
    verdict: 结论 loaded, loaded_with_quarantine, refused, superseded; null while it waits
    is_refused: 是否被拒 Whether the file was refused
    rule: 拒收规则 The rule by which the file was refused
    reason_zh: 拒收原因 Why, in Chinese
    reason_en: 拒收原因（英文） Why, in English
    load_id: 装载编号 The load, where the file could be read
    rows_read: 读取行数 Rows read, of the whole file
    rows_loaded: 装载行数 Rows loaded, of the whole file
    rows_quarantined: 隔离行数 Rows quarantined, of the whole file
    rows_skipped: 跳过行数 Rows skipped (titles, totals, notes, duplicates), of the whole file
    values_nulled: 按空值装载的值数 Values that could not be used and are null in rows that loaded, of the whole file
    unknown_bodies: >-
        未知单位数 Names or codes of bodies that no list knows among its rows that hold now, as judged after the last loads
    dimension: 质量维度 normative, completeness, accuracy, consistency, timeliness or accessibility
    dimension_zh: 质量维度中文 规范性 完整性 准确性 一致性 时效性 可访问性
    rules: 规则数 Rules of the dimension that were checked
    rules_failed: 未通过规则数 Rules that something failed
    values_checked: 检查数 Values that the rules of the dimension saw, summed over the rules
    values_failed: 不合格数 Values that failed, summed over the rules
    passed_pct: 合格率 Share of values that passed, per cent; null when nothing was checked
*/
with checked as (
    select
        load_id,
        dimension,
        count(*) as rules,
        count(*) filter (where not success) as rules_failed,
        sum(element_count) as values_checked,
        sum(unexpected_count) as values_failed
    from lineage.check_result
    group by load_id, dimension
),

unknown as (
    select
        load_id,
        count(*) as unknown_bodies
    from lineage.unknown_body
    group by load_id
)

select
    d.source,
    d.snapshot_date,
    d.file_name,
    d.verdict,
    coalesce(d.verdict = 'refused', false) as is_refused,
    d.rule,
    d.reason_zh,
    d.reason_en,
    l.load_id,
    l.rows_read,
    l.rows_loaded,
    l.rows_quarantined,
    l.rows_skipped,
    l.values_nulled,
    coalesce(u.unknown_bodies, 0) as unknown_bodies,
    c.dimension,
    case c.dimension
        when 'normative' then '规范性'
        when 'completeness' then '完整性'
        when 'accuracy' then '准确性'
        when 'consistency' then '一致性'
        when 'timeliness' then '时效性'
        when 'accessibility' then '可访问性'
    end as dimension_zh,
    coalesce(c.rules, 0) as rules,
    coalesce(c.rules_failed, 0) as rules_failed,
    coalesce(c.values_checked, 0) as values_checked,
    coalesce(c.values_failed, 0) as values_failed,
    100 - c.values_failed * 100.0 / nullif(c.values_checked, 0) as passed_pct
from lineage.delivery as d
left join lineage.load as l on d.delivery_id = l.delivery_id
left join checked as c on l.load_id = c.load_id
left join unknown as u on l.load_id = u.load_id
where d.verdict is null or d.verdict not in ('ignored', 'repeated')
