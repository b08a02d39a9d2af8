"""Demo exports of ``resource_trade``: lots on the trading platform, amounts in 万元 in one year and 元 in the next."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime
from random import Random

from halfyear.period import Period, of, parse
from halfyear_demo import city, spelling
from halfyear_demo.city import City
from halfyear_demo.exporting import Cell, Content, Export, Layout, Row, delivered, to_xlsx

SOURCE = "resource_trade"
HEADERS = {
    "lot_no": "标段编号",
    "project_no": "项目编号",
    "project_name": "项目名称",
    "trade_kind": "交易类别",
    "trade_method": "交易方式",
    "traded_on": "成交日期",
    "amount_yuan": "成交金额(元)",
    "winner": "成交人",
    "trade_status": "状态",
}


@dataclass(frozen=True)
class Target:
    """Of one half-year: projects with a deal, their lots, and the amount of all of these in yuan."""

    projects: int
    lots: int
    amount_yuan: int


TARGETS = {
    parse("2020-S2"): Target(11, 14, 78_431_500),
    parse("2021-S1"): Target(13, 19, 96_204_700),
    parse("2021-S2"): Target(17, 25, 143_350_600),
    parse("2022-S1"): Target(15, 23, 119_860_000),
}
DAYS = (date(2020, 12, 31), date(2021, 6, 30), date(2021, 12, 31), date(2022, 3, 31), date(2022, 6, 30))
#: Exports whose amounts are in 万元.
_IN_WAN = (date(2020, 12, 31), date(2021, 12, 31), date(2022, 3, 31))
_CORRECTED_AT = datetime(2022, 7, 4, 9, 20)
_STYLES: dict[date, spelling.DayStyle] = dict(zip(DAYS, ("dash", "slash", "hanzi", "dot", "dash"), strict=True))
_KINDS = {
    "工程建设": ("道路改造工程", "学校扩建工程", "污水管网工程", "河堤加固工程"),
    "政府采购": ("办公设备采购", "物业服务采购", "信息化运维服务"),
    "土地使用权": ("工业用地使用权出让", "住宅用地使用权出让"),
    "国有产权": ("国有物业租赁权转让",),
}
_METHODS = {"工程建设": "公开招标", "政府采购": "竞争性磋商", "土地使用权": "挂牌", "国有产权": "网上竞价"}
_WINNERS = ("榕湾市恒榕建设有限公司", "榕湾市湾科信息有限公司", "榕湾市瑞丰物业有限公司", "榕湾市启航置业有限公司")


@dataclass(frozen=True)
class Lot:
    """One lot; without a day it was not traded."""

    number: str
    project_no: str
    project_name: str
    kind: str
    traded_on: date | None
    amount_yuan: int | None
    winner: str | None
    status: str


def lots(half: Period, seed: int) -> list[Lot]:
    """The lots of a half-year: deals on its first and last day among them, then those that failed."""
    rng = Random(f"{seed} {SOURCE} {half}")
    target = TARGETS[half]
    weights = [rng.randint(20, 100) for _ in range(target.lots)]
    # Amounts are whole hundreds of yuan, so that 万元 with two decimals are exact; the last lot has the rest.
    amounts = [target.amount_yuan * weight // sum(weights) // 100 * 100 for weight in weights]
    amounts[-1] += target.amount_yuan - sum(amounts)
    made = []
    for number in range(target.lots):
        project = number % target.projects
        name, kind = _project(half, project)
        day = half.first_day if number == 0 else half.last_day if number == 1 else None
        made.append(
            Lot(
                number=f"{_project_no(half, project)}-{number // target.projects + 1:02d}",
                project_no=_project_no(half, project),
                project_name=name,
                kind=kind,
                traded_on=day or city.day_between(rng, half.first_day, half.last_day),
                amount_yuan=amounts[number],
                winner=rng.choice(_WINNERS),
                status="已成交",
            )
        )
    return [*made, *_failed(half)]


def _project_no(half: Period, project: int) -> str:
    return f"JY{half.year}{half.semester}{project + 1:03d}"


def _project(half: Period, project: int) -> tuple[str, str]:
    kind = list(_KINDS)[project % len(_KINDS)]
    names = _KINDS[kind]
    return f"{half.year}年{names[project % len(names)]}（{project + 1}）", kind


def _failed(half: Period) -> Iterator[Lot]:
    """Lots without a deal: one of them with an amount and a day all the same, which count for nothing."""
    name, kind = _project(half, 90)
    lost = Lot(
        f"JY{half.year}{half.semester}901-01", f"JY{half.year}{half.semester}901", name, kind, None, None, None, "流标"
    )
    yield lost
    yield replace(lost, number=f"{lost.project_no}-02", status="终止")
    yield replace(lost, number=f"{lost.project_no}-03", traded_on=half.last_day, amount_yuan=5_000_000)


def exports(town: City, seed: int) -> list[Export]:
    """The lists; in March 2022 a lot had failed that was traded by June, and June's list was corrected in July."""
    made = []
    for day in DAYS:
        listed = [lot for lot in lots(of(day), seed) if lot.traded_on is None or lot.traded_on <= day]
        if day == DAYS[3]:
            waiting = next(lot for lot in lots(of(day), seed) if lot.traded_on and lot.traded_on > day)
            listed.append(replace(waiting, traded_on=None, amount_yuan=None, winner=None, status="流标"))
        if day == DAYS[4]:
            typing_error = [replace(lot, winner="榕湾市待核公司") if lot.winner else lot for lot in listed]
            made.append(delivered(SOURCE, day, _content(day, typing_error)))
            content = _content(day, listed)
            made.append(delivered(SOURCE, day, content, sequence=2, arrived_at=_CORRECTED_AT))
        else:
            made.append(delivered(SOURCE, day, _content(day, listed)))
    return made


def _content(day: date, listed: list[Lot]) -> Content:
    unit = 10_000 if day in _IN_WAN else 1
    rows = [Row(_cells(lot, day, unit)) for lot in listed]
    if day == DAYS[4]:
        first = rows[0].cells
        deal = next(place for place, lot in enumerate(listed) if lot.winner)
        rows[deal] = Row({**rows[deal].cells, "winner": None}, "loaded", "winner", "a deal without its winner")
        rows += [
            Row({**first, "lot_no": "JY20221999-01", "winner": None, "amount_yuan": 0}, "quarantined",
                "amount_yuan", "a deal for nothing"),
            Row({**first, "lot_no": "JY20221999-02", "trade_kind": "拍卖", "amount_yuan": 0}, "quarantined", "trade_kind",
                "unknown enumeration"),
        ]  # fmt: skip
    total = sum(lot.amount_yuan or 0 for lot in listed) / unit
    headers = dict(HEADERS)
    if unit != 1:
        headers["amount_yuan"] = "成交金额(万元)" if day != DAYS[2] else "成交金额\n（万元）"
    layout = Layout(headers, titles=(f"{city.NAME}公共资源交易台账",), totals={"amount_yuan": total})
    return to_xlsx(layout, rows, "交易台账")


def _cells(lot: Lot, day: date, unit: int) -> dict[str, Cell]:
    amount = None if lot.amount_yuan is None else lot.amount_yuan / unit
    return {
        "lot_no": lot.number,
        "project_no": lot.project_no,
        "project_name": lot.project_name,
        "trade_kind": lot.kind,
        "trade_method": _METHODS[lot.kind],
        "traded_on": spelling.day(lot.traded_on, _STYLES[day]),
        "amount_yuan": int(amount) if amount is not None and amount.is_integer() else amount,
        "winner": lot.winner,
        "trade_status": lot.status,
    }
