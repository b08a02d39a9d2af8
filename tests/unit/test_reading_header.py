"""The header: found below titles, matched exactly, never loosely."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from reading_files import PROPERTIES, SAMPLE, SHORT, contract, csv_file, jsonl_file, parquet_file, prop, read_file

from halfyear.errors import FileRefused
from halfyear.reading.header import Matcher
from halfyear.reading.plan import plan_of

MATCHER = Matcher(plan_of(SAMPLE))


def found(text: str) -> str | None:
    match = MATCHER.find(text)
    return match[0].name if match else None


@pytest.mark.parametrize(
    "text",
    [
        "编号",
        " 编 号 ",
        "*编号",
        "编号*",
        "＊编号",
        "编\n号",
        "编\u3000号",
        "代码",
        "code",
        "CODE",
        "编号(必填)",
        "编号（选填）",
    ],
)
def test_spellings_of_one_header(text: str) -> None:
    assert found(text) == "code"


@pytest.mark.parametrize(
    "text", ["数量(个)", "数量（个）", "数量【条】", "数量（单位：个）", "*数量 (件)", "数量(个)(必填)", "amount"]
)
def test_brackets_with_a_unit_are_stripped(text: str) -> None:
    assert found(text) == "amount"


@pytest.mark.parametrize(
    "text",
    [
        "数量(万)",
        "数量(元)",
        "数量(单位:千只)",
        "数量(计划)",
        "数量2",
        "数量合计",
        "总数量",
        "编号(旧)",
        "启用日期(计划)",
        "比例(‰)",
    ],
)
def test_other_brackets_make_another_column(text: str) -> None:
    assert found(text) is None


def test_brackets_that_belong_to_the_header_stay() -> None:
    assert found("内存（GB）") == "memory_gb"
    assert found("内存(gb)") == "memory_gb"
    assert found("内存(MB)") is None
    assert found("内存(单位:MB)") is None
    assert found("内存(个)") is None
    assert found("内存(计划)") is None


@pytest.mark.parametrize(
    "text", ["内存(单位：GB)", "内存", "内存【GB】", "内存（GB）", "内存(单位:GB)(必填)", "内存(必填)", "内存(数值型)"]
)
def test_the_unit_in_the_contracts_own_header_is_compared_as_a_unit(text: str) -> None:
    assert found(text) == "memory_gb"


def test_a_header_without_its_unit_stands_for_one_column_only(tmp_path: Path) -> None:
    source = contract(
        prop("code", "编号", primaryKey=True),
        prop("memory_gb", "内存(GB)", logicalType="number"),
        prop("memory_mb", "内存(MB)", logicalType="number"),
        prop("storage_gb", "存储(GB)", logicalType="number", unit="GB"),
        prop("planned_on", "日期(计划)", logicalType="date"),
    )
    matcher = Matcher(plan_of(source))
    names = {t: (matcher.find(t) or [None])[0] for t in ("内存", "内存(单位:MB)", "存储(单位：GB)", "日期", "存储")}
    assert {text: column and column.name for text, column in names.items()} == {
        "内存": None,
        "内存(单位:MB)": "memory_mb",
        "存储(单位：GB)": "storage_gb",
        "日期": None,
        "存储": "storage_gb",
    }


@pytest.mark.parametrize(("other", "value"), [("内存(GB)", 2), ("内存(MB)", None), ("颜色", 1)])
def test_a_header_without_its_unit_stands_back_beside_one_with_a_unit(
    tmp_path: Path, other: str, value: int | None
) -> None:
    read = read_file(csv_file(tmp_path, f"编号,名称,内存,{other}\nA,甲,1,2\n"), SAMPLE)
    assert read.rows[0]["memory_gb"] == value


def test_json_lines_do_not_mix_names_with_and_without_unit(tmp_path: Path) -> None:
    first, second = {"编号": "A", "名称": "甲", "内存": 1}, {"编号": "B", "名称": "乙", "内存(GB)": 1}
    assert read_file(jsonl_file(tmp_path, first), SAMPLE).rows[0]["memory_gb"] == 1
    with pytest.raises(FileRefused, match="column_twice"):
        read_file(jsonl_file(tmp_path, first, second), SAMPLE)


def test_the_unit_is_read_where_the_contract_says_so() -> None:
    for text, factor in (("金额（元）", None), ("金额(万元)", Decimal(10000)), ("金额(单位:万元)", Decimal(10000))):
        match = MATCHER.find(text)
        assert match is not None
        assert (match[0].name, match[1]) == ("price", factor)
    assert found("金额") is None
    assert found("金额(亿元)") is None
    assert found("price") == "price"


@pytest.mark.parametrize("hint", ["YYYY-MM-DD", "日期格式", "格式：YYYYMMDD", "文本格式"])
def test_a_pattern_in_brackets_is_no_other_column(hint: str) -> None:
    assert found(f"启用日期（{hint}）") == "opened_on"


@pytest.mark.parametrize(("hint", "name"), [("18位", "code"), ("18位数字", "code"), ("18", None), ("第18位", None)])
def test_a_length_in_brackets_is_no_other_column(hint: str, name: str | None) -> None:
    assert found(f"编号（{hint}）") == name


def test_a_factor_reaches_the_values(tmp_path: Path) -> None:
    text = '编号,名称,金额（万元）\nA,甲,1.5\nB,乙,"1,000"\n合计,,1001.5\n'
    assert [row["price"] for row in read_file(csv_file(tmp_path, text), SAMPLE).rows] == [
        Decimal(15000),
        Decimal(10_000_000),
    ]


@pytest.mark.parametrize("titles", [0, 1, 2, 29])
def test_the_header_is_found_within_30_rows(tmp_path: Path, titles: int) -> None:
    read = read_file(csv_file(tmp_path, "某市清单,,\n" * titles + "编号,名称,数量\nA,甲,1\n"))
    assert read.summary.header_row == titles + 1
    assert read.account == (1, 1, 0, 0)
    assert read.rows[0]["row_number"] == titles + 2


def test_a_header_below_row_30_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="header_missing"):
        read_file(csv_file(tmp_path, "标题\n" * 30 + "编号,名称,数量\nA,甲,1\n"))


def test_a_missing_required_column_is_named(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        read_file(csv_file(tmp_path, "标题\n编号,名字,数量\nA,甲,1\n"))
    finding = refused.value.finding
    assert (finding.rule, finding.severity, finding.column, finding.row) == ("column_missing", "critical", "名称", 2)
    assert "名字" in finding.reason_zh
    assert finding.remedy_zh
    assert finding.remedy_en


def test_two_columns_for_one_property_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        read_file(csv_file(tmp_path, "编号,代码,名称\nA,B,甲\n"), SAMPLE)
    assert refused.value.finding.rule == "column_twice"
    assert refused.value.finding.column == "编号"


def test_two_parquet_columns_for_one_property_are_refused(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="column_twice"):
        read_file(parquet_file(tmp_path, {"编号": ["A"], "code": ["B"], "名称": ["甲"]}))


def test_unknown_columns_are_ignored_and_recorded_and_missing_optional_ones_load_as_null(tmp_path: Path) -> None:
    read = read_file(csv_file(tmp_path, "编号,名称,颜色,\nA,甲,红,x\nB,乙,蓝,\n"))
    assert read.summary.unknown_columns == ("颜色", "#4")
    assert read.summary.missing_columns == ("数量",)
    assert [row["amount"] for row in read.rows] == [None, None]
    assert [f.severity for f in read.remarks("column_missing")] == ["warning"]
    assert [f.severity for f in read.remarks("column_unknown")] == ["info", "info"]


def test_names_of_columns_that_may_be_values_are_hidden(tmp_path: Path) -> None:
    names = ["颜色", "13800138000", "138-0013-8000", "批次202206", "批次２０２２０６", "说" * 21, "说" * 20]
    shown = ("颜色", "***", "说" * 20)
    read = read_file(csv_file(tmp_path, f"编号,名称,{','.join(names)}\nA,甲{',1' * len(names)}\n"))
    assert read.summary.unknown_columns == shown
    assert [(f.reason_en.split()[2], f.count) for f in read.remarks("column_unknown")] == [
        ("颜色", 1),
        ("***", 5),
        ("说" * 20, 1),
    ]
    line = {"编号": "A", "名称": "甲", **dict.fromkeys(names, 1)}
    assert read_file(jsonl_file(tmp_path, line)).summary.unknown_columns == shown
    with pytest.raises(FileRefused) as refused:
        read_file(csv_file(tmp_path, "编号,数量,13800138000\nA,1,1\n"))
    assert "***" in refused.value.finding.reason_zh
    assert "13800138000" not in str(refused.value)


def test_columns_may_come_in_any_order(tmp_path: Path) -> None:
    read = read_file(csv_file(tmp_path, "数量,名称,编号\n1,甲,A\n"))
    assert read.rows == [{"row_number": 2, "record_key": "A", "code": "A", "title": "甲", "amount": 1}]


def test_headers_of_one_contract_never_claim_the_same_cell() -> None:
    """Every declared header finds its own property, with full-width brackets too."""
    for facts in PROPERTIES:
        for header in (facts["businessName"], *facts.get("aliases", ())):
            assert found(header) == found(header.replace("(", "（").replace(")", "）")) == facts["name"]


def test_a_similar_name_is_another_column() -> None:
    matcher = Matcher(
        plan_of(contract(prop("a", "发布日期", primaryKey=True), prop("b", "发布日期(计划)"), prop("c", "发布")))
    )
    names = {
        text: (matcher.find(text) or [None])[0]
        for text in ("发布日期", "发布日期（计划）", "发布", "发布 日期", "日期")
    }
    assert {text: column and column.name for text, column in names.items()} == {
        "发布日期": "a",
        "发布日期（计划）": "b",
        "发布": "c",
        "发布 日期": "a",
        "日期": None,
    }


def test_a_wrongly_decoded_header_says_how_it_was_decoded(tmp_path: Path) -> None:
    with pytest.raises(FileRefused) as refused:
        read_file(csv_file(tmp_path, "編號,名稱,數量\nA,甲,1\n", "big5"), SHORT)
    assert "gb18030" in refused.value.finding.reason_zh
