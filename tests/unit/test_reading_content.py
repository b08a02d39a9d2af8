"""The extension decides; other content is named. And: does a file have its end yet?"""

from __future__ import annotations

import gzip
import zipfile
from pathlib import Path

import pytest
from reading_files import csv_file, jsonl_file, parquet_file, read_file, workbook

from halfyear.errors import FileRefused
from halfyear.file_format import unfinished
from halfyear.reading.content import sniff

CSV = "编号,名称,数量\nA,甲,1\n".encode()
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\x00" * 600


def contents(folder: Path) -> dict[str, bytes]:
    """Bytes of many kinds, by the word that the refusal should hold."""
    office = folder / "office.zip"
    made: dict[str, bytes] = {}
    for name, part in (("Word", "word/document.xml"), (".xlsb", "xl/workbook.bin"), ("ZIP", "a.csv")):
        with zipfile.ZipFile(office, "w") as archive:
            archive.writestr(part, "x")
        made[name] = office.read_bytes()
    with zipfile.ZipFile(office, "w") as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    made["OpenDocument"] = office.read_bytes()
    return made | {
        "xlsx": workbook(folder, [["编号"]]).read_bytes(),
        "Parquet": parquet_file(folder, {"编号": ["A"]}).read_bytes(),
        "old Excel": OLE + "Workbook".encode("utf-16-le") + b"\x00" * 100,
        "password": OLE + "EncryptedPackage".encode("utf-16-le") + b"\x00" * 100,
        "HTML": b"\r\n<html><head></head><table><tr><td>1</td></tr></table></html>",
        "XML": b'<?xml version="1.0"?><Workbook xmlns="urn:schemas-microsoft-com:office:spreadsheet"/>',
        "GZIP": gzip.compress(CSV),
        "PDF": b"%PDF-1.7\n",
        "UTF-16": "编号,名称\nA,甲\n".encode("utf-16"),
        "binary": bytes(range(32)) * 20,
        "7-Zip": b"7z\xbc\xaf\x27\x1c\x00\x04",
        "RAR": b"Rar!\x1a\x07\x00",
    }


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "jsonl", "parquet"])
def test_other_content_is_named(tmp_path: Path, file_format: str) -> None:
    own = {"xlsx": "xlsx", "parquet": "Parquet"}.get(file_format)
    path = tmp_path / f"given.{file_format}"
    kinds = contents(tmp_path)
    if file_format in ("xlsx", "parquet"):
        kinds |= {"CSV text": CSV, "JSON lines": b'{"code": 1}\n'}
    if file_format == "csv":
        kinds |= {"JSON lines": b'{"code": 1}\n', "JSON array": b'[{"code": 1}]'}
    for word, content in kinds.items():
        if word == own:
            continue
        path.write_bytes(content)
        with pytest.raises(FileRefused) as refused:
            read_file(path)
        finding = refused.value.finding
        assert (finding.rule, word in finding.reason_en) == ("content_differs", True), (word, finding)
        assert f".{file_format}" in finding.reason_zh


@pytest.mark.parametrize("file_format", ["csv", "xlsx", "jsonl", "parquet"])
def test_a_file_of_0_bytes_is_refused(tmp_path: Path, file_format: str) -> None:
    path = tmp_path / f"given.{file_format}"
    path.touch()
    with pytest.raises(FileRefused, match="empty_file"):
        read_file(path)


def test_a_title_in_angle_brackets_is_no_markup(tmp_path: Path) -> None:
    path = csv_file(tmp_path, "<2022年清单>\n编号,名称,数量\nA,甲,1\n")
    assert read_file(path).account == (1, 1, 0, 0)


def test_a_csv_named_json_lines_has_no_usable_row(tmp_path: Path) -> None:
    path = tmp_path / "given.jsonl"
    path.write_bytes(CSV)
    with pytest.raises(FileRefused):
        read_file(path)


def test_without_an_extension_the_bytes_decide(tmp_path: Path) -> None:
    made = {
        "csv": csv_file(tmp_path, "编号,名称\n", "gb18030"),
        "xlsx": workbook(tmp_path, [["编号"]]),
        "jsonl": jsonl_file(tmp_path, {"code": 1}),
        "parquet": parquet_file(tmp_path, {"编号": ["A"]}),
    }
    assert {name: sniff(path) for name, path in made.items()} == {name: name for name in made}


@pytest.mark.parametrize("file_format", ["csv", "jsonl"])
def test_text_is_finished_with_its_last_line_break(tmp_path: Path, file_format: str) -> None:
    path = tmp_path / "x"
    for content, expected in (
        (b"", True),
        (b"a", True),
        (b"a,b\n1", True),
        (b"a,b\n1\n", False),
        (b"a\r\n", False),
        (b"a\r", False),
    ):
        path.write_bytes(content)
        assert unfinished(path, file_format) is expected


def test_binary_files_are_finished_with_their_end(tmp_path: Path) -> None:
    for file_format, whole in (
        ("xlsx", workbook(tmp_path, [["编号"] * 20] * 50).read_bytes()),
        ("parquet", parquet_file(tmp_path, {"编号": ["A"] * 100}).read_bytes()),
    ):
        path = tmp_path / "x"
        path.write_bytes(whole)
        assert not unfinished(path, file_format)
        for length in (0, 1, 3, 4, 8, len(whole) // 2, len(whole) - 25):
            path.write_bytes(whole[:length])
            assert unfinished(path, file_format), (file_format, length)
        path.write_bytes(OLE)  # refused for what it is, not waited for
        assert not unfinished(path, file_format)
