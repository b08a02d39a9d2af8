"""Tables and sentences on a terminal: nothing is cut, no column is dropped, whatever the width."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from halfyear.indicators.figure import FIGURE_COLUMNS
from halfyear.mart.reconciliation_table import RECONCILIATION_COLUMNS
from halfyear.settings import LOCAL_ZONE
from halfyear.terminal import console, figure_table
from halfyear.terminal.wrapping import wrapped


def rate(**fields: Any) -> dict[str, Any]:
    base: dict[str, Any] = dict.fromkeys(FIGURE_COLUMNS)
    return base | {
        "period": "2022-S1", "indicator_code": "account_activation_rate", "name_zh": "粤政易用户激活率",
        "domain": "account_activation", "unit": "%", "kind": "ratio", "body_name": "全市",
        "value": Decimal("98.3339549919"), "printed": "98.33%", "previous_value": Decimal("97.5"),
        "previous_printed": "97.50%", "decimals": 2, "domain_zh": "粤政易账号", "domain_en": "Staff accounts",
        "change_on_previous": Decimal("0.83"), "status": "provisional",
        "computed_at": datetime(2022, 7, 1, 2, 0, tzinfo=LOCAL_ZONE),
    } | fields  # fmt: skip


def count(**fields: Any) -> dict[str, Any]:
    return rate(
        indicator_code="cloud_systems_added", name_zh="新增上云政务信息系统数", domain="cloud_migration", unit="个", kind="flow",
        value=Decimal(8), printed="8个", previous_value=Decimal(6), change_on_previous=Decimal("33.333333333333"),
        previous_printed="6个", year_ago_printed="9个", decimals=0, domain_zh="政务信息系统上云",
        year_ago_value=Decimal(9), change_on_year=Decimal("-11.111111111111"), **fields,
    )  # fmt: skip


@pytest.fixture
def shown(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Any:
    """What is printed in so many columns, by lines."""

    def lines(width: int, rows: list[dict[str, Any]]) -> list[str]:
        monkeypatch.setenv("COLUMNS", str(width))
        figure_table.show_indicators(rows)
        return capsys.readouterr().out.splitlines()

    return lines


def test_names_and_numbers_side_by_side(shown: Any) -> None:
    lines = shown(200, [count(), rate()])
    assert lines[0] == "2022-S1 全市 (暂定 provisional)"
    first = next(line for line in lines if line.startswith("cloud_systems_added"))
    assert first.split() == ["cloud_systems_added", "新增上云政务信息系统数", "8个", "6个", "+33%", "9个", "-11%"]
    second = next(line for line in lines if line.startswith("account_activation_rate"))
    numbers = ["98.33%", "97.50%", "+0.83百分点", "—", "—"]
    assert second.split() == ["account_activation_rate", "粤政易用户激活率", *numbers]
    assert any("政务信息系统上云" in line for line in lines) and any("粤政易账号" in line for line in lines)
    # Right-aligned columns end in the same cell, however wide the characters are.
    assert cell_len(first[: first.index("8个")] + "8个") == cell_len(second[: second.index("98.33%")] + "98.33%")


@pytest.mark.parametrize("width", [80, 60])
def test_numbers_below_names(shown: Any, width: int) -> None:
    lines = shown(width, [count(), rate()])
    assert [line for line in lines if cell_len(line) > width] == []
    name = lines.index("新增上云政务信息系统数 cloud_systems_added")
    assert lines[name + 1].split() == ["8个", "6个", "+33%", "9个", "-11%"]
    assert lines[2].split() == ["this", "previous", "change", "year", "ago", "change"]


def test_the_past_says_so(shown: Any) -> None:
    assert "按当时所知 as_known 2022-07-01 02:00" in shown(80, [count(status="as_known")])[0]
    assert shown(80, []) == ["没有数据 / nothing was computed for this half-year"]


def test_a_comparison_keeps_code_and_verdict(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    row: dict[str, Any] = dict.fromkeys(RECONCILIATION_COLUMNS) | {
        "period": "2022-S1",
        "published_no": "12",
        "indicator_code": "revolutionary_education_activities",
        "name_zh": "委托乡镇实施的县级政务服务事项数",
        "published_printed": "第一次、第二次约1.4335亿元",
        "computed_printed": "1.4335亿元",
        "verdict": "口径差",
        "reading": "flow",
        "explanation_zh": "按流量口径即为公布数",
        "explanation_en": "the reading flow gives what was printed",
    }
    figure_table.show_reconciliation([row])
    text = capsys.readouterr().out
    assert [line for line in text.splitlines() if cell_len(line) > 80] == []
    for whole in ("12", "revolutionary_education_activities", "1.4335亿元", "口径差 reading", "按流量口径即为公布数 /"):
        assert whole in text
    assert "舍入差 rounding 0, 口径差" in text


@pytest.mark.parametrize("width", [20, 40, 80, 200])
def test_a_table_drops_no_column(
    width: int, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    table = console.table(("文件 file", "结论 verdict"), ("读取\nread", "装载\nloaded", "隔离\nbad"))
    table.add_row("account_activation_20220630.csv", "部分隔离 loaded with quarantine", "12345678", "12345670", "8")
    console.show(table)
    text = capsys.readouterr().out
    for part in ("12345678", "12345670", " 8\n", "read", "loaded", "bad", "accou"):
        assert part in text
    assert "…" not in text


def test_markdown_cuts_no_code(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "40")
    console.markdown("| 代码 | 指标 |\n| --- | --- |\n| revolutionary_education_activities | 革命传统教育活动次数 |\n")
    text = capsys.readouterr().out
    assert "…" not in text
    assert [line for line in text.splitlines() if cell_len(line) > 40] == []


@given(st.text(st.sampled_from("ab_0 ，。（）“”【半年期指标—…／/.;,"), max_size=60), st.integers(4, 30))
def test_a_wrapped_sentence_is_whole(text: str, width: int) -> None:
    lines = wrapped(text, width, "  ")
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        # Only what has no place in it where a line could end is wider.
        assert cell_len(line.rstrip()) <= width or len(wrapped(line, 1)) == 1


def test_paths_and_closing_marks_stay_with_what_they_belong_to() -> None:
    path = "/srv/halfyear/inbox/cloud_migration/cloud_migration_20220630.csv"
    assert path in wrapped(f"收件箱中的文件 {path} 无法读取", 20)
    assert wrapped("请核对，再报。", 12) == ["请核对，再", "报。"]
