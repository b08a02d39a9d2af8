"""Demo exports of ``app_usage``: the monthly measures of the mobile applications."""

from __future__ import annotations

from datetime import date
from random import Random

from halfyear.period import of
from halfyear_demo import city
from halfyear_demo.city import City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_xlsx

SOURCE = "app_usage"
HEADERS = {"application": "应用", "month": "统计月份", "measure": "指标名称", "quantity": "数值", "unit": "单位"}
DAYS = (date(2020, 12, 31), date(2021, 6, 30), date(2021, 12, 31), date(2022, 3, 31), date(2022, 6, 30))
#: How each export writes a month.
_MONTHS = dict(zip(DAYS, ("%Y-%m", "%Y%m", "{0}年{1}月", "%Y-%m", "%Y-%m"), strict=True))
#: Registered users at the end of 2020 and transactions a month, by application.
_APPLICATIONS = {
    "粤省事": (186_000, 41_000),
    "粤商通": (23_500, 5_200),
    "粤康码": (412_000, 230_000),
    "健康核验": (9_800, 88_000),
}


def exports(town: City, seed: int) -> list[Export]:
    """One workbook for each half-year, and in 2022 one for the first quarter, which June's replaces."""
    return [_export(day, seed) for day in DAYS]


def _export(day: date, seed: int) -> Export:
    half = of(day)
    rows = []
    for number in range(half.first_day.month, day.month + 1):
        month = date(day.year, number, 1)
        for application in _APPLICATIONS:
            rows += [Row(cells) for cells in _measures(application, month, day, seed)]
    first = rows[0].cells
    if day == DAYS[4]:
        rows += [
            Row({**first, "measure": "好评率", "quantity": "98%"}, "quarantined", "quantity", "a share, not a number"),
            Row({**first, "month": "2022年上半年"}, "quarantined", "month", "no month"),
            Row({**first, "measure": "投诉量", "quantity": -3}, "quarantined", "quantity", "below zero"),
        ]
    titles = (f"{city.NAME}移动政务应用运营月报",) if day != DAYS[3] else ()
    headers = HEADERS | ({"quantity": " 数值*"} if day == DAYS[4] else {})
    return delivered(SOURCE, day, to_xlsx(Layout(headers, titles=titles), rows, "月报"))


def _measures(application: str, month: date, day: date, seed: int) -> list[dict[str, Cell]]:
    """The measures of one application and month; the last month of a quarter's export is not complete yet."""
    rng = Random(f"{seed} {SOURCE} {application} {month}")
    users, transactions = _APPLICATIONS[application]
    elapsed = (month.year - 2020) * 12 + month.month - 12
    registered = users + elapsed * users // 60 + rng.randint(0, 200)
    used = transactions * rng.randint(85, 130) // 100
    if day == DAYS[3] and month.month == day.month:
        used = used * 9 // 10
    pattern = _MONTHS[day]
    written = pattern.format(month.year, month.month) if "{" in pattern else month.strftime(pattern)
    common: dict[str, Cell] = {"application": application, "month": written}
    return [
        {**common, "measure": "注册用户数", "quantity": registered, "unit": "人"},
        {**common, "measure": "业务量", "quantity": used, "unit": "笔"},
        {**common, "measure": "访问量", "quantity": used * rng.randint(3, 6), "unit": "次"},
    ]
