"""Is the content what the extension says? The extension decides; other content is named."""

from __future__ import annotations

import re
import zipfile
from pathlib import Path

from halfyear.file_format import FORMATS
from halfyear.reading.fault import refusal

_NAMES = {
    "csv": ("CSV 文本", "CSV text"),
    "xlsx": ("Excel 工作簿 (.xlsx)", "an Excel workbook (.xlsx)"),
    "jsonl": ("JSON 行", "JSON lines"),
    "parquet": ("Parquet 文件", "a Parquet file"),
    "json": ("JSON 数组", "a JSON array"),
    "xls": ("旧版 Excel 工作簿 (.xls)", "an old Excel workbook (.xls)"),
    "encrypted": ("加密的 Office 文件", "an Office file with a password"),
    "ole": ("旧版 Office 文件", "an old Office file"),
    "xlsb": ("Excel 二进制工作簿 (.xlsb)", "a binary Excel workbook (.xlsb)"),
    "ods": ("OpenDocument 文件", "an OpenDocument file"),
    "docx": ("Word 文档 (.docx)", "a Word document (.docx)"),
    "zip": ("ZIP 压缩包", "a ZIP archive"),
    "gzip": ("GZIP 压缩文件", "a GZIP file"),
    "7z": ("7-Zip 压缩包", "a 7-Zip archive"),
    "rar": ("RAR 压缩包", "a RAR archive"),
    "pdf": ("PDF 文档", "a PDF document"),
    "html": ("网页 (HTML)", "a web page (HTML)"),
    "xml": ("XML 文件", "an XML file"),
    "utf16": ("UTF-16 文本", "UTF-16 text"),
    "binary": ("二进制数据", "binary data"),
    "text": ("文本", "text"),
}
_MAGIC = (
    (b"PAR1", "parquet"),
    (b"PARE", "parquet"),
    (b"\x1f\x8b", "gzip"),
    (b"7z\xbc\xaf\x27\x1c", "7z"),
    (b"Rar!", "rar"),
    (b"%PDF", "pdf"),
    (b"\xff\xfe", "utf16"),
    (b"\xfe\xff", "utf16"),
)
_HEAD = 8192
_MARKUP = re.compile(rb"<(?:[?!]|[A-Za-z][\w:.-]*[\s/>])")
_HTML = re.compile(rb"<(?:!doctype\s+html|html|head|body|table|meta|script|div)\b", re.IGNORECASE)


def check(path: Path, file_format: str) -> None:
    """Raise FileRefused when the file is empty or holds something else than its extension says."""
    with path.open("rb") as file:
        head = file.read(_HEAD)
    if not head:
        raise refusal(
            "empty_file", "文件为空（0 字节）", "the file is empty (0 bytes)", "请重新导出", "export it again"
        )
    found = kind(path, head)
    accepted = {"csv": ("csv", "text"), "jsonl": ("jsonl", "text", "csv"), "xlsx": ("xlsx",), "parquet": ("parquet",)}
    if found in accepted[file_format]:
        return
    if found == "json" and file_format == "jsonl":
        raise refusal(
            "json_array",
            "文件是一个 JSON 数组，应为每行一个对象",
            "the file is one JSON array; it should have one object per line",
            "请按 JSON 行格式导出",
            "export it as JSON lines",
        )
    zh, en = _NAMES[found]
    expected_zh, expected_en = _NAMES[file_format]
    raise refusal(
        "content_differs",
        f"扩展名为 .{file_format}，内容却是{zh}",
        f"the extension is .{file_format}, but the content is {en}",
        f"请导出为{expected_zh}，或改正扩展名",
        f"export it as {expected_en}, or correct the extension",
    )


def kind(path: Path, head: bytes) -> str:
    """A word for what the bytes are."""
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08")):
        return _zip_kind(path)
    if head.startswith(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"):
        return _ole_kind(path)
    for magic, name in _MAGIC:
        if head.startswith(magic):
            return name
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if _MARKUP.match(text):
        return "html" if _HTML.search(head) else "xml"
    if text.startswith(b"["):
        return "json" if re.match(rb"\[\s*[\[{\]]", text) else "text"
    if text.startswith(b"{"):
        return "jsonl"
    control = sum(byte < 9 or 13 < byte < 27 for byte in head)
    if control > len(head) * 0.3:
        return "binary"
    return "csv" if b"," in head else "text"


def _zip_kind(path: Path) -> str:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
            mimetype = archive.read("mimetype")[:100] if "mimetype" in names else b""
    except (zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError, ValueError):
        return "xlsx"  # cut short: said with more precision when it is opened
    if "xl/workbook.bin" in names:
        return "xlsb"
    if any(name.startswith("xl/") for name in names):
        return "xlsx"
    if mimetype.startswith(b"application/vnd.oasis"):
        return "ods"
    if any(name.startswith("word/") for name in names):
        return "docx"
    return "xlsx" if "[Content_Types].xml" in names else "zip"


def _ole_kind(path: Path) -> str:
    with path.open("rb") as file:
        start = file.read(1 << 20)
    if "EncryptedPackage".encode("utf-16-le") in start:
        return "encrypted"
    return "xls" if any(name.encode("utf-16-le") in start for name in ("Workbook", "Book")) else "ole"


def sniff(path: Path) -> str:
    """The format of a file that has no extension, judged by its bytes; text of any kind is CSV."""
    with path.open("rb") as file:
        found = kind(path, file.read(_HEAD))
    return {"json": "jsonl"}.get(found, found if found in FORMATS else "csv")
