"""Builders for the reading tests: a contract with every type, small files of each format, damaged workbooks."""

from __future__ import annotations

import io
import json
import zipfile
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow as pa
import pyarrow.parquet as pq

from halfyear.contract import Contract
from halfyear.reading.child import read
from halfyear.reading.plan import Plan, plan_of
from halfyear.reading.result import RejectedCell, Summary

KEY = b"k" * 32


def contract(*properties: dict[str, Any], **facts: Any) -> Contract:
    """A contract of the given properties; a register of sample rows unless ``facts`` say otherwise."""
    declared = {
        "id": "sample",
        "version": "1.0.0",
        "name": {"zh": "样例", "en": "Sample"},
        "description": "A sample.",
        "domain": "sample",
        "grain": "one row per sample",
        "mode": "register",
        "format": "csv",
        "slaProperties": {"frequency": "0 1 * * *", "deliveries": "irregular"},
        "properties": list(properties),
        **facts,
    }
    return Contract.model_validate(declared)


def prop(name: str, header: str, **facts: Any) -> dict[str, Any]:
    return {"name": name, "businessName": header, **facts}


#: One property of every kind.
PROPERTIES = (
    prop("code", "编号", format="code", primaryKey=True, aliases=["代码"]),
    prop("title", "名称", format="name", required=True),
    prop("amount", "数量", logicalType="integer", unit="个"),
    prop("price", "金额(万元)", logicalType="number", aliases=["金额(元)"], headerUnits={"元": 1, "万元": 10000}),
    prop("memory_gb", "内存(GB)", logicalType="number", unit="GB"),
    prop("share_pct", "比例", logicalType="number", format="percent", unit="%"),
    prop("is_open", "是否开放", logicalType="boolean"),
    prop("opened_on", "启用日期", logicalType="date"),
    prop("seen_at", "登录时间", logicalType="timestamp"),
    prop("month", "月份", logicalType="date", format="month"),
    prop("level", "级别", format="enumeration", values={"一级": ["1"], "二级": ["2"]}),
    prop("person_name", "姓名", format="name", classification="personal"),
    prop("mobile", "手机号", format="mobile", classification="personal"),
    prop("resident_id", "身份证号", format="resident_id", classification="personal"),
    prop("content", "内容", format="free_text", classification="personal"),
)
SAMPLE = contract(*PROPERTIES)
SAMPLE_EVENTS = contract(
    *[p if p["name"] != "opened_on" else {**p, "required": True} for p in PROPERTIES],
    mode="events",
    periodProperty="opened_on",
)
#: Three columns, the usual case of the tests about rows.
SHORT = contract(
    prop("code", "编号", format="code", primaryKey=True),
    prop("title", "名称", format="name", required=True),
    prop("amount", "数量", logicalType="integer"),
)
SHORT_EVENTS = contract(
    prop("code", "编号", format="code", primaryKey=True),
    prop("title", "名称", format="name"),
    prop("opened_on", "日期", logicalType="date", required=True),
    mode="events",
    periodProperty="opened_on",
)


class Read:
    """What reading a file in this process gave."""

    def __init__(self, rows: list[dict[str, Any]], cells: list[RejectedCell], summary: Summary) -> None:
        self.rows, self.cells, self.summary = rows, cells, summary

    @property
    def account(self) -> tuple[int, int, int, int]:
        """read, accepted, rejected, skipped"""
        found = self.summary
        return found.rows_read, found.rows_accepted, found.rows_rejected, found.rows_skipped

    @property
    def rejected(self) -> list[tuple[int, str | None, str]]:
        return [(c.row_number, c.column, c.rule) for c in self.cells]

    def remarks(self, rule: str) -> list[Any]:
        return [f for f in self.summary.findings if f.rule == rule]


def read_file(path: Path, source: Contract = SHORT) -> Read:
    """Read a file without a child process; raises what the reader raises."""
    plan: Plan = plan_of(source)
    cells: list[RejectedCell] = []
    rows: list[dict[str, Any]] = []
    batches = read(path, path.suffix[1:], plan, KEY, cells.append)
    while True:
        try:
            batch = next(batches)
        except StopIteration as end:
            # Usual rows overtake those that are read one by one.
            found = Read(sorted(rows, key=lambda row: row["row_number"]), cells, end.value)
            account = found.account
            assert account[0] == account[1] + account[2] + account[3]
            assert account[1] == len(rows)
            assert account[2] == len({c.row_number for c in cells if not c.row_loads})
            return found
        assert batch.schema == plan.schema
        rows.extend(batch.to_pylist())


def csv_file(folder: Path, text: str | bytes, encoding: str = "utf-8") -> Path:
    path = folder / "sample.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode(encoding))
    return path


def jsonl_file(folder: Path, *lines: Any) -> Path:
    path = folder / "sample.jsonl"
    texts = [line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines]
    path.write_text("".join(f"{text}\n" for text in texts), "utf-8")
    return path


def parquet_file(folder: Path, columns: dict[str, Any]) -> Path:
    path = folder / "sample.parquet"
    pq.write_table(pa.table(columns), path)
    return path


def workbook(folder: Path, rows: list[list[Any]], name: str = "sample.xlsx", **more_sheets: list[list[Any]]) -> Path:
    """A workbook of openpyxl's; further sheets by name."""
    book = openpyxl.Workbook()
    sheets = {"Sheet": rows, **more_sheets}
    for title, content in sheets.items():
        sheet = book.active if title == "Sheet" else book.create_sheet(title)
        for row in content:
            sheet.append(row)
    path = folder / name
    book.save(path)
    return path


_MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def raw_workbook(folder: Path, sheet_data: str, head: str = "", extra: dict[str, str] | None = None) -> Path:
    """A workbook from the XML of its one sheet: what no library would write."""
    parts = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types"><Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/><Override PartName="/xl/workbook.xml" '
        f'ContentType="{_TYPE}.sheet.main+xml"/><Override PartName="/xl/worksheets/sheet1.xml" '
        f'ContentType="{_TYPE}.worksheet+xml"/></Types>',
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_MAIN}" xmlns:r="{_OFFICE}"><sheets>'
        '<sheet name="Sheet1" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/worksheet" Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'{head}<worksheet xmlns="{_MAIN}"><sheetData>{sheet_data}</sheetData></worksheet>',
        **(extra or {}),
    }
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in parts.items():
            archive.writestr(name, text)
    path = folder / "sample.xlsx"
    path.write_bytes(buffer.getvalue())
    return path


def sheet_row(number: int, *cells: str) -> str:
    """A row of sheet XML; cells are inline texts, or raw XML when they begin with <."""
    made = "".join(
        cell if cell.startswith("<") else f'<c r="{chr(65 + i)}{number}" t="inlineStr"><is><t>{cell}</t></is></c>'
        for i, cell in enumerate(cells)
        if cell
    )
    return f'<row r="{number}">{made}</row>'


def local(text: str) -> datetime:
    """A local time as Arrow gives it back, to compare with."""
    from halfyear.settings import LOCAL_ZONE

    return datetime.fromisoformat(text).replace(tzinfo=LOCAL_ZONE)
