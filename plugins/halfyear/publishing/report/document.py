"""The half-year report as a plain document: what the writers of .docx, .md and .xlsx are given.

Nothing here knows a database or a file format. A mark is what stands beside a provisional value.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Literal, TypeAlias

from halfyear.period import Period


@dataclass(frozen=True)
class Run:
    """A piece of a sentence; ``is_mark`` is the word that says that the value before it is provisional."""

    text: str
    is_mark: bool = False


@dataclass(frozen=True)
class Heading:
    """``level`` 1 is the title of the report, 2 to 4 are 一、（一）1．"""

    level: int
    text: str


@dataclass(frozen=True)
class Paragraph:
    runs: tuple[Run, ...]

    @property
    def text(self) -> str:
        return "".join(run.text for run in self.runs)


@dataclass(frozen=True)
class Signature:
    """The lines at the end of the text, to the right: bureau and date."""

    lines: tuple[str, ...]


@dataclass(frozen=True)
class PageBreak:
    """What follows begins on a new page."""


@dataclass(frozen=True)
class Number:
    """A number in a table; ``unit`` follows it, ``mark`` stands beside it."""

    value: Decimal
    decimals: int = 0
    unit: str = ""
    is_signed: bool = False
    mark: str = ""

    @property
    def rounded(self) -> Decimal:
        """Half up, as every printed value."""
        value = self.value.quantize(Decimal(1).scaleb(-self.decimals), rounding=ROUND_HALF_UP)
        return abs(value) if value == 0 else value

    @property
    def text(self) -> str:
        """As it is read: sign, digits, unit, mark."""
        sign = "+" if self.is_signed and self.rounded > 0 else ""
        return f"{sign}{self.rounded:f}{self.unit}{self.mark}"


Cell: TypeAlias = str | Number


@dataclass(frozen=True)
class Column:
    """``weight`` is its share of the width."""

    title: str
    weight: float
    align: Literal["left", "center", "right"] = "left"


@dataclass(frozen=True)
class Table:
    """``name`` is short enough for the tab of a sheet; ``caption`` carries the number of the table.

    A dense table is one of an annex: smaller letters, more in a row.
    """

    name: str
    caption: str
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    notes: tuple[str, ...] = ()
    is_dense: bool = False


@dataclass(frozen=True)
class Series:
    """One value per name of the chart; None where nothing is known."""

    title: str
    values: tuple[Decimal | None, ...]


@dataclass(frozen=True)
class Chart:
    """Figures of one unit side by side; the last series is the half-year of the report."""

    caption: str
    unit: str
    decimals: int
    names: tuple[str, ...]
    series: tuple[Series, ...]


Block: TypeAlias = Heading | Paragraph | Signature | PageBreak | Table | Chart


@dataclass(frozen=True)
class Document:
    """A report; ``warning`` is what a draft says on each page, empty for a sealed one."""

    period: Period
    title: str
    warning: str
    author: str
    dated: datetime
    blocks: Sequence[Block] = field(default_factory=tuple)

    @property
    def is_draft(self) -> bool:
        return bool(self.warning)


def cell_text(cell: Cell) -> str:
    """A cell as it is read."""
    return cell.text if isinstance(cell, Number) else cell
