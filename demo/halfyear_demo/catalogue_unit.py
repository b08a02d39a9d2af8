"""Demo exports of ``catalogue_unit``: the bodies that catalogue, with numbers that follow the catalogue.

已编目数 and 已挂接数 are counted from the true list of ``data_catalogue`` of the same day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import date, datetime
from random import Random

from halfyear_demo import city, data_catalogue, spelling
from halfyear_demo.city import Body, City
from halfyear_demo.exporting import Cell, Content, Export, Layout, Row, delivered, to_csv, to_jsonl

SOURCE = "catalogue_unit"
HEADERS = {
    "body_name": "单位名称",
    "body_code": "统一社会信用代码",
    "must_catalogue": "是否需编目挂接",
    "entries_due": "应编目数",
    "entries_catalogued": "已编目数",
    "entries_mounted": "已挂接数",
}
#: Snapshot dates and how each export writes yes and no. On 2022-03-31 the system spoke JSON.
STYLES = {
    date(2020, 12, 31): "hanzi",
    date(2021, 6, 30): "digit",
    date(2021, 12, 31): "letter",
    date(2022, 3, 31): "word",
    date(2022, 6, 30): "hanzi",
}
DAYS = tuple(STYLES)
_AS_JSON = date(2022, 3, 31)
_DELIVERED_AGAIN = {date(2021, 12, 31): datetime(2022, 1, 4, 8, 55)}


def exports(town: City, seed: int) -> list[Export]:
    """The lists of units; the one of 2021-12-31 arrived a second time, byte for byte the same."""
    catalogue = data_catalogue.lists(town, seed)
    made = []
    for day, style in STYLES.items():
        content = _list(day, style, town, catalogue[day], Random(f"{seed} {SOURCE}"))
        made.append(delivered(SOURCE, day, content))
        if day in _DELIVERED_AGAIN:
            made.append(delivered(SOURCE, day, content, sequence=2, arrived_at=_DELIVERED_AGAIN[day]))
    return made


def _list(day: date, style: str, town: City, entries: list[data_catalogue.Entry], rng: Random) -> Content:
    known = [entry for entry in entries if entry.confirmation == data_catalogue.CONFIRMED]
    catalogued = Counter(entry.body_code for entry in known)
    mounted = Counter(entry.body_code for entry in known if entry.resource_count)
    gaps = {code: rng.randint(0, 14) for code in town.bodies}
    obliged = {body.code for body in data_catalogue.cataloguing_bodies(town, day)}
    units = list(town.bodies.values())[1:49]
    counts = {}
    for body in units:
        gap = gaps[body.code] * (len(DAYS) - DAYS.index(day)) // len(DAYS) if body.code in obliged else 0
        done = catalogued[body.code]
        counts[body.code] = (done + gap, done, mounted[body.code])
    rows = list(_rows(day, style, town, units, obliged, counts))
    if day == _AS_JSON:
        return to_jsonl(rows)
    headers = dict(HEADERS)
    if day == DAYS[1]:
        headers |= {"must_catalogue": "是否需编目\n挂接", "entries_due": "应编目数（条）"}
    elif day == DAYS[-1]:
        headers |= {"body_code": "统一社会信用代码*", "must_catalogue": "是否需编目挂接*", "entries_due": " 应编目数"}
    notes = ["填报人：市政数局数据股", "备注：数据来源于一网共享平台"]
    sums = [sum(count[place] for count in counts.values()) for place in range(3)]
    layout = Layout(
        headers,
        titles=(f"{city.NAME}编目挂接单位清单",) if day == DAYS[0] else (),
        totals=dict(zip(("entries_due", "entries_catalogued", "entries_mounted"), sums, strict=True)),
        notes=tuple(notes if day == DAYS[-1] else notes[:1]),
        has_blank_before_notes=day == DAYS[2],
    )
    return to_csv(layout, rows)


def _rows(
    day: date, style: str, town: City, units: list[Body], obliged: set[str], counts: dict[str, tuple[int, int, int]]
) -> Iterator[Row]:
    # Units without obligations have 0 everywhere, so damage to them leaves the control totals alone.
    idle = [body.code for body in units if body.code not in obliged]
    for number, body in enumerate(units):
        due, catalogued, mounted = counts[body.code]
        must: Cell = body.code in obliged
        cells: dict[str, Cell] = {
            "body_name": body.name_on(day, town.valid_from) if number % 3 else body.name,
            "body_code": body.code,
            "must_catalogue": must if day == _AS_JSON else spelling.yes_no(bool(must), style),
            "entries_due": due,
            "entries_catalogued": catalogued,
            "entries_mounted": mounted,
        }
        if day == DAYS[-1] and body.code == idle[0]:
            yield Row({**cells, "must_catalogue": ""}, "quarantined", "must_catalogue", "missing required")
        elif day == DAYS[-1] and body.code == idle[1]:
            yield Row({**cells, "must_catalogue": "待定"}, "quarantined", "must_catalogue", "not a yes or no")
        elif day == _AS_JSON and number == 0:
            more = {"entries_catalogued": due + 3}
            yield Row({**cells, **more}, "quarantined", "entries_catalogued", "more catalogued than due")
        else:
            yield Row(cells)
        if day == DAYS[1] and body.code == idle[2]:
            yield Row(cells, "skipped", "", "duplicate of the row above, alike in every column")
