"""Demo exports of ``kiosk``: the self-service machines (粤智助) in towns and villages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from halfyear_demo import city, spelling
from halfyear_demo.city import Body, City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_csv

SOURCE = "kiosk"
HEADERS = {
    "kiosk_code": "设备编号",
    "kiosk_name": "设备名称",
    "region_code": "行政区划代码",
    "town": "投放镇(街)",
    "village": "投放村(居)",
    "body_name": "投放单位",
    "kiosk_status": "设备状态",
    "online_on": "上线日期",
}


@dataclass(frozen=True)
class Target:
    """On one day: machines in service, out of order, withdrawn and not yet in service."""

    in_service: int
    out_of_order: int
    withdrawn: int
    waiting: int


TARGETS: Mapping[date, Target] = {
    date(2020, 12, 31): Target(102, 3, 0, 6),
    date(2021, 6, 30): Target(128, 4, 1, 5),
    date(2021, 12, 31): Target(151, 2, 2, 8),
    date(2022, 3, 31): Target(166, 6, 3, 4),
    date(2022, 6, 30): Target(177, 5, 4, 7),
}
DAYS = tuple(TARGETS)
_STATES = ("在用", "故障", "停用", "未启用")


@dataclass(frozen=True)
class Kiosk:
    """One machine and where it stands."""

    code: str
    place: Body
    online_on: date


def kiosks(town: City, seed: int) -> list[Kiosk]:
    """Every machine in the order in which they came: one in every town and village, then second and third ones."""
    rng = Random(f"{seed} {SOURCE}")
    places = [*town.of_kind("镇街"), *town.of_kind("村居")]
    return [
        Kiosk(f"YZZ{place.region_code}{turn}", place, date(2020, 3, 2) + timedelta(days=rng.randrange(120)))
        for turn in (1, 2, 3)
        for place in places
    ]


def in_service(day: date, town: City, seed: int) -> list[Kiosk]:
    """The machines that are in service on a day."""
    return kiosks(town, seed)[: TARGETS[day].in_service]


def exports(town: City, seed: int) -> list[Export]:
    """The list of each half-year, and one of the first quarter of 2022."""
    return [_export(day, town, seed) for day in DAYS]


def _export(day: date, town: City, seed: int) -> Export:
    headers = dict(HEADERS)
    if day == DAYS[1]:
        headers |= {"town": "投放镇（街）", "village": "投放村\n（居）"}
    elif day == DAYS[4]:
        headers |= {"kiosk_code": "设备编号*", "town": "投放镇街", "village": "投放村居"}
    return delivered(SOURCE, day, to_csv(Layout(headers), list(_rows(day, town, seed))))


def _rows(day: date, town: City, seed: int) -> Iterator[Row]:
    target = TARGETS[day]
    counts = (target.in_service, target.out_of_order, target.withdrawn, target.waiting)
    states = [state for state, count in zip(_STATES, counts, strict=True) for _ in range(count)]
    every = kiosks(town, seed)
    for kiosk, state in zip(every, states, strict=False):
        place = kiosk.place
        parent = town.bodies[place.parent_code] if place.level == "村" else place
        cells: dict[str, Cell] = {
            "kiosk_code": kiosk.code,
            "kiosk_name": f"{place.name.removeprefix(city.NAME)}粤智助{kiosk.code[-1]}号机",
            "region_code": place.region_code,
            "town": parent.name.removeprefix(city.NAME),
            "village": place.name.removeprefix(city.NAME) if place.level == "村" else "—",
            "body_name": place.name,
            "kiosk_status": state,
            "online_on": None if state == "未启用" else spelling.day(kiosk.online_on, "slash"),
        }
        if day == DAYS[4] and kiosk is every[0]:
            yield Row({**cells, "online_on": "2022/7/1"}, "loaded", "online_on", "after the day")
        else:
            yield Row(cells)
    if day == DAYS[4]:
        new = {**cells, "kiosk_status": "在用", "online_on": "2022/5/9"}
        yield Row(
            {**new, "kiosk_code": "YZZ90001", "kiosk_status": "良好"}, "quarantined", "kiosk_status", "unknown value"
        )
        yield Row(
            {**new, "kiosk_code": "YZZ90002", "region_code": None}, "quarantined", "region_code", "missing required"
        )
    elif day == DAYS[2]:
        yield Row(cells, "skipped", "", "duplicate of the row above, alike in every column")
