"""Columns read at once: the kernels of Arrow agree with the converters, which read cell by cell."""

from __future__ import annotations

import sys
from dataclasses import replace
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from reading_files import KEY, SAMPLE, SHORT, csv_file, read_file

from halfyear.reading import column as columns
from halfyear.reading import csv_file as csv_module
from halfyear.reading.column import ColumnReader, Found, typed
from halfyear.reading.fault import Bad
from halfyear.reading.plan import Column, plan_of
from halfyear.reading.token import token
from halfyear.reading.value import Dialect, Wrong, converter

COLUMNS = {c.name: c for c in plan_of(SAMPLE).columns}
DIALECT = Dialect()

USUAL = [
    "", " ", "-", "—", "/", "无", "NA", "－", "／ ", "AB12", "ab12", "A-1", " A1", "A1\u3000", "１２", "1E5", "1.5E+17",
    "市教育局", "市教育局 ", "\x1c市教育局", "一二三四", "一二三四\u2003", "\x00一二三四", "一二\ufffd三四", "\ufeff一二三四五", "é́́́́",
    "0", "12", "-3", "+3", "1,234", "12.50", "0.1234567891", "0.12345678912", "1" * 15, "1" * 18, "1" * 19, "1" * 40, "0x1F",
    "2022-06-30", "2022-02-30", "2022-06-30 09:30:00", "2022-06-30T09:30:00", "2022-06-30 24:00:00", "2022-06-30 09:30",
    "2022-06-30 09:30:60", "0000-01-01 00:00:00", "0001-01-01 00:00:00", "9999-12-31 23:59:59", "2022-06-30 09+08:00",
    "2022-02-29 00:00:00", "20220630", "44742", "2022年6月30日", "2022/6/30 9:05:00", "2022-06-30 09:30:00.5", "是", "Y", "0",
    "一级", "1", "35%", "0.35", "202206", "13800138000", "12800138000", "1380013800٠", "44010119900101123X", "11010519491231002X", "110105194912310021",
    "11010519491231002x", "110105194902290021", "110105194912280024", "440101900101123", "9" * 200, "张三", "欧阳锋", "无名", "¨", "¨¨", "张¨",
    "无\u0301", "三 ", "\uf9d0\uf9d1",
]  # fmt: skip
TEXTS = st.one_of(st.sampled_from(USUAL), st.text(st.characters(exclude_categories=["Cs"]), max_size=8))


def one_by_one(column: Column, cells: list[Any], factor: Decimal | None = None) -> Found:
    read = converter(column, DIALECT, factor)
    values = [read(cell) for cell in cells]
    found = [None if isinstance(v, Bad) else v for v in values]
    if column.is_personal and not column.is_dropped:
        found = [None if v is None else token(KEY, str(v)) for v in found]
    return Found(
        typed(column, found),
        [(i, v) for i, v in enumerate(values) if isinstance(v, Bad)],
        [(i, v.is_legacy) for i, v in enumerate(values) if isinstance(v, Wrong)],
    )


@pytest.mark.parametrize("name", COLUMNS)
@pytest.mark.parametrize("is_varied", [True, False])
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.none() | TEXTS, max_size=12))
def test_texts(name: str, is_varied: bool, cells: list[str | None]) -> None:
    reader = ColumnReader(COLUMNS[name], DIALECT, KEY, None)
    reader._is_varied = is_varied
    expected = one_by_one(COLUMNS[name], cells)
    assert reader.read(pa.array(cells, pa.string())) == expected
    assert reader.read(pa.array(cells, pa.string()).dictionary_encode()) == expected
    assert reader.read(cells) == expected


@pytest.mark.parametrize("name", COLUMNS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.none() | TEXTS, max_size=12))
def test_different_texts_by_their_kernel(name: str, cells: list[str | None]) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(columns, "_FEW", 0)
        found = ColumnReader(COLUMNS[name], DIALECT, KEY, None).read(pa.array(cells, pa.string()).dictionary_encode())
    assert found == one_by_one(COLUMNS[name], cells)


@pytest.mark.parametrize("name", COLUMNS)
def test_each_text_alone(name: str) -> None:
    for text in USUAL:
        reader = ColumnReader(COLUMNS[name], DIALECT, KEY, None)
        reader._is_varied = True
        assert reader.read(pa.array([text, None])) == one_by_one(COLUMNS[name], [text, None]), text


def test_a_unit_in_the_header() -> None:
    reader = ColumnReader(COLUMNS["price"], DIALECT, KEY, Decimal(10000))
    assert reader.read(pa.array(["1.5"])).values.to_pylist() == [Decimal(15000)]


NUMBERS = st.one_of(
    st.floats(),
    st.integers(-(10**20), 10**20),
    st.sampled_from([3.0, 2.5, 1e15, -1e15, 44742.5, 20220630.0, 2.9999999999999996]),
)
MOMENTS = st.datetimes(datetime(1890, 1, 1), datetime(2100, 1, 1))


@pytest.mark.parametrize("name", COLUMNS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    cells=st.one_of(
        st.lists(st.none() | st.floats()),
        st.lists(st.none() | st.integers(-(10**20), 10**20)),
        st.lists(st.none() | MOMENTS),
        st.lists(st.none() | st.just("") | MOMENTS | st.dates(date(1890, 1, 1), date(2100, 1, 1))),
        st.lists(st.just("") | st.floats()),
        st.lists(st.none() | NUMBERS | MOMENTS | TEXTS | st.booleans() | st.dates(date(1890, 1, 1))),
    )
)
def test_cells_of_other_kinds(name: str, cells: list[Any]) -> None:
    assert ColumnReader(COLUMNS[name], DIALECT, KEY, None).read(cells) == one_by_one(COLUMNS[name], cells)


@pytest.mark.parametrize("name", COLUMNS)
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cells=st.lists(st.none() | st.dates(date(1890, 1, 1))))
def test_arrays_of_dates(name: str, cells: list[date | None]) -> None:
    found = ColumnReader(COLUMNS[name], DIALECT, KEY, None).read(pa.array(cells, pa.date32()))
    assert found == one_by_one(COLUMNS[name], cells)


def test_what_counts_as_space_is_what_python_strips() -> None:
    assert set(columns.WHITESPACE) == {c for c in map(chr, range(sys.maxunicode + 1)) if c.isspace()}


LINES = st.lists(
    st.sampled_from(
        [
            "A1,甲,1", "A2,甲乙丙丁,2", 'B1,"甲,乙",3', 'B2,"甲""乙",4', 'B3,甲"乙,5', 'B4,"甲"乙,6', 'B5,"甲\n乙",7', "C1,甲", "C2,甲,1,2",
            "", ",,", ",甲,", "合计,,9", "小计,,1", "备注：甲,,", "编号,名称,数量", "D1,\x00,1", "D2,\ufffd,1", " ,甲,1", "-,甲,1", ',"",', '"E1","甲","1"',
            "E2, 甲 ,x", "A1,甲,1",
        ]
    ),
    max_size=14,
)  # fmt: skip


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    lines=LINES,
    end=st.sampled_from(["\n", "\r\n"]),
    encoding=st.sampled_from(["utf-8", "gb18030"]),
    block=st.integers(16, 90),
)
def test_lines_at_once_are_lines_one_by_one(
    tmp_path: Path, lines: list[str], end: str, encoding: str, block: int
) -> None:
    """Whatever stands where a block ends."""
    path = csv_file(tmp_path, end.join(["编号,名称,数量", *lines]), encoding)
    source = SHORT.model_copy(update={"control_total": "warn"})

    def outcome() -> object:
        try:
            found = read_file(path, source)
        except Exception as error:
            return type(error), str(error)
        return found.rows, sorted(map(str, found.cells)), replace(found.summary, findings=())

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(csv_module, "_BLOCK", block)
        at_once = outcome()
        patch.setattr(csv_module._Lines, "_look", lambda self: vars(self).update(is_odd=True, has_damage=True))
        assert at_once == outcome()
