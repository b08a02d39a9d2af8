"""Parquet: typed columns, zones, ordinals, damage."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from reading_files import SAMPLE, local, parquet_file, read_file

from halfyear.errors import FileRefused


def one(folder: Path, name: str, value: Any) -> Any:
    """A row with one more column, as it is read; the rule when it is rejected."""
    columns: dict[str, Any] = {"code": ["A", "B"], "title": ["甲", "乙"]}
    columns[name] = value if isinstance(value, pa.Array | pa.ChunkedArray) else [value, None]
    read = read_file(parquet_file(folder, columns), SAMPLE)
    return read.rows[0][name] if read.account[1] == 2 else read.cells[0].rule


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("amount", 3.0, 3),
        ("amount", 2.5, "whole_number"),
        ("amount", float("nan"), "number_form"),
        ("amount", Decimal("7.00"), 7),
        ("amount", "1,234", 1234),
        ("memory_gb", Decimal("12345678901234.1234"), Decimal("12345678901234.1234")),
        ("share_pct", 0.35, 35),
        ("is_open", True, True),
        ("is_open", 1, True),
        ("is_open", "否", False),
        ("opened_on", date(2022, 6, 30), date(2022, 6, 30)),
        ("opened_on", datetime(2022, 6, 30), date(2022, 6, 30)),
        ("opened_on", datetime(2022, 6, 30, 1), "date_with_time"),
        ("opened_on", 20220630, date(2022, 6, 30)),
        ("opened_on", time(9, 30), "nested_value"),
        ("seen_at", datetime(2022, 6, 30, 9, 30), local("2022-06-30T09:30:00")),
        ("seen_at", datetime(2022, 6, 30, 16, 30, tzinfo=UTC), local("2022-07-01T00:30:00")),
        ("seen_at", "2022-06-30 09:30", local("2022-06-30T09:30:00")),
        ("month", date(2022, 6, 1), date(2022, 6, 1)),
        ("level", 1, "一级"),
        ("title", b"x", "nested_value"),
        ("title", ["x"], "nested_value"),
        ("title", {"a": 1}, "nested_value"),
        ("title", "甲\x00", "damaged_text"),
    ],
)
def test_types(tmp_path: Path, name: str, value: Any, expected: Any) -> None:
    assert one(tmp_path, name, value) == expected


def test_nanoseconds_and_dictionaries(tmp_path: Path) -> None:
    times = pa.array([1_656_552_600_123_456_789, None], pa.timestamp("ns"))
    assert one(tmp_path, "seen_at", times) == local("2022-06-30T01:30:00.123456")
    zoned = pa.array([1_656_552_600_123_456_789, None], pa.timestamp("ns", "UTC"))
    assert one(tmp_path, "seen_at", zoned) == local("2022-06-30T09:30:00.123456")
    assert one(tmp_path, "level", pa.array(["2", None]).dictionary_encode()) == "二级"
    assert one(tmp_path, "level", pa.array(["2", None], pa.large_string())) == "二级"
    assert one(tmp_path, "code", pa.array([440106198001011234, 1])) == "number_digits"


def test_rows_are_numbered_by_their_ordinal_over_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "sample.parquet"
    count = 45_000
    table = pa.table({"编号": [f"A{i}" for i in range(count)], "名称": ["甲"] * count, "数量": list(range(count))})
    pq.write_table(table, path, row_group_size=7_000)
    read = read_file(path)
    assert [row["row_number"] for row in read.rows] == list(range(1, count + 1))
    assert read.rows[-1]["amount"] == count - 1
    assert read.summary.header_row is None


@pytest.mark.parametrize("different", [3, 2_000, 30_000])
def test_texts_that_repeat_are_read_as_if_they_stood_in_every_row(tmp_path: Path, different: int) -> None:
    """Few are read one by one, many by a kernel, and of too many the file keeps no list."""
    odd = [None, "", " 合计 ", "１２", "x\x00", "Ａ-1 "]
    count = 60_000
    columns = {
        "编号": [f"A{i % different}" for i in range(count)],
        "名称": [odd[i % 6] if i % 7 == 0 else f"名称 {i % different}" for i in range(count)],
        "数量": [odd[i % 6] if i % 11 == 0 else str(i % different) for i in range(count)],
        "姓名": [odd[i % 6] if i % 13 == 0 else f"张{i % different}" for i in range(count)],
    }
    columns["编号"][5], columns["编号"][6], columns["编号"][7] = None, " ", "小计"

    def outcome(**options: Any) -> object:
        path = tmp_path / "sample.parquet"
        pq.write_table(pa.table(columns), path, **options)
        read = read_file(path, SAMPLE)
        return read.rows, list(map(str, read.cells)), read.summary

    assert outcome(row_group_size=40_000) == outcome(use_dictionary=False)


def test_a_row_of_nulls_is_blank_and_a_total_a_total(tmp_path: Path) -> None:
    columns = {
        "编号": ["A", None, "B", "合计", None],
        "名称": ["甲", None, "乙", None, None],
        "数量": [1, None, 2, 3, None],
    }
    assert read_file(parquet_file(tmp_path, columns)).account == (4, 2, 0, 2)


def test_a_missing_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        read_file(parquet_file(tmp_path, {"编号": ["A"], "数量": [1]}))
    assert (refused.value.finding.rule, refused.value.finding.column) == ("column_missing", "名称")


def test_damage_is_a_fault_of_the_file(tmp_path: Path) -> None:
    path = parquet_file(tmp_path, {"编号": ["A", "B"] * 1000, "名称": ["甲", "乙"] * 1000, "数量": [1, 2] * 1000})
    whole = path.read_bytes()
    for damaged in (
        whole[:-4],
        whole[: len(whole) // 2],
        b"PAR1" + b"\xff" * 200 + whole[204:],
        whole[:50] + whole[-4:],
    ):
        path.write_bytes(damaged)
        with pytest.raises(FileRefused, match="damaged_file"):
            read_file(path)
