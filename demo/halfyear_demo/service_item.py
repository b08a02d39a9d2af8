"""Demo exports of ``service_item``: the items that the bodies of the city carry out, as the service portal lists them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from random import Random

from halfyear_demo import city, counter_case, spelling
from halfyear_demo.city import Body, City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_xlsx

SOURCE = "service_item"
HEADERS = {
    "item_code": "实施编码",
    "base_code": "基本编码",
    "item_name": "事项名称",
    "item_kind": "事项类型",
    "level": "行使层级",
    "body_name": "实施主体",
    "body_code": "实施主体代码",
    "service_scope": "通办范围",
    "is_online": "是否网办",
    "is_frequent": "是否高频",
    "is_one_visit": "是否一次办",
    "is_instant": "是否马上办",
    "is_exempt": "是否四免",
    "promised_days": "承诺办结时限",
    "item_status": "发布状态",
}


@dataclass(frozen=True)
class Target:
    """On one day, of the items in use: those of each group of kinds, of each scope, and the frequent ones."""

    authority: int
    application: int
    public_service: int
    levy: int
    cross_province: int
    cross_region: int
    frequent: int
    one_visit: int
    instant: int


TARGETS: Mapping[date, Target] = {
    date(2020, 12, 31): Target(4618, 1057, 449, 97, 96, 188, 120, 92, 101),
    date(2021, 6, 30): Target(4790, 1102, 478, 98, 131, 237, 126, 99, 108),
    date(2021, 12, 31): Target(4951, 1141, 506, 100, 167, 281, 132, 106, 115),
    date(2022, 6, 30): Target(5112, 1173, 528, 100, 183, 304, 138, 113, 122),
}
DAYS = tuple(TARGETS)
_ANSWERS = dict(zip(DAYS, ("hanzi", "digit", "letter", "hanzi"), strict=True))
_AUTHORITY = ("行政处罚", "行政强制", "行政检查")
_APPLICATION = ("行政许可", "行政给付", "行政确认", "行政奖励", "行政裁决", "其他行政权力")
#: GB/T 39046 A.1, as one export writes the kinds.
_CODES = {
    "行政权力事项": "00",
    "行政许可": "01",
    "行政处罚": "02",
    "行政强制": "03",
    "行政征收": "04",
    "行政给付": "05",
    "行政检查": "06",
    "行政确认": "07",
    "行政奖励": "08",
    "行政裁决": "09",
    "其他行政权力": "10",
    "公共服务": "20",
}
_OTHER_NAMES = {"其他行政权力": "其他类别事项", "公共服务": "公共服务事项"}
_LEVELS = {"市": "县级", "镇": "镇(乡、街道)级", "村": "村(社区)级"}
_SUBJECTS = (
    "建设工程",
    "食品经营",
    "道路运输",
    "安全生产",
    "医疗机构",
    "劳动用工",
    "市容环境",
    "水土保持",
    "农产品",
    "消防",
)
_ACTS = {
    "行政处罚": "违法行为的处罚",
    "行政强制": "设施的查封",
    "行政检查": "情况的监督检查",
    "行政许可": "许可",
    "行政给付": "补贴发放",
    "行政确认": "资格确认",
    "行政奖励": "先进表彰",
    "行政裁决": "争议裁决",
    "其他行政权力": "备案",
    "公共服务": "信息查询",
    "行政征收": "费用征收",
    "行政权力事项": "职权",
}


@dataclass(frozen=True)
class Item:
    """One item at one body; ``rank`` is its place among the items of its group, the oldest first."""

    code: str
    name: str
    kind: str
    group: str
    rank: int
    body: Body


def items(town: City, seed: int) -> list[Item]:
    """Every item that is in use on any day, by group and rank; those of the counters are the oldest."""
    rng = Random(f"{seed} {SOURCE}")
    bureaus, towns, villages = (town.of_kind(kind) for kind in ("政府机关", "镇街", "村居"))
    last = TARGETS[DAYS[-1]]
    counters = list(dict.fromkeys(counter_case.offers(town)))
    made = []
    for rank in range(last.authority):
        made.append(_item(rng, "authority", rank, _AUTHORITY[rank % 3], rng.choice([*bureaus, *towns])))
    for rank in range(last.application):
        kind = _APPLICATION[rank % 6]
        if rank < len(counters):
            offer = counters[rank]
            made.append(Item(offer.item_code, offer.item_name, "行政许可", "application", rank, offer.body))
        else:
            made.append(_item(rng, "application", rank, kind, rng.choice(bureaus)))
    for rank in range(last.public_service):
        made.append(_item(rng, "public_service", rank, "公共服务", rng.choice([*bureaus, *towns, *villages])))
    for rank in range(last.levy):
        made.append(_item(rng, "levy", rank, "行政征收", rng.choice(bureaus)))
    return made


def _item(rng: Random, group: str, rank: int, kind: str, body: Body) -> Item:
    # The digits of the groups keep the codes apart from each other and from those of the counters.
    group_digit = {"authority": 2, "application": 3, "public_service": 4, "levy": 5, "other": 6}[group]
    code = f"{body.code}{city.REGION_CODE}{group_digit}{rank:05d}0"
    return Item(code, f"{rng.choice(_SUBJECTS)}{_ACTS[kind]}", kind, group, rank, body)


def exports(town: City, seed: int) -> list[Export]:
    """The list of each half-year; that of June 2022 shows every trouble."""
    every = items(town, seed)
    return [_export(day, every, town, seed) for day in DAYS]


def _export(day: date, every: list[Item], town: City, seed: int) -> Export:
    rows = [*_in_use(day, every, town, seed), *_not_in_use(day, town, seed)]
    if day == DAYS[3]:
        rows[1] = Row({**rows[1].cells, "promised_days": 2.5}, "loaded", "promised_days", "not a whole number")
        rows += _troubles(rows[0].cells)
    headers = dict(HEADERS)
    if day == DAYS[1]:
        headers |= {"is_one_visit": "是否\n一次办", "promised_days": "承诺办结时限（工作日）"}
    elif day == DAYS[3]:
        headers |= {"item_code": "实施编码*", "item_kind": "事项类型*", "is_online": " 是否网办"}
    titles = (f"{city.NAME}政务服务事项实施清单", f"（截至{spelling.day(day, 'hanzi')}）")
    return delivered(SOURCE, day, to_xlsx(Layout(headers, titles=titles), rows, "实施清单"))


def _in_use(day: date, every: list[Item], town: City, seed: int) -> Iterator[Row]:
    target = TARGETS[day]
    counts = {
        "authority": target.authority,
        "application": target.application,
        "public_service": target.public_service,
        "levy": target.levy,
    }
    rng = Random(f"{seed} {SOURCE} {day}")
    for item in every:
        if item.rank >= counts[item.group]:
            continue
        is_application = item.group == "application"
        # The frequent items are the oldest on application; their flags overlap.
        is_frequent = is_application and item.rank < target.frequent
        is_one_visit = item.rank < target.one_visit if is_frequent else item.rank % 3 > 0
        is_instant = item.rank >= target.frequent - target.instant if is_frequent else item.rank % 4 == 0
        flags = {
            "is_online": item.rank % 20 != 7,
            "is_frequent": is_frequent,
            "is_one_visit": is_one_visit,
            "is_instant": is_instant,
            "is_exempt": is_application and item.rank % 4 == 1,
        }
        scope = _scope(item.rank, target) if is_application else None
        yield Row(_cells(item, day, town, rng, flags, scope, "在用"))


def _scope(rank: int, target: Target) -> str | None:
    """通办范围: three pools of ranks that never meet, each of which grows with the years."""
    if 200 <= rank < 200 + target.cross_province:
        return "跨省"
    if 400 <= rank < 400 + target.cross_region:
        return "跨市" if rank % 2 else "跨县"
    return "全国" if rank < 40 else None


def _not_in_use(day: date, town: City, seed: int) -> Iterator[Row]:
    """Items that are suspended, cancelled or of a kind that counts nowhere; as frequent and wide as can be."""
    rng = Random(f"{seed} {SOURCE} other")
    bureaus = town.of_kind("政府机关")
    flags = dict.fromkeys(("is_online", "is_frequent", "is_one_visit", "is_instant", "is_exempt"), True)
    for rank in range(40):
        kind = ("行政许可", "行政处罚", "公共服务", "行政征收")[rank % 4]
        item = _item(rng, "other", rank, kind, rng.choice(bureaus))
        # Cancelled ones are taken off the list after a while.
        if rank % 2 == 0 or day < DAYS[3]:
            yield Row(_cells(item, day, town, rng, flags, "跨省", "暂停" if rank % 2 == 0 else "取消"))
    for rank in range(40, 52):
        item = _item(rng, "other", rank, "行政权力事项", rng.choice(bureaus))
        yield Row(_cells(item, day, town, rng, dict.fromkeys(flags, False), None, "在用"))


def _cells(
    item: Item, day: date, town: City, rng: Random, flags: Mapping[str, bool], scope: str | None, status: str
) -> dict[str, Cell]:
    style = _ANSWERS[day]
    body = item.body
    kind = item.kind
    if day == DAYS[1]:
        kind = _CODES[kind]
    elif day == DAYS[2] or (day == DAYS[3] and item.rank % 2):
        kind = _OTHER_NAMES.get(kind, kind)
    return {
        "item_code": item.code,
        "base_code": f"0{_CODES[item.kind]}{int(item.code[-7:-1]):06d}000",
        "item_name": item.name,
        "item_kind": kind,
        "level": _LEVELS[body.level],
        "body_name": body.name_on(day, town.valid_from) if item.rank % 9 == 0 else body.name,
        "body_code": body.code,
        "service_scope": scope,
        **{name: spelling.yes_no(flag, style) for name, flag in flags.items()},
        "promised_days": rng.choice((0, 1, 3, 5, 10, 20)),
        "item_status": status,
    }


def _troubles(cells: Mapping[str, Cell]) -> list[Row]:
    """Rows that belong in quarantine, under codes that no other row has."""
    code = str(cells["item_code"])[:-7]
    body_code = str(cells["body_code"])

    def bad(number: int, column: str, value: Cell, what: str) -> Row:
        changed = {**cells, "item_code": f"{code}{number:06d}0", column: value}
        return Row(changed, "quarantined", column, what)

    return [
        bad(900_001, "item_kind", "1", "a code of one digit"),
        bad(900_002, "item_kind", "行政服务", "unknown enumeration"),
        bad(900_003, "body_code", city.with_wrong_check(body_code), "wrong check digit"),
        bad(900_004, "is_frequent", None, "missing required"),
        bad(900_005, "service_scope", "全省", "unknown enumeration"),
        bad(900_006, "item_code", 1.5944128900704543e17, "a number that has lost its digits"),
        bad(900_007, "is_online", "部分", "not a yes or no"),
        Row(dict(cells), "skipped", "", "duplicate of the first row, alike in every column"),
    ]
