"""Demo exports of ``counter_case``: some 111,000 cases from the counters of the city, its towns and its villages.

A case is exported when it is accepted and again when it is closed, so its second row replaces the first. Each
half-year begins with a case of its first second and ends with one of its last.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random
from typing import NamedTuple

from halfyear.period import Period, parse
from halfyear_demo import city, spelling
from halfyear_demo.city import Body, City
from halfyear_demo.exporting import Cell, Content, Export, Layout, Row, delivered, to_csv

SOURCE = "counter_case"
HEADERS = {
    "case_no": "办件编号",
    "item_name": "事项名称",
    "item_code": "实施编码",
    "body_name": "受理单位名称",
    "body_code": "受理单位统一社会信用代码",
    "accepted_at": "受理时间",
    "promised_at": "承诺办结时间",
    "closed_at": "办结时间",
    "case_kind": "办件类型",
    "applicant_name": "申请人名称",
    "applicant_id": "申请人证件号码",
    "mobile": "联系电话",
    "region_code": "行政区划",
    "case_status": "办件状态",
    "rating": "评价结果",
}


@dataclass(frozen=True)
class Target:
    """Of the cases accepted in one half-year: all, those rated 非常满意 or 满意, and those rated 基本满意."""

    accepted: int
    satisfied: int
    basically: int


TARGETS = {
    parse("2020-S2"): Target(16_208, 16_171, 29),
    parse("2021-S1"): Target(19_356, 19_316, 30),
    parse("2021-S2"): Target(24_127, 24_084, 33),
    parse("2022-S1"): Target(51_545, 51_478, 52),
}
DAYS = (
    date(2020, 12, 31),
    date(2021, 6, 30),
    date(2021, 12, 31),
    date(2022, 2, 28),
    date(2022, 4, 30),
    date(2022, 6, 30),
)
#: The export of this day arrived after the one that follows it.
_LATE = {date(2022, 4, 30): datetime(2022, 7, 4, 9, 20)}
_TIME_STYLES: dict[date, spelling.TimeStyle] = {
    date(2020, 12, 31): "slash",
    date(2021, 6, 30): "compact",
    date(2021, 12, 31): "iso_compact",
}
_OTHER_RATINGS = ("未评价", "不满意", None, "未评价", "非常不满意", None)
_APPLICANTS = 9_000
_LAST_MOMENT = time(23, 59, 59)

_ITEMS = {
    "公安局": ("居住证签注", "户口迁移登记", "普通护照签发", "出生登记"),
    "人力资源和社会保障局": ("社会保障卡申领", "就业失业登记", "城乡居民养老保险参保登记", "失业保险金申领"),
    "医疗保障局": ("基本医疗保险参保登记", "异地就医备案", "门诊费用报销"),
    "市场监督管理局": ("个体工商户设立登记", "食品经营许可", "营业执照换发", "特种设备使用登记"),
    "国家税务总局榕湾市税务局": ("发票领用", "存量房交易申报", "车辆购置税申报"),
    "不动产登记中心": ("不动产转移登记", "不动产抵押登记", "不动产登记资料查询"),
    "住房公积金管理部": ("住房公积金提取", "住房公积金缴存登记"),
    "民政局": ("婚姻登记", "高龄津贴发放", "最低生活保障对象认定"),
    "自然资源局": ("建设工程规划许可", "建设用地规划许可"),
    "住房和城乡建设局": ("建筑工程施工许可", "商品房预售许可"),
    "卫生健康局": ("公共场所卫生许可", "护士执业注册"),
    "交通运输局": ("道路货物运输经营许可", "出租汽车驾驶员从业资格认定"),
    "教育局": ("教师资格认定", "义务教育阶段转学"),
    "农业农村局": ("农药经营许可", "动物防疫条件合格证核发"),
    "城市管理和综合执法局": ("临时占用城市道路许可", "设置户外广告许可"),
}
_TOWN_ITEMS = ("生育登记", "城乡居民养老保险参保登记", "临时救助申请", "残疾人证申请", "农村宅基地用地申请")
_VILLAGE_ITEMS = ("高龄津贴申请", "居住证明开具")


class Offer(NamedTuple):
    """One item at the counter of one body."""

    item_name: str
    item_code: str
    body: Body


class Acceptance(NamedTuple):
    """What is known of a case when it is accepted; the ratings platform speaks of the same cases."""

    case_no: str
    accepted_at: datetime
    offer: Offer


@dataclass(slots=True)
class Applicant:
    """A person who comes to the counters, now and then several times."""

    name: str
    resident_id: str
    mobile: str


@dataclass(slots=True)
class Case:
    """One case to its end, which may lie after the last snapshot date; it is rated when accepted or when closed."""

    acceptance: Acceptance
    kind: str
    promised_at: datetime | None
    closed_at: datetime
    outcome: str
    rating: str | None
    rated_at: datetime
    applicant: Applicant


def offers(town: City) -> list[Offer]:
    """Every item at every counter; departments serve more than towns, and towns more than villages."""
    listed = [(town.named(name), items, 6) for name, items in _ITEMS.items()]
    listed += [(body, _TOWN_ITEMS, 2) for body in town.of_kind("镇街")]
    listed += [(body, _VILLAGE_ITEMS, 1) for body in town.of_kind("村居")]
    return [
        Offer(item, f"{body.code}{body.region_code[:6]}{number:06d}0", body)
        for body, items, times in listed
        for number, item in enumerate(items, start=1)
        for _ in range(times)
    ]


def acceptances(town: City, seed: int, half: Period) -> list[Acceptance]:
    """The cases accepted in a half-year, by time: on working days, and one in its first and its last second."""
    rng = Random(f"{seed} {SOURCE} {half} accepted")
    count = TARGETS[half].accepted
    every_day = (half.first_day + timedelta(days=n) for n in range((half.next_day - half.first_day).days))
    openings = [datetime.combine(day, time(8, 30)) for day in every_day if day.weekday() < 5]
    days = rng.choices(openings, k=count - 2)
    moments = sorted(day + timedelta(seconds=int(rng.random() * 32_000)) for day in days)
    moments.insert(0, datetime.combine(half.first_day, time()))
    moments.append(datetime.combine(half.last_day, _LAST_MOMENT))
    chosen = rng.choices(offers(town), k=count)
    chosen[count // 3] = _unknown_offer(chosen[count // 3])
    return [
        Acceptance(f"RW{at.year}{at.month:02d}{at.day:02d}{number:06d}", at, offer)
        for number, (at, offer) in enumerate(zip(moments, chosen, strict=True), start=1)
    ]


def _unknown_offer(offer: Offer) -> Offer:
    """The same at a body that no list knows, though its code is a right one."""
    code = city.credit_code("11", city.REGION_CODE, "MB255555")
    return offer._replace(body=Body(code, "榕湾市新区筹建办公室", "其他", "市", "", city.REGION_CODE, ()))


def applicants(rng: Random, count: int) -> list[Applicant]:
    """Invented persons."""
    return [
        Applicant(
            name=city.person_name(rng),
            resident_id=city.resident_id(
                city.day_between(rng, date(1945, 1, 1), date(2003, 12, 31)), rng.randint(1, 999)
            ),
            mobile=city.mobile(300_000 + number),
        )
        for number in range(count)
    ]


def cases(town: City, seed: int) -> list[Case]:
    """Every case, by the time of its acceptance."""
    persons = applicants(Random(f"{seed} {SOURCE} applicants"), _APPLICANTS)
    made: list[Case] = []
    for half, target in TARGETS.items():
        rng = Random(f"{seed} {SOURCE} {half}")
        accepted = acceptances(town, seed, half)
        ratings = _ratings(rng, target)
        kinds = rng.choices(("即办件", "承诺件", "其他"), (70, 28, 2), k=target.accepted)
        outcomes = rng.choices(("办结", "退件", "撤件"), (970, 22, 8), k=target.accepted)
        comers = rng.choices(persons, k=target.accepted)
        end = datetime.combine(half.last_day, _LAST_MOMENT)
        for acceptance, kind, outcome, rating, person in zip(accepted, kinds, outcomes, ratings, comers, strict=True):
            at = acceptance.accepted_at
            promised_at = None
            if kind == "即办件":
                closed_at = at + timedelta(minutes=int(rng.random() * 45))
            else:
                closed_at = at + timedelta(days=int(rng.random() * 16), minutes=1 + int(rng.random() * 90))
                promised_at = at + timedelta(days=20)
            # a case that stays open beyond the half-year is rated when it is accepted, and so are most others
            rated_at = closed_at if closed_at <= end and rng.random() < 0.2 else at
            made.append(Case(acceptance, kind, promised_at, closed_at, outcome, rating, rated_at, person))
    return made


def _ratings(rng: Random, target: Target) -> list[str | None]:
    """As many ratings of each kind as the target says, in any order."""
    very = target.satisfied * 94 // 100
    others = target.accepted - target.satisfied - target.basically
    ratings: list[str | None] = []
    for rating, count in (("非常满意", very), ("满意", target.satisfied - very), ("基本满意", target.basically)):
        ratings += [rating] * count
    ratings += [_OTHER_RATINGS[number % len(_OTHER_RATINGS)] for number in range(others)]
    rng.shuffle(ratings)
    return ratings


def exports(town: City, seed: int) -> list[Export]:
    """The batches; that of 2022-04-30 came late, after the last one."""
    every = cases(town, seed)
    made = []
    before = date.min
    for day in DAYS:
        content = _batch(before, day, every, town, Random(f"{seed} {SOURCE} {day}"))
        made.append(delivered(SOURCE, day, content, arrived_at=_LATE.get(day)))
        before = day
    return made


def _batch(before: date, day: date, every: Sequence[Case], town: City, rng: Random) -> Content:
    headers = dict(HEADERS)
    if day == DAYS[1]:
        headers |= {"body_code": "受理单位\n统一社会信用代码", "applicant_id": "申请人证件\n号码"}
    if day >= DAYS[3]:
        headers |= {"case_no": "*办件编号", "accepted_at": "＊受理时间", "rating": "评价 结果", "window": "窗口号"}
    title = f"{city.NAME}政务服务大厅窗口办件明细（截至{spelling.day(day, 'hanzi')}）"
    layout = Layout(
        headers,
        titles=(title,) if day in (DAYS[0], DAYS[5]) else (),
        notes=("填报人：市政务服务中心受理股",) if day in (DAYS[0], DAYS[2], DAYS[5]) else (),
        has_blank_before_notes=day == DAYS[2],
    )
    return to_csv(layout, list(_rows(before, day, every, town, rng)))


def _rows(before: date, day: date, every: Sequence[Case], town: City, rng: Random) -> Iterator[Row]:
    """The cases that were accepted or closed since the batch before, then rows that are no cases."""
    since = datetime.combine(before, _LAST_MOMENT)
    until = datetime.combine(day, _LAST_MOMENT)
    short_names = {body.code: body.name_on(day, town.valid_from) for body in town.bodies.values()}
    style = _TIME_STYLES.get(day, "dash")
    is_damage_due = day == DAYS[-1]
    listed = 0
    for case in every:
        accepted_at = case.acceptance.accepted_at
        if accepted_at > until or (accepted_at <= since and not since < case.closed_at <= until):
            continue
        listed += 1
        cells = _cells(case, until, style, short_names, rng)
        if is_damage_due and accepted_at <= since and case.rated_at == accepted_at:
            # its row of an earlier batch stays as it was
            is_damage_due = False
            yield Row({**cells, "case_status": "已办"}, "quarantined", "case_status", "unknown enumeration")
        elif cells["body_code"] not in short_names:
            yield Row(cells, "loaded", "body_code", "code of a body that no list knows")
        else:
            yield Row(cells)
        if listed in (700, 7_001):
            yield Row(cells, "skipped", "", "duplicate of the row above, alike in every column")
    for number, (column, what, changes) in enumerate(_strays(day), start=1):
        yield Row({**stray_cells(day, number, town), **changes}, "quarantined", column, what)


def _cells(
    case: Case, until: datetime, style: spelling.TimeStyle, short_names: dict[str, str], rng: Random
) -> dict[str, Cell]:
    """One case as the platform knew it at the end of a day."""
    number, accepted_at, offer = case.acceptance
    is_closed = case.closed_at <= until
    body = offer.body
    chance = rng.random()
    return {
        # the platform of 2021 wrote some case numbers in lower case
        "case_no": number.lower() if style == "compact" and chance < 0.02 else number,
        "item_name": offer.item_name,
        "item_code": offer.item_code,
        "body_name": short_names.get(body.code, body.name) if chance < 0.3 else body.name,
        "body_code": body.code,
        "accepted_at": moment(accepted_at, style),
        "promised_at": moment(case.promised_at, style),
        "closed_at": moment(case.closed_at, style) if is_closed else None,
        "case_kind": case.kind,
        "applicant_name": case.applicant.name,
        "applicant_id": case.applicant.resident_id,
        "mobile": case.applicant.mobile,
        "region_code": body.region_code,
        "case_status": case.outcome if is_closed else "在办",
        "rating": case.rating if case.rated_at <= until else None,
        "window": f"{int(chance * 40) + 1}号",
    }


def moment(at: datetime | None, style: spelling.TimeStyle) -> str | None:
    """A time as the platform writes it; with hyphens the first second of a day is the day alone."""
    if at is None or style != "dash":
        return spelling.moment(at, style)
    return at.isoformat(" ").removesuffix(" 00:00:00")


def stray_cells(day: date, number: int, town: City) -> dict[str, Cell]:
    """A case of a number that no other row has; if it counted, accepted and satisfied on that day."""
    body = town.named("政务服务中心")
    nine = datetime.combine(day, time(9))
    return {
        "case_no": f"RW{day:%Y%m%d}99{number:04d}",
        "item_name": "综合咨询",
        "body_name": body.name,
        "body_code": body.code,
        "accepted_at": spelling.moment(nine),
        "closed_at": spelling.moment(nine + timedelta(minutes=12)),
        "case_kind": "即办件",
        "applicant_name": "陈待核",
        "applicant_id": city.resident_id(date(1990, 1, 1), number),
        "mobile": city.mobile(390_000 + number),
        "region_code": body.region_code,
        "case_status": "办结",
        "rating": "非常满意",
    }


def _strays(day: date) -> list[tuple[str, str, dict[str, Cell]]]:
    """Rows that belong in quarantine under numbers that no other row has."""
    wrong = city.with_wrong_check(city.credit_code("11", city.REGION_CODE, "MB266666"))
    twice = "one key twice with different content"
    twin: dict[str, Cell] = {"case_no": f"RW{day:%Y%m%d}980001"}
    if day == DAYS[0]:
        return [("accepted_at", "missing required", {"accepted_at": None})]
    if day == DAYS[1]:
        return [("case_no", twice, twin), ("case_no", twice, {**twin, "rating": "不满意"})]
    if day == DAYS[2]:
        return [
            ("rating", "unknown enumeration", {"rating": "很满意"}),
            ("region_code", "neither 6, 9 nor 12 digits", {"region_code": "4412"}),
        ]
    if day == DAYS[3]:
        return [
            ("accepted_at", "accepted after the snapshot date", {"accepted_at": "2022-03-01", "closed_at": None}),
            ("accepted_at", "day that does not exist", {"accepted_at": "2022-02-29 09:00:00"}),
        ]
    if day == DAYS[4]:
        return [("body_code", "wrong check digit", {"body_code": wrong})]
    return [
        ("closed_at", "closed before it was accepted", {"closed_at": "2022-06-30 08:59:59"}),
        ("body_code", "wrong check digit", {"body_code": wrong}),
        ("case_no", "lost digits: 2.02206E+17", {"case_no": "2.02206E+17"}),
        ("case_no", "missing key", {"case_no": None}),
        ("rating", "unknown enumeration", {"rating": "5"}),
        ("body_name", "missing required", {"body_name": None}),
    ]
