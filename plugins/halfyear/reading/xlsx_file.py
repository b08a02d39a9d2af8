"""Workbooks: checked for bombs and read from the one visible sheet that has the required headers.

calamine gives the values; it turns error cells and formulas without a value into '', and would allocate whatever
the outermost cell asks for, so the sheet's XML is scanned first. What ``<dimension>`` claims is never believed.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import islice
from pathlib import Path
from typing import IO, NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from halfyear.errors import FileRefused
from halfyear.reading import header
from halfyear.reading.fault import ERROR_CELL, NO_VALUE, refusal
from halfyear.reading.header import Header, Matcher
from halfyear.reading.plan import Plan
from halfyear.reading.table import Row, Table
from halfyear.reading.value import Dialect, Percent

_MOST_BYTES = 2 << 30
_HIGHEST_RATIO = 100
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 1_000
_CHUNK = 1 << 20
_DOCTYPES = (b"<!DOCTYPE", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))
_BUILT_IN_PERCENT = frozenset({9, 10})
_QUOTED = re.compile(r'"[^"]*"|\\.')


@dataclass
class _Scan:
    """What the XML of one sheet says besides its values, by 0-based row and column."""

    marks: dict[int, dict[int, object]] = field(default_factory=dict)
    rows: int = 0
    columns: int = 0


@dataclass(frozen=True)
class _Parts:
    """The parts of a workbook: the XML of each sheet by name, the date system, the styles that show per cent."""

    sheets: dict[str, str]
    is_1904: bool
    percent_styles: frozenset[int]


def open_table(path: Path, plan: Plan) -> Table:
    """Check the workbook, find its sheet and header; the rows stream from calamine's memory."""
    try:
        with zipfile.ZipFile(path) as archive:
            _check_bomb(archive, path.stat().st_size)
            parts = _parts(archive)
        with path.open("rb") as file:
            workbook = CalamineWorkbook.from_filelike(file)
    except (
        zipfile.BadZipFile,
        NotImplementedError,
        RuntimeError,
        EOFError,
        KeyError,
        ValueError,
        CalamineError,
    ) as error:
        raise _damaged(error) from None
    except (ElementTree.ParseError, expat.ExpatError) as error:
        raise _damaged(error) from None
    visible = [m for m in workbook.sheets_metadata if m.visible == SheetVisibleEnum.Visible]
    hidden = tuple(m.name for m in workbook.sheets_metadata if m.visible != SheetVisibleEnum.Visible)
    matcher = Matcher(plan)
    wants_percent = any(c.format == "percent" for c in plan.columns)
    found: list[tuple[str, CalamineSheet, _Scan, int, Header]] = []
    best: tuple[str, Sequence[tuple[int, Sequence[object]]]] | None = None
    for metadata in visible:
        if metadata.typ != SheetTypeEnum.WorkSheet:
            continue
        try:
            scan = _scan(path, parts, metadata.name, wants_percent)
            sheet = workbook.get_sheet_by_name(metadata.name)
        except (zipfile.BadZipFile, CalamineError, expat.ExpatError, KeyError, ValueError) as error:
            raise _damaged(error, metadata.name) from None
        first = [list(cells) for _, cells in islice(_rows(sheet, _Scan()), header.SEARCHED_ROWS)]
        located = header.locate(first, matcher)
        if located:
            found.append((metadata.name, sheet, scan, *located))
        numbered = [(i + 1, cells) for i, cells in enumerate(first)]
        if numbered and (best is None or _likeness(numbered, matcher) > _likeness(best[1], matcher)):
            best = metadata.name, numbered
    if len(found) > 1:
        names = [name for name, *_ in found]
        raise refusal(
            "two_sheets",
            f"有两个可见工作表都含有所需表头：{'、'.join(names)}",
            f"two visible sheets have the required headers: {', '.join(names)}",
            "请只保留一个，或隐藏其余",
            "keep one of them, or hide the others",
        )
    if not found:
        header.refuse(best[1] if best else [], matcher, sheet=best[0] if best else None)
        raise AssertionError("a header that is refused raises")
    name, sheet, scan, index, matched = found[0]
    return Table(
        matched,
        _data(sheet, scan, index, matched),
        dialect=Dialect(is_1904=parts.is_1904),
        sheet=name,
        header_row=index + 1,
        hidden_sheets=hidden,
    )


def _likeness(numbered: Sequence[tuple[int, Sequence[object]]], matcher: Matcher) -> int:
    return max(len(matcher.match(cells).bindings) for _, cells in numbered)


def _data(sheet: CalamineSheet, scan: _Scan, header_index: int, matched: Header) -> Iterator[Row]:
    for index, cells in _rows(sheet, scan):
        if index > header_index:
            missing = matched.width - len(cells)
            yield index + 1, cells + [""] * missing if missing > 0 else cells[: matched.width], None


def _rows(sheet: CalamineSheet, scan: _Scan) -> Iterator[tuple[int, list[object]]]:
    """Every row of the sheet from its first on, with the cells from column A on, marks put in."""
    start = sheet.start
    indent: list[object] = [""] * (start[1] if start else 0)
    index = -1
    if start:
        for index, values in enumerate(sheet.iter_rows()):
            cells = indent + list(values)
            yield index, _marked(cells, scan.marks.get(index))
    for later in sorted(row for row in scan.marks if row > index):  # rows that hold nothing but such cells
        yield later, _marked(list(indent), scan.marks[later])


def _marked(cells: list[object], marks: dict[int, object] | None) -> list[object]:
    for column, mark in (marks or {}).items():
        cells += [""] * (column + 1 - len(cells))
        cells[column] = mark
    return cells


def _damaged(error: Exception, sheet: str | None = None) -> FileRefused:
    return refusal(
        "damaged_file",
        "工作簿不完整或已损坏",
        f"the workbook is incomplete or damaged ({type(error).__name__})",
        "请用表格软件打开并另存后重新报送",
        "open it in a spreadsheet program, save it and deliver it again",
        sheet=sheet,
    )


def _bomb(zh: str, en: str, sheet: str | None = None) -> FileRefused:
    return refusal(
        "workbook_too_large",
        zh,
        en,
        "请删除多余的行列、图片和样式，或改用 CSV",
        "remove superfluous rows, columns, pictures and styles, or deliver CSV",
        sheet=sheet,
    )


def _check_bomb(archive: zipfile.ZipFile, packed: int) -> None:
    """Sizes as declared (a part that lies about them fails its checksum when it is read), then DOCTYPE."""
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if unpacked > _MOST_BYTES:
        raise _bomb(f"解压后为 {unpacked >> 20} MiB，超过 2 GiB", f"{unpacked >> 20} MiB unpacked, more than 2 GiB")
    if unpacked > _HIGHEST_RATIO * packed:
        ratio = unpacked // packed
        raise _bomb(
            f"压缩比为 {ratio}，超过 {_HIGHEST_RATIO}", f"a compression ratio of {ratio}, above {_HIGHEST_RATIO}"
        )
    for part in parts:
        if part.flag_bits & 1:
            raise RuntimeError("encrypted")
        if part.filename.lower().endswith((".xml", ".rels")):
            with archive.open(part) as stream:
                _check_doctype(stream)


def _check_doctype(stream: IO[bytes]) -> None:
    kept = b""
    while block := stream.read(_CHUNK):
        text = kept + block
        if any(doctype in text for doctype in _DOCTYPES):
            raise refusal(
                "doctype",
                "工作簿的 XML 中含有 DOCTYPE",
                "the XML of the workbook has a DOCTYPE",
                "请用表格软件另存后重新报送",
                "save it with a spreadsheet program and deliver it again",
            )
        kept = text[-32:]


def _parts(archive: zipfile.ZipFile) -> _Parts:
    """Read workbook.xml, its relationships and the styles; other documents never reach this place."""
    root = next(
        (
            _target("", relation.get("Target", ""))
            for relation in _elements(archive, "_rels/.rels", "Relationship")
            if relation.get("Type", "").endswith("/officeDocument")
        ),
        "xl/workbook.xml",
    )
    folder, name = posixpath.split(root)
    relations = {
        relation.get("Id", ""): _target(folder, relation.get("Target", ""))
        for relation in _elements(archive, posixpath.join(folder, "_rels", f"{name}.rels"), "Relationship")
    }
    sheets: dict[str, str] = {}
    is_1904 = False
    for element in _elements(archive, root, "sheet", "workbookPr"):
        if _local(element.tag) == "workbookPr":
            is_1904 = element.get("date1904", "0").lower() in ("1", "true")
            continue
        identifier = next((value for key, value in element.attrib.items() if _local(key) == "id" and key != "id"), "")
        if identifier in relations:
            sheets[element.get("name", "")] = relations[identifier]
    return _Parts(sheets, is_1904, _percent_styles(archive, posixpath.join(folder, "styles.xml")))


def _percent_styles(archive: zipfile.ZipFile, part: str) -> frozenset[int]:
    if part not in archive.namelist():
        return frozenset()
    formats = {
        int(element.get("numFmtId", "-1"))
        for element in _elements(archive, part, "numFmt")
        if "%" in _QUOTED.sub("", element.get("formatCode", ""))
    } | _BUILT_IN_PERCENT
    with archive.open(part) as stream:
        tree = ElementTree.parse(stream)
    styles = next((e for e in tree.iter() if _local(e.tag) == "cellXfs"), None)
    return frozenset(
        i for i, style in enumerate(styles if styles is not None else ()) if int(style.get("numFmtId", "0")) in formats
    )


def _elements(archive: zipfile.ZipFile, part: str, *names: str) -> list[ElementTree.Element]:
    with archive.open(part) as stream:
        tree = ElementTree.parse(stream)
    return [element for element in tree.iter() if _local(element.tag) in names]


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _target(folder: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _scan(path: Path, parts: _Parts, name: str, wants_percent: bool) -> _Scan:
    """Stream a sheet's XML: outermost cells in use, error cells, formulas without a value, shares above 1."""
    scanner = _Scanner(name, parts.percent_styles if wants_percent else frozenset())
    with zipfile.ZipFile(path) as archive, archive.open(parts.sheets[name]) as stream:
        while block := stream.read(_CHUNK):
            scanner.parser.Parse(block, False)
        scanner.parser.Parse(b"", True)
    scanner.close_cell()
    return scanner.result


class _Scanner:
    """The handlers of one sheet. Only elements' starts are heard, and the text of values that matter."""

    def __init__(self, sheet: str, percent_styles: frozenset[int]) -> None:
        self.result = _Scan()
        self.parser = expat.ParserCreate(namespace_separator="}")
        self.parser.buffer_text = True
        self.parser.StartElementHandler = self._start
        self.parser.EndElementHandler = None
        self._sheet = sheet
        self._percent_styles = {str(style) for style in percent_styles}
        self._row = -1
        self._column = -1
        self._type = ""
        self._is_open = self._has_content = self._has_formula = self._is_percent = self._in_value = False
        self._value = ""

    def _start(self, tag: str, attributes: dict[str, str]) -> None:
        name = tag.rpartition("}")[2]
        if name == "c":
            self.close_cell()
            reference = attributes.get("r")
            if reference:
                self._place(reference)
            else:
                self._column += 1
            self._type = attributes.get("t", "")
            self._is_open = True
            self._is_percent = attributes.get("s") in self._percent_styles if self._percent_styles else False
        elif name == "v":
            self._has_content = True
            if self._has_formula or self._is_percent:
                self.parser.CharacterDataHandler = self._text
                self._in_value = True
        elif name == "f":
            self._has_content = self._has_formula = True
        elif name == "is":
            self._has_content = True
        elif name == "row":
            self.close_cell()
            number = attributes.get("r")
            self._row = int(number) - 1 if number else self._row + 1
            self._column = -1
        elif self._in_value:
            self.parser.CharacterDataHandler = None
            self._in_value = False

    def _text(self, text: str) -> None:
        self._value += text

    def _place(self, reference: str) -> None:
        letters = reference.rstrip("0123456789")
        column = 0
        for letter in letters:
            column = column * 26 + ord(letter) - 64
        self._column = column - 1
        self._row = int(reference[len(letters) :]) - 1

    def close_cell(self) -> None:
        """Judge the cell that was open."""
        if not self._is_open:
            return
        self._is_open = False
        value = self._value.strip()
        if self._in_value:
            self.parser.CharacterDataHandler = None
            self._in_value = False
        if self._has_content:
            scan = self.result
            if self._row >= scan.rows or self._column >= scan.columns:
                scan.rows = max(scan.rows, self._row + 1)
                scan.columns = max(scan.columns, self._column + 1)
                if scan.rows > _MOST_ROWS or scan.columns > _MOST_COLUMNS:
                    self._refuse()
            if self._type == "e":
                self._mark(ERROR_CELL)
            elif self._has_formula and not value and self._type not in ("str", "s", "inlineStr"):
                self._mark(NO_VALUE)
            elif self._is_percent and self._type in ("", "n") and value and abs(float(value)) > 1:
                self._mark(Percent(value))
        self._has_content = self._has_formula = self._is_percent = False
        self._value = ""

    def _mark(self, mark: object) -> None:
        self.result.marks.setdefault(self._row, {})[self._column] = mark

    def _refuse(self) -> NoReturn:
        rows, columns = self.result.rows, self.result.columns
        raise _bomb(
            f"使用区域为 {rows} 行 × {columns} 列，超过 {_MOST_ROWS} 行或 {_MOST_COLUMNS} 列",
            f"the used area has {rows} rows and {columns} columns, more than {_MOST_ROWS} or {_MOST_COLUMNS}",
            self._sheet,
        )
