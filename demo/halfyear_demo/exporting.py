"""From rows to the bytes of an export: CSV, spreadsheet, JSON lines and Parquet, the same bytes every time.

Each row carries the fate that it should meet, so that an export also says how many of its rows are
loaded, quarantined and skipped, and where its trouble sits, in the row numbers that a person sees.
"""

from __future__ import annotations

import csv
import io
import json
import re
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Literal

from halfyear.settings import LOCAL_ZONE

Cell = str | int | float | bool | date | datetime | None
Outcome = Literal["loaded", "quarantined", "skipped"]
_ZIP_TIME = (1980, 1, 1, 0, 0, 0)


@dataclass(frozen=True)
class Row:
    """One row below the header: its cells by field, and the fate that it should meet.

    ``what`` names the trouble, if any: with ``loaded`` it is an info finding.
    """

    cells: Mapping[str, Cell]
    outcome: Outcome = "loaded"
    column: str = ""
    what: str = ""


@dataclass(frozen=True)
class Layout:
    """What surrounds the rows of one export. ``headers`` maps each field to its header cell, in order."""

    headers: Mapping[str, str]
    titles: tuple[str, ...] = ()
    totals: Mapping[str, float] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    has_blank_before_notes: bool = False


@dataclass(frozen=True)
class Trouble:
    """A row with trouble: its number in the file, the expected outcome, the column and what is wrong."""

    row_number: int
    outcome: Outcome
    column: str
    what: str


@dataclass(frozen=True)
class Content:
    """The bytes of an export with what a reader should make of them.

    ``rows_skipped`` counts the rows below the header that are no records: total, notes, blanks, duplicates.
    """

    data: bytes
    extension: Literal["csv", "xlsx", "jsonl", "parquet"]
    rows_loaded: int
    rows_quarantined: int
    rows_skipped: int
    troubles: tuple[Trouble, ...]


@dataclass(frozen=True)
class Export:
    """One delivered file."""

    source: str
    snapshot_date: date
    sequence: int
    arrived_at: datetime
    made: Content

    @property
    def content(self) -> bytes:
        return self.made.data

    @property
    def file_name(self) -> str:
        suffix = "" if self.sequence == 1 else f"_{self.sequence}"
        return f"{self.source}_{self.snapshot_date:%Y%m%d}{suffix}.{self.made.extension}"

    @property
    def rows_read(self) -> int:
        return self.made.rows_loaded + self.made.rows_quarantined + self.made.rows_skipped


def delivered(
    source: str, snapshot_date: date, made: Content, *, sequence: int = 1, arrived_at: datetime | None = None
) -> Export:
    """An export that arrived in the night after its snapshot date, or at the local time given."""
    night = datetime.combine(snapshot_date + timedelta(days=1), time(1, 10))
    return Export(source, snapshot_date, sequence, (arrived_at or night).replace(tzinfo=LOCAL_ZONE), made)


def to_csv(layout: Layout, rows: Sequence[Row], encoding: str = "gb18030", newline: str = "\r\n") -> Content:
    """A CSV file; ``encoding`` is a Python codec, ``utf-8-sig`` for UTF-8 with BOM."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, lineterminator=newline)
    numbers: list[int] = []
    next_line = 1
    for line in _grid(layout, rows):
        cells = ["" if cell is None else str(cell) for cell in line]
        writer.writerow(cells)
        numbers.append(next_line)
        next_line += 1 + sum(cell.count("\n") for cell in cells)
    return _content(text.getvalue().encode(encoding), "csv", layout, rows, numbers[len(layout.titles) + 1 :])


def to_xlsx(layout: Layout, rows: Sequence[Row], sheet: str = "Sheet1", *, has_instructions: bool = False) -> Content:
    """A workbook with merged title rows; with instructions, a leading sheet for people and a hidden one."""
    import openpyxl
    from openpyxl.styles import Alignment, Font

    book = openpyxl.Workbook()
    page = book.active
    assert page is not None
    page.title = sheet
    for line in _grid(layout, rows):
        page.append(line)
    width = len(layout.headers)
    for number in range(1, len(layout.titles) + 1):
        page.merge_cells(start_row=number, start_column=1, end_row=number, end_column=width)
        page.cell(number, 1).font = Font(bold=True, size=18 - 4 * number)
        page.cell(number, 1).alignment = Alignment(horizontal="center")
    for cell in page[len(layout.titles) + 1]:
        cell.font = Font(bold=True)
        cell.alignment = Alignment(wrap_text=True)
    if has_instructions:
        people = book.create_sheet("填表说明", 0)
        people.append(["1. 本表由各单位在一网共享平台填报。"])
        people.append(["2. 带 * 的为必填项。"])
        lists = book.create_sheet("字典")
        lists.append(["共享类型"])
        lists.sheet_state = "hidden"
        book.active = 1
    book.properties.creator = "一网共享平台"
    stream = io.BytesIO()
    book.save(stream)
    first = len(layout.titles) + 2
    numbers = list(range(first, first + _below(layout, rows)))
    return _content(_timeless(stream.getvalue()), "xlsx", layout, rows, numbers)


def to_jsonl(rows: Sequence[Row], names: Mapping[str, str] | None = None) -> Content:
    """One object per line, in UTF-8; fields are renamed by ``names`` where given. Days are ISO text."""
    lines = []
    for row in rows:
        named = {(names or {}).get(name, name): cell for name, cell in row.cells.items()}
        lines.append(json.dumps(named, ensure_ascii=False, default=lambda value: value.isoformat()))
    data = "".join(f"{line}\n" for line in lines).encode()
    return _content(data, "jsonl", Layout({}), rows, list(range(1, len(rows) + 1)))


def to_parquet(layout: Layout, rows: Sequence[Row], types: Mapping[str, str]) -> Content:
    """A Parquet file with the headers as column names.

    ``types`` gives fields that are not text: ``local`` (time without zone), ``utc`` (time in UTC), ``date`` or
    ``integer``.
    """
    import pyarrow as pa
    import pyarrow.parquet

    kinds: dict[str, pa.DataType] = {
        "local": pa.timestamp("us"),
        "utc": pa.timestamp("us", tz="UTC"),
        "date": pa.date32(),
        "integer": pa.int64(),
    }
    text = pa.string()
    schema = pa.schema([(header, kinds.get(types.get(name, ""), text)) for name, header in layout.headers.items()])
    arrays = [
        pa.array([row.cells.get(name) for row in rows], type=kind)
        for name, kind in zip(layout.headers, schema.types, strict=True)
    ]
    stream = io.BytesIO()
    pyarrow.parquet.write_table(pa.Table.from_arrays(arrays, schema=schema), stream, compression="snappy")
    return _content(stream.getvalue(), "parquet", Layout({}), rows, list(range(1, len(rows) + 1)))


def _grid(layout: Layout, rows: Iterable[Row]) -> list[list[Cell]]:
    """Every line of the table: titles, header, rows, total, blank, notes."""
    width = len(layout.headers)

    def leading(text: Cell) -> list[Cell]:
        return [text, *[None] * (width - 1)]

    lines = [leading(title) for title in layout.titles]
    lines.append(list(layout.headers.values()))
    lines += [[row.cells.get(name) for name in layout.headers] for row in rows]
    if layout.totals:
        first, *others = layout.headers
        assert first not in layout.totals
        lines.append(["合计", *(layout.totals.get(name) for name in others)])
    if layout.has_blank_before_notes:
        lines.append(leading(None))
    return lines + [leading(note) for note in layout.notes]


def _furniture(layout: Layout) -> int:
    """Lines below the data that are no records."""
    return bool(layout.totals) + layout.has_blank_before_notes + len(layout.notes)


def _below(layout: Layout, rows: Sequence[Row]) -> int:
    return len(rows) + _furniture(layout)


def _content(
    data: bytes,
    extension: Literal["csv", "xlsx", "jsonl", "parquet"],
    layout: Layout,
    rows: Sequence[Row],
    numbers: Sequence[int],
) -> Content:
    counted = {outcome: sum(row.outcome == outcome for row in rows) for outcome in ("loaded", "quarantined", "skipped")}
    troubles = tuple(
        Trouble(number, row.outcome, row.column, row.what)
        for number, row in zip(numbers, rows, strict=False)
        if row.what
    )
    skipped = counted["skipped"] + _furniture(layout)
    return Content(data, extension, counted["loaded"], counted["quarantined"], skipped, troubles)


def _timeless(workbook: bytes) -> bytes:
    """The workbook without the time of its making: openpyxl stamps each part and the core properties."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(workbook)) as old, zipfile.ZipFile(made, "w") as new:
        for name in old.namelist():
            part = old.read(name)
            if name == "docProps/core.xml":
                part = re.sub(rb"(<dcterms:(?:created|modified)[^>]*>)[^<]*", rb"\g<1>2022-01-01T00:00:00Z", part)
            entry = zipfile.ZipInfo(name, _ZIP_TIME)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = 0o644 << 16
            new.writestr(entry, part, compresslevel=6)
    return made.getvalue()
