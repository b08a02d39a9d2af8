"""Tables of indicators for programs and spreadsheets."""

from __future__ import annotations

import csv
import io
import json
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook

from halfyear.errors import UsageError
from halfyear.indicators.figure import FIGURE_COLUMNS
from halfyear.mart.indicator_table import indicator_table, write_indicators
from halfyear.mart.reconciliation_table import RECONCILIATION_COLUMNS, reconciliation_text
from halfyear.settings import LOCAL_ZONE


def row(**fields: Any) -> dict[str, Any]:
    base: dict[str, Any] = dict.fromkeys(FIGURE_COLUMNS)
    return base | {
        "period": "2022-S1", "indicator_code": "account_activation_rate", "name_zh": "粤政易用户激活率",
        "name_en": "Account activation rate", "domain": "account_activation", "unit": "%", "kind": "ratio",
        "body_name": "全市", "numerator": Decimal(7909), "denominator": Decimal(8043),
        "value": Decimal("98.3339549919"), "printed": "98.33%", "previous_value": Decimal("97.5"),
        "change_on_previous": Decimal("0.83"), "year_ago_value": None, "change_on_year": None,
        "status": "provisional", "computed_at": datetime(2022, 7, 1, 2, 0, tzinfo=LOCAL_ZONE),
    } | fields  # fmt: skip


def count(**fields: Any) -> dict[str, Any]:
    return row(
        indicator_code="cloud_systems_added", name_zh="新增上云政务信息系统数", domain="cloud_migration", unit="个", kind="flow",
        numerator=Decimal(8), denominator=None, value=Decimal(8), printed="8个", previous_value=Decimal(6),
        change_on_previous=Decimal("33.333333333333"), year_ago_value=Decimal(9), change_on_year=Decimal("-11.111111111111"),
        **fields,
    )  # fmt: skip


def test_json_has_the_columns_of_the_view() -> None:
    text = indicator_table([row(), count()], "json")
    first, second = json.loads(text)
    assert tuple(first) == FIGURE_COLUMNS
    assert (first["value"], second["value"]) == (98.3339549919, 8)
    assert first["computed_at"] == "2022-07-01T02:00:00+08:00"


def test_json_of_a_reconciliation_has_the_columns_of_the_view() -> None:
    compared: dict[str, Any] = dict.fromkeys(RECONCILIATION_COLUMNS, "一致") | {"difference": Decimal("-0.01")}
    (read,) = json.loads(reconciliation_text([compared], "json"))
    assert tuple(read) == RECONCILIATION_COLUMNS
    assert (read["verdict"], read["difference"]) == ("一致", -0.01)


def test_csv_is_exact(tmp_path: Path) -> None:
    output = tmp_path / "indicators.csv"
    write_indicators([row(), count(body_name="=cmd()")], "csv", output)
    first, second = csv.DictReader(io.StringIO(output.read_text("utf-8-sig")))
    assert (first["value"], first["year_ago_value"]) == ("98.3339549919", "")
    assert second["change_on_year"] == "-11.111111111111" and second["body_name"] == "'=cmd()"


def test_workbook_runs_nothing() -> None:
    content = indicator_table([row(body_name="=1+1"), count(body_name="@SUM(1)")], "xlsx")
    assert isinstance(content, bytes)
    sheet = load_workbook(io.BytesIO(content)).active
    assert sheet is not None
    header = [cell.value for cell in sheet[2]]
    assert tuple(header) == FIGURE_COLUMNS
    name = sheet.cell(3, header.index("body_name") + 1)
    assert (name.value, name.data_type) == ("=1+1", "s")
    assert sheet.cell(4, header.index("body_name") + 1).data_type == "s"
    assert sheet.cell(3, header.index("numerator") + 1).value == 7909


def test_unknown_format() -> None:
    with pytest.raises(UsageError, match="xlsx"):
        indicator_table([row()], "pdf")
