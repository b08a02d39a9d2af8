"""Cells and sentences of an annex: how a value of the warehouse is printed."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from halfyear.indicators.rounding import DASH
from halfyear.publishing.report.document import Cell, Number, Paragraph, Run
from halfyear.settings import LOCAL_ZONE

# Characters of a hash that are printed: enough to tell two of them apart.
_SHORT = 12


def text_cell(value: object) -> str:
    """A text on one line, without the control characters that a document cannot hold."""
    if value is None or value == "":
        return DASH
    if isinstance(value, datetime):
        return f"{value.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    return " ".join("".join(c if c.isprintable() else " " for c in str(value)).split())


def short_hash(digest: object) -> str:
    """The first characters of a hash."""
    return text_cell(digest)[:_SHORT]


def count_cell(value: Decimal | int | None) -> Cell:
    """A whole number; a dash where there is none."""
    return DASH if value is None else Number(Decimal(value))


def sentence(text: str) -> Paragraph:
    """A paragraph of one text."""
    return Paragraph((Run(text),))
