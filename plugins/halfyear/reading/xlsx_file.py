"""Workbooks: checked for bombs and read from the one visible sheet that has the required headers.

calamine gives the values; it turns error cells and formulas without a value into '', and would allocate whatever
the outermost cell asks for, so the sheet's XML is scanned first. What ``<dimension>`` claims is never believed.

Hearing of every cell would cost several times what calamine takes. Nearly all rows of nearly all workbooks are of a
shape that one regular expression describes and in which nothing is to be found; only the rest is parsed.

In one module: what the scan of the XML promises is what the reader relies on.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
import zlib
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import groupby, islice
from operator import itemgetter
from pathlib import Path
from typing import NoReturn
from xml.etree import ElementTree
from xml.parsers import expat

import pyarrow as pa
import pyarrow.compute as pc
from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetTypeEnum, SheetVisibleEnum

from halfyear.errors import FileRefused
from halfyear.reading import header
from halfyear.reading.fault import ERROR_CELL, NO_VALUE, refusal
from halfyear.reading.header import Header, Matcher
from halfyear.reading.plan import Plan
from halfyear.reading.table import Block, Table
from halfyear.reading.value import Dialect, Percent

_MOST_BYTES = 2 << 30
_HIGHEST_RATIO = 100
_MOST_ROWS, _MOST_COLUMNS = 1_048_576, 1_000
_CHUNK = 4 << 20
_DOCTYPES = (b"<!DOCTYPE", "<!DOCTYPE".encode("utf-16-le"), "<!DOCTYPE".encode("utf-16-be"))
_BUILT_IN_PERCENT = frozenset({9, 10})
_QUOTED = re.compile(r'"[^"]*"|\\.')
_BATCH = 20_000
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    CalamineError,
    ElementTree.ParseError,
    expat.ExpatError,
    NotImplementedError,
    RuntimeError,
    EOFError,
    KeyError,
    ValueError,
)


def _usual_rows() -> str:
    """What usual rows look like, for RE2, in UTF-8; a piece of XML up to a ``row>``, or several such pieces.

    Usual are rows and cells within the limits and with a reference, in which every formula has a value and nothing is
    an error. Whatever else XML allows (comments, CDATA, other attributes, another order) is not.
    """
    space = "[ \\t\\r\\n]*"
    character = "(?:[^<&>\\x00-\\x08\\x0b\\x0c\\x0e-\\x1f]|&(?:amp|lt|gt|quot|apos|#[0-9]{1,7}|#x[0-9A-Fa-f]{1,6});)"
    preserve = '(?: xml:space="preserve")?'
    row_number = "(?:[1-9][0-9]{0,5}|10[0-3][0-9]{4}|104[0-7][0-9]{3})"  # up to 1,047,999
    column = "(?:[A-Z]{1,2}|A[A-K][A-Z]|AL[A-L])"  # up to ALL, the 1,000th
    style = '(?: (?:s|cm|vm)="[0-9]{1,9}")*'
    formula = f'<X:f(?: [a-z0-9]{{1,9}}="[^"<&]*")*(?: ?/>|>{character}*</X:f>)'
    value = f"(?:<X:v ?/>|<X:v{preserve}>{character}*</X:v>)"
    some_value = f"<X:v{preserve}>[!-%'-;=?-~]{character}*</X:v>"
    text = f"<X:is>(?:<X:t ?/>|<X:t{preserve}>{character}*</X:t>)</X:is>"
    cell = (
        f'<X:c r="{column}{row_number}"{style}(?:'
        f'(?: t="(?:n|b|d|s|str|inlineStr)"{style})?(?: ?/>|>(?:{value}|{text}|{formula}{some_value})?</X:c>)'
        f'| t="(?:s|str|inlineStr)"{style}>{formula}{value}?</X:c>)'
    )
    facts = (
        "(?: (?:spans|ht|s|customFormat|customHeight|hidden|outlineLevel|collapsed|thickTop|thickBot|ph|x14ac:dyDescent)"
        '="[^"<&]*")*'
    )
    start = f'<X:row r="{row_number}"{facts}'
    row = f"{space}(?:{start} ?/>{space})*{start}>{space}(?:{cell}{space})*</X:(?:row>|\\z)"
    return f"\\A(?:{row})+\\z".replace("X:", "(?:x:)?")  # the prefix that Microsoft's SDK for .NET writes


_ROW_END = b"row>"
_USUAL_ROWS = _usual_rows()
#: What follows the style of a cell that holds a text, nothing, or a number whose absolute value is at most 1.
_SMALL = (
    '(?: t="(?:s|str|inlineStr|b)"|(?: t="n")?(?: ?/>|></|>(?:<(?:x:)?f[^<]*(?:</(?:x:)?f>)?)?<(?:x:)?v>'
    "-?(?:0?[.][0-9]+|0|1|1[.]0*|[0-9](?:[.][0-9]+)?[eE]-[0-9]+)</))"
)


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
            return _open_table(path, archive, plan)
    except _DAMAGE as error:
        raise _damaged(error) from None


def _open_table(path: Path, archive: zipfile.ZipFile, plan: Plan) -> Table:
    _check_bomb(archive, path.stat().st_size)
    parts = _parts(archive)
    for part in archive.infolist():
        if part.filename.lower().endswith((".xml", ".rels")) and part.filename not in parts.sheets.values():
            _check_doctype(archive, part)
    with path.open("rb") as file:
        workbook = CalamineWorkbook.from_filelike(file)
    hidden = tuple(m.name for m in workbook.sheets_metadata if m.visible != SheetVisibleEnum.Visible)
    matcher = Matcher(plan)
    wants_percent = any(c.format == "percent" for c in plan.columns)
    found: list[tuple[str, CalamineSheet, _Scan, int, Header]] = []
    best: tuple[str, Sequence[tuple[int, Sequence[object]]]] | None = None
    for metadata in workbook.sheets_metadata:
        if metadata.visible != SheetVisibleEnum.Visible or metadata.typ != SheetTypeEnum.WorkSheet:
            if parts.sheets.get(metadata.name) in archive.namelist():
                _check_doctype(archive, parts.sheets[metadata.name])
            continue
        try:
            scan = _scan(archive, parts, metadata.name, wants_percent)
            sheet = workbook.get_sheet_by_name(metadata.name)
        except _DAMAGE as error:
            raise _damaged(error, metadata.name) from None
        _, first = next(_rows(sheet, _Scan(), 0, header.SEARCHED_ROWS), (0, []))
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


def _data(sheet: CalamineSheet, scan: _Scan, header_index: int, matched: Header) -> Iterator[Block]:
    width = matched.width
    for index, rows in _rows(sheet, scan, header_index + 1):
        numbers = pa.array(range(index + 1, index + 1 + len(rows)), pa.int64())
        if any(len(cells) != width for cells in rows):
            rows = [(cells + [""] * (width - len(cells)))[:width] for cells in rows]
        yield Block(numbers, list(zip(*rows, strict=True)))


def _rows(
    sheet: CalamineSheet, scan: _Scan, first: int, portion: int = _BATCH
) -> Iterator[tuple[int, list[list[object]]]]:
    """The rows of the sheet from the given index on, in portions with the index of their first one, marks put in.

    A row has its cells from column A on. Rows below the last of calamine's that hold nothing but marks come one by one.
    """
    start, marks = sheet.start, scan.marks
    indent: list[object] = [""] * (start[1] if start else 0)
    stream: Iterator[list[object]] = islice(sheet.iter_rows(), first, None) if start else iter(())  # type: ignore[arg-type]
    index = first
    while rows := list(islice(stream, portion)):
        if indent:
            rows = [indent + cells for cells in rows]
        for row in marks.keys() & range(index, index + len(rows)) if marks else ():
            _mark(rows[row - index], marks[row])
        yield index, rows
        index += len(rows)
    for row in sorted(row for row in marks if row >= index):
        yield row, [_mark(list(indent), marks[row])]


def _mark(cells: list[object], marks: dict[int, object]) -> list[object]:
    for column, mark in marks.items():
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
    """Sizes as declared; a part that lies about them fails its checksum when it is read."""
    parts = archive.infolist()
    unpacked = sum(part.file_size for part in parts)
    if unpacked > _MOST_BYTES:
        raise _bomb(f"解压后为 {unpacked >> 20} MiB，超过 2 GiB", f"{unpacked >> 20} MiB unpacked, more than 2 GiB")
    if unpacked > _HIGHEST_RATIO * packed:
        ratio = unpacked // packed
        raise _bomb(
            f"压缩比为 {ratio}，超过 {_HIGHEST_RATIO}", f"a compression ratio of {ratio}, above {_HIGHEST_RATIO}"
        )
    if any(part.flag_bits & 1 for part in parts):
        raise RuntimeError("encrypted")


def _check_doctype(archive: zipfile.ZipFile, part: str | zipfile.ZipInfo) -> None:
    for _ in _without_doctype(_blocks(archive, part)):
        pass


def _blocks(archive: zipfile.ZipFile, part: str | zipfile.ZipInfo) -> Iterator[bytes]:
    """A part, unpacked; while a block of it is looked at, a thread unpacks the next."""
    with archive.open(part) as stream, ThreadPoolExecutor(1) as unpacker:
        following = unpacker.submit(stream.read, _CHUNK)
        while block := following.result():
            following = unpacker.submit(stream.read, _CHUNK)
            yield block


def _without_doctype(blocks: Iterable[bytes]) -> Iterator[bytes]:
    """The given blocks; refuses the file at the one where a DOCTYPE ends."""
    kept = b""
    for block in blocks:
        text = kept + block
        if b"!" in text and any(doctype in text for doctype in _DOCTYPES):  # the first is quick to look for
            raise refusal(
                "doctype",
                "工作簿的 XML 中含有 DOCTYPE",
                "the XML of the workbook has a DOCTYPE",
                "请用表格软件另存后重新报送",
                "save it with a spreadsheet program and deliver it again",
            )
        kept = text[-32:]
        yield block


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
    tree = _tree(archive, part)
    formats = {
        int(element.get("numFmtId", "-1"))
        for element in tree.iter()
        if _local(element.tag) == "numFmt" and "%" in _QUOTED.sub("", element.get("formatCode", ""))
    } | _BUILT_IN_PERCENT
    styles = next((e for e in tree.iter() if _local(e.tag) == "cellXfs"), None)
    return frozenset(
        i for i, style in enumerate(styles if styles is not None else ()) if int(style.get("numFmtId", "0")) in formats
    )


def _elements(archive: zipfile.ZipFile, part: str, *names: str) -> list[ElementTree.Element]:
    return [element for element in _tree(archive, part).iter() if _local(element.tag) in names]


def _tree(archive: zipfile.ZipFile, part: str) -> ElementTree.Element:
    _check_doctype(archive, part)
    with archive.open(part) as stream:
        return ElementTree.parse(stream).getroot()


def _local(tag: str) -> str:
    return tag.rpartition("}")[2]


def _target(folder: str, target: str) -> str:
    return target.lstrip("/") if target.startswith("/") else posixpath.normpath(posixpath.join(folder, target))


def _scan(archive: zipfile.ZipFile, parts: _Parts, name: str, wants_percent: bool) -> _Scan:
    """Stream a sheet's XML: cells beyond the limits, error cells, formulas without a value, shares above 1."""
    percent_styles = parts.percent_styles if wants_percent else frozenset()
    return _scan_blocks(_unusual(_blocks(archive, parts.sheets[name]), percent_styles), name, percent_styles)


def _scan_blocks(blocks: Iterable[bytes], sheet: str, percent_styles: frozenset[int]) -> _Scan:
    scanner = _Scanner(sheet, percent_styles)
    for block in _without_doctype(blocks):
        scanner.parser.Parse(block, False)
    scanner.parser.Parse(b"", True)
    scanner.close_cell()
    return scanner.result


def _unusual(blocks: Iterable[bytes], percent_styles: frozenset[int]) -> Iterator[bytes]:
    """The XML of a sheet with every run of usual rows replaced by one empty row that has the number of the last.

    XML is taken apart by bytes here, so a usual row may also be found, and left out, where it is none: in a comment,
    say. That does no harm, since it would have said nothing there either.
    """
    kept = b""
    is_utf_8 = None
    for block in blocks:
        if is_utf_8 is None:
            is_utf_8 = b"\0" not in block[:4]
        text = kept + block
        end = text.rfind(_ROW_END) + len(_ROW_END) if is_utf_8 else 0
        if end < len(_ROW_END):
            yield text
            kept = b""
            continue
        rows, kept = text[:end], text[end:]
        if _are_usual([rows], percent_styles)[0]:
            yield _in_place_of(rows)
            continue
        pieces = rows.split(_ROW_END)[:-1]
        judged = zip(_are_usual(pieces, percent_styles), pieces, strict=True)
        for is_usual, run in groupby(judged, itemgetter(0)):
            whole = [piece + _ROW_END for _, piece in run]
            yield _in_place_of(whole[-1]) if is_usual else b"".join(whole)
    yield kept


def _in_place_of(rows: bytes) -> bytes:
    number = rows[rows.rfind(b'row r="') :].split(b'"', 2)[1]
    return b'<row r="%b"/>' % number


def _are_usual(texts: Sequence[bytes], percent_styles: frozenset[int]) -> list[bool]:
    array = pa.array(texts, pa.binary()).view(pa.string())  # not validated: RE2 finds no match in anything but UTF-8
    are_usual = pc.match_substring_regex(array, _USUAL_ROWS)
    if percent_styles:
        style = f' s="(?:{"|".join(map(str, sorted(percent_styles)))})"'
        small = pc.equal(pc.count_substring_regex(array, style), pc.count_substring_regex(array, style + _SMALL))
        are_usual = pc.and_(are_usual, small)
    found: list[bool] = are_usual.to_pylist()
    return found


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
