"""Annexes that say where the figures come from: the definition of each, and the deliveries that went into them."""

from __future__ import annotations

from halfyear.publishing.report.cell import count_cell, short_hash, text_cell
from halfyear.publishing.report.document import Block, Column, Table
from halfyear.publishing.report.scope import Scope


def definitions(scope: Scope) -> list[Block]:
    """What each figure counts, by the definition that made it."""
    rows = [row for row in scope.rows("definitions") if row["indicator_code"] in scope.codes]
    return [
        Table(
            "指标定义",
            "指标定义",
            (
                Column("指标", 3.4),
                Column("代码", 4.2),
                Column("统计什么", 4.6),
                Column("单位", 1.1, "center"),
                Column("来源", 2.4),
                Column("定义指纹", 3, "center"),
            ),
            tuple(
                (
                    text_cell(row["name_zh"]),
                    row["indicator_code"],
                    text_cell(row["description_zh"]),
                    text_cell(row["unit"]),
                    text_cell(row["sources"]),
                    short_hash(row["definition_hash"]),
                )
                for row in rows
            ),
            ("指纹为定义的 SHA-256 前 12 位；凡影响数值的内容一经改动，指纹即变。",),
        )
    ]


def sources(scope: Scope) -> list[Block]:
    """The deliveries that went into the seal; in a draft those that speak for a day of the half-year."""
    rows = scope.rows("deliveries")
    columns = [
        Column("来源", 3),
        Column("文件", 5.2),
        Column("快照日期", 2.4, "center"),
        Column("次序", 1.1, "center"),
        Column("接收时间", 3.4, "center"),
        Column("校验值", 2.9, "center"),
    ]
    if scope.seal:
        columns.append(Column("所涉指标", 1.8, "right"))
    note = (
        "所列为计入本版次的全部交付文件；校验值为文件 SHA-256 前 12 位。"
        if scope.seal
        else "草稿所列为快照日期在本期内的交付文件；计入的文件以封存时为准。"
    )
    return [
        Table(
            "来源与交付",
            "数据来源与交付文件",
            tuple(columns),
            tuple(
                (
                    text_cell(row["title_zh"] or row["source"]),
                    text_cell(row["file_name"]),
                    text_cell(row["snapshot_date"]),
                    text_cell(row["sequence"]),
                    text_cell(row["received_at"]),
                    short_hash(row["sha256"]),
                    *([count_cell(row["indicators"])] if scope.seal else []),
                )
                for row in rows
            ),
            (note,),
        )
    ]
