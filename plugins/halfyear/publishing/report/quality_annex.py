"""Annexes that say how far the figures can be trusted.

They are the quality of the files, the identities between figures, and the reconciliation with what was printed before.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal

from halfyear.indicators.rounding import DASH
from halfyear.publishing.report.cell import count_cell, sentence, text_cell
from halfyear.publishing.report.document import Block, Cell, Column, Number, Table
from halfyear.publishing.report.scope import Scope


def quality(scope: Scope) -> list[Block]:
    """The quality of the files, by source and by dimension of GB/T 36344."""
    sources = scope.rows("quality_by_source")
    dimensions = scope.rows("quality_by_dimension")
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
    rows = scope.rows("identities")
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
                    text_cell(None if row["difference"] is None else f"{Decimal(row['difference']).normalize():f}"),
                )
                for row in rows
            ),
        ),
    ]


def reconciliation(scope: Scope) -> list[Block]:
    """The figures that were printed before, compared with those that the rows give."""
    rows = scope.rows("reconciliation")
    if not rows:
        return [sentence("本期尚未录入公布数，未作对账。")]
    verdicts = ("一致", "已重述", "舍入差", "口径差", "差异", "无来源")
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
