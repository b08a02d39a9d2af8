"""Workbooks: what calamine hides, what spreadsheets do to values, and what must not be opened at all."""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Iterable
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openpyxl.utils.datetime import CALENDAR_MAC_1904
from reading_files import SAMPLE, SHORT, local, raw_workbook, read_file, sheet_row, workbook

from halfyear.errors import FileRefused, Finding
from halfyear.reading import xlsx_file

HEAD = ["编号", "名称", "数量"]


def refused(path: Path) -> Finding:
    with pytest.raises(FileRefused) as error:
        read_file(path)
    return error.value.finding


def cell(
    name: str, value: Any, number_format: str | None = None, folder: Path | None = None, is_1904: bool = False
) -> Any:
    """One cell of the sample contract, through a workbook; the rule when it makes the row bad."""
    assert folder
    column = next(p for p in SAMPLE.properties if p.name == name)
    book = openpyxl.Workbook()
    if is_1904:
        book.epoch = CALENDAR_MAC_1904
    sheet = book.active
    sheet.append(["编号", "名称", column.business_name] if name not in ("code", "title") else ["编号", "名称"])
    sheet.append(["A", "甲", None])
    sheet.append(["B", "乙"])
    place = sheet.cell(2, {"code": 1, "title": 2}.get(name, 3))
    place.value = value
    if number_format:
        place.number_format = number_format
    path = folder / "sample.xlsx"
    book.save(path)
    read = read_file(path, SAMPLE)
    return read.rows[0][name] if read.account[1] == 2 else read.cells[0].rule


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("code", 123456, "123456"),
        ("code", 440106198001011234, "number_digits"),
        ("code", "1.59E+17", "scientific_notation"),
        ("code", date(2022, 6, 30), "code_is_date"),
        ("title", 12, "12"),
        ("title", 12.5, "12.5"),
        ("amount", "1,234", 1234),
        ("amount", 3.0, 3),
        ("amount", 2.5, "whole_number"),
        ("amount", 1e15, "number_digits"),
        ("memory_gb", 0.1 + 0.2, Decimal("0.3")),
        ("is_open", True, True),
        ("is_open", 0, False),
        ("is_open", "是", True),
        ("opened_on", date(2022, 6, 30), date(2022, 6, 30)),
        ("opened_on", datetime(2022, 6, 30, 9, 30), "date_with_time"),
        ("opened_on", 44742, date(2022, 6, 30)),
        ("opened_on", 20220630, date(2022, 6, 30)),
        ("opened_on", "44742", date(2022, 6, 30)),
        ("opened_on", 60, "date_form"),
        ("opened_on", time(9, 30), "date_form"),
        ("opened_on", timedelta(hours=30), "date_form"),
        ("seen_at", datetime(2022, 6, 30, 9, 30, 15), local("2022-06-30T09:30:15")),
        ("seen_at", 44742.395833333336, local("2022-06-30T09:30:00")),
        ("month", date(2022, 6, 1), date(2022, 6, 1)),
        ("month", 202206, date(2022, 6, 1)),
        ("level", 1, "一级"),
        ("mobile", "无", None),
    ],
)
def test_cells(tmp_path: Path, name: str, value: Any, expected: Any) -> None:
    name_read = name if name != "mobile" else "title"
    assert cell(name_read, value, folder=tmp_path) == expected


def test_shares_follow_the_style_of_their_cell(tmp_path: Path) -> None:
    assert cell("share_pct", 0.35, "0%", tmp_path) == 35
    assert cell("share_pct", 1.2, "0.00%", tmp_path) == 120
    assert cell("share_pct", 1.2, '0.0"%"', tmp_path) == Decimal("1.2")
    assert cell("share_pct", 1.2, None, tmp_path) == Decimal("1.2")
    assert cell("share_pct", "120%", None, tmp_path) == 120


def test_serials_follow_the_date_system_of_the_workbook(tmp_path: Path) -> None:
    assert cell("opened_on", 43280, None, tmp_path, is_1904=True) == date(2022, 6, 30)
    assert cell("opened_on", date(2022, 6, 30), None, tmp_path, is_1904=True) == date(2022, 6, 30)
    assert cell("opened_on", "43280", None, tmp_path, is_1904=True) == date(2022, 6, 30)


def test_leading_blank_rows_and_columns_keep_their_numbers(tmp_path: Path) -> None:
    rows = [[], [], [None, None, "清单"], [None, None, *HEAD], [], [None, None, "A", "甲", 1]]
    read = read_file(workbook(tmp_path, rows))
    assert read.summary.header_row == 4
    assert read.rows[0]["row_number"] == 6
    assert read.account == (2, 1, 0, 1)


def test_merged_titles_and_merged_data(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["清单", None, None], HEAD, ["A", "甲", 1], ["B", None, 2]])
    book = openpyxl.load_workbook(path)
    book.active.merge_cells("A1:C1")
    book.active.merge_cells("B3:B4")
    book.active.row_dimensions[3].hidden = True
    book.save(path)
    assert [row["title"] for row in read_file(path).rows] == [
        "甲",
        None,
    ]  # hidden rows are data, nothing is filled down


def test_a_header_with_line_breaks_and_full_width_brackets(tmp_path: Path) -> None:
    read = read_file(workbook(tmp_path, [["*编\n号", "名 称*", "数量（个）"], ["A", "甲", 1]]), SAMPLE)
    assert read.rows[0]["amount"] == 1


@pytest.mark.parametrize("error", ["#REF!", "#N/A", "#DIV/0!", "#VALUE!"])
def test_error_cells_make_the_row_bad(tmp_path: Path, error: str) -> None:
    read = read_file(workbook(tmp_path, [HEAD, ["A", error, 1], [error, "乙", 2], ["C", "丙", 3]]))
    assert read.account == (3, 1, 2, 0)
    assert read.rejected == [(2, "title", "error_cell"), (3, "code", "error_cell")]
    assert [c.record_key for c in read.cells] == ["A", None]


def test_formulas_without_a_value_make_the_row_bad_and_with_one_they_are_values(tmp_path: Path) -> None:
    read = read_file(workbook(tmp_path, [HEAD, ["A", "甲", "=1+1"], ["B", "乙", 2], [None, None, "=SUM(C2:C3)"]]))
    assert read.rejected == [
        (2, "amount", "formula_without_value"),
        (4, "amount", "formula_without_value"),
        (4, "code", "key_missing"),
    ]
    data = sheet_row(1, *HEAD) + (
        '<row r="2"><c r="A2" t="str"><f>B9</f><v>A</v></c><c r="B2" t="str"><f>""</f><v></v></c><c r="C2"><f>1+1</f><v>2</v></c></row>'
        '<row r="3"><c r="A3" t="str"><f>B9</f><v>B</v></c><c r="B3"><f>""</f><v/></c><c r="C3"><f>1+1</f></c></row>'
        '<row r="4"><c r="B4"><f>1</f></c></row>'
    )
    read = read_file(raw_workbook(tmp_path, data))
    assert [(r["code"], r["title"], r["amount"]) for r in read.rows] == [("A", None, 2)]
    assert [c.row_number for c in read.cells] == [3, 3, 4, 4]


def test_a_total_without_value_is_remarked(tmp_path: Path) -> None:
    read = read_file(workbook(tmp_path, [HEAD, ["A", "甲", 1], ["合计", None, "=SUM(C2:C2)"]]))
    assert read.account == (2, 1, 0, 1)
    assert len(read.remarks("control_total_unreadable")) == 1


def test_errors_in_columns_that_are_not_read_do_not_matter(tmp_path: Path) -> None:
    read = read_file(
        workbook(tmp_path, [[*HEAD, "其他"], ["A", "甲", 1, "#REF!"], ["B", "乙", 2, None, None, "#REF!"]])
    )
    assert read.account == (2, 2, 0, 0)


@pytest.mark.parametrize("dimension", ["A1:A1", "A1:C1", "A1", "A1:XFD1048576"])
def test_a_wrong_dimension_is_not_believed(tmp_path: Path, dimension: str) -> None:
    path = workbook(tmp_path, [HEAD, ["A", "甲", 1], ["B", "乙", 2]])
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    parts["xl/worksheets/sheet1.xml"] = sheet.replace(b'ref="A1:C3"', f'ref="{dimension}"'.encode())
    assert parts["xl/worksheets/sheet1.xml"] != sheet
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert read_file(path).account == (2, 2, 0, 0)


def test_two_sheets_with_the_headers_are_refused_and_hidden_ones_ignored(tmp_path: Path) -> None:
    rows = [HEAD, ["A", "甲", 1]]
    path = workbook(tmp_path, rows, second=[HEAD, ["B", "乙", 2]], 说明=[["编号", "是代码"]])
    finding = refused(path)
    assert finding.rule == "two_sheets"
    assert "second" in finding.reason_zh
    book = openpyxl.load_workbook(path)
    book["second"].sheet_state = "veryHidden"
    book.save(path)
    read = read_file(path)
    assert read.summary.hidden_sheets == ("second",)
    assert read.summary.sheet == "Sheet"
    assert [f.severity for f in read.remarks("sheet_hidden")] == ["info"]
    assert [row["code"] for row in read.rows] == ["A"]


def test_the_sheet_with_the_headers_need_not_be_the_first(tmp_path: Path) -> None:
    path = workbook(tmp_path, [["封面"]], 数据=[["标题"], HEAD, ["A", "甲", 1]])
    assert read_file(path).summary.sheet == "数据"


def test_a_missing_column_names_the_sheet(tmp_path: Path) -> None:
    finding = refused(workbook(tmp_path, [["封面"]], 数据=[["编号", "数量"], ["A", 1]]))
    assert (finding.rule, finding.sheet, finding.row, finding.column) == ("column_missing", "数据", 1, "名称")


def test_a_workbook_without_any_header(tmp_path: Path) -> None:
    assert refused(workbook(tmp_path, [["x"]])).rule == "header_missing"
    assert refused(workbook(tmp_path, [])).rule == "header_missing"


@pytest.mark.parametrize("place", ["XFD1048576", "ALM2", "A1048577"])
def test_a_used_area_that_is_too_large_is_refused_before_it_is_opened(tmp_path: Path, place: str) -> None:
    row = "".join(filter(str.isdigit, place))
    data = sheet_row(1, *HEAD) + f'<row r="{row}"><c r="{place}"><v>1</v></c></row>'
    finding = refused(raw_workbook(tmp_path, data))
    assert (finding.rule, finding.sheet) == ("workbook_too_large", "Sheet1")


def test_styled_cells_without_a_value_do_not_count_as_used(tmp_path: Path) -> None:
    data = (
        sheet_row(1, *HEAD)
        + sheet_row(2, "A", "甲", '<c r="C2"><v>1</v></c>')
        + '<row r="1048576"><c r="XFD1048576"/></row>'
    )
    assert read_file(raw_workbook(tmp_path, data)).account == (1, 1, 0, 0)


def test_cells_without_references_take_their_place(tmp_path: Path) -> None:
    def made(*texts: str) -> str:
        return "<row>" + "".join(f'<c t="inlineStr"><is><t>{text}</t></is></c>' for text in texts) + "</row>"

    data = (
        made(*HEAD)
        + made("A", "甲", "1")
        + '<row><c t="e"><v>#N/A</v></c><c t="inlineStr"><is><t>乙</t></is></c></row>'
    )
    read = read_file(raw_workbook(tmp_path, data))
    assert read.account == (2, 1, 1, 0)
    assert read.rejected == [(3, "code", "error_cell")]


@pytest.mark.parametrize("part", ["xl/worksheets/sheet1.xml", "docProps/app.xml"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16-le"])
def test_a_doctype_is_refused(tmp_path: Path, part: str, encoding: str) -> None:
    text = '<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "b">]><x/>'
    path = raw_workbook(tmp_path, sheet_row(1, *HEAD), extra={"docProps/app.xml": "<x/>"})
    with zipfile.ZipFile(path, "a") as archive:
        archive.writestr(f"other/{part.rpartition('/')[2]}", text.encode(encoding))
    assert refused(path).rule == "doctype"


def test_a_zip_bomb_is_refused(tmp_path: Path) -> None:
    path = raw_workbook(tmp_path, sheet_row(1, *HEAD), extra={"xl/media/a.bin": "\x00" * 5_000_000})
    finding = refused(path)
    assert finding.rule == "workbook_too_large"
    assert "压缩比" in finding.reason_zh


def test_more_than_2_gib_unpacked_is_refused(tmp_path: Path) -> None:
    path = raw_workbook(tmp_path, sheet_row(1, *HEAD))
    whole = bytearray(path.read_bytes())
    directory = whole.find(b"PK\x01\x02")
    whole[directory + 24 : directory + 28] = (2**31 + 1).to_bytes(4, "little")
    path.write_bytes(whole)
    assert refused(path).rule == "workbook_too_large"


def test_a_part_that_lies_about_its_size_is_damage(tmp_path: Path) -> None:
    path = raw_workbook(tmp_path, sheet_row(1, *HEAD) + sheet_row(2, "A", "甲", "1") * 100)
    whole = bytearray(path.read_bytes())
    name = whole.rfind(b"xl/worksheets/sheet1.xml")
    directory = whole.rfind(b"PK\x01\x02", 0, name)
    whole[directory + 24 : directory + 28] = (50).to_bytes(4, "little")
    path.write_bytes(whole)
    assert refused(path).rule == "damaged_file"


def test_truncated_and_broken_workbooks(tmp_path: Path) -> None:
    path = workbook(tmp_path, [HEAD, *[[f"A{i}", "甲", i] for i in range(500)]])
    whole = path.read_bytes()
    for damaged in (whole[: len(whole) // 2], whole[:-30], whole[:100], whole[:2000] + b"\x00" * 500 + whole[2500:]):
        path.write_bytes(damaged)
        assert refused(path).rule in ("damaged_file", "content_differs")
    for data in ("<row", sheet_row(1, *HEAD) + "</sheetData></x>", '<row r="x"><c r="1A"><v>1</v></c></row>'):
        assert refused(raw_workbook(tmp_path, data)).rule == "damaged_file"


def test_data_rows_wider_than_the_header(tmp_path: Path) -> None:
    read = read_file(workbook(tmp_path, [HEAD, ["A", "甲", 1, "批注"]]), SHORT)
    assert read.account == (1, 1, 0, 0)
    assert read.summary.unknown_columns == ("#4",)


# --- the shape of rows that are not parsed ----------------------------------------------------------------------

_CELLS = (
    "/>",
    " />",
    "></c>",
    "><v>1</v></c>",
    "><v></v></c>",
    "><v/></c>",
    ' s="1"><v>0.5</v></c>',
    ' s="1"><v>-1.5</v></c>',
    ' s="1" t="n"><v>1e-3</v></c>',
    ' s="1"><f>1+1</f><v>2</v></c>',
    ' s="1"/>',
    ' s="1" t="s"><v>0</v></c>',
    ' t="s" s="1"><v>12</v></c>',
    ' s="2"><v>7</v></c>',
    ' s="1" cm="1"><v>2</v></c>',
    ' t="inlineStr"><is><t xml:space="preserve"> 甲 &amp; 乙 s="1"</t></is></c>',
    ' t="inlineStr"><is><r><t>甲</t></r></is></c>',
    ' t="inlineStr"><is><t>row></t></is></c>',
    ' t="inlineStr"><is><t><![CDATA[</row><row r="3"><c r="A3" t="e"><v>1</v></c></row>]]></t></is></c>',
    ' t="str"><f>""</f><v></v></c>',
    ' t="str"><f>""</f></c>',
    '><f>A1&gt;2</f><v>1</v></c>',
    '><f t="shared" si="0"/><v>1</v></c>',
    '><f t="shared" si="0"/></c>',
    "><f>1</f></c>",
    "><f>1</f><v></v></c>",
    "><f>1</f><v> </v></c>",
    "><f>1</f><v>\u3000</v></c>",
    "><f>1</f><v>&#32;</v></c>",
    "><f>1</f><v>&#50;</v></c>",
    "><v>1</v><f>1</f></c>",
    ' t="e"><v>#N/A</v></c>',
    " t='e'><v>#N/A</v></c>",
    ' t = "e"><v>#N/A</v></c>',
    ' t="&#101;"><v>#N/A</v></c>',
    ' t="e"><f>A1</f><v>#REF!</v></c>',
    "><!-- <v>1</v> --><v>2</v></c>",
)  # fmt: skip
_cells = st.sampled_from(_CELLS)
_columns = st.sampled_from(["A", "B", "C", "AA", "ZZ", "ALL"])
_rows = st.lists(
    st.tuples(
        st.sampled_from(['<row r="{}">', '<row r="{}" spans="1:3" ht="12">', "<row r='{}'>", "<row>", '<row r="{}" x="1">']),
        st.booleans(),
        st.lists(st.tuples(st.one_of(_columns, st.none()), st.one_of(st.sampled_from(_CELLS[:4]), _cells)), max_size=4),
        st.sampled_from(["", "", "", "\n ", "<!-- </row> -->", '<row r="{}"/>']),
    ),
    max_size=8,
)  # fmt: skip


def sheet_xml(rows: Any, prefix: str) -> bytes:
    """The XML of a sheet of such rows; references are left out now and then."""
    made = ""
    for number, (start, is_odd, cells, after) in enumerate(rows, 1):
        inner = "".join((f'<c r="{column}{number}"' if column else "<c") + rest for column, rest in cells)
        made += start.format(number) + ("<!-- -->" if is_odd and number % 3 == 0 else "") + inner + "</row>"
        made += after.format(number)
    made = f"<worksheet><sheetData>{made}</sheetData></worksheet>"
    if prefix:
        made = re.sub(r"<(/?)(?=(?:worksheet|sheetData|row|c|v|f|is|t)\b)", rf"<\1{prefix}:", made)
        made = made.replace("worksheet>", f'worksheet xmlns:{prefix}="m">', 1)
    return made.encode()


def scanned(blocks: Iterable[bytes], percent_styles: frozenset[int]) -> object:
    """The marks, or the rule by which the sheet is refused (a cell to the right of ALL)."""
    try:
        return xlsx_file._scan_blocks(blocks, "Sheet", percent_styles).marks
    except FileRefused as error:
        return error.finding.rule


@pytest.mark.parametrize("percent_styles", [frozenset(), frozenset({1, 20})])
@pytest.mark.parametrize("prefix", ["", "x", "ss"])
@pytest.mark.parametrize("cell", _CELLS)
def test_a_cell_is_judged_alike_whether_or_not_usual_rows_are_left_out(
    cell: str, prefix: str, percent_styles: frozenset[int]
) -> None:
    start = '<row r="{}">'
    whole = sheet_xml([(start, False, [("A", _CELLS[3])], ""), (start, False, [("A", cell)], "")], prefix)
    assert scanned(xlsx_file._unusual([whole], percent_styles), percent_styles) == scanned([whole], percent_styles)


@given(rows=_rows, prefix=st.sampled_from(["", "", "x", "ss"]), size=st.integers(1, 400), has_percent=st.booleans())
@settings(max_examples=400, deadline=None)
def test_leaving_out_usual_rows_changes_nothing(rows: Any, prefix: str, size: int, has_percent: bool) -> None:
    whole = sheet_xml(rows, prefix)
    percent_styles = frozenset({1, 20}) if has_percent else frozenset()
    blocks = [whole[i : i + size] for i in range(0, len(whole), size)]
    assert scanned(xlsx_file._unusual(blocks, percent_styles), percent_styles) == scanned([whole], percent_styles)


def left_to_parse(*rows: str, percent_styles: frozenset[int] = frozenset()) -> bytes:
    """What is left of some rows, given as the attributes and content of their one cell."""
    whole = "".join(f'<row r="{i}"><c r="A{i}"{row}</row>' for i, row in enumerate(rows, 1))
    return b"".join(xlsx_file._unusual([whole.encode()], percent_styles))


def test_what_workbooks_are_made_of_is_not_parsed() -> None:
    usual = (_CELLS[i] for i in (0, 1, 2, 3, 4, 5, 6, 8, 9, 10, 11, 13, 14, 15, 19, 20, 21, 22))
    cells = tuple(usual)
    assert left_to_parse(*cells) == b'<row r="%d"/>' % len(cells)
    assert left_to_parse(*cells[:2], ' t="e"><v>#N/A</v></c>', *cells[:2]) == (
        b'<row r="2"/><row r="3"><c r="A3" t="e"><v>#N/A</v></c></row><row r="5"/>'
    )
    shares = (' s="1"><v>0.35</v></c>', ' s="1"><v>1</v></c>', ' s="1" t="n"><v>9.5E-3</v></c>', ' s="2"><v>7</v></c>')
    assert left_to_parse(*shares, percent_styles=frozenset({1})) == b'<row r="4"/>'
    assert b"1.2" in left_to_parse(*shares, ' s="1"><v>1.2</v></c>', percent_styles=frozenset({1}))


@pytest.mark.parametrize(
    "row",
    [
        '<row r="1048577"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1048577"><v>1</v></c></row>',
        '<row r="1"><c r="ALM1"><v>1</v></c></row>',
        '<row r="1"><c r="XFD1"><v>1</v></c></row>',
        '<row r="1" r="99999999"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c r="A1" r="XFD1048576"><v>1</v></c></row>',
        '<row r="01"><c r="A1"><v>1</v></c></row>',
        '<row r="1"><c><v>1</v></c></row>',
        '<row r="1"><c r="a1"><v>1</v></c></row>',
        '<row r="1"><c r="A1"><v>\x01</v></c></row>',
        '<row r="1"><c r="A1"><v>1</c></row>',
        '<row r="1"><c r="A1"><v>&x;</v></c></row>',
    ],
)
def test_what_could_be_beyond_the_limits_or_is_no_xml_is_parsed(row: str) -> None:
    usual = b'<row r="7"><c r="A7"><v>1</v></c></row>'
    assert b"".join(xlsx_file._unusual([usual + row.encode() + usual], frozenset())) == (
        b'<row r="7"/>' + row.encode() + b'<row r="7"/>'
    )


def test_bytes_that_are_not_utf_8_are_parsed() -> None:
    row = '<row r="7"><c r="A7" t="str"><v>甲</v></c></row>'.encode("gb18030")
    assert b"".join(xlsx_file._unusual([row], frozenset())) == row


@pytest.mark.parametrize("place", ["XFD1048576", "ALM2", "A1048577"])
def test_a_used_area_that_is_too_large_among_many_usual_rows(tmp_path: Path, place: str) -> None:
    usual = "".join(sheet_row(i, f"A{i}", "甲") for i in range(2, 50_000))
    row = "".join(filter(str.isdigit, place))
    far = f'<row r="{row}"><c r="{place}"><v>1</v></c></row>'
    finding = refused(raw_workbook(tmp_path, sheet_row(1, *HEAD) + usual + far + sheet_row(50_001, "B", "乙")))
    assert (finding.rule, finding.sheet) == ("workbook_too_large", "Sheet1")


def test_marks_keep_their_rows_in_a_sheet_of_several_blocks(tmp_path: Path) -> None:
    """Formulas, inline and prefixed XML; row 60,002 has no number of its own."""
    rows = [
        f'<row r="{i}"><c r="A{i}" t="str"><v>A{i}</v></c><c r="B{i}" t="inlineStr"><is><t>甲</t></is></c>'
        f'<c r="C{i}"><f>B{i}*2</f><v>{i}</v></c></row>'
        for i in range(2, 60_002)
    ]  # fmt: skip
    rows[30_000] = rows[30_000].replace("<v>30002</v>", "")
    rows[50_000] = rows[50_000].replace("<v>50002</v>", "<v>#N/A</v>").replace('r="C50002"', 'r="C50002" t="e"')
    data = sheet_row(1, *HEAD) + "".join(rows) + '<row><c t="str"><v>Z</v></c><c t="e"><v>#N/A</v></c></row>'
    path = raw_workbook(tmp_path, data)
    expected = [
        (30_002, "amount", "formula_without_value"),
        (50_002, "amount", "error_cell"),
        (60_002, "title", "error_cell"),
    ]
    read = read_file(path)
    assert read.rejected == expected
    assert read.account == (60_001, 59_998, 3, 0)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    sheet = parts["xl/worksheets/sheet1.xml"]
    sheet = re.sub(rb"<(/?)(?=[a-z])", rb"<\1x:", sheet).replace(b"xmlns=", b"xmlns:x=")
    parts["xl/worksheets/sheet1.xml"] = sheet
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert read_file(path).rejected == expected


@pytest.mark.parametrize("place", ["before", "after", "between blocks"])
def test_a_doctype_in_the_sheet_that_is_read_is_refused(tmp_path: Path, place: str) -> None:
    rows = "".join(sheet_row(i, f"A{i}", "甲") for i in range(2, 40_000))
    doctype = "<!DOCTYPE x>"
    if place == "before":
        path = raw_workbook(tmp_path, sheet_row(1, *HEAD) + rows, head=doctype)
    else:
        comment = f"<!-- {doctype} -->"
        gap = "\n" * 9_000_000 if place == "between blocks" else ""
        noise = "".join(f"<!-- {hashlib.sha256(bytes([i % 256, i // 256])).hexdigest()} -->" for i in range(5_000))
        path = raw_workbook(tmp_path, sheet_row(1, *HEAD) + rows + noise + gap + comment)
    assert refused(path).rule == "doctype"


def test_a_doctype_in_a_hidden_sheet_is_refused(tmp_path: Path) -> None:
    path = workbook(tmp_path, [HEAD, ["A", "甲", 1]], other=[["x"]])
    book = openpyxl.load_workbook(path)
    book["other"].sheet_state = "hidden"
    book.save(path)
    with zipfile.ZipFile(path) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    parts["xl/worksheets/sheet2.xml"] = b"<!DOCTYPE x>" + parts["xl/worksheets/sheet2.xml"]
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    assert refused(path).rule == "doctype"
