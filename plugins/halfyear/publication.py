"""What the approver of a seal is shown, on the terminal and in Airflow, and the note that explains a restatement.

One text serves both: Markdown, which Airflow's page and the terminal render.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection
from rich.console import Console
from rich.markdown import Markdown

from halfyear.errors import UsageError
from halfyear.indicator import DASH
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE
from halfyear.vintage import REASONS, Change, Proposal, Verification, Vintage

#: Rows that a text lists because of which a figure changes; the view has all.
_ROWS = 20


# ---------------------------------------------------------------- what would be sealed


def title(proposal: Proposal) -> str:
    """One line: what is asked of the approver."""
    period = proposal.request.period
    if proposal.request.is_restatement:
        return f"重述 {period} 为第 {proposal.vintage} 版 · Restate {period} as vintage {proposal.vintage}"
    return f"封存 {period} 第 {proposal.vintage} 版 · Seal {period} as vintage {proposal.vintage}"


def text(proposal: Proposal) -> str:
    """What would be sealed, in Markdown: open points, changes with their reasons, and every figure of the city."""
    request = proposal.request
    figures = {each["indicator_code"]: each for each in proposal.figures}
    lines = [
        f"- 编制人 prepared by: **{_cell(request.prepared_by)}**，须由他人批准 / somebody else has to approve it",
        f"- 指标 figures of the city: {len(figures)}; 连同各单位和其他口径 with bodies and other readings: "
        f"{proposal.observations}",
        f"- 指纹 digest: `{proposal.digest}`",
    ]
    if request.note.strip():
        lines.append(f"- 说明 note: {_cell(request.note)}")
    lines += ["", "## 未决事项 Open points, sealed nevertheless", ""]
    lines += [f"- {_cell(point.line)}" for point in proposal.exceptions] or ["没有 none"]
    if request.is_restatement:
        lines += ["", "## 变动 What changes", "", *_changes(proposal.changes, proposal.reasons)]
    lines += ["", "## 指标 Figures", ""]
    lines += _table(
        ("指标", "本期", "上期", "上年同期"),
        (
            (each["name_zh"], each["printed"], each["previous_printed"], each["year_ago_printed"])
            for each in figures.values()
        ),
    )
    return "\n".join(lines) + "\n"


def _changes(changes: Sequence[Change], reasons: Mapping[str, str]) -> list[str]:
    city = [c for c in changes if c.body_code is None]
    bodies = [c for c in changes if c.body_code is not None]
    lines = _table(
        ("代码", "指标", "封存", "现为", "原因"),
        (
            (
                c.code,
                c.name_zh,
                c.old_printed,
                c.new_printed,
                REASONS[reasons[c.code]].zh if c.code in reasons else DASH,
            )
            for c in city
        ),
    )
    if bodies:
        lines += ["", f"另有 {len(bodies)} 个单位数随之变动 / {len(bodies)} figures of bodies change with them."]
    return lines


def show(proposal: Proposal) -> None:
    """Print what would be sealed."""
    console = Console()
    console.print(title(proposal), style="bold", highlight=False, soft_wrap=True)
    console.print(Markdown(text(proposal)))


def sealed_line(vintage: Vintage) -> str:
    """One line: what was sealed, by whom, and its hash."""
    return (
        f"{vintage.period}: 已封存第 {vintage.vintage} 版 / sealed as vintage {vintage.vintage}: {vintage.figures} figures, "
        f"{vintage.restated} restated; prepared by {vintage.prepared_by}, approved by {vintage.approved_by}, "
        f"{_local(vintage.sealed_at)}; hash {vintage.hash}"
    )


# ---------------------------------------------------------------- what would be restated


def candidates(
    period: Period, sealed: Vintage, changes: Sequence[Change], rows: Mapping[str, Sequence[Mapping[str, Any]]]
) -> str:
    """The figures that moved since the seal, each with the first rows that caused it, in Markdown."""
    lines = [f"# {period} 第 {sealed.vintage} 版封存后的变动 · What moved since vintage {sealed.vintage}", ""]
    lines += _changes(changes, {})
    for code, found in rows.items():
        change = next(c for c in changes if c.code == code)
        lines += ["", f"## {code} {change.name_zh}: {change.old_printed} → {change.new_printed}", ""]
        lines += _table(
            ("变化", "记录", "来自", "数量", "单位"),
            (
                (
                    _what(row),
                    row["record_key"],
                    f"{row['file_name']}:{row['row_number']}",
                    _plain(row["quantity"]),
                    row["body_code"] or DASH,
                )
                for row in found[:_ROWS]
            ),
        )
        if len(found) > _ROWS:
            lines += ["", f"更多见 more in: mart.restatement_candidate_row where indicator_code = '{code}'"]
    return "\n".join(lines) + "\n"


def _what(row: Mapping[str, Any]) -> str:
    if row["in_numerator"]:
        counts = "计入 counted"
    elif row["in_denominator"]:
        counts = "分母 denominator"
    else:
        counts = f"剔除 {row['excluded_because']}"
    return f"{'＋' if row['change'] == 'added' else '－'} {counts}"


def show_markdown(content: str) -> None:
    Console().print(Markdown(content))


# ---------------------------------------------------------------- the note of a restatement


def note(connection: Connection, period: Period, vintage: int | None = None) -> str:
    """The note that is printed with a restatement: drafted in Chinese, in Markdown; of the newest, or of ``vintage``.

    Raises UsageError when there is no such restatement.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            "select v.vintage, v.sealed_at, v.prepared_by, v.approved_by, v.note, v.hash, p.sealed_at, p.vintage "
            "from mart.vintage as v inner join mart.vintage as p on v.period = p.period and v.vintage = p.vintage + 1 "
            "where v.period = %s and v.vintage = coalesce(%s, v.vintage) order by v.vintage desc limit 1",
            (str(period), vintage),
        )
        found = cursor.fetchone()
        if found is None:
            raise UsageError(f"{period}: 没有重述 / was not restated; see: halfyear restate {period}")
        number, sealed_at, prepared_by, approved_by, said, own_hash, first_at, before = found
        cursor.execute(
            "select r.indicator_code, r.reading, r.name_zh, r.reason_zh, r.old_printed, r.new_printed, r.follows "
            "from mart.restatement as r left join mart.definition as d using (indicator_code, reading) "
            "where r.period = %s and r.vintage = %s and r.body_code is null "
            "order by cardinality(r.follows), d.sort_order",
            (str(period), number),
        )
        restated = cursor.fetchall()
        cursor.execute(
            "select count(*), count(distinct body_code) from mart.restatement "
            "where period = %s and vintage = %s and body_code is not null",
            (str(period), number),
        )
        bodies = cursor.fetchone() or (0, 0)
        cursor.execute(
            "select source, file_name, received_at from mart.sealed_delivery as s where period = %s and vintage = %s "
            "and not exists (select from mart.sealed_delivery as o where o.period = s.period "
            "and o.vintage = %s and o.sha256 = s.sha256 and o.source = s.source) order by received_at, file_name",
            (str(period), number, before),
        )
        files = cursor.fetchall()
    names = {".".join(filter(None, row[:2])): row[2] for row in restated}
    own = [row for row in restated if not row[6]]
    downstream = [row for row in restated if row[6]]
    half = _half(period)
    lines = [
        f"# 关于重述{half}统计数据的说明",
        "",
        f"{half}统计数据第{before}版于{_day(first_at)}封存公布。{said.rstrip('。')}。现予重述，形成第{number}版，"
        f"原公布数同时保留，可供查对。",
        "",
        "## 一、重述的指标",
        "",
        *_table(("指标", "原公布数", "重述后", "原因"), ((r[2], r[4], r[5], r[3]) for r in own)),
    ]
    if downstream:
        lines += [
            "",
            "## 二、随之变动的比率和平均数",
            "",
            *_table(
                ("指标", "原公布数", "重述后", "随何而动"),
                ((r[2], r[4], r[5], "、".join(names.get(code, code) for code in r[6])) for r in downstream),
            ),
        ]
    numbers = itertools.islice("二三四五", 1 if downstream else 0, None)
    if bodies[0]:
        lines += ["", f"另有{bodies[1]}个单位的{bodies[0]}个分单位数随之重述。"]
    if files:
        lines += ["", f"## {next(numbers)}、新依据的报送文件", ""]
        lines += _table(("来源", "文件", "接收时间"), ((source, file, _local(at)) for source, file, at in files))
    lines += [
        "",
        f"## {next(numbers)}、对比较数的影响",
        "",
        f"{_half(period.next)}的环比、{_half(Period(period.year + 1, period.semester))}的同比以重述后的数为基数；"
        "已印发的上述各期报告中的环比、同比按原公布数计算。",
        "",
        f"编制：{prepared_by}　　批准：{approved_by}　　{_day(sealed_at)}",
        "",
        f"封存指纹：{own_hash}",
    ]
    return "\n".join(lines) + "\n"


# ---------------------------------------------------------------- verify


def verification(found: Verification, wanted: str | None = None) -> Iterator[str]:
    """What ``verify`` found, line by line; ``wanted`` is a hash that was printed and has to be in the chain."""
    for fault in found.faults:
        yield fault.line
    if wanted is not None and wanted not in found.hashes:
        yield f"{wanted}: 不在封存链中 / is not in the chain: these are not the vintages that were printed"
    if not found.vintages:
        yield "尚无封存的半年期 / no half-year is sealed yet"
    elif not found.faults:
        yield (
            f"{found.vintages} 个版次、{found.rows} 行与封存时一致 / {found.vintages} vintages with {found.rows} rows are "
            f"what was sealed; last hash {found.last_hash}"
        )


# ---------------------------------------------------------------- words


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    lines = [heading, ["---"] * len(heading), *([_cell(c) for c in row] for row in rows)]
    return [f"| {' | '.join(line)} |" for line in lines]


def _cell(value: object) -> str:
    """A text that ends no table cell and begins no markup."""
    return " ".join(str(value).split()).replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;")


def _plain(value: Decimal | None) -> str:
    return DASH if value is None else f"{value.normalize():f}"


def _local(instant: datetime) -> str:
    return f"{instant.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M:%S}"


def _day(instant: datetime) -> str:
    day = instant.astimezone(LOCAL_ZONE)
    return f"{day.year}年{day.month}月{day.day}日"


def _half(period: Period) -> str:
    return f"{period.year}年{'上半年' if period.semester == 1 else '下半年'}"
