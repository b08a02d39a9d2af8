"""Which row is what: data, totals, notes, repeated headers, blanks; and every row is counted once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_files import (
    KEY,
    SAMPLE,
    SHORT,
    SHORT_EVENTS,
    Read,
    contract,
    csv_file,
    jsonl_file,
    parquet_file,
    prop,
    read_file,
    workbook,
)

from halfyear.contract import Contract
from halfyear.errors import FileRefused, Finding
from halfyear.reading import fault
from halfyear.reading.plan import plan_of
from halfyear.reading.token import token

Lines = list[list[str]]


def as_csv(folder: Path, lines: Lines) -> Path:
    return csv_file(folder, "".join(",".join(line) + "\n" for line in lines))


def as_workbook(folder: Path, lines: Lines) -> Path:
    return workbook(folder, [[cell or None for cell in line] for line in lines])


both = pytest.mark.parametrize("write", [as_csv, as_workbook])
Write = Callable[[Path, Lines], Path]
HEAD = ["编号", "名称", "数量"]


def refused(path: Path, source: Contract = SHORT) -> Finding:
    with pytest.raises(FileRefused) as error:
        read_file(path, source)
    return error.value.finding


@both
def test_every_row_below_the_header_down_to_the_last_non_empty_one_is_counted(tmp_path: Path, write: Write) -> None:
    lines = [
        ["某市清单", "", ""],
        HEAD,
        ["A", "甲", "1"],
        ["", "", ""],
        HEAD,
        ["B", "乙", "2"],
        ["", "丙", "3"],
        ["合计", "", "6"],
        ["填报人：张三", "", "审核人：李四"],
        ["", "", ""],
        ["", "", ""],
    ]
    read = read_file(write(tmp_path, lines))
    assert read.account == (7, 2, 1, 4)
    assert [row["row_number"] for row in read.rows] == [3, 6]
    assert read.rejected == [(7, "code", "key_missing")]
    assert read.summary.header_row == 2


@both
@pytest.mark.parametrize("label", ["合计", "总计", "小计", "合 计", "合计：", " 总计:", "合\u3000计"])
@pytest.mark.parametrize("place", [0, 1])
def test_totals(tmp_path: Path, write: Write, label: str, place: int) -> None:
    total = ["", "", "3"]
    total[place] = label
    read = read_file(write(tmp_path, [HEAD, ["A", "甲", "1"], ["B", "乙", "2"], total]))
    assert read.account == (3, 2, 0, 1)


def test_a_row_with_a_key_is_no_total(tmp_path: Path) -> None:
    source = contract(
        prop("name", "名称", format="name", primaryKey=True),
        prop("code", "编号", format="code", primaryKey=True),
        prop("amount", "数量", logicalType="integer"),
    )
    path = as_csv(tmp_path, [["名称", "编号", "数量"], ["合计", "A", "1"], ["合计", "/", "1"]])
    assert read_file(path, source).account == (2, 1, 0, 1)


@both
def test_a_control_total_that_differs_refuses_the_file(tmp_path: Path, write: Write) -> None:
    finding = refused(write(tmp_path, [HEAD, ["A", "甲", "1"], ["B", "乙", "2"], ["合计", "", "4"]]))
    assert (finding.rule, finding.row, finding.column) == ("control_total", 4, "amount")
    assert "4" in finding.reason_zh
    assert "3" in finding.reason_zh


def test_a_contract_may_only_warn_of_a_control_total(tmp_path: Path) -> None:
    source = contract(
        prop("code", "编号", primaryKey=True), prop("amount", "数量", logicalType="integer"), control_total="warn"
    )
    read = read_file(as_csv(tmp_path, [["编号", "数量"], ["A", "1"], ["合计", "4"]]), source)
    assert read.account == (2, 1, 0, 1)
    assert [f.severity for f in read.remarks("control_total")] == ["warning"]


@pytest.mark.parametrize(
    ("total", "is_right"),
    [("33.3", True), ("33.34", False), ("33", True), ("33.35", False), ("33.33", True), ("34", False)],
)
def test_the_tolerance_is_half_a_unit_of_the_last_printed_digit(tmp_path: Path, total: str, is_right: bool) -> None:
    source = contract(prop("code", "编号", primaryKey=True), prop("amount", "数量", logicalType="number"))
    path = as_csv(tmp_path, [["编号", "数量"], ["A", "11.111"], ["B", "22.222"], ["合计", total]])
    if is_right:
        assert read_file(path, source).account == (3, 2, 0, 1)
    else:
        assert refused(path, source).rule == "control_total"


def test_rejected_rows_count_in_the_control_total(tmp_path: Path) -> None:
    read = read_file(as_csv(tmp_path, [HEAD, ["A", "甲", "1"], ["", "乙", "2"], ["合计", "", "3"]]))
    assert read.account == (3, 1, 1, 1)
    assert not read.summary.findings


def test_a_total_over_rows_that_cannot_be_read_is_not_comparable(tmp_path: Path) -> None:
    read = read_file(as_csv(tmp_path, [HEAD, ["A", "甲", "1"], ["B", "乙", "x"], ["C", "2"], ["合计", "", "9"]]))
    assert read.account == (4, 1, 2, 1)
    assert len(read.remarks("control_total_not_comparable")) == 1


def test_a_total_that_cannot_be_read_is_remarked(tmp_path: Path) -> None:
    read = read_file(as_csv(tmp_path, [HEAD, ["A", "甲", "1"], ["合计", "", "1个"]]))
    assert len(read.remarks("control_total_unreadable")) == 1


def test_shares_have_no_control_total(tmp_path: Path) -> None:
    path = as_csv(tmp_path, [["编号", "名称", "比例"], ["A", "甲", "50%"], ["B", "乙", "20%"], ["合计", "", "35%"]])
    assert read_file(path, SAMPLE).account == (3, 2, 0, 1)


@pytest.mark.parametrize(
    ("subtotals", "outcome"), [(("1", "2"), "right"), (("1", "3"), "warned"), (("3",), "right"), (("4",), "refused")]
)
def test_subtotals_speak_for_the_rows_since_the_one_before(
    tmp_path: Path, subtotals: tuple[str, ...], outcome: str
) -> None:
    lines = [HEAD, ["A", "甲", "1"]]
    if len(subtotals) == 2:
        lines.append(["小计", "", subtotals[0]])
    lines += [["B", "乙", "2"], ["小计", "", subtotals[-1]]]
    path = as_csv(tmp_path, lines)
    if outcome == "refused":
        assert refused(path).rule == "control_total"
    else:
        read = read_file(path)
        assert len(read.remarks("control_total")) == (outcome == "warned")
        assert read.account == (2 + len(subtotals), 2, 0, len(subtotals))


@both
@pytest.mark.parametrize(
    "note",
    [
        "填报人：张三",
        "备注：截至6月底",
        "说明：无",
        "审核人:李四",
        "制表：王五",
        "注：含下属单位",
        "注:x",
        "制表人 赵六",
        "数据来源：平台",
    ],
)
def test_notes_below_the_data(tmp_path: Path, write: Write, note: str) -> None:
    for line in ([note, "", ""], ["", note, ""]):
        read = read_file(write(tmp_path, [HEAD, ["A", "甲", "1"], line]))
        assert read.account == (2, 1, 0, 1)


@both
def test_a_note_may_take_several_cells(tmp_path: Path, write: Write) -> None:
    for line in (["填报人", "张三", ""], ["填报人 张三", "", "审核人 李四"], ["", "填报人：张三", "2022"]):
        assert read_file(write(tmp_path, [HEAD, ["A", "甲", "1"], line])).account == (2, 1, 0, 1)


def test_a_body_without_code_is_no_note_whatever_it_is_called(tmp_path: Path) -> None:
    source = contract(
        prop("body_name", "单位名称", format="name", required=True),
        prop("body_code", "代码", format="code", primaryKey=True),
        prop("due", "应编目数", logicalType="integer"),
    )
    names = ["编制委员会办公室", "审核中心", "说明书出版社"]
    lines = [["单位名称", "代码", "应编目数"], ["甲局", "A", "1"], *([name, "", "1"] for name in names)]
    read = read_file(as_csv(tmp_path, lines), source)
    assert read.account == (4, 1, 3, 0)


def test_a_note_in_a_csv_may_be_a_field_of_its_own(tmp_path: Path) -> None:
    assert read_file(csv_file(tmp_path, "编号,名称,数量\nA,甲,1\n填报人：张三\n")).account == (2, 1, 0, 1)


@both
def test_a_lone_cell_without_key_is_a_note_at_the_end_only(tmp_path: Path, write: Write) -> None:
    lone = ["", "本表由市政数局提供", ""]
    assert read_file(write(tmp_path, [HEAD, ["A", "甲", "1"], lone, lone])).account == (3, 1, 0, 2)
    read = read_file(write(tmp_path, [HEAD, lone, ["A", "甲", "1"]]))
    assert read.account == (2, 1, 1, 0)
    assert read.rejected == [(2, "code", "key_missing")]


@both
def test_a_row_that_only_lacks_its_key_is_bad_and_no_note(tmp_path: Path, write: Write) -> None:
    read = read_file(write(tmp_path, [HEAD, ["A", "甲", "1"], ["", "乙", "2"]]))
    assert read.rejected == [(3, "code", "key_missing")]


def test_a_row_of_data_may_begin_like_a_note(tmp_path: Path) -> None:
    """Its required cells are there, so it is data."""
    assert read_file(as_csv(tmp_path, [HEAD, ["备注表001", "甲", "1"]])).account == (1, 1, 0, 0)
    source = contract(prop("title", "名称", format="name"), prop("code", "编号", primaryKey=True))
    assert read_file(as_csv(tmp_path, [["名称", "编号"], ["说明书目录", "A"]]), source).account == (1, 1, 0, 0)


def test_rows_of_one_cell_with_a_key_are_never_notes(tmp_path: Path) -> None:
    """Its record would end if the row were skipped; that its name is missing is judged in the warehouse."""
    assert read_file(as_csv(tmp_path, [HEAD, ["A", "甲", "1"], ["B", "", ""]])).account == (2, 2, 0, 0)


@both
def test_a_register_without_data_comes_through_with_no_rows(tmp_path: Path, write: Write) -> None:
    """The judge refuses it, and an operator can accept it."""
    for lines, skipped in (
        ([HEAD], 0),
        ([HEAD, ["", "", ""]], 0),
        ([HEAD, ["填报人：张三", "", ""]], 1),
        ([HEAD, ["合计", "", "0"], ["备注：本期无", "", ""]], 2),
    ):
        assert read_file(write(tmp_path, lines)).account == (skipped, 0, 0, skipped)
    assert read_file(parquet_file(tmp_path, {"编号": [], "名称": []})).account == (0, 0, 0, 0)
    assert refused(write(tmp_path, [["填报人：张三"]])).rule == "header_missing"
    assert refused(write(tmp_path, [HEAD, ["合计", "", "7"]])).rule == "control_total"


@both
def test_events_without_rows_load_with_none(tmp_path: Path, write: Write) -> None:
    head = ["编号", "名称", "日期"]
    assert read_file(write(tmp_path, [head]), SHORT_EVENTS).account == (0, 0, 0, 0)
    assert read_file(write(tmp_path, [head, ["备注：本日无", "", ""]]), SHORT_EVENTS).account == (1, 0, 0, 1)
    assert read_file(jsonl_file(tmp_path, ""), SHORT_EVENTS).account == (0, 0, 0, 0)
    columns: dict[str, Any] = {"编号": [], "日期": []}
    assert read_file(parquet_file(tmp_path, columns), SHORT_EVENTS).account == (0, 0, 0, 0)


@pytest.mark.parametrize("source", [SHORT, SHORT_EVENTS])
def test_a_file_of_which_no_row_can_be_used_is_refused(tmp_path: Path, source: Contract) -> None:
    path = as_csv(
        tmp_path, [["编号", "名称", "数量", "日期"], ["", "甲", "1", "2022-01-01"], ["", "乙", "2", "2022-01-01"]]
    )
    assert refused(path, source).rule == "no_usable_row"


NULLED = contract(
    prop("code", "编号", format="code", primaryKey=True),
    prop("title", "名称", format="name", required=True),
    prop("amount", "数量", logicalType="integer"),
    prop("size", "大小", logicalType="integer", nullWhenInvalid=True),
    prop("mobile", "手机号", format="mobile", classification="personal", nullWhenInvalid=True),
    prop("content", "内容", format="free_text", classification="personal", nullWhenInvalid=True),
)


@both
def test_a_value_that_no_count_needs_loads_as_null(tmp_path: Path, write: Write) -> None:
    lines = [
        ["编号", "名称", "数量", "大小", "手机号", "内容"],
        ["A", "甲", "1", "2", "15400000001", "你好"],
        ["B", "乙", "1", "很大", "154\ufffd0000001", "你\ufffd好"],
        ["C", "丙", "一", "很大", "15400000001", "你好"],
        ["D", "丁", "1", "", "", ""],
    ]
    read = read_file(write(tmp_path, lines), NULLED)
    assert read.account == (4, 3, 1, 0)
    assert [(row["code"], row["amount"], row["size"]) for row in read.rows] == [
        ("A", 1, 2),
        ("B", 1, None),
        ("D", 1, None),
    ]
    assert read.rows[0]["mobile_token"] is not None and read.rows[1]["mobile_token"] is None
    assert [(c.row_number, c.column, c.rule, c.record_key, c.value, c.row_loads) for c in read.cells] == [
        (3, "size", "number_form", "B", "很大", True),
        (3, "mobile", "damaged_text", "B", "***", True),
        (3, "content", "damaged_text", "B", "***", True),
        # A row that is rejected anyway says all that is wrong with it.
        (4, "amount", "number_form", "C", "一", False),
        (4, "size", "number_form", "C", "很大", False),
    ]


def test_a_damaged_text_in_a_column_that_nobody_reads_leaves_the_row_bad(tmp_path: Path) -> None:
    """Where damage is seen of the row only, no cell of a column that loads as null explains it."""
    read = read_file(csv_file(tmp_path, "编号,名称,数量,大小,备用\nA,甲,1,2,\ufffd\nB,乙,1,2,好\n"), NULLED)
    assert (read.account, read.rejected) == ((2, 1, 1, 0), [(2, None, "damaged_text")])


def test_a_total_over_values_that_load_as_null_is_not_comparable(tmp_path: Path) -> None:
    read = read_file(csv_file(tmp_path, "编号,名称,数量,大小\nA,甲,1,2\nB,乙,1,很大\n合计,,2,9\n"), NULLED)
    assert read.account == (3, 2, 0, 1)
    assert [f.column for f in read.remarks("control_total_not_comparable")] == ["size"]


def test_a_row_may_be_rejected_for_several_cells_and_counts_once(tmp_path: Path) -> None:
    text = "编号,名称,数量,启用日期,姓名,身份证号\nA,甲,x,昨天,张三,1.59E+17\nB,乙,1,2022-01-01,李四,\n"
    read = read_file(csv_file(tmp_path, text), SAMPLE)
    assert read.account == (2, 1, 1, 0)
    assert read.rejected == [
        (2, "amount", "number_form"),
        (2, "opened_on", "date_form"),
        (2, "resident_id", "scientific_notation"),
    ]
    assert {c.record_key for c in read.cells} == {"A"}
    assert [c.value for c in read.cells] == ["x", "昨天", "***"]


@pytest.mark.parametrize(
    "cell",
    [
        "13800138000",
        "电话１３８００１３８０００",
        "+86 138-0013-8000",
        "8613800138000",
        "11010119900307001X",
        "110101 19900307 001x",
        "张三110101900307001",
        "4.41900199001011E+17",
        "附言" * 40 + "13800138000",
    ],
)
def test_values_shaped_like_personal_numbers_are_hidden_in_every_column(tmp_path: Path, cell: str) -> None:
    source = contract(prop("code", "编号", primaryKey=True), prop("opened_on", "日期", logicalType="date"))
    read = read_file(csv_file(tmp_path, f"编号,日期\nA,{cell}\nB,2022-01-01\n"), source)
    assert [c.value for c in read.cells] == ["***"]


@pytest.mark.parametrize(
    "cell", ["2022-02-30", "2022-02-30 09:30:00", "20220230093000", "12800138000", "1234567890123456", "91440300MA"]
)
def test_other_values_stay_visible(tmp_path: Path, cell: str) -> None:
    source = contract(prop("code", "编号", primaryKey=True), prop("opened_on", "日期", logicalType="date"))
    read = read_file(csv_file(tmp_path, f"编号,日期\nA,{cell}\nB,2022-01-01\n"), source)
    assert [c.value for c in read.cells] == [cell]


def test_eighteen_digits_are_a_credit_code_only_where_no_person_is_spoken_of() -> None:
    code = "114412890073961837"
    assert fault.shown_value(code, may_be_code=True) == code
    assert fault.shown_value(code) == "***"
    assert fault.shown_value("13800138000", may_be_code=True) == "***"
    assert fault.shown_value(f"{code} 张三", may_be_code=True) == "***"
    for number in (13800138000, 13800138000.0, 441900199001011234.0):
        assert fault.shown_value(number) == "***"
    assert fault.shown_value(1.59e17) == "1.59e+17"
    assert fault.shown_value("91441900MA4W2QAB12") == "91441900MA4W2QAB12"
    assert plan_of(SAMPLE).has_persons
    assert not plan_of(SHORT).has_persons


def test_the_reader_does_not_judge_what_the_warehouse_judges(tmp_path: Path) -> None:
    text = "编号,名称,数量,级别,启用日期\nA,,-5,九级,2999-01-01\nA,,-5,九级,2999-01-01\nA,乙,1,1,1980-01-01\n"
    read = read_file(csv_file(tmp_path, text), SAMPLE)
    assert read.account == (3, 3, 0, 0)
    assert [row["level"] for row in read.rows] == ["九级", "九级", "一级"]


def test_record_keys_join_escaped_fields_and_never_name_a_person(tmp_path: Path) -> None:
    source = contract(
        prop("user_id", "用户ID", format="code", primaryKey=True, identifiesPerson=True),
        prop("path", "路径", format="name", primaryKey=True),
        prop("on", "日期", logicalType="date", primaryKey=True),
        prop("amount", "数量", logicalType="integer"),
    )
    text = "用户ID,路径,日期,数量\nu1,市|局\\科,2022/6/30,1\nu2,市,2022/6/30,x\nu3,市,昨天,1\n"
    read = read_file(csv_file(tmp_path, text), source)
    assert read.rows[0]["record_key"] == f"{token(KEY, 'U1')}|市\\|局\\\\科|2022-06-30"
    assert read.rows[0]["user_id"] == "U1"
    assert [c.record_key for c in read.cells] == [f"{token(KEY, 'U2')}|市|2022-06-30", None]


def test_a_bad_key_that_identifies_a_person_is_masked(tmp_path: Path) -> None:
    source = contract(
        prop("user_id", "用户ID", format="code", primaryKey=True, identifiesPerson=True),
        prop("amount", "数量", logicalType="integer"),
    )
    read = read_file(csv_file(tmp_path, "用户ID,数量\n4.40106E+17,1\nU2,2\n"), source)
    assert read.rejected == [(2, "user_id", "scientific_notation")]
    assert (read.cells[0].value, read.cells[0].record_key) == ("***", None)


def test_wrong_personal_identifiers_load_and_are_counted(tmp_path: Path) -> None:
    rows = [
        "A,甲,11010519491231002X,13800138000",
        "B,乙,110105194912310021,1",
        "C,丙,110105194912310021,",
        "D,丁,,",
        ",戊,1,1",
        ",己,110105491231002,1",
        "G,庚,110105491231002,",
    ]
    read = read_file(csv_file(tmp_path, "编号,名称,身份证号,手机号\n" + "\n".join(rows) + "\n"), SAMPLE)
    assert read.account == (7, 5, 2, 0)
    (resident,) = read.remarks("resident_id_check_digit")
    (mobile,) = read.remarks("mobile_form")
    assert (resident.count, resident.severity, mobile.count) == (2, "info", 1)
    # A number of 15 digits is told apart, and its token is that of the 15 digits: nothing is converted.
    (legacy,) = read.remarks("resident_id_legacy")
    assert (legacy.count, legacy.severity) == (1, "info")
    assert read.rows[-1]["resident_id_token"] == token(KEY, "110105491231002")


def test_findings_and_cells_quote_no_personal_value(tmp_path: Path) -> None:
    secret = ["张三丰", "13912345678", "440106198001011235", "家住某路"]
    head = "编号,名称,姓名,手机号,身份证号,内容,数量\n"
    bad = f"A,甲,{secret[0]}\x00,{secret[1]}\ufffd,{secret[2]}\x00,{secret[3]}\ufffd,x\n"
    few = f"B,{','.join(secret)}\n"
    good = f"C,丙,{','.join(secret)},1\n"
    read = read_file(csv_file(tmp_path, head + bad + few + good), SAMPLE)
    told = repr(read.cells) + repr(read.summary) + repr(read.rows)
    assert not any(value in told for value in secret)
    assert read.account == (3, 1, 2, 0)


cells = st.sampled_from(
    ["", "A1", "甲", "1", "x", "合计", "备注：无", "编号", "名称", "数量", "-", "  ", "小计", "3.0", "无"]
)


@settings(max_examples=150, deadline=None)
@given(lines=st.lists(st.lists(cells, min_size=1, max_size=5), max_size=12))
def test_every_row_is_counted_once_whatever_the_file_holds(
    tmp_path_factory: pytest.TempPathFactory, lines: list[list[str]]
) -> None:
    body = [["K", "甲", "1"], *lines]
    path = as_csv(tmp_path_factory.mktemp("rows"), [HEAD, *body])
    try:
        read = read_file(path)
    except FileRefused as error:
        assert error.finding.rule == "control_total"
        return
    last = max(i for i, line in enumerate(body) if any(cell.strip() for cell in line))
    assert read.summary.rows_read == last + 1


@settings(max_examples=25, deadline=None)
@given(
    data=st.lists(
        st.tuples(
            st.integers(0, 10**9),
            st.sampled_from(["甲", "乙 丙", "a(b)", "１２", "2022-06-30"]),
            st.integers(-(10**6), 10**6),
        ),
        min_size=1,
        max_size=6,
        unique_by=lambda row: row[0],
    )
)
def test_the_four_formats_give_the_same_rows(
    tmp_path_factory: pytest.TempPathFactory, data: list[tuple[int, str, int]]
) -> None:
    folder = tmp_path_factory.mktemp("formats")
    as_text = [[f"K{code}", title, str(amount)] for code, title, amount in data]
    reads: list[Read] = [
        read_file(as_csv(folder, [HEAD, *as_text])),
        read_file(as_workbook(folder, [HEAD, *as_text])),
        read_file(jsonl_file(folder, *[dict(zip(HEAD, row, strict=True)) for row in as_text])),
        read_file(parquet_file(folder, {h: [row[i] for row in as_text] for i, h in enumerate(HEAD)})),
        read_file(jsonl_file(folder, *[{"code": f"K{c}", "title": t, "amount": a} for c, t, a in data])),
        read_file(
            parquet_file(
                folder,
                {
                    "code": [f"K{c}" for c, _, _ in data],
                    "title": [t for _, t, _ in data],
                    "amount": [a for _, _, a in data],
                },
            )
        ),
    ]
    rows = [[{**row, "row_number": 0} for row in read.rows] for read in reads]
    assert all(found == rows[0] for found in rows)
    assert len(rows[0]) == len(data)
