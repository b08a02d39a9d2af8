"""What the four formats have in common once they are open: a header, and numbered rows one by one or in blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

import pyarrow as pa

from halfyear.reading.fault import Bad
from halfyear.reading.header import Header
from halfyear.reading.value import Dialect

#: The number that a person sees, the cells (None when the row cannot be taken apart), and what is wrong with it.
Row = tuple[int, Sequence[object] | None, Bad | None]
#: The cells of one column: as the format has them, or as an Arrow array; texts also as a dictionary without null.
Cells: TypeAlias = pa.Array | Sequence[object]


@dataclass(frozen=True)
class Block:
    """Rows in order that have as many cells as the header and nothing wrong as a whole, column by column.

    ``numbers`` (int64) are those that a person sees; ``columns`` has the cells of each place in the row.
    """

    numbers: pa.Array
    columns: Sequence[Cells]

    def __len__(self) -> int:
        return len(self.numbers)

    def row(self, place: int) -> list[object]:
        """The cells of one row."""
        return [c[place].as_py() if isinstance(c, pa.Array) else c[place] for c in self.columns]

    def part(self, start: int, end: int) -> Block:
        """The rows from ``start`` to before ``end``."""
        columns = [c.slice(start, end - start) if isinstance(c, pa.Array) else c[start:end] for c in self.columns]
        return Block(self.numbers.slice(start, end - start), columns)

    def with_rows(self, rows: Sequence[Row]) -> Iterator[Row | Block]:
        """The block cut where other rows, in order, stand between its own."""
        numbers = self.numbers.to_pylist()
        start = 0
        for row in rows:
            end = start
            while end < len(numbers) and numbers[end] < row[0]:
                end += 1
            if end > start:
                yield self.part(start, end)
            yield row
            start = end
        if start < len(numbers):
            yield self.part(start, len(numbers))


@dataclass
class Table:
    """An open file. ``rows`` are those below the header, blank ones too (with no cells at all, or empty ones).

    ``finish`` is called when the rows are through; formats that name their columns in every row judge the columns
    there.
    """

    header: Header
    rows: Iterator[Row | Block]
    dialect: Dialect = field(default_factory=Dialect)
    sheet: str | None = None
    encoding: str | None = None
    header_row: int | None = None
    hidden_sheets: tuple[str, ...] = ()
    finish: Callable[[], None] = lambda: None
