"""The bureau's half-year report: a template that a person edits, its slots filled from sealed figures.

A number comes into the text only through a slot, and a slot only from a sealed figure of the whole city: what is
not sealed refuses to print, but for a draft, where each provisional value carries a mark.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

from psycopg2.extensions import connection as Connection

from halfyear.errors import UsageError
from halfyear.indicators import figure, indicator
from halfyear.indicators.definition import Definition
from halfyear.indicators.figure import NOT_COMPARABLE
from halfyear.indicators.rounding import DASH, change_shown, digits
from halfyear.period import Period
from halfyear.publishing.report import annex, docx, markdown, scope, xlsx
from halfyear.publishing.report.document import (
    Block,
    Cell,
    Chart,
    Column,
    Document,
    Heading,
    Number,
    PageBreak,
    Paragraph,
    Run,
    Series,
    Signature,
    Table,
)
from halfyear.publishing.report.scope import Seal
from halfyear.publishing.report.template import FACTS, Choice, Part, Slot, Template, load
from halfyear.publishing.report.wording import Figure, day, has_no_previous, is_small_base, title, worded
from halfyear.settings import LOCAL_ZONE, Settings

#: What stands beside a provisional value of a draft.
MARK = "［暂定］"
#: What stands beside a value of another half-year that nobody has sealed, and beside one that was restated.
UNSEALED_BASE = "＊"
RESTATED_BASE = "(r)"
#: What a sentence says in place of a figure of which nothing was delivered.
NOT_DELIVERED = "未报送"


# ---------------------------------------------------------------- slots


@dataclass(frozen=True)
class Figures:
    """What the slots of a report are filled with: the city's figures of a half-year by code, and their definitions."""

    period: Period
    definitions: Mapping[str, Definition]
    rows: Mapping[str, Figure]

    def is_sealed(self, code: str) -> bool:
        return code in self.rows and self.rows[code]["status"] == "sealed"

    def is_delivered(self, code: str) -> bool:
        """Whether anything is known of the figure."""
        return code in self.rows and self.rows[code]["numerator"] is not None

    def of_block(self, part: Part) -> list[str]:
        """The codes that a table or chart is of, in the order of the tables; a chart has one unit."""
        if part.argument not in {d.domain for d in self.definitions.values()}:
            return part.argument.split(",")
        codes = [code for code, d in self.definitions.items() if d.domain == part.argument]
        if part.kind == "chart":
            units = Counter(self.definitions[code].unit for code in codes)
            codes = [code for code in codes if self.definitions[code].unit == units.most_common(1)[0][0]]
        return codes

    def is_by_domain(self, part: Part) -> bool:
        return part.argument not in self.definitions and "," not in part.argument


def unsealed(template: Template, figures: Figures) -> list[str]:
    """The codes of all slots without a sealed figure, in the order of the template.

    A table or chart of a whole domain needs one sealed figure of it: an indicator that was defined after the seal
    is no part of that vintage, and is named below the table.
    """
    missing: list[str] = []
    for part in template.parts:
        if part.kind in ("table", "chart"):
            codes = figures.of_block(part)
            if not (figures.is_by_domain(part) and any(map(figures.is_sealed, codes))):
                missing += [code for code in codes if not figures.is_sealed(code)]
        missing += [s.name for s in part.slots if s.name not in FACTS and not figures.is_sealed(s.name)]
    return list(dict.fromkeys(missing))


def build(
    template: Template,
    figures: Figures,
    seal: Seal | None,
    annex: Callable[[str, Sequence[str]], Sequence[Block]],
    draft: bool = False,
) -> Document:
    """The document that a template makes of figures; ``annex(name, codes)`` gives the blocks of an annex.

    Raises UsageError that names every slot without a sealed figure, unless it is a draft.
    """
    missing = [] if draft else unsealed(template, figures)
    if missing or (seal is None and not draft):
        raise UsageError(
            f"{figures.period}: {len(missing)} 个数尚未封存，不能印入报告 / slots have no sealed figure: "
            f"{', '.join(missing)}; 先封存 seal it first: halfyear publish {figures.period}; "
            f"或打印草稿 or print a draft: --draft"
        )
    facts = {
        "period": title(figures.period),
        "previous_period": title(figures.period.previous),
        "year_ago_period": title(figures.period.year_ago),
        "first_day": day(figures.period.first_day),
        "last_day": day(figures.period.last_day),
        "date": "（封存之日）" if draft or seal is None else day(seal.sealed_at),
    }
    used: list[str] = []
    for part in template.parts:
        used += [slot.name for slot in part.slots if slot.name not in facts]
        used += figures.of_block(part) if part.kind in ("table", "chart") else []
    in_order = [code for code in figures.definitions if code in set(used)]
    blocks: list[Block] = []
    for part in template.parts:
        runs = tuple(run for piece in _said(part, figures) for run in _runs(piece, figures, facts))
        text = "".join(run.text for run in runs)
        match part.kind:
            case "heading":
                blocks.append(Heading(part.level, text))
            case "paragraph":
                if text:
                    blocks.append(Paragraph(runs))
            case "signature":
                before = blocks[-1] if blocks else None
                if isinstance(before, Signature):
                    blocks[-1] = Signature((*before.lines, text))
                else:
                    blocks.append(Signature((text,)))
            case "page":
                blocks.append(PageBreak())
            case "table":
                blocks.append(_table(part, figures, draft))
            case "chart":
                blocks.append(_chart(part, figures, draft))
            case "annex":
                blocks += annex(part.argument, in_order)
    heading = next((b.text for b in blocks if isinstance(b, Heading)), title(figures.period))
    return Document(
        period=figures.period,
        title=heading,
        warning="草稿　数据为暂定值，未经封存，不得引用" if draft else "",
        author=seal.prepared_by if seal and not draft else "",
        dated=seal.sealed_at if seal else datetime.combine(figures.period.next_day, datetime.min.time(), LOCAL_ZONE),
        blocks=_numbered(blocks),
    )


def _said(part: Part, figures: Figures) -> list[str | Slot]:
    """The pieces of a part: the chosen side of each choice, without the sentences of whose figures nothing was delivered."""
    pieces: list[str | Slot] = []
    for piece in part.pieces:
        if isinstance(piece, Choice):
            figure = figures.rows.get(piece.name)
            pieces += piece.zero if figure is not None and figure["value"] == 0 else piece.other
        else:
            pieces.append(piece)
    if part.kind != "paragraph":
        return pieces
    sentences: list[list[str | Slot]] = [[]]
    for piece in pieces:
        if isinstance(piece, Slot):
            sentences[-1].append(piece)
            continue
        *ended, rest = re.split(r"(?<=[。；])", piece)
        for text in ended:
            sentences[-1].append(text)
            sentences.append([])
        if rest:
            sentences[-1].append(rest)
    kept = [each for each in sentences if _is_said(each, figures)]
    # What a full stop follows that was left out ends with one.
    if kept and kept != sentences and isinstance(kept[-1][-1], str):
        kept[-1][-1] = kept[-1][-1].rstrip().removesuffix("；") + ("。" if kept[-1][-1].rstrip().endswith("；") else "")
    return [piece for sentence in kept for piece in sentence]


def _is_said(sentence: Sequence[str | Slot], figures: Figures) -> bool:
    codes = [piece.name for piece in sentence if isinstance(piece, Slot) and piece.name not in FACTS]
    return bool(sentence) and (not codes or any(map(figures.is_delivered, codes)))


def _runs(piece: str | Slot, figures: Figures, facts: Mapping[str, str]) -> Iterator[Run]:
    if isinstance(piece, str):
        yield Run(piece)
    elif piece.name in facts:
        yield Run(facts[piece.name])
    else:
        figure = figures.rows.get(piece.name)
        if piece.change:
            yield Run(worded(figure, figures.definitions[piece.name]))
        elif figure is None or not figures.is_delivered(piece.name):
            yield Run(NOT_DELIVERED)
        else:
            yield Run(figure["printed"])
        if not figures.is_sealed(piece.name):
            yield Run(MARK, is_mark=True)


def _numbered(blocks: Sequence[Block]) -> tuple[Block, ...]:
    """The captions with 表1, 表2, … and 图1, 图2, …"""
    tables = charts = 0
    result: list[Block] = []
    for block in blocks:
        if isinstance(block, Table):
            tables += 1
            block = replace(block, caption=f"表{tables}　{block.caption}")
        elif isinstance(block, Chart):
            charts += 1
            block = replace(block, caption=f"图{charts}　{block.caption}")
        result.append(block)
    return tuple(result)


# ---------------------------------------------------------------- tables and charts

_COLUMNS = (
    Column("指标", 3.4),
    Column("单位", 1.1, "center"),
    Column("本期", 2.9, "right"),
    Column("上期", 2, "right"),
    Column("环比", 2.7, "right"),
    Column("上年同期", 2, "right"),
    Column("同比", 2.7, "right"),
)


def _shown(part: Part, figures: Figures, draft: bool) -> list[str]:
    codes = figures.of_block(part)
    return [code for code in codes if draft or figures.is_sealed(code)]


def _name(part: Part, figures: Figures, codes: Sequence[str]) -> str:
    """The caption in the template, else the title of the one domain that is shown, else the names of the indicators."""
    if part.caption:
        return part.caption
    domains = {figures.definitions[code].domain_zh for code in codes}
    return domains.pop() if len(domains) == 1 else "、".join(figures.definitions[code].name_zh for code in codes)


def _table(part: Part, figures: Figures, draft: bool) -> Table:
    codes = _shown(part, figures, draft)
    rows = tuple(_row(code, figures) for code in codes)
    notes = []
    if any(isinstance(cell, Number) and UNSEALED_BASE in cell.mark for row in rows for cell in row):
        notes.append(f"{UNSEALED_BASE} 该半年期当时未经封存，为数据仓库之值。")
    if restated := _beside(figures, codes, "first_printed", lambda word, first: f"{word}{first}"):
        notes.append(f"{RESTATED_BASE} 该半年期已重述，原公布数：{restated}。")
    if apart := _beside(figures, codes, "not_comparable", lambda word, why: f"（{word}，{NOT_COMPARABLE[why].zh}）"):
        notes.append(f"不可比的指标：{apart}。")
    left_out = [figures.definitions[code].name_zh for code in figures.of_block(part) if code not in codes]
    if left_out:
        notes.append(f"封存后新增、未列入本版次的指标：{'、'.join(left_out)}。")
    name = _name(part, figures, codes)
    return Table(name, part.caption or f"{name}指标", _COLUMNS, rows, tuple(notes))


def _beside(figures: Figures, codes: Sequence[str], column: str, said: Callable[[str, str], str]) -> str:
    """What a note says of the half-years that figures are compared with, where their column is given."""
    return "，".join(
        figures.definitions[code].name_zh.removeprefix("其中：") + said(word, given)
        for code in codes
        for word, base in (("上期", "previous"), ("上年同期", "year_ago"))
        if (given := figures.rows.get(code, {}).get(f"{base}_{column}"))
    )


def _row(code: str, figures: Figures) -> tuple[Cell, ...]:
    definition = figures.definitions[code]
    figure = figures.rows.get(code, {})
    mark = "" if figures.is_sealed(code) else MARK
    cells: list[Cell] = [definition.name_zh, definition.unit, _number(figure.get("value"), definition, mark)]
    for base, change in (("previous", "change_on_previous"), ("year_ago", "change_on_year")):
        if base == "previous" and has_no_previous(definition):
            cells += [DASH, DASH]
            continue
        reason = figure.get(f"{base}_not_comparable")
        if reason:
            # In the unit that it was printed in.
            cells += [str(figure[f"{base}_printed"]), "不可比"]
            continue
        is_unsealed = figure.get(f"{base}_value") is not None and figure.get(f"{base}_vintage") is None
        mark = f"{UNSEALED_BASE if is_unsealed else ''}{RESTATED_BASE if figure.get(f'{base}_first_printed') else ''}"
        cells.append(_number(figure.get(f"{base}_value"), definition, mark))
        cells.append(_changed(figure.get("value"), figure.get(f"{base}_value"), figure.get(change), definition))
    return tuple(cells)


def _changed(now: Decimal | None, then: Decimal | None, change: Decimal | None, definition: Definition) -> Cell:
    if now is not None and then is not None and is_small_base(then, definition):
        return Number(now - then, digits(definition.shown(abs(now - then))), definition.unit, is_signed=True)
    if change is None:
        return DASH
    unit = "百分点" if definition.kind == "ratio" else "%"
    return Number(change, digits(change_shown(change, definition.decimals)), unit, is_signed=True)


def _number(value: Decimal | None, definition: Definition, mark: str) -> Cell:
    if value is None:
        return DASH + (mark if mark == MARK else "")
    return Number(value, digits(definition.shown(value)), mark=mark)


def _chart(part: Part, figures: Figures, draft: bool) -> Chart:
    codes = _shown(part, figures, draft)
    rows = [figures.rows.get(code, {}) for code in codes]
    period = figures.period
    series = tuple(
        Series(f"{title(which)}（{word}）", tuple(row.get(column) for row in rows))
        for which, word, column in (
            (period.year_ago, "上年同期", "year_ago_value"),
            (period.previous, "上期", "previous_value"),
            (period, "本期", "value"),
        )
    )
    unit = figures.definitions[codes[0]].unit if codes else ""
    mark = "" if all(map(figures.is_sealed, codes)) else MARK
    return Chart(
        f"{_name(part, figures, codes)}（单位：{unit}）{mark}",
        unit,
        max((figures.definitions[code].decimals for code in codes), default=0),
        tuple(figures.definitions[code].name_zh.removeprefix("其中：") for code in codes),
        series,
    )


# ---------------------------------------------------------------- all of it

_WRITERS: Mapping[str, Callable[[Document], bytes]] = {
    ".docx": docx.write,
    ".md": markdown.write,
    ".xlsx": xlsx.write,
}


def writer(output: Path) -> Callable[[Document], bytes]:
    """The function that writes the format of a file's extension; UsageError for any other extension."""
    found = _WRITERS.get(output.suffix.lower())
    if found is None:
        raise UsageError(
            f"{output.name}: 文件名应以 .docx、.md 或 .xlsx 结尾 / the name has to end in .docx, .md or .xlsx"
        )
    return found


def figures(connection: Connection, period: Period, seal: Seal | None, draft: bool = False) -> Figures:
    """The city's figures of a half-year with their definitions: as they were sealed, else as they are now.

    A draft of a sealed half-year knows what was defined since besides.
    """
    sealed = indicator.sealed_definitions(connection, period, seal.vintage) if seal else {}
    known = [d for d in sealed.values() if d.is_published]
    if seal is None or draft:
        held = {d.code for d in known}
        current = indicator.definitions(connection).values()
        known += [d for d in current if d.is_published and d.code not in held]
    rows = {row["indicator_code"]: row for row in figure.figures(connection, period)}
    return Figures(period, {d.code: d for d in known}, rows)


def report(connection: Connection, period: Period, settings: Settings, draft: bool = False) -> Document:
    """The report of a half-year, as far as it is sealed; a draft of what is known otherwise.

    Raises UsageError for slots without a sealed figure, ContractError for a template that names what is unknown.
    """
    seal = scope.seal(connection, period)
    found = figures(connection, period, seal, draft)
    # A figure that was defined after the seal may stand in the template: it is not sealed, and is named as such.
    current = {d.code: d for d in indicator.definitions(connection).values() if d.is_published}
    template = load(settings, {**current, **found.definitions})
    return build(
        template,
        found,
        seal,
        lambda name, codes: annex.blocks(connection, name, period, codes, seal),
        draft,
    )
