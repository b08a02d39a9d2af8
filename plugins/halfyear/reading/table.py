"""What the four formats have in common once they are open: a header and a stream of numbered rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from halfyear.reading.fault import Bad
from halfyear.reading.header import Header
from halfyear.reading.value import Dialect

#: The number that a person sees, the cells (None when the row cannot be taken apart), and what is wrong with it.
Row = tuple[int, Sequence[object] | None, Bad | None]


@dataclass
class Table:
    """An open file. ``rows`` are those below the header, blank ones too (with no cells at all, or empty ones).

    ``finish`` is called when the rows are through; formats that name their columns in every row judge the columns
    there.
    """

    header: Header
    rows: Iterator[Row]
    dialect: Dialect = field(default_factory=Dialect)
    sheet: str | None = None
    encoding: str | None = None
    header_row: int | None = None
    hidden_sheets: tuple[str, ...] = ()
    finish: Callable[[], None] = lambda: None
