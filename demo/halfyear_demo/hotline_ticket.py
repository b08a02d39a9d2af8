"""Demo exports of ``hotline_ticket``: a ticket is exported whenever something happened to it.

Its first row is replaced by later ones, so a ticket that was re-assigned shows another 派单时间 than at first.
Some tickets of the last days of 2021 were re-assigned in January, after the export of 2022-01-10 showed them
unchanged. Every ticket due in 2022-S1 was replied to in time; before, some were late.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from halfyear.period import Period, parse
from halfyear_demo import city, spelling
from halfyear_demo.city import Body, City
from halfyear_demo.exporting import Cell, Content, Export, Layout, Row, delivered, to_csv

SOURCE = "hotline_ticket"
HEADERS = {
    "ticket_source": "工单来源",
    "ticket_no": "工单编号",
    "request_kind": "诉求类型",
    "title": "诉求标题",
    "content": "诉求内容",
    "caller_name": "来电人",
    "mobile": "联系电话",
    "region_name": "所属区域",
    "body_name": "承办单位",
    "body_code": "承办单位代码",
    "dispatched_at": "派单时间",
    "due_at": "办理时限",
    "replied_at": "回复时间",
    "closed_at": "办结时间",
    "ticket_status": "处理状态",
    "revisited_at": "回访时间",
    "satisfaction": "满意度",
}


@dataclass(frozen=True)
class Target:
    """Of one half-year: tickets first dispatched in it, what their callers said, and late replies among those due."""

    dispatched: int
    satisfied: int
    basically: int
    dissatisfied: int
    late: int


TARGETS = {
    parse("2020-S2"): Target(2_143, 1_482, 186, 121, 58),
    parse("2021-S1"): Target(2_457, 1_757, 197, 112, 49),
    parse("2021-S2"): Target(2_906, 2_104, 214, 118, 31),
    parse("2022-S1"): Target(6_098, 4_564, 412, 237, 0),
}
DAYS = (
    date(2020, 12, 31),
    date(2021, 6, 30),
    date(2021, 12, 31),
    date(2022, 1, 10),
    date(2022, 3, 31),
    date(2022, 6, 30),
)
#: The export of this day arrived after the one that follows it.
_LATE = {date(2022, 1, 10): datetime(2022, 4, 2, 14, 15)}
_TIME_STYLES: dict[date, spelling.TimeStyle] = {
    date(2020, 12, 31): "slash",
    date(2021, 6, 30): "iso_compact",
    date(2021, 12, 31): "dash",
    date(2022, 1, 10): "compact",
    date(2022, 3, 31): "dash",
    date(2022, 6, 30): "slash",
}
_LAST_MOMENT = time(23, 59, 59)
#: Days to reply by kind of request, and how often the kind occurs.
_KINDS = {"咨询": (3, 38), "求助": (5, 27), "投诉": (7, 18), "举报": (10, 7), "建议": (7, 6), "其他": (5, 4)}
_SOURCES = {"市12345": 62, "省12345": 21, "本级": 17}
_REASSIGNED_AT_NEW_YEAR = 6
_SUBJECTS = {
    "公安局": ("电动自行车上牌", "夜间噪声扰民"),
    "住房和城乡建设局": ("商品房延期交付", "小区物业收费"),
    "城市管理和综合执法局": ("占道经营", "路灯不亮", "垃圾清运不及时"),
    "人力资源和社会保障局": ("拖欠工资", "社保卡补办"),
    "市场监督管理局": ("预付卡退款", "网购商品质量"),
    "交通运输局": ("公交班次调整", "道路破损"),
    "教育局": ("小学入学条件", "校外培训退费"),
    "卫生健康局": ("疫苗接种安排", "核酸检测点时间"),
    "医疗保障局": ("异地就医报销",),
    "市生态环境局榕湾分局": ("工厂异味",),
    "政务服务数据管理局": ("窗口预约", "网上办事流程"),
}
_TOWN_SUBJECTS = ("村道路灯维修", "排水沟堵塞", "宅基地申请进度", "自来水水压不足")
_CONTENTS = (
    "来电人反映：{subject}。\n诉求：请相关单位尽快核实,并回复处理情况。",
    "市民来电称“{subject}”问题已有一段时间，\r\n希望给予答复",
    '来电人咨询{subject},并说"上次已经打过电话",请部门联系本人。',
    "{subject}，请核查",
)


@dataclass
class Ticket:
    """One ticket to its end, which may lie after the last snapshot date; ``reassigned_at`` is a second dispatch."""

    source: str
    number: str
    kind: str
    subject: str
    content: str
    caller: str
    mobile: str
    region: str
    body: Body
    dispatched_at: datetime
    due_at: datetime
    signed_at: datetime
    replied_at: datetime | None
    closed_at: datetime | None
    revisited_at: datetime | None
    satisfaction: str | None = None
    first_due_at: datetime | None = None
    reassigned_at: datetime | None = None
    is_returned: bool = False
    is_special: bool = False

    @property
    def moments(self) -> list[datetime]:
        """When something happened to it."""
        times = (self.dispatched_at, self.signed_at, self.reassigned_at, self.replied_at, self.closed_at)
        return [at for at in (*times, self.revisited_at) if at is not None]


class _Hotline:
    """The tickets while they are made, half-year by half-year."""

    def __init__(self, town: City, seed: int) -> None:
        self.rng = Random(f"{seed} {SOURCE}")
        self.serials: Counter[tuple[str, int]] = Counter()
        self.subjects = [
            (town.named(name), subject)
            for name, subjects in _SUBJECTS.items()
            for subject in subjects
            for _ in range(4)
        ]
        self.subjects += [(body, subject) for body in town.of_kind("镇街") for subject in _TOWN_SUBJECTS]
        self.regions = [body.aliases[0] for body in town.of_kind("镇街")]
        self.made: list[Ticket] = []

    def ticket(self, dispatched_at: datetime, days: int = 0) -> Ticket:
        """A ticket that is replied to in time, closed and revisited; each source counts its own numbers."""
        rng = self.rng
        source = rng.choices(tuple(_SOURCES), tuple(_SOURCES.values()))[0]
        self.serials[source, dispatched_at.year] += 1
        number = f"{dispatched_at.year}{self.serials[source, dispatched_at.year]:07d}"
        kind = rng.choices(tuple(_KINDS), [weight for _, weight in _KINDS.values()])[0]
        body, subject = rng.choice(self.subjects)
        due_at = datetime.combine(dispatched_at.date() + timedelta(days=days or _KINDS[kind][0]), time(18))
        ticket = Ticket(
            source=source,
            number=f"S{number}" if source == "省12345" else number,
            kind=kind,
            subject=subject,
            content=rng.choice(_CONTENTS).format(subject=subject),
            caller=city.person_name(rng),
            mobile=city.mobile(400_000 + len(self.made)),
            region=body.aliases[0] if body.kind == "镇街" else rng.choice(self.regions),
            body=body,
            dispatched_at=dispatched_at,
            due_at=due_at,
            signed_at=dispatched_at + timedelta(minutes=rng.randint(5, 600)),
            replied_at=None,
            closed_at=None,
            revisited_at=None,
        )
        self.reply(ticket, ticket.signed_at + (due_at - ticket.signed_at) * (0.1 + 0.85 * rng.random()))
        self.made.append(ticket)
        return ticket

    def reply(self, ticket: Ticket, at: datetime) -> None:
        """Let a ticket be replied to at a time, then closed and revisited within days."""
        ticket.replied_at = at.replace(microsecond=0)
        ticket.closed_at = ticket.replied_at + timedelta(minutes=self.rng.randint(10, 1500))
        ticket.revisited_at = ticket.closed_at + timedelta(minutes=self.rng.randint(300, 3000))

    def return_it(self, ticket: Ticket) -> None:
        """The body says that it is not in charge; that is its reply, and nobody asks the caller."""
        ticket.is_returned = True
        ticket.closed_at = ticket.revisited_at = None

    def reassign(self, ticket: Ticket, at: datetime) -> None:
        """Dispatch a ticket a second time, with a new time limit; some of these are never closed."""
        rng = self.rng
        ticket.reassigned_at, ticket.first_due_at = at.replace(microsecond=0), ticket.due_at
        ticket.due_at = datetime.combine(at.date() + timedelta(days=4), time(18))
        self.reply(ticket, at + (ticket.due_at - at) * (0.2 + 0.7 * rng.random()))
        if rng.random() < 0.5:
            ticket.closed_at = ticket.revisited_at = None

    def half_year(self, half: Period, target: Target) -> None:
        """Make the tickets first dispatched in a half-year, then what became of them."""
        rng = self.rng
        begun = len(self.made)
        self._boundaries(half)
        if half == parse("2021-S2"):
            self._new_year()
        seconds = int((half.next_day - half.first_day).total_seconds())
        start = datetime.combine(half.first_day, time())
        for number in range(target.dispatched - (len(self.made) - begun)):
            at = start + timedelta(seconds=rng.randrange(seconds))
            ticket = self.ticket(at.replace(hour=7 + at.hour * 15 // 24))
            if number % 35 == 0:
                self.return_it(ticket)
            elif number % 50 == 0 and ticket.due_at < datetime.combine(half.last_day - timedelta(days=9), time()):
                self.reassign(ticket, ticket.signed_at + timedelta(days=rng.randint(1, 6)))
        fresh = self.made[begun:]
        self._delay(half, target.late, fresh)
        self._revisit(half, target, fresh)

    def _boundaries(self, half: Period) -> None:
        """Tickets of the first and the last second; one due in the last second and replied to then; one due after."""
        first = datetime.combine(half.first_day, time())
        last = datetime.combine(half.last_day, _LAST_MOMENT)
        for at in (first, last):
            self.ticket(at).is_special = True
        due = self.ticket(last - timedelta(days=5, hours=6))
        due.due_at = last
        self.reply(due, last)
        due.is_special = True
        after = self.ticket(last - timedelta(days=6, hours=8))
        after.due_at = datetime.combine(half.next_day, time())
        self.reply(after, after.due_at)
        after.is_special = True

    def _new_year(self) -> None:
        """Tickets of the last days of 2021 that are re-assigned after the 10th of January."""
        for number in range(_REASSIGNED_AT_NEW_YEAR):
            ticket = self.ticket(datetime(2021, 12, 30 + number % 2, 15, 10 + number), 15)
            ticket.is_special = True
            # signed in January, so the first export of the new year has it with its first 派单时间
            ticket.signed_at = datetime(2022, 1, 4, 8, 30 + number)
            self.reassign(ticket, datetime(2022, 1, 12 + number, 10, 20))

    def _delay(self, half: Period, count: int, fresh: Sequence[Ticket]) -> None:
        """Let as many tickets that are due in the half-year be replied to late; a few wait for ever."""
        end = datetime.combine(half.last_day, time())
        movable = [
            t for t in fresh if t.due_at < end and not t.is_special and not t.is_returned and not t.reassigned_at
        ]
        for number, ticket in enumerate(self.rng.sample(movable, count)):
            self.reply(ticket, ticket.due_at + timedelta(minutes=self.rng.randint(1, 6_000)))
            if number % 20 == 7:
                ticket.replied_at = ticket.closed_at = ticket.revisited_at = None

    def _revisit(self, half: Period, target: Target, fresh: Sequence[Ticket]) -> None:
        """Write what the callers said; who was asked after the half-year or said nothing has not rated."""
        end = datetime.combine(half.last_day, _LAST_MOMENT)
        asked = [ticket for ticket in fresh if ticket.revisited_at is not None and ticket.revisited_at <= end]
        answers = ["满意"] * target.satisfied + ["基本满意"] * target.basically + ["不满意"] * target.dissatisfied
        answered = self.rng.sample(asked, len(answers))
        for ticket, answer in zip(answered, answers, strict=True):
            ticket.satisfaction = answer
        for number, ticket in enumerate(ticket for ticket in fresh if ticket.satisfaction is None):
            ticket.satisfaction = "未评价" if number % 3 else None


def tickets(town: City, seed: int) -> list[Ticket]:
    """Every ticket, by the time of its first dispatch."""
    hotline = _Hotline(town, seed)
    for half, target in TARGETS.items():
        hotline.half_year(half, target)
    return sorted(hotline.made, key=lambda ticket: (ticket.dispatched_at, ticket.source, ticket.number))


def exports(town: City, seed: int) -> list[Export]:
    """The batches; that of 2022-01-10 came late, after the next one."""
    every = tickets(town, seed)
    made = []
    before = date.min
    for day in DAYS:
        content = _batch(before, day, every, town, Random(f"{seed} {SOURCE} {day}"))
        made.append(delivered(SOURCE, day, content, arrived_at=_LATE.get(day)))
        before = day
    return made


def _batch(before: date, day: date, every: Sequence[Ticket], town: City, rng: Random) -> Content:
    headers = dict(HEADERS)
    if day == DAYS[1]:
        headers |= {"dispatched_at": "派单\n时间", "due_at": "办理\n时限"}
    if day >= DAYS[4]:
        headers |= {"ticket_source": "*工单来源", "ticket_no": "*工单编号", "urged": "催办次数"}
    title = f"{city.NAME}12345政务服务便民热线工单（截至{spelling.day(day, 'hanzi')}）"
    layout = Layout(
        headers,
        titles=(title,) if day in (DAYS[0], DAYS[4], DAYS[5]) else (),
        notes=("填报人：市政数局热线股",) if day in (DAYS[0], DAYS[2], DAYS[5]) else (),
        has_blank_before_notes=day == DAYS[5],
    )
    return to_csv(layout, list(_rows(before, day, every, town, rng)))


def _rows(before: date, day: date, every: Sequence[Ticket], town: City, rng: Random) -> Iterator[Row]:
    """The tickets to which something happened since the batch before, then rows that are no tickets."""
    since, until = (datetime.combine(end, _LAST_MOMENT) for end in (before, day))
    listed = 0
    for ticket in every:
        if ticket.dispatched_at > until or not any(since < at <= until for at in ticket.moments):
            continue
        listed += 1
        cells = _cells(ticket, day, until, town, rng)
        if day == DAYS[4] and listed in (200, 201):
            cells |= {"body_name": "榕湾市热线联动工作专班", "body_code": None}
            yield Row(cells, "loaded", "body_name", "name of a body that no list knows, without code")
        else:
            yield Row(cells)
        if listed in (90, 1_500):
            yield Row(cells, "skipped", "", "duplicate of the row above, alike in every column")
    for number, (column, what, changes) in enumerate(_strays(day), start=1):
        yield Row({**_stray(day, number, town), **changes}, "quarantined", column, what)


def _status(ticket: Ticket, until: datetime) -> str:
    """处理状态 at a time."""

    def is_past(at: datetime | None) -> bool:
        return at is not None and at <= until

    if is_past(ticket.closed_at):
        return "已办结"
    if is_past(ticket.reassigned_at):
        return "已改派"
    if is_past(ticket.replied_at):
        return "已退单" if ticket.is_returned else "已回复"
    return "办理中" if is_past(ticket.signed_at) else "待签收"


def _cells(ticket: Ticket, day: date, until: datetime, town: City, rng: Random) -> dict[str, Cell]:
    """One ticket as the hotline knew it at the end of a day; half of the bodies by name alone."""
    style = _TIME_STYLES[day]

    def known(at: datetime | None) -> str | None:
        return spelling.moment(at, style) if at is not None and at <= until else None

    is_reassigned = ticket.reassigned_at is not None and ticket.reassigned_at <= until
    has_code = rng.random() < 0.5
    body = ticket.body
    is_revisited = ticket.revisited_at is not None and ticket.revisited_at <= until
    return {
        "ticket_source": ticket.source,
        "ticket_no": ticket.number,
        "request_kind": ticket.kind,
        "title": f"关于{ticket.subject}的{ticket.kind}",
        "content": ticket.content,
        "caller_name": ticket.caller,
        "mobile": ticket.mobile,
        "region_name": ticket.region,
        "body_name": body.name if has_code else body.name_on(day, town.valid_from),
        "body_code": body.code if has_code else None,
        "dispatched_at": spelling.moment(ticket.reassigned_at if is_reassigned else ticket.dispatched_at, style),
        "due_at": spelling.moment(
            ticket.first_due_at if ticket.first_due_at is not None and not is_reassigned else ticket.due_at, style
        ),
        "replied_at": known(ticket.replied_at),
        "closed_at": known(ticket.closed_at),
        "ticket_status": _status(ticket, until),
        "revisited_at": known(ticket.revisited_at),
        "satisfaction": ticket.satisfaction if is_revisited else None,
        "urged": 0,
    }


def _stray(day: date, number: int, town: City) -> dict[str, Cell]:
    """A ticket of a number that no other row has; if it counted, dispatched, due and satisfied on that day."""
    body = town.named("信访局")
    nine = datetime.combine(day, time(9))
    return {
        "ticket_source": "本级",
        "ticket_no": f"{day:%Y%m%d}9{number:04d}",
        "request_kind": "求助",
        "title": "待核实",
        "content": "待核实，\n内容略",
        "caller_name": "陈待核",
        "mobile": city.mobile(490_000 + number),
        "body_name": body.name,
        "body_code": body.code,
        "dispatched_at": spelling.moment(nine),
        "due_at": spelling.moment(nine + timedelta(hours=9)),
        "replied_at": spelling.moment(nine + timedelta(hours=1)),
        "closed_at": spelling.moment(nine + timedelta(hours=2)),
        "ticket_status": "已办结",
        "revisited_at": spelling.moment(nine + timedelta(hours=5)),
        "satisfaction": "满意",
    }


def _strays(day: date) -> list[tuple[str, str, dict[str, Cell]]]:
    """Rows that belong in quarantine under numbers that no other row has."""
    wrong = city.with_wrong_check(city.credit_code("11", city.REGION_CODE, "MB266666"))
    twin: dict[str, Cell] = {"ticket_no": f"{day:%Y%m%d}80001"}
    twice = "one key twice with different content"
    if day == DAYS[0]:
        return [("request_kind", "missing required", {"request_kind": None})]
    if day == DAYS[1]:
        return [("replied_at", "replied to before it was dispatched", {"replied_at": "2021-06-30 08:00:00"})]
    if day == DAYS[2]:
        return [
            ("ticket_source", "unknown enumeration in the key", {"ticket_source": "国家12345"}),
            ("due_at", "missing required", {"due_at": None}),
        ]
    if day == DAYS[3]:
        return [("dispatched_at", "dispatched after the snapshot date", {"dispatched_at": "2022-01-11 09:00:00"})]
    if day == DAYS[4]:
        return [("satisfaction", "unknown enumeration", {"satisfaction": "较满意"})]
    return [
        ("body_code", "wrong check digit", {"body_code": wrong}),
        ("dispatched_at", "day that does not exist", {"dispatched_at": "2022-06-31 09:00:00"}),
        ("closed_at", "closed before it was dispatched", {"closed_at": "2022-06-30 08:59:00"}),
        ("ticket_no", "lost digits: 2.02206E+12", {"ticket_no": "2.02206E+12"}),
        ("ticket_no", "missing key", {"ticket_no": None}),
        ("ticket_no", twice, twin),
        ("ticket_no", twice, {**twin, "satisfaction": "不满意"}),
    ]
