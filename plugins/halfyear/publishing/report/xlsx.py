"""The half-year report as a workbook: the text on the first sheet, then a sheet per table, with its charts."""

from __future__ import annotations

import io
import re
from typing import Any

from rich.cells import cell_len

from halfyear.mart.spreadsheet import put
from halfyear.publishing.report import drawing
from halfyear.publishing.report.document import (
    Cell,
    Chart,
    Document,
    Heading,
    Number,
    Paragraph,
    Signature,
    Table,
    cell_text,
)

_FORBIDDEN = re.compile(r"[\[\]:*?/\\']")
_LONGEST_NAME = 31
_WIDEST = 44
_TEXT = "正文"
_LATER = "图表"
# Charts stand beside the table: after its seven columns and an empty one.
_CHART_COLUMN = 9


def write(document: Document) -> bytes:
    """The bytes of the workbook; numbers are numbers, and no text is run."""
    from openpyxl import Workbook
    from openpyxl.worksheet.properties import PageSetupProperties

    workbook = Workbook()
    workbook.properties.title = document.title
    workbook.properties.creator = document.author or "halfyear"
    text = workbook.active
    text.title = _TEXT
    _write_text(text, document)
    sheet, charts = None, 0
    for block in document.blocks:
        if isinstance(block, Table):
            sheet, charts = _sheet(workbook, block.name), 0
            _write_table(sheet, block, document)
        elif isinstance(block, Chart):
            if sheet is None:
                sheet = _sheet(workbook, _LATER)
            charts = _write_chart(sheet, block, charts)
    for each in workbook.worksheets:
        each.page_setup.paperSize = each.PAPERSIZE_A4
        each.page_setup.orientation = "portrait" if each is text else "landscape"
        each.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
        each.page_setup.fitToHeight = 0
        each.oddFooter.center.text = "— &P —"
        if document.is_draft:
            each.oddHeader.center.text = document.warning
            each.sheet_properties.tabColor = "C00000"
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()


def _sheet(workbook: Any, name: str) -> Any:
    name = _FORBIDDEN.sub("", name)[:_LONGEST_NAME] or _LATER
    taken = {title.casefold() for title in workbook.sheetnames}
    free, number = name, 1
    while free.casefold() in taken:
        number += 1
        free = f"{name[: _LONGEST_NAME - 3]} {number}"
    return workbook.create_sheet(free)


def _write_text(sheet: Any, document: Document) -> None:
    """Headings, paragraphs and signature, a row each; tables and charts by their captions."""
    from openpyxl.styles import Alignment, Font

    sheet.column_dimensions["A"].width = 100
    sheet.sheet_view.showGridLines = False
    row = 0
    if document.is_draft:
        row += 1
        put(sheet.cell(row, 1), document.warning)
        sheet.cell(row, 1).font = Font(bold=True, color="C00000")
    for block in document.blocks:
        font, alignment = Font(size=12), Alignment(wrap_text=True, vertical="top")
        lines: tuple[str, ...]
        match block:
            case Heading():
                lines = (block.text,)
                font = Font(bold=True, size={1: 18, 2: 14}.get(block.level, 12))
                alignment = Alignment(horizontal="center" if block.level == 1 else "left", wrap_text=True)
            case Paragraph():
                lines = (f"　　{block.text}",)
            case Signature():
                lines, alignment = block.lines, Alignment(horizontal="right")
            case Table() | Chart():
                lines, font = (f"（见：{block.caption}）",), Font(size=10, color="595959")
            case _:
                continue
        for line in lines:
            row += 1
            put(sheet.cell(row, 1), line)
            sheet.cell(row, 1).font, sheet.cell(row, 1).alignment = font, alignment
            sheet.row_dimensions[row].height = font.size * 1.5 * max(1, -(-cell_len(line) * font.size // (100 * 11)))


def _write_table(sheet: Any, table: Table, document: Document) -> None:
    from openpyxl.styles import Alignment, Border, Font, PatternFill, Side
    from openpyxl.utils import get_column_letter

    put(sheet.cell(1, 1), table.caption)
    sheet.cell(1, 1).font = Font(bold=True, size=14)
    if document.is_draft:
        put(sheet.cell(2, 1), document.warning)
        sheet.cell(2, 1).font = Font(bold=True, color="C00000")
    line = Side(style="thin", color="808080")
    widths = [cell_len(column.title) for column in table.columns]
    for position, column in enumerate(table.columns, start=1):
        cell = sheet.cell(3, position)
        put(cell, column.title)
        cell.font, cell.fill = Font(bold=True), PatternFill("solid", fgColor="E7EBF1")
        cell.alignment, cell.border = Alignment(horizontal="center"), Border(line, line, line, line)
    for number, row in enumerate(table.rows, start=4):
        for position, (column, value) in enumerate(zip(table.columns, row, strict=True), start=1):
            cell = sheet.cell(number, position)
            _write_cell(cell, value)
            cell.alignment = Alignment(horizontal=column.align, vertical="top", wrap_text=isinstance(value, str))
            cell.border = Border(line, line, line, line)
            widths[position - 1] = max(widths[position - 1], min(cell_len(cell_text(value)), _WIDEST))
    for position, width in enumerate(widths, start=1):
        sheet.column_dimensions[get_column_letter(position)].width = width + 3
    for offset, note in enumerate(table.notes, start=len(table.rows) + 4):
        put(sheet.cell(offset, 1), note)
        sheet.cell(offset, 1).font = Font(size=9, color="595959")
    sheet.freeze_panes = "A4"
    sheet.print_title_rows = "3:3"


def _write_cell(cell: Any, value: Cell) -> None:
    if not isinstance(value, Number):
        put(cell, value)
        return
    digits = drawing.number_format(value.decimals)
    rounded = value.rounded
    put(cell, int(rounded) if value.decimals == 0 else float(rounded))
    after = f'"{value.unit}{value.mark}"' if value.unit or value.mark else ""
    cell.number_format = f"+{digits}{after};-{digits}{after};{digits}{after}" if value.is_signed else f"{digits}{after}"


def _write_chart(sheet: Any, chart: Chart, before: int) -> int:
    """Put a chart and its data to the right of the table; the number of rows that are taken there then."""
    from openpyxl.styles import Font
    from openpyxl.utils import get_column_letter

    row = before + 3
    data_column = _CHART_COLUMN + 10
    drawing.fill(sheet, chart, row, data_column)
    drawn = drawing.draw(sheet, chart, row, data_column)
    put(sheet.cell(row, _CHART_COLUMN), chart.caption)
    sheet.cell(row, _CHART_COLUMN).font = Font(bold=True)
    sheet.add_chart(drawn, f"{get_column_letter(_CHART_COLUMN)}{row + 1}")
    taken = int(drawing.height_cm(chart) / 0.5) + 3
    return before + max(taken, len(chart.names) + 3)
