"""What the approver of a seal is shown, on the terminal and in Airflow, and what moved since.

One text serves both: Markdown, which Airflow's page and the terminal render.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from halfyear import markdown_text
from halfyear.indicators.audit import Audit
from halfyear.indicators.rounding import DASH
from halfyear.markdown_text import escaped
from halfyear.period import Period
from halfyear.publishing import person
from halfyear.publishing.proposal import Proposal
from halfyear.publishing.verification import Verification
from halfyear.publishing.vintage import REASONS, Change, Vintage
from halfyear.settings import LOCAL_ZONE

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
        f"- 全市指标 figures of the city: {len(figures)}; 连同各单位和其他口径 with those of bodies and other readings: "
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
        ("指标 indicator", "本期 this", "上期 previous", "上年同期 year ago"),
        (
            (each["name_zh"], each["printed"], each["previous_printed"] or DASH, each["year_ago_printed"] or DASH)
            for each in figures.values()
        ),
    )
    return "\n".join(lines) + "\n"


def _changes(changes: Sequence[Change], reasons: Mapping[str, str]) -> list[str]:
    city = [c for c in changes if c.body_code is None]
    bodies = [c for c in changes if c.body_code is not None]
    lines = _table(
        ("指标 indicator", "封存 sealed", "现为 now", "原因 reason"),
        (
            (f"{c.name_zh} {c.code}", *_old_and_new(c), REASONS[reasons[c.code]].zh if c.code in reasons else DASH)
            for c in city
        ),
    )
    if bodies:
        lines += ["", f"随之变动的单位数 / figures of bodies that change with them: {len(bodies)}"]
    return lines


def _old_and_new(change: Change) -> tuple[str, str]:
    """Both as printed; where that is the same, with the exact values, which are not."""
    if change.old_printed != change.new_printed:
        return change.old_printed, change.new_printed
    old, new = (DASH if v is None else f"{v:.6g}" for v in (change.old_value, change.new_value))
    return f"{change.old_printed} ({old})", f"{change.new_printed} ({new})"


def sealed_line(vintage: Vintage) -> str:
    """One line: what was sealed, by whom, and its hash."""
    return (
        f"{vintage.period}: 已封存第 {vintage.vintage} 版 / sealed as vintage {vintage.vintage}: 全市指标（含其他口径） "
        f"figures of the city with other readings: {vintage.figures}, "
        f"重述 restated: {vintage.restated}; 编制人 prepared by {vintage.prepared_by}, 批准人 approved by "
        f"{vintage.approved_by} ({_proof(vintage.proof)}), {local(vintage.sealed_at)}; 指纹 hash {vintage.hash}"
    )


def _proof(proof: str | None) -> str:
    said = person.PROOFS[proof] if proof else person.NOT_KEPT
    return f"{said.zh} {said.en}"


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
            ("变化 change", "数量 value", "单位 body", "来自 from, 记录 record"),
            (
                (
                    _what(row),
                    _plain(row["quantity"]),
                    row["body_code"] or DASH,
                    f"{row['file_name']}:{row['row_number']} {row['record_key']}",
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


# ---------------------------------------------------------------- verify


def verification(found: Verification, seals: Audit, wanted: str | None = None) -> Iterator[str]:
    """The result of ``verify``, line by line, what is wrong first; ``wanted`` is a hash that has to be in the chain.

    ``seals`` is the audit of the sealed figures.
    """
    for fault in found.faults:
        yield fault.line
    for difference in seals.differences:
        yield difference.line
    if wanted is not None and wanted not in found.hashes:
        yield f"{wanted}: 不在封存链中 / is not in the chain: these are not the vintages that were printed"
    if not found.vintages:
        yield "尚无封存的半年期 / no half-year is sealed yet"
    elif not found.faults:
        yield (
            f"封存链完好 / the chain holds: 版次 vintages {found.vintages}, 行 rows {found.rows}; 最后的指纹 last hash "
            f"{found.last_hash}"
        )
    for proof, vintages in found.proofs.items():
        which = f": {', '.join(vintages)}" if proof in (None, "declared") else ""
        yield f"编制与批准 prepared and approved: {_proof(proof)}: 版次 vintages {len(vintages)}{which}"
    yield from _account(seals)


def audited(found: Audit) -> Iterator[str]:
    """What an audit found, line by line, and its account."""
    for difference in found.differences:
        yield difference.line
    yield from _account(found)


def _account(found: Audit) -> Iterator[str]:
    for (period, vintage, lists), moved in itertools.groupby(
        found.moved, lambda each: (each.period, each.vintage, each.list_changed)
    ):
        yield (
            f"{period} v{vintage}: 封存后名单有变，封存值随之而动，可重述 / sealed figures that moved with a list that was changed "
            f"since: {len(tuple(moved))} ({lists}); to restate them: halfyear restate {period}"
        )
    if found.due:
        yield f"待计算、未核 / waiting to be computed and not compared: {found.due}"
    yield f"按行重算 observations computed anew: {found.observations}; 不符 differences: {len(found.differences)}"


# ---------------------------------------------------------------- words


def _table(heading: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [markdown_text.table(heading, ([escaped(cell) for cell in row] for row in rows))]


def _plain(value: Decimal | None) -> str:
    return DASH if value is None else f"{value.normalize():f}"


def local(instant: datetime) -> str:
    """An instant as people read it, in Asia/Shanghai."""
    return f"{instant.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M:%S}"
