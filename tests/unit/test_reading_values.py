"""One cell: every spelling of sources.md, and what is refused rather than guessed."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading_files import KEY, SAMPLE, contract, prop

from halfyear.reading import fault, value
from halfyear.reading.column import ColumnReader
from halfyear.reading.fault import Bad
from halfyear.reading.plan import Column, plan_of
from halfyear.reading.token import token

COLUMNS = {c.name: c for c in plan_of(SAMPLE).columns}
CSV = value.Dialect()


def convert(name: str, cell: object, dialect: value.Dialect = CSV, column: Column | None = None) -> object:
    return value.converter(column or COLUMNS[name], dialect)(cell)


def day(year: int, month: int, of_month: int) -> int:
    return (date(year, month, of_month) - date(1970, 1, 1)).days


def instant(text: str) -> int:
    """Microseconds since 1970 UTC of a local time."""
    return (datetime.fromisoformat(text) - datetime(1970, 1, 1, 8)) // timedelta(microseconds=1)


@pytest.mark.parametrize("name", [name for name, column in COLUMNS.items() if not column.is_dropped])
@pytest.mark.parametrize("cell", ["", "  ", "\u3000", "-", "—", "/", "无", "－", " / ", None])
def test_signs_for_nothing_are_null(name: str, cell: str | None) -> None:
    assert convert(name, cell) is None


@pytest.mark.parametrize("cell", ["NA", "N/A", "null", "NULL", "nan", "None", "--"])
def test_na_is_a_value(cell: str) -> None:
    assert convert("title", cell) == cell
    assert isinstance(convert("amount", cell), Bad)
    assert isinstance(convert("opened_on", cell), Bad)


def test_codes_are_normalised_and_names_only_stripped() -> None:
    assert convert("code", " ａｂ１２／ｘ\u3000") == "AB12/X"
    assert convert("title", " ａｂ（甲）\u3000") == "ａｂ（甲）"
    assert convert("title", "甲\n乙 ") == "甲\n乙"


@pytest.mark.parametrize(
    ("cell", "number"),
    [
        ("0", 0), ("12", 12), ("１２", 12), ("1,234,567", 1234567), ("1，234", 1234), ("3.0", 3), ("3.", 3), ("-5", -5),
        ("+5", 5), (3.0, 3), (7, 7), (Decimal("3.00"), 3), ("999999999999999999", 999999999999999999),
    ],
)  # fmt: skip
def test_whole_numbers(cell: object, number: int) -> None:
    assert convert("amount", cell) == number


@pytest.mark.parametrize(
    ("cell", "bad"),
    [
        ("2.5", fault.NOT_WHOLE), (2.5, fault.NOT_WHOLE), ("1,23", fault.NOT_A_NUMBER), ("12万", fault.NOT_A_NUMBER),
        ("￥12", fault.NOT_A_NUMBER), ("$12", fault.NOT_A_NUMBER), ("12元", fault.NOT_A_NUMBER), ("一", fault.NOT_A_NUMBER),
        ("1 234", fault.NOT_A_NUMBER), (True, fault.NOT_A_NUMBER), (date(2022, 1, 1), fault.NOT_A_NUMBER),
        ("1.5E+3", fault.SCIENTIFIC), (1e15, fault.TOO_MANY_DIGITS), (10**15, fault.TOO_MANY_DIGITS),
        ("9" * 19, fault.TOO_LARGE), ("9" * 30, fault.TOO_LARGE), (float("nan"), fault.NOT_A_NUMBER),
        (float("inf"), fault.NOT_A_NUMBER), ("٣", fault.NOT_A_NUMBER), (fault.ERROR_CELL, fault.ERROR_CELL),
    ],
)  # fmt: skip
def test_numbers_that_are_refused(cell: object, bad: Bad) -> None:
    assert convert("amount", cell) == bad


def test_a_number_keeps_what_the_cell_shows() -> None:
    assert convert("memory_gb", 0.1 + 0.2) == Decimal("0.3")
    assert convert("memory_gb", "33.333333333333333") == Decimal("33.3333333333")
    assert convert("memory_gb", 999999999999999) == Decimal(999999999999999)
    assert convert("memory_gb", "1" * 29) == fault.TOO_LARGE


@given(st.decimals(min_value=-(10**12), max_value=10**12, places=4, allow_nan=False))
def test_a_number_reads_as_it_was_written(number: Decimal) -> None:
    assert convert("memory_gb", f"{number:f}") == number
    assert convert("memory_gb", f"{number:,f}") == number


@pytest.mark.parametrize(
    ("cell", "share"),
    [
        ("35%", "35"), ("0.35", "35"), ("35", "35"), ("35％", "35"), ("35 %", "35"), ("0.5%", "0.5"), ("1", "100"), ("0", "0"),
        ("1.01", "1.01"), ("100%", "100"), (0.35, "35"), (35, "35"), (1, "100"), (value.Percent(1.2), "120"), ("120%", "120"),
    ],
)  # fmt: skip
def test_shares(cell: object, share: str) -> None:
    assert convert("share_pct", cell) == Decimal(share)


@pytest.mark.parametrize("cell", ["三成", "35‰", "%", "35%%", "35 per cent"])
def test_shares_that_are_refused(cell: str) -> None:
    assert convert("share_pct", cell) == fault.NOT_A_SHARE


@pytest.mark.parametrize("cell", ["是", "1", "Y", "y", "true", "TRUE", "Ｙ", " 是 ", True, 1, 1.0])
def test_yes(cell: object) -> None:
    assert convert("is_open", cell) is True


@pytest.mark.parametrize("cell", ["否", "0", "N", "n", "false", "False", "０", False, 0, 0.0])
def test_no(cell: object) -> None:
    assert convert("is_open", cell) is False


@pytest.mark.parametrize("cell", ["2", "有", "不是", "ok", 2, 0.5, "1.0"])
def test_neither_yes_nor_no(cell: object) -> None:
    assert convert("is_open", cell) == fault.NOT_YES_NO


DATES = [
    "2022-06-30",
    "2022/6/30",
    "20220630",
    "2022年6月30日",
    "2022.6.30",
    "２０２２－０６－３０",
    "2022-6-30",
    "44742",
]


@pytest.mark.parametrize("cell", [*DATES, date(2022, 6, 30), datetime(2022, 6, 30), 44742, 44742.0, 20220630])
def test_dates(cell: object) -> None:
    assert convert("opened_on", cell) == day(2022, 6, 30)


@pytest.mark.parametrize(
    "cell",
    ["2022-06-30 00:00:00", "2022-06-30T00:00:00", "2022年6月30日 0:00", "20220630000000", "2022/6/30 00:00:00.000"],
)
def test_a_date_drops_midnight(cell: str) -> None:
    assert convert("opened_on", cell) == day(2022, 6, 30)


@pytest.mark.parametrize("cell", ["2022-06-30 09:30", "20220630093000", datetime(2022, 6, 30, 9, 30), 44742.5])
def test_a_date_refuses_another_time(cell: object) -> None:
    assert convert("opened_on", cell) == fault.TIME_IN_DATE


@pytest.mark.parametrize(
    "cell",
    [
        "22-06-30", "2022-13-01", "2022-02-30", "2022-06", "2022年六月三十日", "二〇二二年六月三十日", "2022-6/30", "30.06.2022",
        "2022-06-30 24:00:00", "2022-06-30T24:00", "0000-01-01", "00060", "60", 60, 0, -1, 1.5, 4474200, time(9, 30),
        timedelta(days=3), True, "2022-06-30 9", "2022-06-30  x", "2022-06-3１1", date(1900, 2, 1), 1656552600000,
    ],
)  # fmt: skip
def test_dates_that_are_refused(cell: object) -> None:
    assert convert("opened_on", cell) == fault.NOT_A_DATE


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("20220630T093000", "2022-06-30T09:30:00"),
        ("20220630093000", "2022-06-30T09:30:00"),
        ("2022-06-30 09:30:00", "2022-06-30T09:30:00"),
        ("2022-06-30T09:30:00", "2022-06-30T09:30:00"),
        ("2022/6/30 9:30", "2022-06-30T09:30:00"),
        ("2022年6月30日 9:30:15", "2022-06-30T09:30:15"),
        ("2022.6.30 09:30:15.25", "2022-06-30T09:30:15.250"),
        ("2022-06-30 09:30:15.123456", "2022-06-30T09:30:15.123456"),
        ("20220630 9:30", "2022-06-30T09:30:00"),
        ("2022-06-30", "2022-06-30T00:00:00"),
        ("44742", "2022-06-30T00:00:00"),
        (44742.395833333336, "2022-06-30T09:30:00"),
        (20220630093000, "2022-06-30T09:30:00"),
        (datetime(2022, 6, 30, 9, 30), "2022-06-30T09:30:00"),
        (date(2022, 6, 30), "2022-06-30T00:00:00"),
        ("２０２２－０６－３０　０９：３０", "2022-06-30T09:30:00"),
    ],
)
def test_times(cell: object, expected: str) -> None:
    assert convert("seen_at", cell) == instant(expected)


@pytest.mark.parametrize(
    "cell", ["2022-06-30 24:00:00", "2022-06-30 9:3", "2022-06-30 09:60", "09:30", "2022-06-30 9时"]
)
def test_times_that_are_refused(cell: str) -> None:
    assert convert("seen_at", cell) == fault.NOT_A_TIME


def test_an_offset_needs_the_contract() -> None:
    assert convert("seen_at", "2022-06-30T01:30:00Z") == fault.OFFSET
    assert convert("seen_at", "2022-06-30T09:30:00+08:00") == fault.OFFSET
    declared = contract(
        prop("code", "编号", primaryKey=True), prop("seen_at", "时间", logicalType="timestamp", allowOffset=True)
    )
    column = plan_of(declared).columns[1]
    for cell in ("2022-06-30T01:30:00Z", "2022-06-30 09:30:00+08:00", "2022-06-29T20:30:00 -0500"):
        assert convert("", cell, column=column) == instant("2022-06-30T09:30:00")
    assert convert("", "2022-06-30T01:30:00+99:00", column=column) == fault.NOT_A_TIME


@given(st.datetimes(min_value=datetime(1990, 1, 1), max_value=datetime(2100, 1, 1)))
def test_a_time_reads_as_it_was_written(moment: datetime) -> None:
    assert convert("seen_at", moment.isoformat(sep=" ")) == instant(moment.isoformat())
    seconds = moment.replace(microsecond=0)
    for form in ("%Y%m%d%H%M%S", "%Y%m%dT%H%M%S", "%Y/%m/%d %H:%M:%S", "%Y年%m月%d日 %H:%M:%S"):
        assert convert("seen_at", seconds.strftime(form)) == instant(seconds.isoformat())


@given(st.dates(min_value=date(1901, 1, 1), max_value=date(2100, 1, 1)))
def test_a_serial_is_the_day_it_stands_for(of: date) -> None:
    assert convert("opened_on", (of - date(1899, 12, 30)).days) == day(of.year, of.month, of.day)
    if of > date(1904, 3, 2):
        in_1904 = (of - date(1904, 1, 1)).days
        assert convert("opened_on", in_1904, value.Dialect(is_1904=True)) == day(of.year, of.month, of.day)


@given(st.text() | st.floats() | st.integers() | st.booleans() | st.none())
def test_no_cell_breaks_a_converter(cell: object) -> None:
    for column in COLUMNS.values():
        found = convert(column.name, cell)
        if isinstance(found, str):
            assert "\x00" not in found
            found.encode()  # holds no lone surrogate


@pytest.mark.parametrize(
    "cell",
    ["2022-06", "202206", "2022年6月", "2022/6", "2022.06", "2022-06-01", "２０２２－０６", 202206, date(2022, 6, 1)],
)
def test_months(cell: object) -> None:
    assert convert("month", cell) == day(2022, 6, 1)


@pytest.mark.parametrize(
    "cell", ["2022-13", "22-06", "六月", "2022-06-30", "202200", "0000-01", 202213, date(2022, 6, 2)]
)
def test_months_that_are_refused(cell: object) -> None:
    assert convert("month", cell) == fault.NOT_A_MONTH


def test_enumerations_map_spellings_to_the_label_and_pass_on_what_they_do_not_know() -> None:
    assert convert("level", "1") == "一级"
    assert convert("level", 2.0) == "二级"
    assert convert("level", "２") == "二级"
    assert convert("level", " 一级 ") == "一级"
    assert convert("level", "三级") == "三级"
    declared = contract(
        prop("code", "编号", primaryKey=True),
        prop("kind", "种类", format="enumeration", values={"无": ["/"], "A（甲）": []}),
    )
    column = plan_of(declared).columns[1]
    assert convert("", "/", column=column) == "无"
    assert convert("", "A(甲)", column=column) == "A（甲）"
    assert convert("", "-", column=column) is None


@pytest.mark.parametrize("cell", ["1.59E+17", "1.59e+17", "1.59E17", "4.40106198001011E+17", "1E+17"])
def test_a_code_in_scientific_notation_has_lost_its_digits(cell: str) -> None:
    for name in ("code", "mobile", "resident_id"):
        assert convert(name, cell) == fault.SCIENTIFIC
    assert convert("title", cell) == cell


def test_a_numeric_code_keeps_its_digits_or_is_refused() -> None:
    assert convert("code", 123456789012345.0) == "123456789012345"
    assert convert("code", 12.0) == "12"
    assert convert("code", 1.5e-7) == "0.00000015"
    assert convert("code", 440106198001011234.0) == fault.TOO_MANY_DIGITS
    assert convert("resident_id", 440106198001011234) == fault.TOO_MANY_DIGITS
    assert convert("code", date(2022, 6, 30)) == fault.NOT_A_CODE
    assert convert("title", date(2022, 6, 30)) == "2022-06-30"
    assert convert("code", "1E5") == "1E5"  # a code may look like this; 1.5E+5 may not


@pytest.mark.parametrize("cell", ["甲\x00", "甲\ufffd", "甲\ufeff乙", "甲\ud800", "a\x00"])
def test_damaged_text(cell: str) -> None:
    for name in ("code", "title", "amount", "opened_on", "content", "person_name"):
        assert convert(name, cell) == fault.DAMAGED_TEXT


def test_a_cell_of_more_than_100000_characters_is_bad() -> None:
    assert convert("title", "甲" * 100_000) == "甲" * 100_000
    assert convert("title", "甲" * 100_001) == fault.CELL_TOO_LONG


@pytest.mark.parametrize(
    ("name", "cell", "normal"),
    [
        ("mobile", " １３８００１３８０００ ", "13800138000"),
        ("resident_id", "11010519491231002x", "11010519491231002X"),
        ("person_name", " 张三 ", "张三"),
        ("person_name", "ａ", "ａ"),
    ],
)
def test_personal_values_become_tokens_of_their_normal_form(name: str, cell: str, normal: str) -> None:
    assert convert(name, cell) == normal
    reader = ColumnReader(COLUMNS[name], CSV, KEY, None)
    assert reader.read([cell]).values.to_pylist() == [token(KEY, normal)]


@pytest.mark.parametrize(
    ("name", "cell", "is_wrong"),
    [
        ("resident_id", "11010519491231002X", False),
        ("resident_id", "110105194912310021", True),
        ("resident_id", "440524188001010014", False),
        ("resident_id", "11010519491231", True),
        ("resident_id", "护照E123", True),
        ("mobile", "13800138000", False),
        ("mobile", "12800138000", True),
        ("mobile", "138-0013-8000", True),
        ("person_name", "1", False),
    ],
)
def test_wrong_identifiers_are_marked(name: str, cell: str, is_wrong: bool) -> None:
    found = convert(name, cell)
    assert isinstance(found, str)
    assert isinstance(found, value.Wrong) is is_wrong


def test_key_texts() -> None:
    declared = contract(
        prop("code", "编号", primaryKey=True, identifiesPerson=True),
        prop("on", "日期", logicalType="date", primaryKey=True),
        prop("at", "时间", logicalType="timestamp", primaryKey=True),
        prop("number", "数", logicalType="number", primaryKey=True),
        prop("count", "个数", logicalType="integer", primaryKey=True),
        prop("is_it", "是否", logicalType="boolean", primaryKey=True),
    )
    cells = ["U1", "2022/6/30", "2022-06-30 9:30", "1,000.50", "3.0", "是"]
    texts = [
        value.key_text(column, convert("", cell, column=column), KEY)
        for column, cell in zip(plan_of(declared).columns, cells, strict=True)
    ]
    assert texts == [token(KEY, "U1"), "2022-06-30", "2022-06-30T09:30:00", "1000.5", "3", "true"]
