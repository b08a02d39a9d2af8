"""JSON lines: a strict object per line."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from reading_files import SAMPLE, SHORT, jsonl_file, local, read_file

from halfyear.errors import FileRefused


@pytest.mark.parametrize(
    "line",
    [
        '{"code": "B", "title": ',
        '{"code": "B"} {}',
        "[1, 2]",
        '"text"',
        "12",
        "null",
        "B,乙,2",
        '{"code": "B", "code": "C"}',
        '{"code": "B", "amount": NaN}',
        '{"code": "B", "amount": Infinity}',
        "{'code': 'B'}",
        '{"code": "B",}',
        '{"code": "B\t"}',
        '{"amount": ' + "1" * 5000 + "}",
        "[" * 100_000,
    ],
)
def test_a_broken_line_is_a_bad_row(tmp_path: Path, line: str) -> None:
    read = read_file(jsonl_file(tmp_path, {"code": "A", "title": "甲"}, line, {"code": "C", "title": "丙"}))
    assert read.account == (3, 2, 1, 0)
    assert read.rejected == [(2, None, "json_line")]
    assert read.cells[0].record_key is None


def test_an_array_refuses_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="json_array"):
        read_file(jsonl_file(tmp_path, '[{"code": "A", "title": "甲"}]'))


def test_blank_lines_are_skipped_and_numbers_are_lines(tmp_path: Path) -> None:
    read = read_file(jsonl_file(tmp_path, {"code": "A", "title": "甲"}, "", "  ", {"code": "B", "title": "乙"}, "", ""))
    assert read.account == (4, 2, 0, 2)
    assert [row["row_number"] for row in read.rows] == [1, 4]


def test_types_of_json(tmp_path: Path) -> None:
    values = {
        "code": 12, "title": 3.5, "amount": 3.0, "memory_gb": 0.1, "share_pct": 0.35, "is_open": True,
        "opened_on": 20220630, "seen_at": "2022-06-30T09:30:00", "level": 2, "mobile": 13800138000, "content": None,
    }  # fmt: skip
    (row,) = read_file(jsonl_file(tmp_path, values), SAMPLE).rows
    assert (row["code"], row["title"], row["amount"], row["level"]) == ("12", "3.5", 3, "二级")
    assert (row["memory_gb"], row["share_pct"], row["is_open"]) == (Decimal("0.1"), 35, True)
    assert str(row["opened_on"]) == "2022-06-30"
    assert row["seen_at"] == local("2022-06-30T09:30:00")


@pytest.mark.parametrize(
    ("name", "cell", "rule"),
    [
        ("title", {"a": 1}, "nested_value"),
        ("title", ["a"], "nested_value"),
        ("code", 440106198001011234, "number_digits"),
        ("code", 1.59e17, "number_digits"),
        ("title", "甲\ud800", "damaged_text"),
        ("title", "甲\x00", "damaged_text"),
        ("title", "甲" * 100_001, "cell_too_long"),
        ("amount", True, "number_form"),
        ("amount", 2.5, "whole_number"),
        ("code", None, "key_missing"),
        ("code", "", "key_missing"),
    ],
)
def test_bad_cells(tmp_path: Path, name: str, cell: object, rule: str) -> None:
    import json

    bad = json.dumps({"code": "B", "title": "乙", name: cell})  # escapes lone surrogates
    read = read_file(jsonl_file(tmp_path, {"code": "A", "title": "甲"}, bad))
    assert read.rejected == [(2, name, rule)]


def test_an_empty_object_lacks_its_key(tmp_path: Path) -> None:
    assert read_file(jsonl_file(tmp_path, {"code": "A", "title": "甲"}, {})).rejected == [(2, "code", "key_missing")]


def test_columns_are_judged_over_all_lines(tmp_path: Path) -> None:
    read = read_file(jsonl_file(tmp_path, {"code": "A", "色": 1}, {"代码": "B", "名称": "乙"}), SAMPLE)
    assert read.account == (2, 2, 0, 0)
    assert read.summary.unknown_columns == ("色",)
    assert "数量" in read.summary.missing_columns
    with pytest.raises(FileRefused) as refused:
        read_file(jsonl_file(tmp_path, {"code": "A"}, {"code": "B"}), SHORT)
    assert (refused.value.finding.rule, refused.value.finding.column) == ("column_missing", "名称")


def test_two_names_for_one_property_refuse_the_file(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="column_twice"):
        read_file(jsonl_file(tmp_path, {"编号": "A", "代码": "B", "名称": "甲"}), SAMPLE)


def test_a_unit_in_a_name_is_read(tmp_path: Path) -> None:
    line = {"code": "A", "title": "甲", "金额(万元)": 1.5}
    assert read_file(jsonl_file(tmp_path, line), SAMPLE).rows[0]["price"] == 15000
    with pytest.raises(FileRefused, match="column_twice"):
        read_file(jsonl_file(tmp_path, line, {"code": "B", "title": "乙", "金额(元)": 1}), SAMPLE)


def test_a_total_in_a_key_is_data_here(tmp_path: Path) -> None:
    """No interface sends lines for people."""
    assert read_file(jsonl_file(tmp_path, {"code": "合计", "title": "甲", "amount": 1})).account == (1, 1, 0, 0)


def test_only_utf8(tmp_path: Path) -> None:
    path = tmp_path / "sample.jsonl"
    path.write_bytes('{"code": "A", "title": "甲"}\n{"code": "B", "title": "乙"}\n'.encode("gb18030"))
    with pytest.raises(FileRefused) as refused:
        read_file(path)
    assert (refused.value.finding.rule, refused.value.finding.row) == ("undecodable", 1)
    path.write_bytes('\ufeff{"code": "A", "title": "甲"}\r\n'.encode())
    assert read_file(path).account == (1, 1, 0, 0)
