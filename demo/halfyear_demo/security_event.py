"""Demo exports of ``security_event``: events, assessments before going live and drills on the government network."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from halfyear.period import Period, of, parse
from halfyear_demo import city, spelling
from halfyear_demo.city import City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_csv

SOURCE = "security_event"
HEADERS = {
    "event_no": "编号",
    "event_kind": "类别",
    "system_name": "系统名称",
    "severity": "级别",
    "found_at": "发现时间",
    "status": "处置状态",
    "resolved_at": "处置完成时间",
}


@dataclass(frozen=True)
class Target:
    """Of one half-year: events, how many of these are open at its end, assessments and drills."""

    events: int
    open: int
    assessments: int
    drills: int


TARGETS = {
    parse("2020-S2"): Target(14, 1, 5, 1),
    parse("2021-S1"): Target(12, 0, 7, 1),
    parse("2021-S2"): Target(11, 1, 9, 2),
    parse("2022-S1"): Target(9, 1, 8, 1),
}
DAYS = (date(2020, 12, 31), date(2021, 6, 30), date(2021, 12, 31), date(2022, 6, 30))
_SYSTEMS = ("政务服务一体化平台", "一网共享平台", "12345热线系统", "门户网站", "视频会议系统", "电子证照系统")


def exports(town: City, seed: int) -> list[Export]:
    """One batch for each half-year; an event that was open comes again in the next, resolved."""
    return [_export(day, seed) for day in DAYS]


def _half_year(half: Period, seed: int) -> Iterator[dict[str, Cell]]:
    """The rows of a half-year, times as datetimes; the first lies in its first minute, an open one in its last."""
    rng = Random(f"{seed} {SOURCE} {half}")
    target = TARGETS[half]
    kinds = ["安全事件"] * target.events + ["上线前风险评估"] * target.assessments + ["应急演练"] * target.drills
    for number, kind in enumerate(kinds):
        day = city.day_between(rng, half.first_day, half.last_day - timedelta(days=9))
        found = datetime.combine(day, time(rng.randrange(8, 20), rng.randrange(60)))
        resolved: datetime | None = found + timedelta(hours=rng.randint(1, 150))
        if number == 0:
            found, resolved = (datetime.combine(half.first_day, at) for at in (time(), time(11)))
        elif kind == "安全事件" and number >= target.events - target.open:
            found, resolved = datetime.combine(half.last_day, time(23, 59, 59)), None
        yield {
            "event_no": f"AQ{half.year}{half.semester}{number + 1:04d}",
            "event_kind": kind,
            "system_name": rng.choice(_SYSTEMS),
            "severity": rng.choices(("一般", "较大"), (9, 1))[0] if kind == "安全事件" else None,
            "found_at": found,
            "resolved_at": resolved,
        }


def _export(day: date, seed: int) -> Export:
    half = of(day)
    rows = [Row(_written(cells)) for cells in _half_year(half, seed)]
    if half.previous in TARGETS:
        # Found in the last second of the half-year before, resolved in this one.
        for cells in _half_year(half.previous, seed):
            if cells["resolved_at"] is None:
                rows.append(Row(_written({**cells, "resolved_at": datetime.combine(half.first_day, time(17, 30))})))
    first = dict(rows[0].cells)
    if day == DAYS[3]:
        rows += [
            Row({**first, "event_no": "AQ202219001", "event_kind": "漏洞通报"}, "quarantined", "event_kind",
                "unknown enumeration"),
            Row({**first, "event_no": "AQ202219002", "resolved_at": "2021-12-31 20:00:00"}, "quarantined",
                "resolved_at", "resolved before it was found"),
        ]  # fmt: skip
    return delivered(SOURCE, day, to_csv(Layout(HEADERS), rows, "utf-8", "\n"))


def _written(cells: dict[str, Cell]) -> dict[str, Cell]:
    found, resolved = cells["found_at"], cells["resolved_at"]
    assert isinstance(found, datetime) and (resolved is None or isinstance(resolved, datetime))
    return {
        **cells,
        "found_at": spelling.moment(found),
        "status": "处置中" if resolved is None else "已处置",
        "resolved_at": spelling.moment(resolved),
    }
