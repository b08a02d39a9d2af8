"""The note that is printed with a restatement, drafted in Chinese: what changed, why, what follows from it.

It is a document like the half-year report, so it is written by the same writers.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor

from halfyear.errors import UsageError
from halfyear.indicators.definition import printed_change
from halfyear.period import Period
from halfyear.publishing.report.document import Block, Column, Document, Heading, Paragraph, Run, Signature, Table
from halfyear.publishing.report.wording import day, title
from halfyear.settings import LOCAL_ZONE
from halfyear.statement_file import statement


def note(connection: Connection, period: Period, vintage: int | None = None) -> Document:
    """The note of a restatement of a half-year: of the newest, or of ``vintage``.

    Raises UsageError when there is no such restatement.
    """
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(
            "select v.*, p.sealed_at as first_sealed_at from mart.vintage as v "
            "inner join mart.vintage as p on v.period = p.period and v.vintage = p.vintage + 1 "
            "where v.period = %s and v.vintage = coalesce(%s, v.vintage) order by v.vintage desc limit 1",
            (str(period), vintage),
        )
        sealed = cursor.fetchone()
        if sealed is None:
            raise UsageError(f"{period}: 没有重述 / was not restated; see: halfyear restate {period}")
        of_vintage = {"period": str(period), "vintage": sealed["vintage"]}
        cursor.execute(
            "select r.* from mart.restatement as r left join mart.definition as d using (indicator_code, reading) "
            "where r.period = %(period)s and r.vintage = %(vintage)s order by d.sort_order, r.indicator_code, r.reading",
            of_vintage,
        )
        restated = cursor.fetchall()
        cursor.execute(
            "select source, file_name, received_at from mart.sealed_delivery as s "
            "where period = %(period)s and vintage = %(vintage)s and not exists (select from mart.sealed_delivery as o "
            "where o.period = s.period and o.vintage = s.vintage - 1 and o.sha256 = s.sha256 and o.source = s.source) "
            "order by received_at, file_name",
            of_vintage,
        )
        files = cursor.fetchall()
        next_year = replace(period, year=period.year + 1)
        cursor.execute(
            statement(__file__, "later_comparisons"),
            {**of_vintage, "next": str(period.next), "next_year": str(next_year)},
        )
        later = cursor.fetchall()
    return Document(
        period=period,
        title=f"关于重述{title(period)}统计数据的说明",
        warning="",
        author=sealed["prepared_by"],
        dated=sealed["sealed_at"],
        blocks=_blocks(period, sealed, restated, files, later),
    )


def _blocks(
    period: Period, sealed: Any, restated: Sequence[Any], files: Sequence[Any], later: Sequence[Any]
) -> tuple[Block, ...]:
    city = [row for row in restated if row["body_code"] is None]
    bodies = [row["body_code"] for row in restated if row["body_code"] is not None]
    names = {".".join(filter(None, (row["indicator_code"], row["reading"]))): row["name_zh"] for row in city}
    printed = [row for row in city if row["old_printed"] != row["new_printed"]]
    own = [row for row in printed if not row["follows"]]
    downstream = [row for row in printed if row["follows"]]
    said = sealed["note"].rstrip("。")
    blocks: list[Block] = [
        Heading(1, f"关于重述{title(period)}统计数据的说明"),
        _say(
            f"{title(period)}统计数据第{sealed['vintage'] - 1}版于{day(sealed['first_sealed_at'])}封存公布。{said}。"
            f"现予重述，形成第{sealed['vintage']}版，原公布数同时保留，可供查对。"
        ),
    ]
    headings = (f"{number}、" for number in "一二三四五")
    tables = itertools.count(1)

    def add(caption: str, columns: Sequence[str], rows: Iterable[tuple[str, ...]]) -> None:
        blocks.append(Heading(2, f"{next(headings)}{caption}"))
        widths = (3.4, 2.2, 2.2, 3.4)
        shown = tuple(Column(name, width) for name, width in zip(columns, widths, strict=False))
        blocks.append(Table(caption, f"表{next(tables)}　{caption}", shown, tuple(rows)))

    def figures(rows: Iterable[Any]) -> Iterable[tuple[str, ...]]:
        for row in rows:
            moved_with = "、".join(names.get(code, code) for code in row["follows"])
            yield row["name_zh"], row["old_printed"], row["new_printed"], moved_with or row["reason_zh"]

    if own:
        add("重述的指标", ("指标", "原公布数", "重述后", "原因"), figures(own))
    if downstream:
        add("随之变动的比率和平均数", ("指标", "原公布数", "重述后", "随何而动"), figures(downstream))
    if len(printed) < len(city):
        unmoved = "、".join(row["name_zh"] for row in city if row not in printed)
        blocks.append(_say(f"下列指标的分子、分母有变而公布数不变：{unmoved}。"))
    if bodies:
        blocks.append(_say(f"另有{len(set(bodies))}个单位的{len(bodies)}个分单位数随之重述。"))
    if files:
        add(
            "新依据的报送文件",
            ("文件", "来源", "接收时间"),
            ((f["file_name"], f["source"], f"{f['received_at'].astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}") for f in files),
        )
    if later:
        add(
            "对已封存各期比较数的影响",
            ("半年期与指标", "基数（原→现）", "原环比、同比", "按重述后基数"),
            (
                (
                    f"{each['period']} {each['name_zh']}{each['comparison']}",
                    f"{each['base_printed']}→{each['new_base_printed']}",
                    *(printed_change(each[n], each["kind"], each["decimals"]) for n in ("change", "new_change")),
                )
                for each in later
            ),
        )
        blocks.append(_say("上列各期报告已封存，仍按原公布数印刷；其后各期以重述后的数为基数，并标注 (r)。"))
    else:
        blocks.append(Heading(2, f"{next(headings)}对比较数的影响"))
        blocks.append(
            _say(
                f"{title(period.next)}的环比、{title(replace(period, year=period.year + 1))}的同比尚未封存，"
                "将以重述后的数为基数，并标注 (r)。"
            )
        )
    return (
        *blocks,
        _say(f"编制：{sealed['prepared_by']}　　批准：{sealed['approved_by']}"),
        _say(f"封存指纹：{sealed['hash']}"),
        Signature((day(sealed["sealed_at"]),)),
    )


def _say(text: str) -> Paragraph:
    return Paragraph((Run(text),))
