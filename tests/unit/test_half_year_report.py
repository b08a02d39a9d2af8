"""The half-year report: slots, wording, refusals, and the three formats, from figures that are made here."""

from __future__ import annotations

import io
import re
import zipfile
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pytest
from docx import Document as DocxDocument

from halfyear import period
from halfyear import settings as settings_module
from halfyear.errors import ContractError, UsageError
from halfyear.indicators import definition
from halfyear.indicators.figure import FIGURE_COLUMNS
from halfyear.publishing.report import half_year_report, wording
from halfyear.publishing.report.half_year_report import Figures
from halfyear.publishing.report.scope import Seal
from halfyear.publishing.report.template import parse
from halfyear.settings import LOCAL_ZONE

S1 = period.parse("2022-S1")
DEFINITIONS = {d.code: d for d in definition.load_all(settings_module.load().sql).values() if d.is_published}


def figure(code: str, value: Any, previous: Any = None, year_ago: Any = None, status: str = "sealed") -> dict[str, Any]:
    definition = DEFINITIONS[code]

    def change(earlier: Decimal | None) -> Decimal | None:
        if value is None or not earlier:
            return None
        now, then = Decimal(value), earlier
        return now - then if definition.kind == "ratio" else (now - then) * 100 / then

    values = [None if v is None else Decimal(v) for v in (value, previous, year_ago)]
    return {
        **dict.fromkeys(FIGURE_COLUMNS),
        "period": "2022-S1",
        "indicator_code": code,
        "numerator": values[0],
        "value": values[0],
        "printed": definition.printed(values[0]),
        "previous_value": values[1],
        "previous_printed": definition.printed(values[1]),
        "previous_vintage": 1,
        "change_on_previous": change(values[1]),
        "year_ago_value": values[2],
        "year_ago_printed": definition.printed(values[2]),
        "year_ago_vintage": 1,
        "change_on_year": change(values[2]),
        "status": status,
        "vintage": 1 if status == "sealed" else None,
    }


def figures(*rows: dict[str, Any]) -> Figures:
    return Figures(S1, DEFINITIONS, {row["indicator_code"]: row for row in rows})


SEAL = Seal(1, datetime(2022, 7, 10, 9, tzinfo=LOCAL_ZONE), "张三", "李四", ({"vintage": 1},))


def built(text: str, *rows: dict[str, Any], draft: bool = False) -> Any:
    template = parse(text, "t.md", DEFINITIONS)
    return half_year_report.build(template, figures(*rows), None if draft else SEAL, lambda *_: (), draft)


@pytest.mark.parametrize(
    ("code", "value", "previous", "year_ago", "expected"),
    [
        # A stock is compared with the year's end.
        ("accounts_opened", 8043, 7897, 7688, "比上年末增长2%，同比增长5%"),
        ("accounts_opened", 90, 100, 100, "比上年末下降10%，同比下降10%"),
        ("accounts_opened", 100, 100, 100, "与上年末、同比均持平"),
        ("accounts_opened", 100, None, None, "与上年末、同比均无可比数据"),
        ("accounts_opened", 410, 100, 400, "增至上年末的4.1倍，同比增长3%"),
        ("hotline_tickets", 199, 100, 50, "环比增长99%，同比增长298%"),
        ("hotline_tickets", 100, 100, 50, "环比持平，同比增长100%"),
        # 100 and 0 stand for exact values only.
        ("hotline_tickets", 1999, 1000, 200000, "环比增长99.90%，同比下降99%"),
        ("hotline_tickets", 100001, 100000, 100000, "环比增长0.001%，同比增长0.001%"),
        # A small count changes by so many.
        ("hotline_tickets", 2, 3, 29, "比上期减少1张，比上年同期减少27张"),
        ("hotline_tickets", 5, 0, 5, "比上期增加5张，同比持平"),
        ("hotline_tickets", 0, 40, None, "环比由40张降至零，同比无可比数据"),
        ("accounts_opened", 5, 3, 5, "比上年末增加2名，同比持平"),
        # Ratios: percentage points of the exact values.
        ("account_activation_rate", "98.334", "97.189", "98.326", "环比提高1.15个百分点，同比基本持平"),
        ("account_activation_rate", "98.334", "98.331", None, "环比基本持平，同比无可比数据"),
        ("account_activation_rate", "90", "97.189", "80", "环比下降7.19个百分点，同比提高10.00个百分点"),
        ("account_activation_rate", "5", "0", None, "环比不计增幅（上期为零），同比无可比数据"),
        # A list that is fixed at the year's end is the same in both half-years.
        ("cross_province_items", 110, 100, 100, "同比增长10%"),
    ],
)
def test_rise_and_fall_are_worded_from_the_values(
    code: str, value: Any, previous: Any, year_ago: Any, expected: str
) -> None:
    assert wording.worded(figure(code, value, previous, year_ago), DEFINITIONS[code]) == expected


def test_a_second_half_year_ends_with_the_year() -> None:
    def said(code: str) -> str:
        return wording.worded({**figure(code, 110, 100, 50), "period": "2021-S2"}, DEFINITIONS[code])

    assert said("accounts_opened") == "比上半年末增长10%，比上年末增长120%"
    assert said("hotline_tickets") == "环比增长10%，同比增长120%"
    # A list that is fixed at the end of the year before is none of this year's end.
    assert said("cross_province_items") == "同比增长120%"


def test_a_slot_is_filled_with_what_was_sealed() -> None:
    document = built(
        "# {period}报告\n\n开通{accounts_opened}，\n{accounts_opened:change}。",
        figure("accounts_opened", 8043, 7897, 7688),
    )
    heading, paragraph = document.blocks
    assert heading.text == "2022年上半年报告"
    assert paragraph.text == "开通8043名，比上年末增长2%，同比增长5%。"


def test_what_is_not_sealed_refuses_to_print_and_is_marked_in_a_draft() -> None:
    text = "# 报告\n\n开通{accounts_opened}，激活{accounts_activated}。"
    rows = (figure("accounts_opened", 8043), figure("accounts_activated", 7909, status="provisional"))
    with pytest.raises(UsageError, match=r"accounts_activated; .*halfyear publish 2022-S1.*--draft"):
        built(text, *rows)
    with pytest.raises(UsageError, match="2 个数尚未封存"):
        built(text)
    draft = built(text, *rows, draft=True)
    assert draft.is_draft
    assert draft.blocks[1].text == "开通8043名，激活7909名［暂定］。"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("# 报告\n\n有{accounts_opend}。", r"t\.md line 3: \{accounts_opend\}.*accounts_opened\?"),
        ("有{accounts_opened:chang}。", "line 1.*only change may stand"),
        ("有{accounts_opened。", "line 1.*brace"),
        ("{table:no_such_domain}", "line 1.*no indicator and no domain"),
        ("{chart:accounts_opened,account_activation_rate}", "a chart has one unit"),
        ("{annex:secrets}", "there is no such annex"),
        ("见{table:account_activation}表", "stands on a line of its own"),
    ],
)
def test_a_slot_that_nothing_is_known_of_is_an_error_with_its_line(text: str, expected: str) -> None:
    with pytest.raises(ContractError, match=expected):
        parse(text, "t.md", DEFINITIONS)


def test_the_three_formats_hold_the_same_numbers() -> None:
    document = built(
        "# {period}报告\n\n开通{accounts_opened}。\n\n{table:accounts_opened,accounts_activated 用户}\n\n"
        "{chart:accounts_opened,accounts_activated 用户图}\n\n> 某局\n> {date}",
        figure("accounts_opened", 8043, 7897, 7688),
        figure("accounts_activated", 7909, 7675, 7304),
    )
    found = {suffix: half_year_report.writer(Path(f"r{suffix}"))(document) for suffix in (".docx", ".md", ".xlsx")}
    markdown = found[".md"].decode()
    docx = DocxDocument(io.BytesIO(found[".docx"]))
    cells = [cell.text for table in docx.tables for row in table.rows for cell in row.cells]
    paragraphs = "\n".join(p.text for p in docx.paragraphs)
    workbook = openpyxl.load_workbook(io.BytesIO(found[".xlsx"]))
    values = {cell.value for sheet in workbook for row in sheet.iter_rows() for cell in row}
    for text in (markdown, paragraphs):
        assert "2022年上半年报告" in text and "8043名" in text and "2022年7月10日" in text
    for number in ("7897", "7304", "+2%"):
        assert number in markdown and number in cells
    assert {8043, 7909, 7688} <= {int(v) for v in values if isinstance(v, int | float) and v == int(v)}
    # Charts are charts that a person can edit, not pictures.
    with zipfile.ZipFile(io.BytesIO(found[".docx"])) as archive:
        assert any(re.fullmatch(r"word/charts/chart\d*\.xml", name) for name in archive.namelist())


def test_another_format_is_refused() -> None:
    with pytest.raises(UsageError, match=r"\.docx"):
        half_year_report.writer(Path("report.pdf"))
