"""What the approver of a seal is shown, on the terminal and in Airflow, and what moved since.

One text serves both: Markdown, which Airflow's page and the terminal render.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.markdown import Markdown

from halfyear import markdown_text
from halfyear.indicators.audit import Audit
from halfyear.indicators.definition import DASH
from halfyear.markdown_text import escaped
from halfyear.period import Period
from halfyear.publishing.proposal import Proposal
from halfyear.publishing.verification import Verification
from halfyear.publishing.vintage import REASONS, Change, Vintage
from halfyear.settings import LOCAL_ZONE

#: What the widest table needs.
_WIDTH = 140
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
        f"- 编制人 prepared by: **{escaped(request.prepared_by)}**，须由他人批准 / somebody else has to approve it",
        f"- 指标 figures of the city: {len(figures)}; 连同各单位和其他口径 with bodies and other readings: "
        f"{proposal.observations}",
        f"- 指纹 digest: `{proposal.digest}`",
    ]
    if request.note.strip():
        lines.append(f"- 说明 note: {escaped(request.note)}")
    lines += ["", "## 未决事项 Open points, sealed nevertheless", ""]
    lines += [f"- {escaped(point.line)}" for point in proposal.exceptions] or ["没有 none"]
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
            (c.code, c.name_zh, *_old_and_new(c), REASONS[reasons[c.code]].zh if c.code in reasons else DASH)
            for c in city
        ),
    )
    if bodies:
        lines += ["", f"另有 {len(bodies)} 个单位数随之变动 / {len(bodies)} figures of bodies change with them."]
    return lines


def _old_and_new(change: Change) -> tuple[str, str]:
    """Both as printed; where that is the same, with the exact values, which are not."""
    if change.old_printed != change.new_printed:
        return change.old_printed, change.new_printed
    old, new = (DASH if v is None else f"{v:.6g}" for v in (change.old_value, change.new_value))
    return f"{change.old_printed} ({old})", f"{change.new_printed} ({new})"


def show(proposal: Proposal) -> None:
    """Print what would be sealed."""
    console = Console()
    console.print(title(proposal), style="bold", highlight=False, soft_wrap=True)
    show_markdown(text(proposal))


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
        lines += ["", f"## {code} {change.name_zh}: {' → '.join(_old_and_new(change))}", ""]
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
    """Print Markdown; a table that is wider than the terminal goes on in the next line instead of being cut."""
    console = Console()
    console.width = max(console.width, _WIDTH)
    console.print(Markdown(content))


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


def audited(found: Audit) -> Iterator[str]:
    """What an audit found, line by line, and its account."""
    for difference in found.differences:
        yield difference.line
    for (period, vintage, lists), moved in itertools.groupby(
        found.moved, lambda each: (each.period, each.vintage, each.list_changed)
    ):
        yield (
            f"{period} v{vintage}: 封存后名单 {lists} 有变，{len(tuple(moved))} 个封存值随之而动，可重述 / "
            f"the lists {lists} were changed after the seal; so many of its figures moved with them and may be restated: "
            f"halfyear restate {period}"
        )
    if found.due:
        yield f"{found.due} 个指标待计算，未核 / {found.due} indicators wait to be computed and were not compared"
    yield (
        f"按行重算 {found.observations} 个指标值，{len(found.differences)} 个不符 / {found.observations} observations computed "
        f"anew, {len(found.differences)} differences"
    )


# ---------------------------------------------------------------- words


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [markdown_text.table(heading, ([escaped(cell) for cell in row] for row in rows))]


def _plain(value: Decimal | None) -> str:
    return DASH if value is None else f"{value.normalize():f}"


def _local(instant: datetime) -> str:
    return f"{instant.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M:%S}"
