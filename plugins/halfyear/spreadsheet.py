"""Cells that a spreadsheet shows and never runs: text that begins like a formula stays text."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from halfyear.settings import LOCAL_ZONE

#: What a text begins with that a spreadsheet would run.
RUNS = ("=", "+", "-", "@", "\t", "\r")


def put(cell: Any, value: Any) -> None:
    """Give an openpyxl cell its value: text as text whatever it begins with, instants in local time."""
    from openpyxl.cell.cell import TYPE_STRING

    if isinstance(value, datetime) and value.tzinfo is not None:
        # A workbook knows no zones: local time, as everywhere.
        value = value.astimezone(LOCAL_ZONE).replace(tzinfo=None)
    cell.value = value
    if isinstance(value, str):
        cell.data_type = TYPE_STRING  # also when it begins with =
        cell.quotePrefix = value.startswith(RUNS)
