"""Resident and mobile numbers: judged by the reader, before they become tokens.

Unified social credit codes and region codes are judged in PostgreSQL: tests/integration/test_identifiers.py.
"""

from __future__ import annotations

from datetime import date

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from reading_files import KEY, contract, prop

from halfyear.reading import value
from halfyear.reading.column import ColumnReader, Found
from halfyear.reading.plan import plan_of
from halfyear.reading.token import token
from halfyear_demo.city import REGION_CODE

PERSONS = contract(
    prop("code", "编号", format="code", primaryKey=True),
    prop("resident_id", "身份证号", format="resident_id", classification="personal"),
    prop("mobile", "手机号", format="mobile", classification="personal"),
)
_COLUMNS = {c.name: c for c in plan_of(PERSONS).columns}

#: GB 11643-1999, 4.2: the weights, and the check characters by remainder.
WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
CHECKS = "10X98765432"


def read(name: str, cell: object, is_varied: bool = False) -> Found:
    """The cell in a column of its own; ``is_varied``: as one of many different ones, which kernels read."""
    reader = ColumnReader(_COLUMNS[name], value.Dialect(), KEY, None)
    reader._is_varied = is_varied
    return reader.read(pa.array([cell]) if is_varied else [cell])


def judged(name: str, cell: object) -> str:
    """right, wrong or legacy; whatever it is, the token is that of the number as it was written."""
    found = read(name, cell)
    assert found.values.to_pylist() == [token(KEY, str(cell).strip().upper())]
    assert not isinstance(cell, str) or read(name, cell, is_varied=True) == found
    if not found.wrong:
        return "right"
    return "legacy" if found.wrong[0][1] else "wrong"


def with_check(body: str) -> str:
    return body + CHECKS[sum(w * int(c) for w, c in zip(WEIGHTS, body, strict=True)) % 11]


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("11010519491231002X", "right"),  # the examples of GB 11643-1999
        ("440524188001010014", "right"),
        ("11010519491231002x", "right"),
        (with_check("44128920000229001"), "right"),  # a leap day
        ("110105194912310021", "wrong"),  # check digit
        (with_check("11010519491331002"), "wrong"),  # month 13
        (with_check("11010519490229002"), "wrong"),  # no leap year
        (with_check("11010500000101002"), "wrong"),
        ("1101051949123100X2", "wrong"),
        ("X1010519491231002X", "wrong"),
        ("1101051949123100", "wrong"),
        ("110105194912310021X", "wrong"),
        ("110105491231002", "legacy"),
        (110105491231002, "legacy"),  # 15 digits survive in a numeric cell
        (110105491231002.0, "legacy"),
        ("110105491331002", "wrong"),  # 15 digits, but no day
        ("110105000229002", "wrong"),  # 1900 was no leap year
        ("11010549123100X", "wrong"),
        ("护照E12345678", "wrong"),
    ],
)
def test_resident_numbers(number: object, verdict: str) -> None:
    if isinstance(number, float):
        assert read("resident_id", number).wrong
        return
    assert judged("resident_id", number) == verdict


@given(
    region=st.integers(110000, 829999), born_on=st.dates(date(1900, 1, 1), date(2022, 6, 30)), no=st.integers(0, 999)
)
def test_every_number_of_the_standard_is_right_and_no_other_check_digit_is(region: int, born_on: date, no: int) -> None:
    number = with_check(f"{region}{born_on:%Y%m%d}{no:03d}")
    assert [c for c in "0123456789X" if judged("resident_id", number[:17] + c) == "right"] == [number[17]]


@given(born_on=st.dates(date(1900, 1, 1), date(1999, 12, 31)), no=st.integers(0, 999))
def test_a_number_of_15_digits_is_never_made_into_18(born_on: date, no: int) -> None:
    legacy = f"{REGION_CODE}{born_on:%y%m%d}{no:03d}"
    assert judged("resident_id", legacy) == "legacy"
    eighteen = with_check(f"{REGION_CODE}{born_on:%Y%m%d}{no:03d}")
    assert read("resident_id", legacy).values.to_pylist() != [token(KEY, eighteen)]


@pytest.mark.parametrize(
    ("number", "verdict"),
    [
        ("13800138000", "right"),
        ("19912345678", "right"),
        (13800138000, "right"),
        ("12800138000", "wrong"),
        ("1380013800", "wrong"),
        ("138001380001", "wrong"),
        ("+8613800138000", "wrong"),
        ("138 0013 8000", "wrong"),
        ("075722830000", "wrong"),
    ],
)
def test_mobile_numbers(number: object, verdict: str) -> None:
    assert judged("mobile", number) == verdict


def test_a_number_of_full_width_digits_is_the_same_number() -> None:
    found = read("resident_id", "１１０１０５１９４９１２３１００２Ｘ")
    assert found.values.to_pylist() == [token(KEY, "11010519491231002X")]
    assert not found.wrong
