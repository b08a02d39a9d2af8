"""Figures on the terminal: the indicator table of a half-year, and what was printed beside what the rows say.

Where the terminal has no room for names and numbers side by side, each line of numbers stands below its name.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.measure import Measurement
from rich.text import Text

from halfyear.indicators.definition import DASH, plain, printed_change
from halfyear.terminal import console

Row = Mapping[str, Any]

_STATUSES = {"sealed": "已封存", "provisional": "暂定", "as_known": "按当时所知"}
_VERDICTS = {
    "一致": ("equal", "green"),
    "已重述": ("restated since", "cyan"),
    "舍入差": ("rounding", "yellow"),
    "口径差": ("reading", "yellow"),
    "差异": ("different", "red"),
    "无来源": ("no rows", "red"),
}
#: The width of a table in a file: that of names and numbers side by side.
_FILE_WIDTH = 200
_NAMES = ("代码 code", "指标 indicator")
_NUMBERS = ("本期\nthis", "上期\nprevious", "环比\nchange", "上年同期\nyear ago", "同比\nchange")


# ---------------------------------------------------------------- indicators


def show_indicators(rows: Sequence[Row], to: Console | None = None) -> None:
    """Print the rows of mart.indicator under their domains."""
    to = to or console.console()
    if not rows:
        to.print("没有数据 / nothing was computed for this half-year")
        return
    first = rows[0]
    statuses = ", ".join(sorted({_status(row) for row in rows}))
    title = f"{first['period']} {first['body_name'] or first['body_code']} ({statuses})"
    to.print(Text(title, "bold"), soft_wrap=True)
    beside = console.table(_NAMES, _NUMBERS)
    below = console.table((), _NUMBERS)
    for row in rows:
        numbers = _numbers(row)
        beside.add_row(row["indicator_code"], row["name_zh"], *numbers)
        below.add_row(*numbers)
    is_wide = Measurement.get(to, to.options.update_width(1_000), beside).maximum <= to.width
    laid = console.lines(beside if is_wide else below, to)
    for line in laid[: -len(rows)]:
        to.print(line, soft_wrap=True)
    lines = iter(laid[-len(rows) :])
    for domain, members in itertools.groupby(rows, key=lambda row: str(row["domain"])):
        group = list(members)
        to.print(Text(f"{group[0]['domain_zh'] or domain} {group[0]['domain_en'] or ''}", "bold cyan"), soft_wrap=True)
        for row in group:
            if not is_wide:
                to.print(Text(f"{row['name_zh']} {row['indicator_code']}"), soft_wrap=True)
            to.print(next(lines), soft_wrap=True)


def save_indicators(rows: Sequence[Row], output: Path) -> None:
    """Write the table to a file, in which a line is as long as it has to be."""
    with output.open("w", encoding="utf-8") as stream:
        show_indicators(rows, console.console(file=stream, width=_FILE_WIDTH))


def _numbers(row: Row) -> tuple[Text, ...]:
    return (
        Text(row["printed"], "bold"),
        *(
            cell
            for base, change in (("previous", "change_on_previous"), ("year_ago", "change_on_year"))
            for cell in (_base(row, base), _change(row, base, change))
        ),
    )


def _base(row: Row, base: str) -> Text:
    """What a figure is compared with, as it was printed; (r) where that half-year was restated."""
    return Text(f"{row[f'{base}_printed'] or DASH}{'(r)' if row[f'{base}_first_printed'] else ''}")


def _status(row: Row) -> str:
    status = str(row["status"])
    vintage = f" v{row['vintage']}" if row["vintage"] else ""
    instant = f" {row['computed_at']:%Y-%m-%d %H:%M}" if status == "as_known" else ""
    return f"{_STATUSES.get(status, status)} {status}{vintage}{instant}"


def _change(row: Row, base: str, column: str) -> Text:
    if row[f"{base}_not_comparable"]:
        return Text("不可比")
    change: Decimal | None = row[column]
    if change is None:
        return Text(DASH)
    text = printed_change(change, row["kind"], row["decimals"])
    return Text(text, style="green" if change > 0 else "red" if change < 0 else "")


# ---------------------------------------------------------------- reconciliation


def show_reconciliation(rows: Sequence[Row], contradictions: Sequence[Row] = ()) -> None:
    """Print the comparison: a line per figure with its verdict, the words on some, and how many there are of each.

    ``contradictions``: the identities that printed figures break among themselves.
    """
    table = console.table(("号\nno.", "指标 indicator", "公布\nprinted", "计算\ncomputed", "结论 verdict"))
    for row in rows:
        en, style = _VERDICTS[row["verdict"]]
        name = f"{row['name_zh'] or DASH}\n{row['indicator_code']}"
        verdict = Text(f"{row['verdict']} {en}", style)
        table.add_row(row["published_no"], name, row["published_printed"], row["computed_printed"], verdict)
    for column in table.columns[2:4]:
        column.justify = "right"
    for column in (*table.columns[:2], table.columns[4]):
        column.no_wrap = True
    console.show(table)
    explained = [row for row in rows if row["explanation_zh"] or row["explanation_en"]]
    if explained:
        console.say("")
        console.say("说明 Explanations", "bold")
    for row in explained:
        words = " / ".join(filter(None, (row["explanation_zh"], row["explanation_en"])))
        console.say(f"{row['published_no']} {row['indicator_code']}: {words}")
    shares = [row for row in rows if row["possible_denominators"]]
    if shares:
        console.say("")
        console.say("占比可能的分母 Counts that could print the shares", "bold")
    for row in shares:
        of = "" if row["denominator"] is None else f" (计算时 computed over {row['denominator']:f})"
        console.say(f"{row['published_no']} {row['published_printed']}: {row['possible_denominators']}{of}")
    if contradictions:
        console.say("")
        console.say("公布数自相矛盾 Printed figures that do not agree with each other", "bold")
    for row in contradictions:
        console.say(
            f"{row['period']} {row['rule']}: {row['description_zh']} / {row['description_en']}: "
            f"差 difference {plain(row['difference']):f}, 容差 tolerance {plain(row['tolerance']):f}"
        )
    found = Counter(row["verdict"] for row in rows)
    counts = ", ".join(f"{v} {en} {found[v]}" for v, (en, _) in _VERDICTS.items() if v != "已重述" or found[v])
    console.say("")
    console.say(f"{rows[0]['period']}: 公布数 printed figures {len(rows)}: {counts}")
