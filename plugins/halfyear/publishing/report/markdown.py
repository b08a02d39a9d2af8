"""The half-year report as Markdown: for reading, comparing and keeping under version control."""

from __future__ import annotations

import re
from decimal import Decimal

from rich.cells import cell_len

from halfyear.publishing.report.document import (
    Block,
    Chart,
    Document,
    Heading,
    Number,
    PageBreak,
    Paragraph,
    Signature,
    Table,
    cell_text,
)

_SPECIAL = re.compile(r"([\\`*<>|\[\]#])")
_ALIGN = {"left": ":---", "center": ":---:", "right": "---:"}
_BAR = 30


def write(document: Document) -> bytes:
    """The whole report as UTF-8; a draft says at the top that it is one."""
    blocks = [_block(block) for block in document.blocks]
    if document.is_draft:
        # After the title, so that the file still opens with it.
        blocks.insert(1, f"> **{document.warning}**")
    return ("\n\n".join(filter(None, blocks)) + "\n").encode()


def _block(block: Block) -> str:
    match block:
        case Heading():
            return f"{'#' * block.level} {_escaped(block.text)}"
        case Paragraph():
            return _escaped(block.text)
        case Signature():
            return "  \n".join(map(_escaped, block.lines))
        case PageBreak():
            return "---"
        case Table():
            return _table(block)
        case Chart():
            return _chart(block)


def _escaped(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _table(table: Table) -> str:
    lines = [[_escaped(column.title) for column in table.columns], [_ALIGN[column.align] for column in table.columns]]
    lines += [[_escaped(cell_text(cell)) for cell in row] for row in table.rows]
    grid = "\n".join(f"| {' | '.join(line)} |" for line in lines)
    notes = "".join(f"\n\n{_escaped(note)}" for note in table.notes)
    return f"**{_escaped(table.caption)}**\n\n{grid}{notes}"


def _chart(chart: Chart) -> str:
    """Bars of text, one block per name; every bar is drawn against the longest of all."""
    known = [value for series in chart.series for value in series.values if value is not None]
    longest = max(known, default=Decimal(0))
    titles = max((cell_len(series.title) for series in chart.series), default=0)
    lines: list[str] = []
    for position, name in enumerate(chart.names):
        lines += ["", name] if lines else [name]
        for series in chart.series:
            value = series.values[position]
            width = int(_BAR * value / longest) if value is not None and longest > 0 else 0
            shown = "—" if value is None else Number(value, chart.decimals).text
            bar = "█" * width + " " if width else ""
            lines.append(f"  {series.title}{' ' * (titles - cell_len(series.title))}  {bar}{shown}")
    body = "\n".join(lines)
    return f"```text\n{body}\n```\n\n**{_escaped(chart.caption)}**"
