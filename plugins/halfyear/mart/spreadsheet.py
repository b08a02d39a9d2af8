"""Cells of spreadsheets: text stays text, whatever a program makes of its first character.

A spreadsheet runs a cell that begins with ``=``, ``+``, ``-`` or ``@``. Some take the full-width signs for the same,
skip blanks, invisible characters and quotes before the sign, or look for cells where we have none: after a line break,
a tab or a semicolon inside of a text. OWASP calls it CSV injection. In CSV the only defence is in the text itself: an
apostrophe, which spreadsheets show or hide and never run. A workbook says of each cell what it is, so that its text is
kept as it is. Numbers are numbers and keep their sign.
"""

from __future__ import annotations

import re
import unicodedata
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from halfyear.settings import LOCAL_ZONE

_SIGNS = "=+-@"
# What a program may skip before the sign: controls, invisible characters, blanks (their Unicode categories), quotes. Not
# a lone apostrophe, which is the defence itself.
_SKIPPED = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp"})
_QUOTES = '"“”＂'
# Where a program may see the next cell or line.
_BREAK = re.compile(r"([\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029;])")
# Most texts: a letter or digit first, and no break.
_PLAIN = re.compile(r"\w[^\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029;]*\Z")


def runs(text: str) -> bool:
    """Whether a spreadsheet may run the text, or a part of it that it takes for a cell."""
    return inert(text) != text


def inert(text: str) -> str:
    """The text with an apostrophe wherever a spreadsheet could begin to run it; other text as it is."""
    if _PLAIN.match(text):
        return text
    parts = _BREAK.split(text)
    cells = "".join(f"'{part}" if _begins_to_run(part) else part for part in parts)
    return f"'{cells}" if text.startswith(("\t", "\r", "\n")) else cells


def _begins_to_run(cell: str) -> bool:
    first = next((c for c in cell if unicodedata.category(c) not in _SKIPPED and c not in _QUOTES), "")
    return unicodedata.normalize("NFKC", first).startswith(tuple(_SIGNS))


def csv_cell(value: Any) -> str:
    """A value as a cell of CSV: numbers exactly and with their sign, dates in ISO form, null empty, text inert."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return inert(str(value))


def put(cell: Any, value: Any) -> None:
    """Give a cell of openpyxl its value: text as text whatever it begins with, instants in local time.

    What no workbook can hold (control characters) is left out. Where it matters the cell has the apostrophe that
    spreadsheets hide, so that text stays text when it is edited.
    """
    from openpyxl.cell.cell import ILLEGAL_CHARACTERS_RE, TYPE_STRING

    if isinstance(value, datetime) and value.tzinfo is not None:
        # A workbook knows no zones: local time, as everywhere.
        value = value.astimezone(LOCAL_ZONE).replace(tzinfo=None)
    if isinstance(value, str):
        cell.value = ILLEGAL_CHARACTERS_RE.sub("", value)
        cell.data_type = TYPE_STRING
        cell.quotePrefix = runs(value)
    else:
        cell.value = value
