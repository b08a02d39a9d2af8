"""Annexes that say how far the figures can be trusted.

They are the quality of the files, the identities between figures, and the reconciliation with what was printed before.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from halfyear.indicators.definition import DASH
from halfyear.publishing.report.cell import count_cell, sentence, text_cell
from halfyear.publishing.report.document import Block, Cell, Column, Number, Table
from halfyear.publishing.report.scope import Scope

_FILES = """
    with file as (
        select distinct q.source, q.snapshot_date, q.file_name, q.verdict, q.rows_read, q.rows_loaded,
            q.rows_quarantined, q.rows_skipped, q.unknown_bodies
        from mart.quality_scorecard as q
        where {which}
    )
"""
_IN_PERIOD = "q.snapshot_date between %(first_day)s and %(last_day)s"
_SEALED = """(q.source, q.file_name) in (
    select s.source, s.file_name from mart.sealed_delivery as s
    where s.period = %(period)s and s.vintage = %(vintage)s
)"""


def quality(scope: Scope) -> list[Block]:
    """How the files fared, by source and by dimension of GB/T 36344."""
    which = _SEALED if scope.seal else _IN_PERIOD
    days = {"first_day": scope.period.first_day, "last_day": scope.period.last_day}
    sources = scope.rows(
        _FILES.format(which=which)
        + """
        select coalesce(f.title_zh, file.source) as title_zh, count(*) as files,
            count(*) filter (where verdict = 'refused') as files_refused, sum(rows_read) as rows_read,
            sum(rows_loaded) as rows_loaded, sum(rows_quarantined) as rows_quarantined,
            sum(rows_skipped) as rows_skipped, sum(unknown_bodies) as unknown_bodies
        from file
        left join mart.freshness as f on file.source = f.source
        group by file.source, f.title_zh
        order by file.source
        """,
        **days,
    )
    dimensions = scope.rows(
        f"""
        select q.dimension_zh, sum(q.rules) as rules, sum(q.rules_failed) as rules_failed,
            sum(q.values_checked) as values_checked, sum(q.values_failed) as values_failed
        from mart.quality_scorecard as q
        where q.dimension is not null and {which}
        group by q.dimension, q.dimension_zh
        order by
            array_position(
                array['normative', 'completeness', 'accuracy', 'consistency', 'timeliness', 'accessibility'],
                q.dimension
            )
        """,
        **days,
    )
    return [
        Table(
            "数据质量（来源）",
            "各来源装载情况",
            (
                Column("来源", 3.6),
                Column("文件数", 1.4, "right"),
                Column("被拒", 1.2, "right"),
                Column("读取行数", 2, "right"),
                Column("装载行数", 2, "right"),
                Column("隔离行数", 1.8, "right"),
                Column("跳过行数", 1.8, "right"),
                Column("未知单位", 1.8, "right"),
            ),
            tuple(
                (
                    text_cell(row["title_zh"]),
                    *(
                        count_cell(row[column])
                        for column in (
                            "files", "files_refused", "rows_read", "rows_loaded", "rows_quarantined", "rows_skipped",
                            "unknown_bodies",
                        )
                    ),
                )
                for row in sources
            ),
            ("每份文件：读取行数＝装载行数＋隔离行数＋跳过行数。隔离的行不计入任何指标，更正后可重新装载。",),
        ),
        Table(
            "数据质量（维度）",
            "按 GB/T 36344 维度的检查结果",
            (
                Column("质量维度", 3),
                Column("检查规则", 2, "right"),
                Column("未通过规则", 2, "right"),
                Column("检查值数", 2.4, "right"),
                Column("不合格值数", 2.2, "right"),
                Column("合格率", 2, "right"),
            ),
            tuple(
                (
                    text_cell(row["dimension_zh"]),
                    count_cell(row["rules"]),
                    count_cell(row["rules_failed"]),
                    count_cell(row["values_checked"]),
                    count_cell(row["values_failed"]),
                    _passed(row["values_checked"], row["values_failed"]),
                )
                for row in dimensions
            ),
        ),
    ]  # fmt: skip


def identities(scope: Scope) -> list[Block]:
    """Whether the figures agree with each other; where not, by how much and where."""
    rows = scope.rows(
        """
        select description_zh, rows_checked, is_kept, body_name, difference
        from mart.identity where period = %(period)s
        order by is_kept, rule, body_code nulls first
        """
    )
    if not rows:
        return [sentence("本期尚未检查指标间的勾稽关系。")]
    rules = {row["description_zh"] for row in rows}
    broken = {row["description_zh"] for row in rows if not row["is_kept"]}
    verdict = "全部成立" if not broken else f"其中{len(broken)}项不成立"
    return [
        sentence(f"对全市及各单位逐一检查指标间的勾稽关系{len(rules)}项，{verdict}。"),
        Table(
            "勾稽关系",
            "勾稽关系检查结果",
            (
                Column("勾稽关系", 8),
                Column("检查数", 1.5, "right"),
                Column("结果", 1.6, "center"),
                Column("不成立的单位", 3.2),
                Column("差额", 1.6, "right"),
            ),
            tuple(
                (
                    text_cell(row["description_zh"]),
                    count_cell(row["rows_checked"]),
                    "成立" if row["is_kept"] else "不成立",
                    text_cell(row["body_name"]),
                    text_cell(None if row["difference"] is None else f"{row['difference'].normalize():f}"),
                )
                for row in rows
            ),
        ),
    ]


def reconciliation(scope: Scope) -> list[Block]:
    """What was printed before against what the rows say."""
    rows = scope.rows(
        """
        select published_no, name_zh, indicator_code, published_printed, computed_printed, verdict, explanation_zh
        from mart.reconciliation where period = %(period)s order by sort_order
        """
    )
    if not rows:
        return [sentence("本期尚未录入公布数，未作对账。")]
    verdicts = ("一致", "舍入差", "口径差", "差异", "无来源")
    counts = "，".join(
        f"{verdict}{count}个" for verdict in verdicts if (count := sum(r["verdict"] == verdict for r in rows))
    )
    apart = [row for row in rows if row["verdict"] != "一致"]
    said: list[Block] = [sentence(f"与已录入的公布数{len(rows)}个逐一比对：{counts}。")]
    if apart:
        said.append(
            Table(
                "对账",
                "与公布数不一致的指标",
                (
                    Column("编号", 1.2, "center"),
                    Column("指标", 4.6),
                    Column("公布数", 2.2, "right"),
                    Column("计算数", 2.2, "right"),
                    Column("结论", 1.6, "center"),
                    Column("说明", 4.2),
                ),
                tuple(
                    (
                        text_cell(row["published_no"]),
                        text_cell(row["name_zh"] or row["indicator_code"]),
                        text_cell(row["published_printed"]),
                        text_cell(row["computed_printed"]),
                        text_cell(row["verdict"]),
                        text_cell(row["explanation_zh"]),
                    )
                    for row in apart
                ),
            )
        )
    return said


def _passed(checked: Decimal, failed: Decimal) -> Cell:
    """The share that passed, cut off: it is 100 only where nothing failed."""
    if not checked:
        return DASH
    share = (100 - Decimal(failed) * 100 / Decimal(checked)).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
    return Number(share, 2, "%")
