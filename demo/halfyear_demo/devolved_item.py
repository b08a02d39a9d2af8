"""Demo exports of ``devolved_item``: powers and services handed from the prefecture to the city and on to its towns."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from random import Random

from halfyear.period import Period, of, parse
from halfyear_demo import city, spelling
from halfyear_demo.city import City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_xlsx

SOURCE = "devolved_item"
HEADERS = {
    "batch": "批次",
    "item_name": "事项名称",
    "body_name": "承接部门",
    "transfer_kind": "下放方式",
    "receiving_level": "承接层级",
    "from_level": "下放来源",
    "legal_basis": "文件依据",
    "effective_on": "生效日期",
}


@dataclass(frozen=True)
class Target:
    """Items of one half-year: from the prefecture by kind of transfer, and from the city to its towns."""

    delegated: int
    entrusted: int
    clarified: int
    to_towns: int


TARGETS = {
    parse("2020-S2"): Target(9, 4, 0, 12),
    parse("2021-S1"): Target(11, 3, 2, 0),
    parse("2021-S2"): Target(8, 5, 1, 21),
    parse("2022-S1"): Target(16, 7, 1, 35),
}
DAYS = (date(2020, 12, 31), date(2021, 6, 30), date(2021, 12, 31), date(2022, 6, 30))
_STYLES: dict[date, spelling.DayStyle] = dict(zip(DAYS, ("dash", "hanzi", "slash", "compact"), strict=True))
_BATCHES = {half: f"{half.year}年第{'一' if half.semester == 1 else '二'}批" for half in TARGETS}
_ACTS = ("核发", "变更", "延续", "注销", "备案", "初审")
_THINGS = (
    "林木采伐许可证",
    "食品小作坊登记证",
    "户外广告设置许可",
    "乡村建设规划许可证",
    "取水许可证",
    "小型餐饮服务许可",
    "人力资源服务许可证",
    "动物诊疗许可证",
    "城市道路挖掘许可",
    "河道管理范围内建设项目许可",
    "民办幼儿园办学许可证",
    "公共场所卫生许可证",
    "临时救助对象认定",
    "残疾人两项补贴",
)
_NAMES = [f"{thing}{act}" for act in _ACTS for thing in _THINGS]


@dataclass(frozen=True)
class Item:
    """One item of a batch and the bodies that receive it."""

    batch: str
    name: str
    bodies: tuple[str, ...]
    transfer_kind: str
    receiving_level: str
    from_level: str
    effective_on: date


def items(town: City, seed: int) -> list[Item]:
    """Every item, by half-year."""
    rng = Random(f"{seed} {SOURCE}")
    return [item for half, target in TARGETS.items() for item in _half_year(rng, town, half, target)]


def _half_year(rng: Random, town: City, half: Period, target: Target) -> Iterator[Item]:
    bureaus = [body.name for body in town.of_kind("政府机关")]
    towns = [body.name for body in town.of_kind("镇街")]
    names = rng.sample(_NAMES, target.delegated + target.entrusted + target.clarified + target.to_towns)
    kinds = ["下放"] * target.delegated + ["委托"] * target.entrusted + ["明确职责"] * target.clarified
    for number, kind in enumerate(kinds):
        # The first takes effect on the first day and the last on the last; some go to two bodies.
        day = half.first_day if number == 0 else half.last_day if number == 1 else None
        effective_on = day or city.day_between(rng, half.first_day, half.last_day)
        bodies = tuple(rng.sample(bureaus, 2 if number % 6 == 2 else 1))
        yield Item(_BATCHES[half], names.pop(), bodies, kind, "市直", "地级市", effective_on)
    for _ in range(target.to_towns):
        effective_on = city.day_between(rng, half.first_day, half.last_day)
        bodies = tuple(rng.sample(towns, rng.randint(2, 6)))
        yield Item(_BATCHES[half], names.pop(), bodies, "委托", "乡镇", "本市", effective_on)
    # Handed over inside the city: neither from the prefecture nor to towns.
    yield Item(_BATCHES[half], f"政务服务窗口授权（{half}）", (bureaus[0],), "委托", "市直", "本市", half.first_day)


def exports(town: City, seed: int) -> list[Export]:
    """One list for each half-year."""
    every = items(town, seed)
    return [_export(day, every, town) for day in DAYS]


def _export(day: date, every: list[Item], town: City) -> Export:
    half = of(day)
    rows = [Row(_cells(item, body, day)) for item in every if of(item.effective_on) == half for body in item.bodies]
    rows += _troubles(day, rows[0].cells)
    headers = dict(HEADERS)
    if day == DAYS[1]:
        headers |= {"item_name": "事项\n名称", "effective_on": "生效日期*"}
    layout = Layout(
        headers,
        titles=(f"{city.NAME}承接和下放委托事项清单", f"（{_BATCHES[half]}）"),
        notes=("填报人：审改股",),
        has_blank_before_notes=True,
    )
    return delivered(SOURCE, day, to_xlsx(layout, rows, "清单"))


def _cells(item: Item, body: str, day: date) -> dict[str, Cell]:
    return {
        "batch": item.batch,
        "item_name": item.name,
        "body_name": body,
        "transfer_kind": item.transfer_kind,
        "receiving_level": item.receiving_level,
        "from_level": item.from_level,
        "legal_basis": f"榕府〔{item.effective_on.year}〕{item.effective_on.month + 10}号",
        "effective_on": spelling.day(item.effective_on, _STYLES[day]),
    }


def _troubles(day: date, cells: dict[str, Cell] | object) -> list[Row]:
    assert isinstance(cells, dict)
    if day != DAYS[3]:
        return []
    return [
        Row({**cells, "body_name": "榕湾市改革专班"}, "loaded", "body_name", "name of a body that no list knows"),
        Row(dict(cells), "skipped", "", "duplicate of the first row, alike in every column"),
        Row(
            {**cells, "item_name": "待定事项", "transfer_kind": "代办"}, "quarantined", "transfer_kind", "unknown value"
        ),
        Row({**cells, "item_name": "无文号事项", "legal_basis": "—"}, "quarantined", "legal_basis", "missing required"),
    ]
