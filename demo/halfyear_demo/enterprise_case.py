"""Demo exports of ``enterprise_case``: cases at the enterprise service centre, some of them new enterprises.

As in ``counter_case``, a case is exported when it is accepted and again when it is closed. Every case of 2022-S1
is rated 非常满意 or 满意.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from halfyear.period import Period, parse
from halfyear_demo import city, counter_case, spelling
from halfyear_demo.city import City
from halfyear_demo.counter_case import Applicant
from halfyear_demo.exporting import Cell, Content, Export, Layout, Row, delivered, to_csv

SOURCE = "enterprise_case"
HEADERS = {
    **counter_case.HEADERS,
    "enterprise_name": "企业名称",
    "enterprise_code": "统一社会信用代码",
    "is_startup": "是否企业开办",
}


@dataclass(frozen=True)
class Target:
    """Of the cases accepted in one half-year: all, those of new enterprises, and those rated below 满意 or not."""

    accepted: int
    startups: int
    others: int


TARGETS = {
    parse("2020-S2"): Target(563, 121, 4),
    parse("2021-S1"): Target(648, 137, 3),
    parse("2021-S2"): Target(812, 158, 2),
    parse("2022-S1"): Target(1074, 192, 0),
}
DAYS = (date(2020, 12, 31), date(2021, 6, 30), date(2021, 12, 31), date(2022, 3, 31), date(2022, 6, 30))
#: The centre exported before it closed that day, and again five days later.
_EXPORTED_EARLY = date(2022, 6, 30)
_CORRECTED_AT = datetime(2022, 7, 5, 10, 5)
_TIME_STYLES: dict[date, spelling.TimeStyle] = {
    date(2020, 12, 31): "dash",
    date(2021, 6, 30): "slash",
    date(2021, 12, 31): "compact",
    date(2022, 3, 31): "iso_compact",
    date(2022, 6, 30): "dash",
}
_ANSWERS = dict(zip(DAYS, ("hanzi", "digit", "letter", "word", "hanzi"), strict=True))
_LAST_MOMENT = time(23, 59, 59)
_OTHER_RATINGS = ("基本满意", "未评价", None, "不满意")
_STARTUP_ITEMS = ("企业设立登记", "企业开办一件事")
_ITEMS = {
    "市场监督管理局": ("企业变更登记", "企业注销登记", "食品生产许可"),
    "国家税务总局榕湾市税务局": ("增值税专用发票最高开票限额审批", "企业所得税优惠备案"),
    "人力资源和社会保障局": ("企业社会保险登记", "劳务派遣经营许可"),
    "科工商务局": ("企业投资项目备案", "高新技术企业培育入库"),
    "住房和城乡建设局": ("建筑业企业资质核准",),
    "发展和改革局": ("固定资产投资项目节能审查",),
}
_ENTERPRISE_WORDS = ("恒榕", "湾科", "茂达", "鑫源", "宏图", "瑞丰", "联盛", "启航", "嘉禾", "卓越", "安泰", "绿洲")
_ENTERPRISE_TRADES = ("五金制品", "食品", "电子科技", "陶瓷", "物流", "家具", "纺织", "新材料", "餐饮管理", "农业发展")
_WRONG_CODES = 2


@dataclass(frozen=True)
class Enterprise:
    """An invented enterprise."""

    name: str
    code: str


@dataclass
class Case:
    """One case to its end, which may lie after the last snapshot date."""

    number: str
    item_name: str
    body_department: str
    accepted_at: datetime
    promised_at: datetime
    closed_at: datetime
    outcome: str
    rating: str | None
    applicant: Applicant
    enterprise: Enterprise
    is_startup: bool
    has_wrong_code: bool = False
    is_elsewhere: bool = False


def _enterprise(rng: Random, number: int, *, has_wrong_code: bool = False) -> Enterprise:
    name = f"{city.NAME}{rng.choice(_ENTERPRISE_WORDS)}{rng.choice(_ENTERPRISE_TRADES)}有限公司"
    code = city.credit_code("91", city.REGION_CODE, f"MA{800_000 + number:06d}")
    return Enterprise(name, city.with_wrong_check(code) if has_wrong_code else code)


def cases(seed: int) -> list[Case]:
    """Every case, by half-year; the first and the last second of each half-year have one."""
    rng = Random(f"{seed} {SOURCE}")
    persons = counter_case.applicants(rng, 400)
    known: list[Enterprise] = []
    made: list[Case] = []
    for half, target in TARGETS.items():
        flags = [number < target.startups for number in range(target.accepted)]
        rng.shuffle(flags)
        ratings = [*_ratings(rng, target.accepted - target.others), *_OTHER_RATINGS[: target.others]]
        rng.shuffle(ratings)
        moments = _moments(rng, half, target.accepted)
        for number, (at, is_startup, rating) in enumerate(zip(moments, flags, ratings, strict=True), start=1):
            has_wrong_code = is_startup and half == parse("2022-S1") and sum(flags[: number - 1]) < _WRONG_CODES
            if is_startup or rng.random() < 0.4 or not known:
                known.append(_enterprise(rng, len(known), has_wrong_code=has_wrong_code))
                enterprise = known[-1]
            else:
                enterprise = rng.choice(known)
            department = "市场监督管理局" if is_startup else rng.choice(tuple(_ITEMS))
            days = rng.randint(0, 2) if is_startup else rng.randint(0, 12)
            case = Case(
                number=f"QY{at:%Y%m%d}{number:05d}",
                item_name=rng.choice(_STARTUP_ITEMS if is_startup else _ITEMS[department]),
                body_department=department,
                accepted_at=at,
                promised_at=at + timedelta(days=3 if is_startup else 20),
                closed_at=at + timedelta(days=days, minutes=rng.randint(10, 300)),
                outcome=rng.choices(("办结", "退件", "撤件"), (960, 25, 15))[0],
                rating=rating,
                applicant=rng.choice(persons),
                enterprise=enterprise,
                is_startup=is_startup,
                has_wrong_code=has_wrong_code,
                is_elsewhere=number == target.accepted // 2,
            )
            made.append(case)
    return made


def _ratings(rng: Random, count: int) -> list[str | None]:
    return [*rng.choices(("非常满意", "满意"), (92, 8), k=count)]


def _moments(rng: Random, half: Period, count: int) -> list[datetime]:
    """Times of working days, and the first and the last second of the half-year."""
    days = [half.first_day + timedelta(days=n) for n in range((half.next_day - half.first_day).days)]
    openings = [datetime.combine(day, time(9)) for day in days if day.weekday() < 5]
    within = sorted(rng.choice(openings) + timedelta(seconds=rng.randint(0, 28_800)) for _ in range(count - 2))
    return [datetime.combine(half.first_day, time()), *within, datetime.combine(half.last_day, _LAST_MOMENT)]


def exports(town: City, seed: int) -> list[Export]:
    """The batches; that of 2022-06-30 was exported too early and came again."""
    every = cases(seed)
    made = []
    before = date.min
    for day in DAYS:
        content = _batch(before, day, datetime.combine(day, _LAST_MOMENT), every, town, seed)
        if day == _EXPORTED_EARLY:
            early = _batch(before, day, datetime.combine(day, time(11, 30)), every, town, seed)
            made.append(delivered(SOURCE, day, early))
            made.append(delivered(SOURCE, day, content, sequence=2, arrived_at=_CORRECTED_AT))
        else:
            made.append(delivered(SOURCE, day, content))
        before = day
    return made


def _batch(before: date, day: date, until: datetime, every: Sequence[Case], town: City, seed: int) -> Content:
    headers = dict(HEADERS)
    if day == DAYS[1]:
        headers |= {"is_startup": "是否\n企业开办", "enterprise_code": "统一社会\n信用代码"}
    if day >= DAYS[3]:
        headers |= {"case_no": "办件编号*", "is_startup": "是否企业开办*", "scale": "企业规模"}
    title = f"{city.NAME}企业服务中心办件台账"
    layout = Layout(
        headers,
        titles=(title, f"（截至{spelling.day(day, 'hanzi')}）") if day in (DAYS[0], DAYS[4]) else (),
        notes=("填报人：企业服务中心综合窗口", "备注：含线上帮办") if day in (DAYS[1], DAYS[4]) else (),
        has_blank_before_notes=day == DAYS[4],
    )
    rng = Random(f"{seed} {SOURCE} {day}")
    return to_csv(layout, list(_rows(before, day, until, every, town, rng)))


def _rows(before: date, day: date, until: datetime, every: Sequence[Case], town: City, rng: Random) -> Iterator[Row]:
    """The cases that were accepted or closed since the batch before, then rows that are no cases."""
    since = datetime.combine(before, _LAST_MOMENT)
    listed = 0
    has_odd_kind = False
    for case in every:
        if case.accepted_at > until or (case.accepted_at <= since and not since < case.closed_at <= until):
            continue
        listed += 1
        cells = _cells(case, day, until, town, rng)
        if case.has_wrong_code:
            yield Row(cells, "loaded", "enterprise_code", "wrong check digit of an enterprise")
        elif case.is_elsewhere:
            yield Row(cells, "loaded", "body_code", "code of a body that no list knows")
        elif day == DAYS[2] and not has_odd_kind:
            has_odd_kind = True
            yield Row({**cells, "case_kind": "3"}, "loaded", "case_kind", "unknown enumeration")
        else:
            yield Row(cells)
        if listed == 80:
            yield Row(cells, "skipped", "", "duplicate of the row above, alike in every column")
    for number, (column, what, changes) in enumerate(_strays(day), start=1):
        yield Row({**_stray(day, number, town), **changes}, "quarantined", column, what)


def _cells(case: Case, day: date, until: datetime, town: City, rng: Random) -> dict[str, Cell]:
    """One case as the centre knew it at a time."""
    style = _TIME_STYLES[day]
    body = town.named(case.body_department)
    is_closed = case.closed_at <= until
    name, code = body.name_on(day, town.valid_from) if rng.random() < 0.4 else body.name, body.code
    if case.is_elsewhere:
        name, code = "榕湾市产业园区管理委员会", city.credit_code("11", city.REGION_CODE, "MB244444")
    return {
        "case_no": case.number,
        "item_name": case.item_name,
        "item_code": None,
        "body_name": name,
        "body_code": code,
        "accepted_at": counter_case.moment(case.accepted_at, style),
        "promised_at": counter_case.moment(case.promised_at, style),
        "closed_at": counter_case.moment(case.closed_at, style) if is_closed else rng.choice((None, "-", "—")),
        # codes of GB/T 39046 A.6 in one export
        "case_kind": "2" if day == DAYS[2] else "承诺件",
        "applicant_name": case.applicant.name,
        "applicant_id": case.applicant.resident_id,
        "mobile": case.applicant.mobile,
        "region_code": city.REGION_CODE,
        "case_status": case.outcome if is_closed else "在办",
        "rating": case.rating,
        "enterprise_name": case.enterprise.name,
        "enterprise_code": case.enterprise.code,
        "is_startup": spelling.yes_no(case.is_startup, _ANSWERS[day]),
        "scale": "小微",
    }


def _stray(day: date, number: int, town: City) -> dict[str, Cell]:
    """A case of a number that no other row has; if it counted, a new enterprise and satisfied."""
    return {
        **counter_case.stray_cells(day, number, town),
        "case_no": f"QY{day:%Y%m%d}9{number:04d}",
        "item_name": _STARTUP_ITEMS[0],
        "enterprise_name": f"{city.NAME}待核实有限公司",
        "enterprise_code": city.credit_code("91", city.REGION_CODE, "MA899999"),
        "is_startup": "是",
    }


def _strays(day: date) -> list[tuple[str, str, dict[str, Cell]]]:
    """Rows that belong in quarantine under numbers that no other row has."""
    wrong = city.with_wrong_check(city.credit_code("11", city.REGION_CODE, "MB266666"))
    if day == DAYS[0]:
        return [("is_startup", "not a yes or no", {"is_startup": "待定"})]
    if day == DAYS[2]:
        return [("case_status", "unknown enumeration", {"case_status": "已办"})]
    if day == DAYS[3]:
        return [("accepted_at", "accepted after the snapshot date", {"accepted_at": "2022-04-02", "closed_at": None})]
    if day == DAYS[4]:
        twin: dict[str, Cell] = {"case_no": "QY2022063080001"}
        return [
            ("is_startup", "missing required", {"is_startup": None}),
            ("body_code", "wrong check digit", {"body_code": wrong}),
            ("closed_at", "closed before it was accepted", {"closed_at": "2022-06-29 17:00:00"}),
            ("rating", "unknown enumeration", {"rating": "好评"}),
            ("case_no", "one key twice with different content", twin),
            ("case_no", "one key twice with different content", {**twin, "is_startup": "否"}),
        ]
    return []
