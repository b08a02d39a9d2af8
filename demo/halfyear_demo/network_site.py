"""Demo exports of ``network_site``: which towns and villages the government network reaches."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from random import Random

from halfyear_demo import city, spelling
from halfyear_demo.city import City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_csv

SOURCE = "network_site"
HEADERS = {
    "region_code": "行政区划代码",
    "site_name": "名称",
    "level": "层级",
    "is_connected": "是否接入",
    "connected_on": "接入日期",
    "bandwidth_mbps": "带宽(Mbps)",
}
#: Towns and villages that are not connected yet.
MISSING: Mapping[date, int] = {
    date(2020, 12, 31): 11,
    date(2021, 6, 30): 6,
    date(2021, 12, 31): 2,
    date(2022, 6, 30): 0,
}
DAYS = tuple(MISSING)
_ANSWERS = dict(zip(DAYS, ("word", "digit", "hanzi", "letter"), strict=True))


def exports(town: City, seed: int) -> list[Export]:
    """The list of each half-year."""
    return [_export(day, town, seed) for day in DAYS]


def _export(day: date, town: City, seed: int) -> Export:
    sites = [*town.of_kind("镇街"), *town.of_kind("村居")]
    rows = []
    for number, site in enumerate(sites):
        rng = Random(f"{seed} {SOURCE} {site.code}")
        is_connected = number < len(sites) - MISSING[day]
        connected = date(2018, 5, 1) + timedelta(days=rng.randrange(700))
        if number >= len(sites) - MISSING[DAYS[0]]:
            # Connected between the first list and the last.
            connected = date(2022, 1, 5) - timedelta(days=(len(sites) - number) * 30)
        cells: dict[str, Cell] = {
            "region_code": site.region_code,
            "site_name": site.name.removeprefix(city.NAME),
            "level": site.level,
            "is_connected": spelling.yes_no(is_connected, _ANSWERS[day]),
            "connected_on": spelling.day(min(connected, day), "compact") if is_connected else None,
            "bandwidth_mbps": rng.choice(("50", "100", "200", "1,000")) if is_connected else None,
        }
        rows.append(Row(cells))
    if day == DAYS[3]:
        rows.append(Row(dict(rows[-1].cells), "skipped", "", "duplicate of the row above, alike in every column"))
        new: dict[str, Cell] = {**rows[-1].cells, "region_code": "441289199299", "is_connected": "N"}
        rows.append(Row({**new, "is_connected": "在建"}, "quarantined", "is_connected", "not a yes or no"))
    return delivered(SOURCE, day, to_csv(Layout(HEADERS), rows, "utf-8", "\n"))
