"""Tables of indicators, comparisons with what was printed, and traces, for programs (JSON, CSV) and spreadsheets (xlsx).

JSON and CSV have the columns of the mart view. A text that a spreadsheet would run as a formula stays text.
"""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection
from rich.cells import cell_len

from halfyear.errors import UsageError
from halfyear.indicators import figure
from halfyear.indicators.figure import FIGURE_COLUMNS
from halfyear.indicators.trace import TRACE_COLUMNS
from halfyear.mart.spreadsheet import csv_cell, put
from halfyear.period import Period

Row = Mapping[str, Any]

_HEADINGS = {
    "period": "半年期",
    "indicator_code": "指标代码",
    "name_zh": "指标",
    "name_en": "Indicator",
    "domain": "领域",
    "unit": "单位",
    "kind": "类型",
    "body_code": "单位代码",
    "body_name": "单位名称",
    "numerator": "分子",
    "denominator": "分母",
    "value": "值",
    "printed": "印刷值",
    "previous_value": "上期值",
    "change_on_previous": "环比",
    "year_ago_value": "上年同期值",
    "change_on_year": "同比",
    "status": "状态",
    "vintage": "版次",
    "computed_at": "计算时间",
}


# ---------------------------------------------------------------- indicators


def indicator_rows(
    connection: Connection, period: Period, body: str | None = None, as_known: datetime | None = None
) -> list[dict[str, Any]]:
    """The indicators of a half-year, for the city or one body by code or name, as columns of mart.indicator.

    Raises UsageError for a body that the list does not know.
    """
    return figure.figures(connection, period, body_code(connection, body), as_known)


def body_code(connection: Connection, body: str | None) -> str | None:
    """The code of a body given by code or reviewed name; None for None. UsageError when nobody knows it."""
    if body is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "select code from core.body where code = %(body)s union "
            "select code from core.body_name where name = %(body)s and upper_inf(valid_at)",
            {"body": body.strip()},
        )
        found = cursor.fetchone()
    if found is None:
        raise UsageError(f"{body}: 单位名单中没有 / no such body in expectations/core/body.csv")
    return str(found[0])


def write_indicators(rows: Sequence[Row], form: str, output: Path | None = None) -> None:
    """Print or save what `indicator_table` makes; a CSV file opens in a spreadsheet with its Chinese intact."""
    content = indicator_table(rows, form)
    if output is None:
        if isinstance(content, bytes):
            sys.stdout.buffer.write(content)
        else:
            sys.stdout.write(content)
    elif isinstance(content, bytes):
        output.write_bytes(content)
    else:
        output.write_text(content, "utf-8-sig" if form == "csv" else "utf-8", newline="")


def indicator_table(rows: Sequence[Row], form: str) -> str | bytes:
    """The rows of mart.indicator as json, csv (text) or xlsx (bytes)."""
    if form == "json":
        return json.dumps([_plain(row, FIGURE_COLUMNS) for row in rows], ensure_ascii=False, indent=2) + "\n"
    if form == "csv":
        return _csv(FIGURE_COLUMNS, rows)
    if form == "xlsx":
        return _workbook(rows)
    raise UsageError(f"{form}: 只能是 json、csv、xlsx / one of json, csv, xlsx")


def _plain(row: Row, columns: Sequence[str]) -> dict[str, Any]:
    return {column: _json(row[column]) for column in columns}


def _json(value: Any) -> Any:
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    return value.isoformat() if isinstance(value, date) else value


def _csv(columns: Sequence[str], rows: Iterable[Row], header: bool = True) -> str:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator="\r\n")
    if header:
        writer.writerow(columns)
    for row in rows:
        writer.writerow([csv_cell(row[column]) for column in columns])
    return buffer.getvalue()


def _workbook(rows: Sequence[Row]) -> bytes:
    from openpyxl import Workbook
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    workbook = Workbook()
    sheet = workbook.active
    sheet.title = str(rows[0]["period"]) if rows else "indicators"
    widths = [0] * len(FIGURE_COLUMNS)
    lines: list[list[Any]] = [[_HEADINGS[c] for c in FIGURE_COLUMNS], list(FIGURE_COLUMNS)]
    lines += [[row[c] for c in FIGURE_COLUMNS] for row in rows]
    for number, line in enumerate(lines, start=1):
        for position, value in enumerate(line, start=1):
            if value is None:
                continue
            cell = sheet.cell(number, position)
            put(cell, value)
            if number <= 2:
                cell.font = Font(bold=True)
            widths[position - 1] = max(widths[position - 1], min(cell_len(str(cell.value)), 40))
    for position, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(position)].width = width + 2
    sheet.freeze_panes = "A3"
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


# ---------------------------------------------------------------- reconciliation

#: The columns of ``mart.reconciliation``, but for the order.
RECONCILIATION_COLUMNS = (
    "period",
    "published_no",
    "indicator_code",
    "section",
    "name_zh",
    "name_en",
    "unit",
    "published_printed",
    "published_value",
    "computed_printed",
    "computed_value",
    "numerator",
    "denominator",
    "difference",
    "verdict",
    "reading",
    "explanation_zh",
    "explanation_en",
    "possible_denominators",
    "status",
)


def reconciliation_rows(connection: Connection, period: Period) -> list[dict[str, Any]]:
    """The printed figures of a half-year beside the computed ones, in the order of the report.

    Raises UsageError when nothing was entered as printed for this half-year.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {', '.join(RECONCILIATION_COLUMNS)} from mart.reconciliation where period = %s "
            "order by substring(published_no from '^[0-9]+')::integer, published_no",
            (str(period),),
        )
        rows = [dict(zip(RECONCILIATION_COLUMNS, row, strict=True)) for row in cursor]
    if not rows:
        raise UsageError(
            f"{period}: 尚未录入公布数 / nothing is entered as printed; add it to "
            "expectations/indicators/published_figure.csv and run: halfyear migrate"
        )
    return rows


def reconciliation_text(rows: Sequence[Row], form: str) -> str:
    """The comparison as json or csv."""
    if form == "json":
        return json.dumps([_plain(row, RECONCILIATION_COLUMNS) for row in rows], ensure_ascii=False, indent=2) + "\n"
    if form == "csv":
        return _csv(RECONCILIATION_COLUMNS, rows)
    raise UsageError(f"{form}: 只能是 json、csv / one of json, csv")


# ---------------------------------------------------------------- traces


def trace_text(rows: Iterable[Row], form: str) -> Iterator[str]:
    """Traced rows as csv or json, in pieces of text as they come."""
    if form == "csv":
        yield _csv(TRACE_COLUMNS, ())
        for row in rows:
            yield _csv(TRACE_COLUMNS, (row,), header=False)
    elif form == "json":
        yield "["
        for number, row in enumerate(rows):
            yield (",\n" if number else "\n") + json.dumps(_plain(row, TRACE_COLUMNS), ensure_ascii=False)
        yield "\n]\n"
    else:
        raise UsageError(f"{form}: 只能是 json、csv / one of json, csv")
