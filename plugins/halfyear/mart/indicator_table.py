"""Tables of indicators, for people (terminal), programs (JSON, CSV) and spreadsheets (xlsx).

JSON and CSV have the columns of ``mart.indicator``. A text that a spreadsheet would run as a formula stays text.
"""

from __future__ import annotations

import io
import itertools
import json
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from halfyear import settings
from halfyear.errors import UsageError
from halfyear.indicators import definition, figure
from halfyear.indicators.definition import DASH, Definition
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


def indicator_table(
    rows: Sequence[Row], form: str, definitions: Mapping[tuple[str, str], Definition] | None = None
) -> str | bytes:
    """The rows of mart.indicator as table, json, csv (text) or xlsx (bytes).

    ``definitions`` give the decimals and the titles of the domains; without them the checkout's are read.
    """
    if form == "json":
        return json.dumps([plain_row(row, FIGURE_COLUMNS) for row in rows], ensure_ascii=False, indent=2) + "\n"
    if form == "csv":
        return csv_text(FIGURE_COLUMNS, rows)
    if form == "xlsx":
        return _workbook(rows)
    if form == "table":
        if definitions is None:
            definitions = definition.load_all(settings.load().sql)
        return _terminal(rows, {code: d for (code, _), d in definitions.items() if d.is_published})
    raise UsageError(f"{form}: 只能是 table、json、csv、xlsx / one of table, json, csv, xlsx")


def _terminal(rows: Sequence[Row], definitions: Mapping[str, Definition]) -> str:
    if not rows:
        return "没有数据 / nothing was computed for this half-year\n"
    first = rows[0]
    statuses = ", ".join(sorted({_status(row) for row in rows}))
    lines = {
        row["indicator_code"]: (
            Text(row["indicator_code"]),
            Text(row["name_zh"]),
            Text(row["printed"], style="bold"),
            Text(_shown(definitions.get(row["indicator_code"]), row["previous_value"])),
            _change(row, "change_on_previous"),
            Text(_shown(definitions.get(row["indicator_code"]), row["year_ago_value"])),
            _change(row, "change_on_year"),
        )
        for row in rows
    }
    heading = tuple(Text(word, style="bold") for word in ("代码", "指标", "本期", "上期", "环比", "上年同期", "同比"))
    widths = [max(cells[n].cell_len for cells in (heading, *lines.values())) for n in range(len(heading))]
    console = Console(file=io.StringIO(), force_terminal=sys.stdout.isatty())

    def say(text: Text) -> None:
        # Nothing is cut: a line that is too long for the terminal goes on in the next.
        console.print(text, soft_wrap=True, highlight=False)

    say(Text(f"{first['period']}  {first['body_name'] or first['body_code']}  ({statuses})", style="bold"))
    say(_aligned(heading, widths))
    for domain, members in itertools.groupby(rows, key=lambda row: str(row["domain"])):
        group = list(members)
        known = definitions.get(group[0]["indicator_code"])
        say(Text(f"{known.domain_zh} {known.domain_en}" if known else domain, style="bold cyan"))
        for row in group:
            say(_aligned(lines[row["indicator_code"]], widths))
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def _aligned(cells: Sequence[Text], widths: Sequence[int]) -> Text:
    """One line: code and name to the left, numbers to the right, in cells of the terminal (a Hanzi has two)."""
    line = Text()
    for position, (cell, width) in enumerate(zip(cells, widths, strict=True)):
        space = " " * (width - cell.cell_len)
        line = line + cell + space + "  " if position < 2 else line + space + cell + "  "
    line.rstrip()
    return line


def _status(row: Row) -> str:
    words = {"sealed": "已封存", "provisional": "暂定", "as_known": "按当时所知"}
    status = str(row["status"])
    vintage = f" v{row['vintage']}" if row["vintage"] else ""
    instant = f" {row['computed_at']:%Y-%m-%d %H:%M}" if status == "as_known" else ""
    return f"{words.get(status, status)} {status}{vintage}{instant}"


def _shown(definition: Definition | None, value: Decimal | None) -> str:
    if definition is None:
        return DASH if value is None else f"{value:f}"
    return definition.printed(value)


def _change(row: Row, column: str) -> Text:
    change: Decimal | None = row[column]
    if change is None:
        return Text(DASH)
    unit = "百分点" if row["kind"] == "ratio" else "%"
    rounded = change.quantize(Decimal("0.01"), rounding="ROUND_HALF_UP")
    if rounded == 0:
        return Text(f"0.00{unit}")
    return Text(f"{rounded:+f}{unit}", style="green" if rounded > 0 else "red")


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
