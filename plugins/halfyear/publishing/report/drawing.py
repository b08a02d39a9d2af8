"""Charts of the half-year report as charts, not pictures: the reader's program draws them with its own fonts.

openpyxl writes the chart of a workbook; a .docx holds the same chart with the workbook behind it, so that a person
can edit it in Word, and no Chinese font is needed where the report is made.
"""

from __future__ import annotations

import io
import re
import zipfile
from decimal import Decimal
from typing import Any

from halfyear.mart.spreadsheet import put
from halfyear.publishing.report.document import Chart

#: Told apart in black and white too, the half-year of the report the darkest.
_COLOURS = ("C9CED6", "8BA3C7", "1F3A5F")
_FONT = "仿宋"
_SHEET = "data"
# More names than these, or long ones, are read more easily on the left.
_MOST_COLUMNS = 4
_LONG_NAME = 12


def is_upright(chart: Chart) -> bool:
    """Whether the bars stand: few names, and short ones."""
    return len(chart.names) <= _MOST_COLUMNS and max(map(len, chart.names), default=0) <= _LONG_NAME


def height_cm(chart: Chart) -> float:
    """Room for every bar and its number."""
    return 7.0 if is_upright(chart) else 2.2 + 1.35 * max(len(chart.names), 2)


def fill(sheet: Any, chart: Chart, row: int = 1, column: int = 1) -> None:
    """Write names and values from a cell of an openpyxl sheet on: a line of titles, then one per name."""
    put(sheet.cell(row, column), chart.unit)
    for position, series in enumerate(chart.series, start=column + 1):
        put(sheet.cell(row, position), series.title)
        for offset, value in enumerate(series.values, start=1):
            cell = sheet.cell(row + offset, position)
            cell.number_format = number_format(chart.decimals)
            put(cell, None if value is None else _plain(value, chart.decimals))
    for offset, name in enumerate(chart.names, start=1):
        put(sheet.cell(row + offset, column), name)


def number_format(decimals: int) -> str:
    """The format of a cell with that many decimals."""
    return "0." + "0" * decimals if decimals else "0"


def _plain(value: Decimal, decimals: int) -> int | float:
    return round(float(value), decimals) if decimals else int(value.to_integral_value("ROUND_HALF_UP"))


def draw(sheet: Any, chart: Chart, row: int = 1, column: int = 1) -> Any:
    """The openpyxl chart of what `fill` wrote there, with the values kept in it for programs that open no workbook."""
    from openpyxl.chart import BarChart
    from openpyxl.chart.data_source import AxDataSource, NumData, NumDataSource, NumRef, NumVal, StrData, StrRef, StrVal
    from openpyxl.chart.label import DataLabelList
    from openpyxl.chart.series import Series, SeriesLabel
    from openpyxl.chart.shapes import GraphicalProperties
    from openpyxl.utils import get_column_letter

    drawn = BarChart()
    drawn.type = "col" if is_upright(chart) else "bar"
    drawn.gapWidth = 60 if len(chart.names) > 1 else 160
    drawn.overlap = -5
    drawn.width, drawn.height = 15.0, height_cm(chart)
    drawn.legend.position = "b"
    drawn.x_axis.delete = False
    drawn.y_axis.delete = True
    drawn.y_axis.majorGridlines = None
    drawn.y_axis.scaling.min = 0
    if not is_upright(chart):
        drawn.x_axis.scaling.orientation = "maxMin"
    form = number_format(chart.decimals)
    last = row + len(chart.names)
    title, first = f"'{sheet.title}'!", get_column_letter(column)
    names = [StrVal(idx=i, v=name) for i, name in enumerate(chart.names)]
    for index, series in enumerate(chart.series):
        letter = get_column_letter(column + index + 1)
        values = [
            NumVal(idx=i, v=str(_plain(value, chart.decimals)))
            for i, value in enumerate(series.values)
            if value is not None
        ]
        cache = NumData(formatCode=form, ptCount=len(chart.names), pt=values)
        bars = Series(
            idx=index,
            order=index,
            val=NumDataSource(numRef=NumRef(f=f"{title}${letter}${row + 1}:${letter}${last}", numCache=cache)),
            cat=AxDataSource(
                strRef=StrRef(
                    f=f"{title}${first}${row + 1}:${first}${last}", strCache=StrData(ptCount=len(names), pt=names)
                )
            ),
            tx=SeriesLabel(
                strRef=StrRef(
                    f=f"{title}${letter}${row}", strCache=StrData(ptCount=1, pt=[StrVal(idx=0, v=series.title)])
                )
            ),
        )
        bars.invertIfNegative = False
        bars.spPr = GraphicalProperties(solidFill=_COLOURS[index % len(_COLOURS)])
        bars.dLbls = DataLabelList()
        bars.dLbls.showVal = True
        bars.dLbls.showSerName = bars.dLbls.showCatName = bars.dLbls.showLegendKey = bars.dLbls.showPercent = False
        bars.dLbls.numFmt = form
        bars.dLbls.txPr = _letters(800)
        drawn.series.append(bars)
    drawn.x_axis.txPr = drawn.legend.txPr = _letters(900)
    drawn.x_axis.number_format = form
    drawn.graphical_properties = GraphicalProperties(noFill=True)
    drawn.graphical_properties.line.noFill = True
    return drawn


def _letters(size: int) -> Any:
    """Text of a size in hundredths of a point, in a Chinese font for Chinese."""
    from openpyxl.chart.text import RichText
    from openpyxl.drawing.text import CharacterProperties, Font, Paragraph, ParagraphProperties, RichTextProperties

    letters = CharacterProperties(sz=size, latin=Font(typeface="Times New Roman"), ea=Font(typeface=_FONT))
    return RichText(
        bodyPr=RichTextProperties(),
        p=[Paragraph(pPr=ParagraphProperties(defRPr=letters), endParaRPr=letters)],
    )


def part(chart: Chart) -> tuple[bytes, bytes]:
    """The chart as DrawingML, and the workbook that holds its data.

    The DrawingML ends before the reference to the workbook, which the package that takes it adds.
    """
    from openpyxl import Workbook

    data, drawn = Workbook(), Workbook()
    for workbook in (data, drawn):
        workbook.active.title = _SHEET
        fill(workbook.active, chart)
    drawn.active.add_chart(draw(drawn.active, chart), "F2")
    with zipfile.ZipFile(io.BytesIO(_bytes(drawn))) as package:
        found = next(name for name in package.namelist() if re.fullmatch(r"xl/charts/chart\d+\.xml", name))
        xml = package.read(found)
    return xml, _bytes(data)


def _bytes(workbook: Any) -> bytes:
    buffer = io.BytesIO()
    workbook.save(buffer)
    return buffer.getvalue()
