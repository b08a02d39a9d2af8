"""Demo exports of ``video_meeting``: meetings over the video system (粤视会)."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from random import Random

from halfyear.period import Period, of, parse
from halfyear_demo import spelling
from halfyear_demo.city import City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_csv

SOURCE = "video_meeting"
HEADERS = {
    "meeting_no": "会议编号",
    "body_name": "主办单位",
    "started_at": "开始时间",
    "ended_at": "结束时间",
    "terminals": "参会终端数",
    "attendees": "参会人数",
}
#: Meetings that begin in a half-year.
TARGETS = {parse("2020-S2"): 164, parse("2021-S1"): 203, parse("2021-S2"): 248, parse("2022-S1"): 337}
DAYS = (date(2020, 12, 31), date(2021, 6, 30), date(2021, 12, 31), date(2022, 6, 30))
_STYLES: dict[date, spelling.TimeStyle] = dict(zip(DAYS, ("dash", "slash", "compact", "iso_compact"), strict=True))


def exports(town: City, seed: int) -> list[Export]:
    """One batch for each half-year; June's lists also the meeting that ran into 2022 with its end."""
    return [_export(day, town, seed) for day in DAYS]


def meetings(half: Period, town: City, seed: int) -> list[dict[str, Cell]]:
    """The meetings of a half-year, times as datetimes: the first begins with it, the last ends with it."""
    rng = Random(f"{seed} {SOURCE} {half}")
    bodies = town.of_kind("政府机关", "镇街")
    days = (half.next_day - half.first_day).days
    made: list[dict[str, Cell]] = []
    for number in range(TARGETS[half]):
        begin = datetime.combine(half.first_day + timedelta(days=rng.randrange(days)), time(8 + rng.randrange(10)))
        end = begin + timedelta(minutes=rng.randint(20, 170))
        if number == 0:
            begin, end = (datetime.combine(half.first_day, at) for at in (time(), time(1, 30)))
        elif number == 1:
            begin, end = (datetime.combine(half.last_day, at) for at in (time(22), time(23, 59, 59)))
        body = rng.choice(bodies)
        terminals = rng.randint(2, 48)
        made.append(
            {
                "meeting_no": f"YSH{half.year}{half.semester}{number + 1:05d}",
                "body_name": body.name_on(half.last_day, town.valid_from) if number % 3 == 0 else body.name,
                "started_at": begin,
                "ended_at": end,
                "terminals": terminals,
                "attendees": terminals * rng.randint(1, 6),
            }
        )
    return made


def _export(day: date, town: City, seed: int) -> Export:
    style = _STYLES[day]
    rows = []
    for cells in meetings(of(day), town, seed):
        begin, end = cells["started_at"], cells["ended_at"]
        assert isinstance(begin, datetime) and isinstance(end, datetime)
        written: dict[str, Cell] = {
            **cells,
            "started_at": spelling.moment(begin, style),
            "ended_at": spelling.moment(end, style),
        }
        rows.append(Row(written))
    first = dict(rows[0].cells)
    if day == DAYS[3]:
        rows[5] = Row({**rows[5].cells, "body_name": "榕湾市会务保障组"}, "loaded", "body_name", "no list knows it")
        rows += [
            Row({**first, "meeting_no": "YSH2022190001", "ended_at": "20211231T233000"}, "quarantined", "ended_at",
                "it ends before it begins"),
            Row({**first, "meeting_no": "YSH2022190002", "attendees": "12.5"}, "quarantined", "attendees",
                "not a whole number"),
            Row({**first, "meeting_no": None}, "quarantined", "meeting_no", "no key"),
        ]  # fmt: skip
    elif day == DAYS[1]:
        rows.append(Row(dict(rows[-1].cells), "skipped", "", "duplicate of the row above, alike in every column"))
    return delivered(SOURCE, day, to_csv(Layout(HEADERS), rows, "utf-8", "\n"))
