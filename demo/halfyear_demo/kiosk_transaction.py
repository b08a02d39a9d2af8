"""Demo exports of ``kiosk_transaction``: what the machines of ``kiosk`` did, by service and day."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

from halfyear.period import Period, of, parse
from halfyear_demo import kiosk
from halfyear_demo.city import City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_parquet

SOURCE = "kiosk_transaction"
HEADERS = {"kiosk_code": "设备编号", "service_name": "事项名称", "served_on": "办理日期", "transactions": "业务量"}
#: Transactions of a half-year, and the share of days on which a machine is used.
TARGETS: Mapping[Period, tuple[int, float]] = {
    parse("2020-S2"): (27_416, 0.5),
    parse("2021-S1"): (35_902, 0.5),
    parse("2021-S2"): (47_233, 0.5),
    parse("2022-S1"): (93_469, 1.0),
}
DAYS = (date(2020, 12, 31), date(2021, 6, 30), date(2021, 12, 31), date(2022, 3, 31), date(2022, 6, 30))
_SERVICES = (
    "社保查询",
    "医保缴费",
    "水费缴纳",
    "居住证签注",
    "个人所得税查询",
    "养老认证",
    "证明打印",
    "不动产登记查询",
)
_IDLE = 6
_UNKNOWN = "YZZ44128999999"


def exports(town: City, seed: int) -> list[Export]:
    """One file for each half-year; 2022 also has its first quarter, some days of which June's file corrects."""
    made = []
    for half in TARGETS:
        rows = _half_year(half, town, seed)
        for day in (day for day in DAYS if of(day) == half):
            made.append(_export(day, rows))
    return made


def _half_year(half: Period, town: City, seed: int) -> list[dict[str, Cell]]:
    """The rows of a half-year, the last days of March marked by what they are; some machines stand idle."""
    rng = Random(f"{seed} {SOURCE} {half}")
    total, share = TARGETS[half]
    machines = [machine.code for machine in kiosk.in_service(half.last_day, town, seed)]
    days = [half.first_day + timedelta(days=n) for n in range((half.next_day - half.first_day).days)]
    keys = [
        (machine, service, day)
        for machine in machines[_IDLE:]
        for day in days
        if rng.random() < share
        for service in rng.sample(_SERVICES, rng.choice((1, 2, 2)) if share == 1 else 1)
    ]
    # A machine that the register does not know, and an idle one that reports that nothing was done.
    keys += [(_UNKNOWN, _SERVICES[0], half.first_day), (_UNKNOWN, _SERVICES[1], half.last_day)]
    counts = Counter(rng.choices(range(len(keys)), k=total - len(keys) + len(keys) // 50))
    nothing = set(rng.sample([n for n in range(len(keys)) if counts[n] == 0], len(keys) // 50))
    rows: list[dict[str, Cell]] = [
        {
            "kiosk_code": machine,
            "service_name": service,
            "served_on": day,
            "transactions": 0 if number in nothing else 1 + counts[number],
        }
        for number, (machine, service, day) in enumerate(keys)
    ]
    idle: dict[str, Cell] = {"kiosk_code": machines[0], "service_name": _SERVICES[0], "served_on": half.last_day}
    return [*rows, {**idle, "transactions": 0}]


def _export(day: date, rows: list[dict[str, Cell]]) -> Export:
    made: list[Row] = []
    for cells in rows:
        served = cells["served_on"]
        assert isinstance(served, date)
        if served > day:
            continue
        if day == DAYS[3] and served == day:
            # The last day was not over yet.
            made.append(Row({**cells, "transactions": 0}))
        elif day != DAYS[4] or served >= DAYS[3]:
            made.append(Row(cells))
    if day == DAYS[4]:
        first = dict(made[0].cells)
        made += [
            Row({**first, "service_name": "待核实", "transactions": -1}, "quarantined", "transactions", "below zero"),
            Row({**first, "service_name": None}, "quarantined", "service_name", "no key"),
            Row({**first, "served_on": date(2022, 7, 1)}, "quarantined", "served_on", "after the snapshot date"),
            Row(first, "skipped", "", "duplicate of the first row, alike in every column"),
        ]
    types = {"served_on": "date", "transactions": "integer"}
    return delivered(SOURCE, day, to_parquet(Layout(HEADERS), made, types))
