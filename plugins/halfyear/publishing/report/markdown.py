"""The half-year report as Markdown: for reading, comparing and keeping under version control."""

from __future__ import annotations

from decimal import Decimal

from rich.cells import cell_len

from halfyear import markdown_text
from halfyear.markdown_text import escaped
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
            return f"{'#' * block.level} {escaped(block.text)}"
        case Paragraph():
            return escaped(block.text)
        case Signature():
            return "  \n".join(map(escaped, block.lines))
        case PageBreak():
            return "---"
        case Table():
            return _table(block)
        case Chart():
            return _chart(block)


def _table(table: Table) -> str:
    grid = markdown_text.table(
        [escaped(column.title) for column in table.columns],
        [[escaped(cell_text(cell)) for cell in row] for row in table.rows],
        [_ALIGN[column.align] for column in table.columns],
    )
    notes = "".join(f"\n\n{escaped(note)}" for note in table.notes)
    return f"**{escaped(table.caption)}**\n\n{grid}{notes}"


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
    return f"```text\n{body}\n```\n\n**{escaped(chart.caption)}**"
