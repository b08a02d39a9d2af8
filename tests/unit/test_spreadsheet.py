"""Text in spreadsheets stays text, wherever and however the sign of a formula stands in it."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from datetime import date
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openpyxl import Workbook, load_workbook
from openpyxl.cell.cell import TYPE_FORMULA, TYPE_STRING

from halfyear.indicators.figure import FIGURE_COLUMNS
from halfyear.indicators.trace import TRACE_COLUMNS
from halfyear.mart import indicator_table, reconciliation_table, serialisation, spreadsheet
from halfyear.mart.bodies import Draft, Unknown
from halfyear.mart.serialisation import csv_text
from halfyear.terminal import body_drafts

FORMULAS = [
    "=1+1", "+1", "-1+1", "@SUM(1)", "\t=1", "\r=1", "\n=1", "\ttext", "＝1+1", "＋1", "－1", "＠SUM(1)", "﹦1", " =1", "\u3000=1",
    "\u00a0=1", "\ufeff=1", "\u200b=1", "\x00=1", '"=1"', '" =1', "“=1”", "=", "-", "=cmd|' /C calc'!A0", "市教育局\n=1", "市教育局;=1",
    "市教育局\t=1", "a\r\n ＝1", "=1\n=2", "⁼1",
]  # fmt: skip
TEXTS = ["市教育局", "", "a=b", "1-2", "a@b", "data_catalogue_20220630_2.csv", "—", "3,5", "数据迟报；补报", "'=1"]
# What people argue about, whatever looks like a sign or like nothing, and whatever else there is, in any order.
PIECES = st.lists(
    st.one_of(
        st.sampled_from([*"=+-@＝＋－＠﹦⁺\t\r\n ;,\"'\u3000\ufeff\u200b", "\r\n", "市教育局", "SUM(1)"]),
        st.characters(categories=["Cc", "Cf", "Zs", "Zl", "Zp"]),
        st.text(max_size=3),
    )
).map("".join)


def begins_to_run(cell: str) -> bool:
    """Written without the module's expression: blanks, controls, invisibles and quotes skipped, then a sign."""
    skipped = {"Cc", "Cf", "Zs", "Zl", "Zp"}
    bare = [c for c in cell if unicodedata.category(c) not in skipped and c not in '"“”＂']
    return bool(bare) and unicodedata.normalize("NFKC", bare[0])[0] in "=+-@"


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_defused(text: str) -> None:
    assert spreadsheet.runs(text)
    assert spreadsheet.inert(text) != text
    assert spreadsheet.inert(text).replace("'", "") == text.replace("'", "")


@pytest.mark.parametrize("text", TEXTS)
def test_other_text_is_left_alone(text: str) -> None:
    assert not spreadsheet.runs(text)
    assert spreadsheet.csv_cell(text) == text


def test_numbers_keep_their_sign_and_their_digits() -> None:
    values = [Decimal("-11.10"), Decimal("1E+3"), -3, -0.5, True, date(2022, 6, 30), None]
    assert list(map(spreadsheet.csv_cell, values)) == ["-11.10", "1000", "-3", "-0.5", "true", "2022-06-30", ""]


@given(PIECES)
def test_no_cell_of_a_csv_begins_to_run(text: str) -> None:
    """Read properly, read line by line, and read with another separator, as spreadsheets of other countries do."""
    written = spreadsheet.csv_cell(text)
    assert spreadsheet.csv_cell(written) == written, "once is enough"
    for part in re.split("[\t\n\v\f\r\x1c-\x1e\x85\u2028\u2029;]", written):
        assert not begins_to_run(part)
    assert not written.startswith(("\t", "\r", "\n"))
    if spreadsheet.runs(text):
        assert written != text
    else:
        assert written == text


@given(PIECES)
def test_every_csv_of_a_table_is_inert_and_whole(text: str) -> None:
    """Names of bodies, file names and reasons, through the writer of indicators, traces, comparisons and drafts."""
    row: dict[str, Any] = dict.fromkeys(TRACE_COLUMNS) | {
        "file_name": text,
        "excluded_because": text,
        "record_key": text,
    }
    content = csv_text(TRACE_COLUMNS, [row])
    (read,) = csv.DictReader(io.StringIO(content, newline=""))
    assert read["file_name"] == read["excluded_because"] == read["record_key"] == spreadsheet.inert(text)


@pytest.mark.parametrize("text", FORMULAS)
def test_every_command_that_prints_csv_prints_inert_text(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Indicators, trace and reconcile with --format csv, and the drafts of bodies that a person adds to a list."""
    wanted = spreadsheet.inert(text)

    def cells(content: str) -> set[str]:
        (line,) = csv.DictReader(io.StringIO(content, newline=""))
        return {value for name, value in line.items() if value}

    figure: dict[str, Any] = dict.fromkeys(FIGURE_COLUMNS, text)
    indicator_table.write_indicators([figure], "csv")
    assert cells(capsys.readouterr().out) == {wanted}
    traced: dict[str, Any] = dict.fromkeys(TRACE_COLUMNS, text)
    assert cells("".join(serialisation.trace_text([traced], "csv"))) == {wanted}
    compared: dict[str, Any] = dict.fromkeys(reconciliation_table.RECONCILIATION_COLUMNS, text)
    assert cells(reconciliation_table.reconciliation_text([compared], "csv")) == {wanted}
    unknown = Unknown(text, None, ("kiosk",), 1, date(2022, 6, 30))
    body_drafts.show({"body_alias": [Draft(unknown, "body_alias", {"name": text, "code": "A"}, None)]})
    draft = capsys.readouterr().out.split("\n", 2)[2]
    assert next(csv.reader(io.StringIO(draft, newline=""))) == [wanted, "A"]


@given(PIECES)
def test_a_workbook_keeps_text_as_text(text: str) -> None:
    workbook = Workbook()
    cell = workbook.active.cell(1, 1)
    spreadsheet.put(cell, text)
    assert cell.data_type == TYPE_STRING
    if spreadsheet.runs(text):
        assert cell.quotePrefix


@pytest.mark.parametrize("text", FORMULAS)
def test_a_reopened_workbook_has_no_formula(text: str) -> None:
    """For names of bodies, file names and reasons: every text of every column is text, and the same text."""
    row: dict[str, Any] = dict.fromkeys(FIGURE_COLUMNS, text) | {"period": "2022-S1", "value": Decimal("-1.5")}
    content = indicator_table.indicator_table([row], "xlsx")
    assert isinstance(content, bytes)
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    cells = dict(zip(FIGURE_COLUMNS, sheet[3], strict=True))
    assert {cell.data_type for line in sheet.iter_rows() for cell in line} <= {"s", "n"}
    assert TYPE_FORMULA not in {cell.data_type for line in sheet.iter_rows() for cell in line}
    assert (cells["value"].value, cells["value"].data_type) == (-1.5, "n")
    for name in ("body_name", "name_zh", "printed", "status"):
        assert cells[name].data_type == TYPE_STRING and cells[name].quotePrefix
        kept = re.sub("[\x00-\x08\x0b\x0c\x0e-\x1f]", "", text)
        # A workbook is XML, in which every line break reads as one.
        assert str(cells[name].value).replace("\r\n", "\n").replace("\r", "\n") in (
            kept, kept.replace("\r\n", "\n").replace("\r", "\n"),
        )  # fmt: skip


def test_what_no_workbook_can_hold_is_left_out() -> None:
    sheet = Workbook().active
    spreadsheet.put(sheet.cell(1, 1), "市\x0b教\x00育局")
    assert sheet.cell(1, 1).value == "市教育局"
