"""Demo exports of ``service_hall``: the halls and service points of the city, its towns and its villages."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from halfyear_demo import city, spelling
from halfyear_demo.city import Body, City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_csv

SOURCE = "service_hall"
HEADERS = {
    "hall_code": "大厅编号",
    "hall_name": "大厅名称",
    "level": "层级",
    "region_code": "行政区划代码",
    "has_rating_qr": "是否提供扫码评价",
    "has_chief_representative": "是否落实首席代表",
    "opened_on": "启用日期",
}


@dataclass(frozen=True)
class Target:
    """On one day: halls on the list, those that can be rated by scanning, and those with chief representatives."""

    listed: int
    rated: int
    represented: int


TARGETS: Mapping[date, Target] = {
    date(2020, 12, 31): Target(171, 132, 61),
    date(2021, 6, 30): Target(188, 158, 96),
    date(2021, 12, 31): Target(203, 186, 141),
    date(2022, 6, 30): Target(217, 209, 178),
}
DAYS = tuple(TARGETS)
_ANSWERS = dict(zip(DAYS, ("hanzi", "digit", "letter", "hanzi"), strict=True))
_CITY_HALLS = ("政务服务中心", "公安分厅", "税务分厅", "不动产登记分厅", "社保分厅", "医保分厅", "公共资源交易分厅")
_POINTS = ("便民服务站", "第二服务点", "第三服务点")


@dataclass(frozen=True)
class Hall:
    """One hall."""

    code: str
    name: str
    level: str
    region_code: str


def hall_code(body: Body) -> str:
    """The hall in which a body serves: its own in towns and villages, else the city's."""
    region = body.region_code if body.level in ("镇", "村") else city.REGION_CODE
    return f"RWT{region}01"


def halls(town: City) -> list[Hall]:
    """Every hall, those of the city first, then a point in every village before the second ones."""
    made = [
        Hall(f"RWT{city.REGION_CODE}{n:02d}", f"{city.NAME}{name}", "市", city.REGION_CODE)
        for n, name in enumerate(_CITY_HALLS, start=1)
    ]
    towns, villages = town.of_kind("镇街"), town.of_kind("村居")
    made += [Hall(hall_code(body), f"{_place(body)}公共服务中心", "镇", body.region_code) for body in towns]
    for number, point in enumerate(_POINTS, start=1):
        made += [
            Hall(f"RWT{body.region_code}{number:02d}", f"{_place(body)}{point}", "村", body.region_code)
            for body in villages
        ]
    made += [
        Hall(f"RWT{body.region_code}02", f"{_place(body)}公共服务中心分厅", "镇", body.region_code) for body in towns
    ]
    return made


def _place(body: Body) -> str:
    name = body.name.removeprefix(city.NAME)
    for ending in ("人民政府", "办事处", "村民委员会", "居民委员会"):
        name = name.removesuffix(ending)
    return name


def exports(town: City, seed: int) -> list[Export]:
    """The list of each half-year."""
    return [_export(day, halls(town), seed) for day in DAYS]


def _export(day: date, every: list[Hall], seed: int) -> Export:
    rows = list(_rows(day, every[: TARGETS[day].listed], seed))
    headers = dict(HEADERS)
    if day == DAYS[1]:
        headers |= {"has_rating_qr": "是否提供\n扫码评价", "region_code": "行政区划\n代码"}
    elif day == DAYS[3]:
        headers |= {"hall_code": "大厅编号*", "has_rating_qr": " 是否提供扫码评价 "}
    layout = Layout(headers, notes=("填报人：政务服务股",) if day == DAYS[3] else ())
    return delivered(SOURCE, day, to_csv(layout, rows, "utf-8-sig"))


def _rows(day: date, listed: list[Hall], seed: int) -> Iterator[Row]:
    target, style = TARGETS[day], _ANSWERS[day]
    for number, hall in enumerate(listed):
        opened = city.day_between(Random(f"{seed} {SOURCE} {hall.code}"), date(2015, 3, 1), date(2020, 6, 30))
        # The last of the list have the newest points, without a code to scan.
        represented = number < target.represented
        cells: dict[str, Cell] = {
            "hall_code": hall.code,
            "hall_name": hall.name,
            "level": hall.level,
            "region_code": hall.region_code,
            "has_rating_qr": spelling.yes_no(number < target.rated, style),
            "has_chief_representative": None
            if not represented and number % 5 == 0
            else spelling.yes_no(represented, style),
            "opened_on": spelling.day(opened, "slash" if day == DAYS[1] else "dash"),
        }
        yield Row(cells)
    if day == DAYS[3]:
        yield Row(cells, "skipped", "", "duplicate of the row above, alike in every column")
        new = {**cells, "has_rating_qr": "是"}
        yield Row({**new, "hall_code": "RWT90001", "level": "县"}, "quarantined", "level", "unknown enumeration")
        yield Row({**new, "hall_code": "RWT90002", "region_code": "44128"}, "quarantined", "region_code", "5 digits")
        yield Row({**new, "hall_code": None}, "quarantined", "hall_code", "no key")
