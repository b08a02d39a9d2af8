"""Serialisation: rows of a view as JSON and CSV, for programs, with the columns of the view."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from decimal import Decimal
from typing import Any

from halfyear.errors import UsageError
from halfyear.indicators.trace import TRACE_COLUMNS
from halfyear.mart.spreadsheet import csv_cell

Row = Mapping[str, Any]


def plain_row(row: Row, columns: Sequence[str]) -> dict[str, Any]:
    """The columns of a row as JSON has them: numbers as numbers, days and instants in ISO form."""
    return {column: _json(row[column]) for column in columns}


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def csv_text(columns: Sequence[str], rows: Iterable[Row], header: bool = True) -> str:
    """The rows as CSV, by default with a header."""
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    if header:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([csv_cell(row[column]) for column in columns])
    return buffer.getvalue()


def trace_text(rows: Iterable[Row], form: str) -> Iterator[str]:
    """Traced rows as csv or json, in pieces of text as they come."""
    if form == "csv":
        yield csv_text(TRACE_COLUMNS, ())
        for row in rows:
            yield csv_text(TRACE_COLUMNS, (row,), header=False)
    elif form == "json":
        yield "["
        for number, row in enumerate(rows):
            yield (",\n" if number else "\n") + json.dumps(plain_row(row, TRACE_COLUMNS), ensure_ascii=False)
        yield "\n]\n"
    else:
        raise UsageError(f"{form}: 只能是 json、csv / one of json, csv")
