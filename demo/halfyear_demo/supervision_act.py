"""Demo exports of ``supervision_act``: acts of supervision, most of them entered within days of the inspection."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from random import Random

from halfyear.period import Period, of, parse
from halfyear_demo import city, spelling
from halfyear_demo.city import City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_csv

SOURCE = "supervision_act"
HEADERS = {
    "act_no": "监管行为编号",
    "item_code": "监管事项编码",
    "body_name": "监管部门",
    "subject_code": "监管对象代码",
    "inspected_at": "检查时间",
    "result": "检查结果",
    "entered_at": "录入时间",
}
#: Acts inspected in a half-year.
TARGETS = {parse("2020-S2"): 5204, parse("2021-S1"): 5871, parse("2021-S2"): 6915, parse("2022-S1"): 16_240}
DAYS = (date(2020, 12, 31), date(2021, 6, 30), date(2021, 12, 31), date(2022, 6, 30))
_STYLES: dict[date, spelling.TimeStyle] = dict(zip(DAYS, ("dash", "slash", "compact", "dash"), strict=True))
_SUPERVISORS = ("市场监督管理局", "应急管理局", "卫生健康局", "住房和城乡建设局", "交通运输局", "城市管理和综合执法局")
_RESULTS = ("合格", "合格", "合格", "合格", "责令整改", "立案查处", None)


def exports(town: City, seed: int) -> list[Export]:
    """One batch for each half-year."""
    return [_export(day, town, seed) for day in DAYS]


def _export(day: date, town: City, seed: int) -> Export:
    rows = list(_rows(of(day), day, town, seed))
    first = dict(rows[0].cells)
    if day == DAYS[3]:
        rows += [
            Row({**first, "act_no": "JG20229900001", "entered_at": "2021-12-31 08:00:00"}, "quarantined",
                "entered_at", "entered before the inspection"),
            Row({**first, "act_no": "JG20229900002", "item_code": "/"}, "quarantined", "item_code",
                "missing required"),
            Row({**first, "act_no": "JG20229900003", "entered_at": "2022-07-02 08:00:00"}, "quarantined",
                "entered_at", "entered after the snapshot date"),
        ]  # fmt: skip
    elif day == DAYS[0]:
        rows.append(Row(dict(rows[-1].cells), "skipped", "", "duplicate of the row above, alike in every column"))
    return delivered(SOURCE, day, to_csv(Layout(HEADERS), rows, "utf-8", "\n"))


def _rows(half: Period, day: date, town: City, seed: int) -> Iterator[Row]:
    """The acts of a half-year; the first was inspected in its first second, the last in its last and entered then."""
    rng = Random(f"{seed} {SOURCE} {half}")
    bodies = [town.named(name) for name in _SUPERVISORS]
    subjects = [city.credit_code("91", city.REGION_CODE, f"MA{700_000 + n:06d}") for n in range(600)]
    end = datetime.combine(half.last_day, time(23, 59, 59))
    count = TARGETS[half]
    days = (half.next_day - half.first_day).days
    for number in range(count):
        begin = datetime.combine(half.first_day + timedelta(days=number * days // count), time(9))
        inspected = begin + timedelta(minutes=rng.randrange(480))
        # Four in a hundred are entered late.
        entered = inspected + timedelta(hours=rng.randint(150, 900) if rng.random() < 0.04 else rng.randint(1, 90))
        if number == 0:
            inspected = datetime.combine(half.first_day, time())
            entered = inspected + timedelta(days=6)  # the first day that is late
        elif number == 1:
            inspected = datetime.combine(half.first_day, time(23, 30))
            entered = inspected + timedelta(days=5)  # the last day that is not
        elif number == count - 1:
            inspected = end
        body = bodies[number % len(bodies)]
        cells: dict[str, Cell] = {
            "act_no": f"JG{half.year}{half.semester}{number + 1:07d}",
            "item_code": f"{city.REGION_CODE}{body.code[8:12]}{rng.randint(1, 40):04d}",
            "body_name": body.name_on(day, town.valid_from) if number % 4 == 0 else body.name,
            "subject_code": rng.choice(subjects),
            "inspected_at": spelling.moment(inspected, _STYLES[day]),
            "result": rng.choice(_RESULTS),
            "entered_at": spelling.moment(min(entered, end), _STYLES[day]),
        }
        if number == 77:
            yield Row({**cells, "body_name": "榕湾市联合检查组"}, "loaded", "body_name", "name that no list knows")
        else:
            yield Row(cells)
