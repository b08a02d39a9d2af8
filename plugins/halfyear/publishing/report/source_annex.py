"""Annexes that say where the figures come from: the definition of each, and the deliveries that went into them."""

from __future__ import annotations

from halfyear.publishing.report.cell import count_cell, short_hash, text_cell
from halfyear.publishing.report.document import Block, Column, Table
from halfyear.publishing.report.scope import Scope


def definitions(scope: Scope) -> list[Block]:
    """What each figure counts, by the definition that made it: the hash is that of the sealed value."""
    rows = scope.rows(
        """
        select
            d.indicator_code, d.name_zh, d.description_zh, d.unit, d.definition_hash,
            h.definition_hash as sealed_hash,
            (
                select string_agg(coalesce(f.title_zh, s.source), '、' order by s.place)
                from unnest(d.sources) with ordinality as s (source, place)
                left join mart.freshness as f on s.source = f.source
            ) as sources
        from mart.definition as d
        left join mart.indicator_history as h
            on h.period = %(period)s and h.vintage = %(vintage)s and h.status = 'sealed'
            and h.body_code is null and d.indicator_code = h.indicator_code and d.reading = h.reading
        where d.is_published and d.indicator_code = any(%(codes)s)
        order by d.sort_order
        """
    )
    changed = [row for row in rows if row["sealed_hash"] not in (None, row["definition_hash"])]
    notes = ["指纹为定义的 SHA-256 前 12 位；凡影响数值的内容一经改动，指纹即变。"]
    if changed:
        names = "、".join(row["name_zh"] for row in changed)
        notes.append(f"下列指标的定义在封存后有改动，指纹为封存时的，文字为现行的：{names}。")
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
                    short_hash(row["sealed_hash"] or row["definition_hash"]),
                )
                for row in rows
            ),
            tuple(notes),
        )
    ]


def sources(scope: Scope) -> list[Block]:
    """The deliveries that went into the seal; in a draft those that speak for a day of the half-year."""
    if scope.seal:
        statement = """
            select s.source, f.title_zh, s.snapshot_date, s.sequence, s.file_name, s.sha256, s.received_at,
                cardinality(s.indicator_codes) as indicators
            from mart.sealed_delivery as s
            left join mart.freshness as f on s.source = f.source
            where s.period = %(period)s and s.vintage = %(vintage)s
            order by s.source, s.snapshot_date, s.sequence, s.file_name
        """
    else:
        statement = """
            select d.source, f.title_zh, d.snapshot_date, d.sequence, d.file_name, d.sha256, d.received_at,
                null as indicators
            from lineage.delivery as d
            left join mart.freshness as f on d.source = f.source
            where d.verdict in ('loaded', 'loaded_with_quarantine')
                and d.snapshot_date between %(first_day)s and %(last_day)s
            order by d.source, d.snapshot_date, d.sequence, d.file_name
        """
    rows = scope.rows(statement, first_day=scope.period.first_day, last_day=scope.period.last_day)
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
