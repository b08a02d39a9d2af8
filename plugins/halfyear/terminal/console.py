"""What a terminal shows: tables that keep every column, sentences that wrap, in the width of the terminal or of a pipe.

A pipe is 80 cells wide unless COLUMNS says otherwise. A column is never dropped and no text is cut: numbers keep their
width, names wrap, and where even that is not enough the line is longer than the terminal.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any, ClassVar

import click
from rich.box import SIMPLE_HEAD
from rich.cells import cell_len
from rich.console import Console, ConsoleOptions, RenderableType, RenderResult
from rich.markdown import Markdown, MarkdownElement, TableElement
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from halfyear.terminal.wrapping import wrapped

#: A name that wraps at less than this can no longer be read.
_LEAST = 8
#: What has to be copied whole: the code of an indicator or body, a file with its line.
_CODE = re.compile(r"(?=[A-Za-z.:-]*[0-9_])[A-Za-z0-9_.:-]{9,}", re.ASCII)
#: The cells between two columns.
_GAP = 2


def console(**options: Any) -> Console:
    """Standard output, with no meaning in brackets or numbers."""
    return Console(markup=False, highlight=False, emoji=False, **options)


def table(names: Sequence[str], numbers: Sequence[str] = (), title: str | None = None) -> Table:
    """A table of names, which wrap, and numbers behind them, which do not; a line break in a heading is kept."""
    made = Table(
        title=title, title_justify="left", box=SIMPLE_HEAD, show_edge=False, pad_edge=False, padding=(0, 1, 0, 0)
    )
    for name in names:
        made.add_column(name, overflow="fold", min_width=_LEAST)
    for name in numbers:
        made.add_column(name, justify="right", no_wrap=True)
    return made


def lines(renderable: RenderableType, to: Console) -> list[Text]:
    """A table, text or Markdown laid out in the width of a console, without blanks at the end of lines."""
    options = to.options
    if isinstance(renderable, Table):
        for column in renderable.columns:
            if column.no_wrap:
                heading = (column.header,) if renderable.show_header else ()
                column.min_width = max(map(_width, (*heading, *column.cells)), default=0)
        # In less than this, a table gives up columns.
        least = sum((column.min_width or 1) + _GAP for column in renderable.columns)
        options = options.update_width(max(to.width, least))
    found = []
    for segments in Segment.split_lines(to.render(renderable, options)):
        line = Text.assemble(*((segment.text, segment.style or "") for segment in segments if not segment.control))
        line.rstrip()
        found.append(line)
    return found


def show(renderable: RenderableType) -> None:
    """Print a table, text or Markdown."""
    to = console()
    for line in lines(renderable, to):
        to.print(line, soft_wrap=True)


def _width(cell: RenderableType) -> int:
    return max(map(cell_len, str(cell).splitlines()), default=0)


def say(line: str, style: str = "") -> None:
    """Print a sentence, wrapped; what has to be copied from it, such as a path, is never broken."""
    to = console()
    for each in wrapped(line, to.width, "  "):
        to.print(Text(each, style), soft_wrap=True)


def copied(line: str) -> None:
    """Print what is copied from the terminal, byte for byte and never broken: a line of CSV, say."""
    click.echo(line)


class _FoldedTable(TableElement):
    """A Markdown table whose cells wrap inside of words rather than lose their end, but never inside of a code or a file name."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for made in super().__rich_console__(console, options):
            if isinstance(made, Table):
                codes = [
                    [word for cell in column.cells for word in _CODE.findall(str(cell))] for column in made.columns
                ]
                needed = [max(map(len, words), default=_LEAST) for words in codes]
                has_room = sum(needed) + _GAP * (len(needed) + 1) <= options.max_width
                for column, words, least in zip(made.columns, codes, needed, strict=True):
                    column.overflow = "fold"
                    column.min_width = least if words and has_room else None
                self._make_room(made, options.max_width)
            yield made

    def _make_room(self, table: Table, width: int) -> None:
        """Narrow the columns without a code, the widest first, by what the codes need."""
        free = [column for column in table.columns if column.min_width is None]
        natural = [max(map(_width, (column.header, *column.cells)), default=0) for column in free]
        room = width - sum(column.min_width or 0 for column in table.columns) - _GAP * (len(table.columns) + 1)
        if len(free) == len(table.columns) or sum(natural) <= room:
            return
        widest = max(natural)
        while widest > _LEAST and sum(min(each, widest) for each in natural) > room:
            widest -= 1
        for column in free:
            column.max_width = widest


class _Markdown(Markdown):
    elements: ClassVar[dict[str, type[MarkdownElement]]] = {**Markdown.elements, "table_open": _FoldedTable}


def markdown(content: str) -> None:
    """Print Markdown within the width."""
    show(_Markdown(content))
