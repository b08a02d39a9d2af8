"""CSV: encodings, line ends, quotes, field counts and line numbers as an editor shows them."""

from __future__ import annotations

import csv
import io
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from reading_files import SAMPLE, csv_file, read_file

from halfyear.errors import FileRefused, Finding
from halfyear.reading import encoding

HEAD = "编号,名称,数量\n"


def refused(path: Path) -> Finding:
    with pytest.raises(FileRefused) as error:
        read_file(path)
    return error.value.finding


@pytest.mark.parametrize(
    ("encoding", "label"), [("utf-8", "utf-8"), ("utf-8-sig", "utf-8-sig"), ("gb18030", "gb18030"), ("gbk", "gb18030")]
)
def test_encodings(tmp_path: Path, encoding: str, label: str) -> None:
    read = read_file(csv_file(tmp_path, HEAD + "A,镕〇市,1\n" if encoding != "gbk" else HEAD + "A,镕市,1\n", encoding))
    assert read.summary.encoding == label
    assert read.rows[0]["title"].startswith("镕")


def test_a_gb18030_bom_is_dropped(tmp_path: Path) -> None:
    assert read_file(csv_file(tmp_path, "\ufeff" + HEAD + "A,甲,1\n", "gb18030")).account == (1, 1, 0, 0)


def test_the_codes_that_gb18030_2022_moved(tmp_path: Path) -> None:
    codes = b"\xa6\xd9\xa6\xda\xa6\xdb\xa6\xdf\xa6\xec\xa6\xed\xa6\xf3\xfe\x59\xfe\x61\xfe\x66\xfe\x67\xfe\x6d\xfe\x7e\xfe\x90\xfe\xa0\xa8\xbc"
    text = HEAD.encode("gb18030") + b"A," + codes + b",1\n" + b'B,"' + codes + b'",1\n'
    moved = "︐︒︑︖︗︘︙龴龵龶龷龸龹龺龻ḿ"
    assert [row["title"] for row in read_file(csv_file(tmp_path, text)).rows] == [moved, moved]


@settings(max_examples=500, deadline=None)
@given(
    text=st.text(st.sampled_from("aé中😀\n"), max_size=8),
    damage=st.lists(st.tuples(st.integers(0, 30), st.sampled_from([b"", b"\x80", b"\xbf\xbf", b"\xe4", b"\xf0\x9f"]))),
    chunk=st.integers(1, 7),
    large=st.sampled_from([0, 1 << 30]),
)
def test_utf8_is_utf8_wherever_a_chunk_of_it_ends(
    text: str, damage: list[tuple[int, bytes]], chunk: int, large: int
) -> None:
    data = text.encode()
    for place, given_bytes in damage:
        data = data[:place] + given_bytes + data[place + (not given_bytes) :]
    try:
        data.decode()
        is_utf8 = True
    except UnicodeDecodeError:
        is_utf8 = False
    with pytest.MonkeyPatch.context() as patch, tempfile.NamedTemporaryFile() as file:
        patch.setattr(encoding, "_CHUNK", chunk)
        patch.setattr(encoding, "_LARGE", large)
        file.write(data)
        file.flush()
        assert encoding._is_utf8(Path(file.name)) == is_utf8


def test_damaged_utf8_is_not_taken_for_gb18030(tmp_path: Path) -> None:
    """English field names would let the garbled text load."""
    text = "code,title,amount\nA,统一社会信用代码登记,1\nB,市住房和城乡建设局,2\n".encode()
    finding = refused(csv_file(tmp_path, text.replace("建".encode(), "建".encode()[:2])))
    assert (finding.rule, finding.row) == ("undecodable", 3)
    with_bom = b"\xef\xbb\xbf" + text[:-4] + b"\xff\xff,2\n"
    assert refused(csv_file(tmp_path, with_bom)).rule == "undecodable"


def test_what_neither_encoding_decodes_is_refused(tmp_path: Path) -> None:
    finding = refused(csv_file(tmp_path, HEAD.encode("gb18030") + b"A,\xff\xff,1\n"))
    assert (finding.rule, finding.row) == ("undecodable", 2)


def test_one_bad_byte_at_the_very_end_still_counts(tmp_path: Path) -> None:
    """The whole file decides, not its beginning."""
    rows = "".join(f"A{i},甲,1\n" for i in range(200_000))
    read = read_file(csv_file(tmp_path, (HEAD + rows + "Z,市,1\n").encode("gb18030")))
    assert read.account == (200_001, 200_001, 0, 0)
    assert read.summary.encoding == "gb18030"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("has_last", [True, False])
def test_line_ends(tmp_path: Path, end: str, has_last: bool) -> None:
    text = end.join(["编号,名称,数量", "A,甲,1", 'B,"乙,""丙""",2']) + (end if has_last else "")
    read = read_file(csv_file(tmp_path, text))
    assert [(r["row_number"], r["title"]) for r in read.rows] == [(2, "甲"), (3, '乙,"丙"')]


def test_other_separators_of_unicode_are_no_line_ends(tmp_path: Path) -> None:
    read = read_file(csv_file(tmp_path, HEAD + "A,甲\u2028乙\x0b丙\x85丁,1\n"))
    assert read.account == (1, 1, 0, 0)


def test_row_numbers_are_the_lines_where_records_start(tmp_path: Path) -> None:
    text = '标题,,\n"编\n号",名称,数量\nA,"甲\r\n乙\n丙",1\n\nB,"丁",2\n'
    read = read_file(csv_file(tmp_path, text))
    assert read.summary.header_row == 2
    assert [(r["row_number"], r["title"]) for r in read.rows] == [(4, "甲\r\n乙\n丙"), (8, "丁")]
    assert read.account == (3, 2, 0, 1)


def test_a_quote_inside_an_unquoted_field_is_text(tmp_path: Path) -> None:
    read = read_file(csv_file(tmp_path, HEAD + 'A,甲"乙"丙,1\nB, "丁,2\n'))
    assert [r["title"] for r in read.rows] == ['甲"乙"丙', '"丁']


def test_text_after_a_closing_quote_makes_the_row_bad(tmp_path: Path) -> None:
    read = read_file(csv_file(tmp_path, HEAD + 'A,"甲"乙,1\nB,丙,2\n'))
    assert read.account == (2, 1, 1, 0)
    assert read.rejected == [(2, None, "quoting")]


@pytest.mark.parametrize(
    ("body", "line"),
    [
        ('A,甲,1\nB,"乙,2\nC,丙,3\nD,丁,4\n', 3),
        ('A,甲,1\nB,"乙,2\nC,丙,3\nD,"丁",4\n', 3),
        ('A,"甲\n乙",1\nB,丙,"2\n', 4),
        ('A,"甲,1\nB,乙,2\nC,丙"\n', 2),
        ('A,"x"",1\n' + "B,乙,2\n" * 50, 2),
    ],
)
def test_a_quote_that_is_not_closed_refuses_the_file_and_names_its_line(tmp_path: Path, body: str, line: int) -> None:
    finding = refused(csv_file(tmp_path, HEAD + body))
    assert (finding.rule, finding.row) == ("unclosed_quote", line)


@pytest.mark.parametrize(("row", "count"), [("B,乙", 2), ("B,乙,2,x", 4), ("B", 1), ("B,乙,2,,x", 5)])
def test_a_row_with_another_number_of_fields_is_bad(tmp_path: Path, row: str, count: int) -> None:
    read = read_file(csv_file(tmp_path, HEAD + f"A,甲,1\n{row}\nC,丙,3\n"))
    assert read.account == (3, 2, 1, 0)
    assert read.rejected == [(3, None, "field_count")]
    assert str(count) in read.cells[0].reason_en
    assert read.cells[0].record_key is None


def test_every_row_with_one_field_too_many_shifts_nothing(tmp_path: Path) -> None:
    with pytest.raises(FileRefused, match="no_usable_row"):
        read_file(csv_file(tmp_path, HEAD + "A,甲,1,x\nB,乙,2,y\n"))


def test_columns_without_name_and_values_are_dropped_first(tmp_path: Path) -> None:
    read = read_file(csv_file(tmp_path, "编号,名称,数量,,\nA,甲,1,,\nB,乙,2\nC,丙,3,,,,\n"))
    assert read.account == (3, 3, 0, 0)
    assert read.summary.unknown_columns == ()
    assert read_file(csv_file(tmp_path, HEAD + "A,甲,1,\nB,乙,2,\n")).account == (2, 2, 0, 0)


@pytest.mark.parametrize("damage", ["\x00", "\ufffd", "\ufeff"])
@pytest.mark.parametrize("is_quoted", [True, False])
def test_damaged_text_makes_the_row_bad_wherever_it_stands(tmp_path: Path, damage: str, is_quoted: bool) -> None:
    quote = '"' if is_quoted else ""
    text = f"编号,名称,数量,其他\nA,{quote}甲{damage}{quote},1,\nB,乙,2,{quote}{damage}{quote}\nC,丙,3,\n"
    read = read_file(csv_file(tmp_path, text))
    assert read.account == (3, 1, 2, 0)
    assert read.rejected == [(2, "title", "damaged_text"), (3, None, "damaged_text")]
    assert [c.record_key for c in read.cells] == ["A", "B"]
    for cell in read.cells:
        assert "\x00" not in (cell.value or "")


def test_a_bom_in_the_middle_is_damage_and_one_at_the_start_is_not(tmp_path: Path) -> None:
    read = read_file(csv_file(tmp_path, "\ufeff" + HEAD + "A,甲,1\n\ufeffB,乙,2\n"))
    assert read.rejected == [(3, "code", "damaged_text")]
    assert read.cells[0].record_key is None


def test_a_cell_that_is_too_long_makes_the_row_bad(tmp_path: Path) -> None:
    text = f'编号,名称,其他\nA,{"甲" * 100_001},\nB,乙,{"x" * 100_001}\nC,丙,"{"x" * 100_001}"\nD,丁,{"x" * 100_000}\n'
    read = read_file(csv_file(tmp_path, text))
    assert read.rejected == [(2, "title", "cell_too_long"), (3, None, "cell_too_long"), (4, None, "cell_too_long")]
    assert read.account == (4, 1, 3, 0)
    assert len(read.cells[0].value or "") == 60


def test_a_quoted_cell_of_many_megabytes_is_bad_and_not_kept(tmp_path: Path) -> None:
    text = HEAD + 'A,"' + ("x" * 999 + "\n") * 10_000 + '",1\nB,乙,2\n'
    read = read_file(csv_file(tmp_path, text))
    assert [r["record_key"] for r in read.rows] == ["B"]
    assert read.rows[0]["row_number"] == 10_003
    assert "cell_too_long" in {c.rule for c in read.cells}


cell_text = st.text(
    st.characters(blacklist_categories=("Cs", "Cc"), blacklist_characters="\ufeff\ufffd") | st.sampled_from('",\n甲'),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(rows=st.lists(st.tuples(cell_text, cell_text), max_size=8), end=st.sampled_from(["\n", "\r\n"]))
def test_what_the_csv_module_writes_is_read_back(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]], end: str
) -> None:
    buffer = io.StringIO()
    writer = csv.writer(buffer, lineterminator=end)
    writer.writerow(["编号", "名称", "备考"])
    for i, (title, other) in enumerate(rows):
        writer.writerow([f"K{i}", title, other])
    writer.writerow(["END", "x", ""])
    read = read_file(csv_file(tmp_path_factory.mktemp("csv"), buffer.getvalue()))
    assert read.account == (len(rows) + 1, len(rows) + 1, 0, 0)
    for row, (title, _) in zip(read.rows, rows, strict=False):
        stripped = title.strip()
        assert row["title"] in (stripped, None)
        if stripped.isalnum() and stripped != "无":
            assert row["title"] == stripped


def test_a_realistic_row_of_every_type(tmp_path: Path) -> None:
    text = (
        "编号*,名 称,数量（个）,金额(元),内存（GB）,比例,是否开放,启用日期,登录时间,月份,级别,姓名,手机号,身份证号,内容\n"
        'a1,甲,"1,000",12.50,８,35%,是,2022/6/30,20220630093000,2022年6月,1,张三,13800138000,11010519491231002X,"保\n密"\n'
    )
    read = read_file(csv_file(tmp_path, text, "gb18030"), SAMPLE)
    (row,) = read.rows
    assert row["record_key"] == "A1"
    assert "content_token" not in row
    assert "content" not in row
    assert "张三" not in str(read.rows)
    assert str(row["seen_at"]) == "2022-06-30 09:30:00+08:00"
    assert str(row["month"]) == "2022-06-01"
    assert not read.summary.missing_columns
