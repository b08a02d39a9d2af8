"""The annexes of the half-year report: definitions, sources, quality, restatements and the seal, read from the mart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor

from halfyear.indicators.definition import CITY, DASH
from halfyear.period import Period
from halfyear.publishing.report.document import Block, Cell, Column, Number, Paragraph, Run, Table
from halfyear.settings import LOCAL_ZONE

Row = Mapping[str, Any]

#: What ``{annex:…}`` may name.
ANNEXES = ("definitions", "sources", "quality", "identities", "reconciliation", "restatements", "vintage")
# Of a hash as much as tells two apart.
_SHORT = 12


@dataclass(frozen=True)
class Seal:
    """The newest vintage of a half-year, and all of them, oldest first, as rows of ``mart.vintage``."""

    vintage: int
    sealed_at: datetime
    prepared_by: str
    approved_by: str
    vintages: tuple[Row, ...]

    @property
    def latest(self) -> Row:
        return self.vintages[-1]


@dataclass(frozen=True)
class _Report:
    """What every annex is made for; ``codes`` are the indicators that the report shows."""

    connection: Connection
    period: Period
    codes: tuple[str, ...]
    seal: Seal | None

    def rows(self, statement: str, **values: Any) -> list[Row]:
        given = {"period": str(self.period), "codes": list(self.codes), "vintage": self.seal and self.seal.vintage}
        return _rows(self.connection, statement, given | values)


def _rows(connection: Connection, statement: str, values: Mapping[str, Any]) -> list[Row]:
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(statement, values)
        return [dict(row) for row in cursor]


def seal(connection: Connection, period: Period) -> Seal | None:
    """The seal of a half-year; None while it is open."""
    rows = _rows(connection, "select * from mart.vintage where period = %(period)s order by vintage",
                 {"period": str(period)})  # fmt: skip
    if not rows:
        return None
    last = rows[-1]
    return Seal(last["vintage"], last["sealed_at"], last["prepared_by"], last["approved_by"], tuple(rows))


def blocks(
    connection: Connection, name: str, period: Period, codes: Sequence[str], seal: Seal | None
) -> Sequence[Block]:
    """The tables and sentences of one annex of ``ANNEXES`` for the indicators that a report shows."""
    made = _ANNEX[name](_Report(connection, period, tuple(codes), seal))
    return [replace(block, is_dense=True) if isinstance(block, Table) else block for block in made]


# ---------------------------------------------------------------- what is printed


def _text(value: object) -> str:
    """On one line, without the control characters that a document cannot hold."""
    if value is None or value == "":
        return DASH
    if isinstance(value, datetime):
        return f"{value.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())


def _short(digest: object) -> str:
    return _text(digest)[:_SHORT]


def _count(value: Decimal | int | None) -> Cell:
    return DASH if value is None else Number(Decimal(value))


def _passed(checked: Decimal, failed: Decimal) -> Cell:
    """The share that passed, cut off: it is 100 only where nothing failed."""
    if not checked:
        return DASH
    share = (100 - Decimal(failed) * 100 / Decimal(checked)).quantize(Decimal("0.01"), rounding=ROUND_DOWN)
    return Number(share, 2, "%")


def _say(text: str) -> Paragraph:
    return Paragraph((Run(text),))


# ---------------------------------------------------------------- annexes


def _definitions(report: _Report) -> list[Block]:
    """What each figure counts, by the definition that made it: the hash is that of the sealed value."""
    rows = report.rows(
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
                    _text(row["name_zh"]),
                    row["indicator_code"],
                    _text(row["description_zh"]),
                    _text(row["unit"]),
                    _text(row["sources"]),
                    _short(row["sealed_hash"] or row["definition_hash"]),
                )
                for row in rows
            ),
            tuple(notes),
        )
    ]


def _sources(report: _Report) -> list[Block]:
    """The deliveries that went into the seal; in a draft those that speak for a day of the half-year."""
    if report.seal:
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
    rows = report.rows(statement, first_day=report.period.first_day, last_day=report.period.last_day)
    columns = [
        Column("来源", 3),
        Column("文件", 5.2),
        Column("快照日期", 2.4, "center"),
        Column("次序", 1.1, "center"),
        Column("接收时间", 3.4, "center"),
        Column("校验值", 2.9, "center"),
    ]
    if report.seal:
        columns.append(Column("所涉指标", 1.8, "right"))
    note = (
        "所列为计入本版次的全部交付文件；校验值为文件 SHA-256 前 12 位。"
        if report.seal
        else "草稿所列为快照日期在本期内的交付文件；计入的文件以封存时为准。"
    )
    return [
        Table(
            "来源与交付",
            "数据来源与交付文件",
            tuple(columns),
            tuple(
                (
                    _text(row["title_zh"] or row["source"]),
                    _text(row["file_name"]),
                    _text(row["snapshot_date"]),
                    _text(row["sequence"]),
                    _text(row["received_at"]),
                    _short(row["sha256"]),
                    *([_count(row["indicators"])] if report.seal else []),
                )
                for row in rows
            ),
            (note,),
        )
    ]


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


def _quality(report: _Report) -> list[Block]:
    """How the files fared, by source and by dimension of GB/T 36344."""
    which = _SEALED if report.seal else _IN_PERIOD
    days = {"first_day": report.period.first_day, "last_day": report.period.last_day}
    sources = report.rows(
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
    dimensions = report.rows(
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
                    _text(row["title_zh"]),
                    *(
                        _count(row[column])
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
                    _text(row["dimension_zh"]),
                    _count(row["rules"]),
                    _count(row["rules_failed"]),
                    _count(row["values_checked"]),
                    _count(row["values_failed"]),
                    _passed(row["values_checked"], row["values_failed"]),
                )
                for row in dimensions
            ),
        ),
    ]  # fmt: skip


def _identities(report: _Report) -> list[Block]:
    """Whether the figures agree with each other; where not, by how much and where."""
    rows = report.rows(
        """
        select description_zh, rows_checked, is_kept, body_name, difference
        from mart.identity where period = %(period)s
        order by is_kept, rule, body_code nulls first
        """
    )
    if not rows:
        return [_say("本期尚未检查指标间的勾稽关系。")]
    rules = {row["description_zh"] for row in rows}
    broken = {row["description_zh"] for row in rows if not row["is_kept"]}
    verdict = "全部成立" if not broken else f"其中{len(broken)}项不成立"
    return [
        _say(f"对全市及各单位逐一检查指标间的勾稽关系{len(rules)}项，{verdict}。"),
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
                    _text(row["description_zh"]),
                    _count(row["rows_checked"]),
                    "成立" if row["is_kept"] else "不成立",
                    _text(row["body_name"]),
                    _text(None if row["difference"] is None else f"{row['difference'].normalize():f}"),
                )
                for row in rows
            ),
        ),
    ]


def _reconciliation(report: _Report) -> list[Block]:
    """What was printed before against what the rows say."""
    rows = report.rows(
        """
        select published_no, name_zh, indicator_code, published_printed, computed_printed, verdict, explanation_zh
        from mart.reconciliation where period = %(period)s order by sort_order
        """
    )
    if not rows:
        return [_say("本期尚未录入公布数，未作对账。")]
    verdicts = ("一致", "舍入差", "口径差", "差异", "无来源")
    counts = "，".join(
        f"{verdict}{count}个" for verdict in verdicts if (count := sum(r["verdict"] == verdict for r in rows))
    )
    apart = [row for row in rows if row["verdict"] != "一致"]
    said: list[Block] = [_say(f"与已录入的公布数{len(rows)}个逐一比对：{counts}。")]
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
                        _text(row["published_no"]),
                        _text(row["name_zh"] or row["indicator_code"]),
                        _text(row["published_printed"]),
                        _text(row["computed_printed"]),
                        _text(row["verdict"]),
                        _text(row["explanation_zh"]),
                    )
                    for row in apart
                ),
            )
        )
    return said


def _restatements(report: _Report) -> list[Block]:
    """What was printed once and is another value now: of this half-year and of those that it is compared with."""
    rows = report.rows(
        """
        select r.period, r.vintage, r.name_zh, r.reading, r.body_code, r.body_name, r.old_printed, r.new_printed,
            r.reason_zh, r.note, r.approved_by, r.sealed_at,
            (
                select string_agg(coalesce(d.name_zh, f.code), '、' order by f.place)
                from unnest(r.follows) with ordinality as f (code, place)
                left join mart.definition as d on f.code = d.indicator_code and d.is_published
            ) as follows
        from mart.restatement as r
        left join mart.definition as o on r.indicator_code = o.indicator_code and r.reading = o.reading
        where r.period = any(%(periods)s)
        order by r.period desc, r.vintage, o.sort_order, r.body_code nulls first
        """,
        periods=[str(p) for p in (report.period, report.period.previous, report.period.year_ago)],
    )
    if not rows:
        return [_say("本期及与之相比的半年期均无重述。")]
    city = [row for row in rows if row["body_code"] is None]
    said: list[Block] = [
        Table(
            "重述",
            "重述的指标",
            (
                Column("半年期与版次", 3, "center"),
                Column("指标", 3.6),
                Column("原值", 2, "right"),
                Column("新值", 2, "right"),
                Column("原因", 2.2),
                Column("说明", 4.2),
                Column("批准", 2, "center"),
            ),
            tuple(
                (
                    f"{row['period']} 第{row['vintage']}版",
                    _text(row["name_zh"]) + (f"（口径 {_text(row['reading'])}）" if row["reading"] else ""),
                    _text(row["old_printed"]),
                    _text(row["new_printed"]),
                    _text(row["reason_zh"]),
                    f"随{_text(row['follows'])}的重述而变" if row["follows"] else _text(row["note"]),
                    _text(row["approved_by"]),
                )
                for row in city
            ),
        )
    ]
    others = {row["body_name"] or row["body_code"] for row in rows if row["body_code"] is not None}
    if others:
        said.append(_say(f"除{CITY}数外，另有{len(others)}个单位的指标值同时重述。"))
    return said


def _base(connection: Connection, period: Period) -> str:
    """Which seal of another half-year the changes are against."""
    found = seal(connection, period)
    if found is None:
        return f"{period} 未经封存，以数据仓库现值相比"
    return f"{period} 第{found.vintage}版，{_text(found.sealed_at)} 封存，指纹 {_short(found.latest['hash'])}"


def _vintage(report: _Report) -> list[Block]:
    """The seal itself: who, when, of what, and the hash that proves it."""
    if report.seal is None:
        return [_say("本期尚未封存，本稿不得作为公布依据。")]
    latest = report.seal.latest
    exceptions = latest["exceptions"] or []
    bases = {"上期": report.period.previous, "上年同期": report.period.year_ago}
    facts = (
        ("半年期", str(report.period)),
        ("版次", f"第{latest['vintage']}版"),
        ("封存序号", _text(latest["sequence"])),
        ("封存时间", _text(latest["sealed_at"])),
        ("编制人", _text(latest["prepared_by"])),
        ("批准人", _text(latest["approved_by"])),
        ("批准时间", _text(latest["approved_at"])),
        ("程序版本", _text(latest["code_version"])),
        ("封存指标值数", _text(latest["figures"])),
        ("说明", _text(latest["note"])),
        ("未决事项", "；".join(_text(each.get("text_zh") or each.get("name")) for each in exceptions) or "无"),
        *((f"所比{word}", _base(report.connection, period)) for word, period in bases.items()),
        ("前一封存指纹", _text(latest["previous_hash"])),
        ("本次封存指纹", _text(latest["hash"])),
    )
    said: list[Block] = [
        Table(
            "封存信息",
            "封存信息",
            (Column("事项", 3), Column("内容", 13)),
            facts,
            ("指纹覆盖本版次全部指标值、定义与交付文件，并与前一次封存相连；以 halfyear verify 验证。",),
        )
    ]
    if len(report.seal.vintages) > 1:
        said.append(
            Table(
                "历次封存",
                "本期历次封存",
                (
                    Column("版次", 1.4, "center"),
                    Column("封存时间", 3.2, "center"),
                    Column("编制人", 2, "center"),
                    Column("批准人", 2, "center"),
                    Column("说明", 5),
                    Column("指纹", 2.6, "center"),
                ),
                tuple(
                    (
                        f"第{row['vintage']}版",
                        _text(row["sealed_at"]),
                        _text(row["prepared_by"]),
                        _text(row["approved_by"]),
                        _text(row["note"]),
                        _short(row["hash"]),
                    )
                    for row in report.seal.vintages
                ),
            )
        )
    return said


_ANNEX: Mapping[str, Callable[[_Report], list[Block]]] = {
    "definitions": _definitions,
    "sources": _sources,
    "quality": _quality,
    "identities": _identities,
    "reconciliation": _reconciliation,
    "restatements": _restatements,
    "vintage": _vintage,
}
assert tuple(_ANNEX) == ANNEXES
