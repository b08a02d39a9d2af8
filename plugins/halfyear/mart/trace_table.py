"""Tables of traces: the rows behind a number, for people and programs, as they come from the server."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from datetime import datetime

from psycopg2.extensions import connection as Connection
from rich.cells import cell_len, set_cell_size

from halfyear.errors import UsageError
from halfyear.indicators import trace
from halfyear.indicators.definition import CITY, DASH, Definition
from halfyear.indicators.trace import TRACE_COLUMNS, TraceSummary
from halfyear.mart.bodies import body_code
from halfyear.mart.serialisation import Row, csv_text, plain_row
from halfyear.mart.spreadsheet import csv_cell
from halfyear.period import Period


def write_trace(
    connection: Connection,
    period: Period,
    code: str,
    reading: str = "",
    body: str | None = None,
    as_known: datetime | None = None,
    form: str = "table",
    limit: int = 0,
) -> None:
    """Print the rows behind a number as they come from the server; ``limit`` 0 lists all of them.

    ``code`` may carry the reading, as in ``cloud_systems_migrated.flow``. Raises UsageError for an unknown
    indicator or body.
    """
    if not reading:
        code, _, reading = code.partition(".")
    place = body_code(connection, body)
    summary = trace.trace_summary(connection, code, reading, period, place, as_known)
    rows = trace.trace(connection, code, reading, period, place, as_known)
    for text in trace_table(summary, rows, period, form, limit, place):
        sys.stdout.write(text)


def trace_table(
    summary: TraceSummary,
    rows: Iterable[Row],
    period: Period,
    form: str = "table",
    limit: int = 0,
    body: str | None = None,
) -> Iterator[str]:
    """A trace in pieces of text: for people the account first, then a line per row; nothing is cut in silence."""
    chosen = itertools.islice(rows, limit) if limit else iter(rows)
    if form == "csv":
        yield csv_text(TRACE_COLUMNS, ())
        for row in chosen:
            yield csv_text(TRACE_COLUMNS, (row,), header=False)
    elif form == "json":
        yield "["
        for number, row in enumerate(chosen):
            yield (",\n" if number else "\n") + json.dumps(plain_row(row, TRACE_COLUMNS), ensure_ascii=False)
        yield "\n]\n"
    elif form == "table":
        yield from _account(summary, period, body)
        for number, row in enumerate(chosen):
            if number == 0:
                yield _line("行 row", "来自 from", "数量", "单位 body", "记录 record")
            yield _trace_line(summary.definition, row)
        more = sum(1 for _ in rows) if limit else 0
        if more:
            yield f"… 另有 {more} 行未列出，用 --limit 0 列出全部 / {more} more rows; --limit 0 lists them all\n"
    else:
        raise UsageError(f"{form}: 只能是 table、json、csv / one of table, json, csv")


def _account(summary: TraceSummary, period: Period, body: str | None) -> Iterator[str]:
    d, o = summary.definition, summary.observation
    name = ".".join(filter(None, (d.code, d.reading)))
    yield f"{period} {name}  {d.name_zh} {d.name_en}  {body or CITY}\n"
    yield f"{d.description_zh}\n{d.description_en}\n\n"
    yield f"{o.printed if o else DASH}"
    if o and o.denominator is not None:
        yield f" = {o.numerator:f} / {o.denominator:f}"
    yield "\n"
    yield f"{summary.counted:>8}  计入 counted\n"
    if d.has_denominator:
        yield f"{summary.in_denominator_only:>8}  仅计入分母 in the denominator only\n"
    for reason, count in summary.left_out.items():
        yield f"{count:>8}  剔除 left out: {_reason(d, reason)}\n"
    yield "\n"


def _reason(definition: Definition, reason: str | None) -> str:
    text = definition.excluded.get(reason or "")
    return f"{reason}: {text['zh']} / {text['en']}" if text else str(reason)


def _trace_line(definition: Definition, row: Row) -> str:
    if row["in_numerator"]:
        what = "计入 counted"
    elif row["in_denominator"]:
        what = "分母 denominator"
    else:
        what = f"剔除 {row['excluded_because']}"
    place = f"{row['file_name']}:{row['row_number']}"
    quantity = csv_cell(row["quantity"]) if row["in_numerator"] or row["in_denominator"] else ""
    return _line(what, place, quantity, row["body_code"] or DASH, row["record_key"])


def _line(what: str, place: str, quantity: str, body: str, key: str) -> str:
    cells = ((what, 24), (place, 44), (quantity, 8), (body, 18))
    # A column that is too narrow gives way; its text is never cut.
    return "  ".join([*(set_cell_size(t, max(w, cell_len(t))) for t, w in cells), key]) + "\n"
