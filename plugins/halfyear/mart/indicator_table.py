"""Tables of indicators, comparisons with what was printed, and traces, for people (terminal), programs (JSON, CSV) and spreadsheets (xlsx).

JSON and CSV have the columns of the mart view. A text that a spreadsheet would run as a formula stays text.
"""

from __future__ import annotations

import csv
import io
import itertools
import json
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

from psycopg2.extensions import connection as Connection
from rich.cells import cell_len, set_cell_size
from rich.console import Console
from rich.text import Text

from halfyear import settings
from halfyear.errors import UsageError
from halfyear.indicators import definition, figure, trace
from halfyear.indicators.definition import CITY, DASH, Definition
from halfyear.indicators.figure import FIGURE_COLUMNS
from halfyear.indicators.trace import TRACE_COLUMNS, TraceSummary
from halfyear.mart.bodies import Draft
from halfyear.mart.spreadsheet import csv_cell, put
from halfyear.period import Period

Form = Literal["table", "json", "csv", "xlsx"]
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


def indicator_table(
    rows: Sequence[Row], form: str, definitions: Mapping[tuple[str, str], Definition] | None = None
) -> str | bytes:
    """The rows of mart.indicator as table, json, csv (text) or xlsx (bytes).

    ``definitions`` give the decimals and the titles of the domains; without them the checkout's are read.
    """
    if form == "json":
        return json.dumps([_plain(row, FIGURE_COLUMNS) for row in rows], ensure_ascii=False, indent=2) + "\n"
    if form == "csv":
        return _csv(FIGURE_COLUMNS, rows)
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
_VERDICTS = {"一致": "green", "舍入差": "yellow", "口径差": "yellow", "差异": "red", "无来源": "red"}


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


def write_reconciliation(rows: Sequence[Row], form: str) -> None:
    """Print the comparison: a line per figure with its verdict, then how many there are of each verdict."""
    if form == "json":
        plain = [_plain(row, RECONCILIATION_COLUMNS) for row in rows]
        sys.stdout.write(json.dumps(plain, ensure_ascii=False, indent=2) + "\n")
        return
    if form == "csv":
        sys.stdout.write(_csv(RECONCILIATION_COLUMNS, rows))
        return
    heading = tuple(Text(w, style="bold") for w in ("号", "代码", "指标", "公布", "计算", "结论", "说明"))
    lines = [heading]
    for row in rows:
        words = " / ".join(filter(None, (row["explanation_zh"], row["explanation_en"])))
        lines.append(
            (
                Text(row["published_no"]),
                Text(row["indicator_code"]),
                Text(row["name_zh"] or DASH),
                Text(row["published_printed"]),
                Text(row["computed_printed"]),
                Text(row["verdict"], style=_VERDICTS[row["verdict"]]),
                Text(words),
            )
        )
    widths = [max(cells[n].cell_len for cells in lines) for n in range(len(heading))]
    console = Console()
    for cells in lines:
        line = Text("  ").join(cell + " " * (width - cell.cell_len) for cell, width in zip(cells, widths, strict=True))
        line.rstrip()
        console.print(line, soft_wrap=True, highlight=False)
    shares = [row for row in rows if row["possible_denominators"]]
    if shares:
        console.print("\n占比可能的分母 / counts that could print the shares", style="bold", highlight=False)
    for row in shares:
        of = "" if row["denominator"] is None else f"  (计算时 computed over {row['denominator']:f})"
        console.print(
            f"{row['published_no']}  {row['published_printed']}  {row['possible_denominators']}{of}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
    counts = ", ".join(f"{v} {sum(r['verdict'] == v for r in rows)}" for v in _VERDICTS)
    console.print(
        f"\n{rows[0]['period']}: {len(rows)} 个公布数 printed figures: {counts}", soft_wrap=True, highlight=False
    )


# ---------------------------------------------------------------- bodies


def write_drafts(drafts: Mapping[str, Sequence[Draft]]) -> None:
    """Print the proposed lines of each list of bodies, ready to be added, with what they were drawn from."""
    if not drafts:
        sys.stdout.write("没有未知单位 / every body is known\n")
    for name, found in drafts.items():
        sys.stdout.write(f"expectations/core/{name}.csv 待复核 to be reviewed: {len(found)}\n")
        for each in found:
            like = f"; 近似 resembles {each.resembles}" if each.resembles else ""
            seen = f"{each.unknown.rows} rows of {', '.join(each.unknown.sources)} since {each.unknown.first_day}"
            sys.stdout.write(f"  # {seen}{like}\n")
            sys.stdout.write(f"  {_csv(tuple(each.line), (each.line,), header=False).strip()}\n")


# ---------------------------------------------------------------- traces


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
        yield _csv(TRACE_COLUMNS, ())
        for row in chosen:
            yield _csv(TRACE_COLUMNS, (row,), header=False)
    elif form == "json":
        yield "["
        for number, row in enumerate(chosen):
            yield (",\n" if number else "\n") + json.dumps(_plain(row, TRACE_COLUMNS), ensure_ascii=False)
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
