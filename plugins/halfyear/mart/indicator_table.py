"""Tables of indicators, for programs (JSON, CSV) and spreadsheets (xlsx).

JSON and CSV have the columns of ``mart.indicator``. A text that a spreadsheet would run as a formula stays text.
"""

from __future__ import annotations

import io
import json
import sys
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection
from rich.cells import cell_len

from halfyear.errors import UsageError
from halfyear.indicators import figure
from halfyear.indicators.figure import FIGURE_COLUMNS
from halfyear.mart.bodies import body_code
from halfyear.mart.serialisation import Row, csv_text, plain_row
from halfyear.mart.spreadsheet import put
from halfyear.period import Period

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
    "previous_printed": "上期印刷值",
    "previous_vintage": "上期版次",
    "previous_first_printed": "上期原印刷值",
    "previous_not_comparable": "环比不可比原因",
    "year_ago_printed": "上年同期印刷值",
    "year_ago_vintage": "上年同期版次",
    "year_ago_first_printed": "上年同期原印刷值",
    "year_ago_not_comparable": "同比不可比原因",
    "decimals": "小数位",
    "sort_order": "次序",
    "domain_zh": "领域中文名",
    "domain_en": "领域英文名",
}


def indicator_rows(
    connection: Connection, period: Period, body: str | None = None, as_known: datetime | None = None
) -> list[dict[str, Any]]:
    """The indicators of a half-year, for the city or one body by code or name, as columns of mart.indicator.

    Raises UsageError for a body that the list does not know.
    """
    return figure.figures(connection, period, body_code(connection, body), as_known)


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
        return json.dumps([plain_row(row, FIGURE_COLUMNS) for row in rows], ensure_ascii=False, indent=2) + "\n"
    if form == "csv":
        return csv_text(FIGURE_COLUMNS, rows)
    if form == "xlsx":
        return _workbook(rows)
    raise UsageError(f"{form}: 只能是 json、csv、xlsx / one of json, csv, xlsx")


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
