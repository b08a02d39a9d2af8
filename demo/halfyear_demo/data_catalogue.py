"""Demo exports of ``data_catalogue``: workbooks of the sharing platform, with title rows and a 合计 row.

Besides the entries that live, change and end, a few *steady* ones never change and have nothing mounted:
a damaged row of theirs neither ends nor changes the record, so it leaves every figure and total alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from random import Random

from halfyear_demo import city, spelling
from halfyear_demo.city import Body, City
from halfyear_demo.exporting import Cell, Content, Export, Layout, Outcome, Row, delivered, to_xlsx

SOURCE = "data_catalogue"
CONFIRMED = "已确认"
ONLINE = ("已发布", "撤销待审核", "撤销已驳回")

HEADERS = {
    "entry_code": "信息资源代码",
    "entry_name": "信息资源名称",
    "body_name": "信息资源提供方",
    "body_code": "信息资源提供方代码",
    "system_name": "所属系统名称",
    "system_kind": "所属系统类型",
    "resource_format": "信息资源格式",
    "sharing": "共享类型",
    "sharing_condition": "共享条件",
    "is_open": "是否向社会开放",
    "update_cycle": "更新周期",
    "confirmation": "确认状态",
    "publication": "目录发布状态",
    "published_on": "发布日期",
    "resource_count": "挂接资源数量",
    "api_count": "接口资源数量",
    "file_count": "文件资源数量",
    "table_count": "库表资源数量",
}


@dataclass(frozen=True)
class Target:
    """What the list says on one day. ``unconfirmed_online`` of the online entries are not 已确认."""

    vertical: int
    self_built: int
    published: int
    withdrawal_requested: int
    withdrawal_refused: int
    unconfirmed_online: int
    waiting: int
    returned: int


TARGETS = {
    date(2020, 12, 31): Target(214, 158, 38, 2, 1, 2, 47, 11),
    date(2021, 3, 31): Target(231, 171, 46, 2, 2, 2, 55, 12),
    date(2021, 6, 30): Target(252, 189, 56, 2, 2, 3, 66, 15),
    date(2021, 12, 31): Target(281, 223, 74, 3, 2, 3, 83, 19),
    date(2022, 3, 31): Target(296, 244, 83, 3, 2, 4, 91, 21),
    date(2022, 6, 30): Target(309, 262, 91, 4, 3, 5, 74, 26),
}
DAYS = tuple(TARGETS)
#: The mid-year list of the first quarter was exported again only after the half-year's end.
LATE = {date(2022, 3, 31): datetime(2022, 7, 5, 9, 42)}

#: The bodies that have to catalogue: 28 at first, those named here from the day given.
_JOINED = {
    "残疾人联合会": date(2021, 6, 1),
    "气象局": date(2021, 9, 1),
    "档案馆": date(2021, 11, 1),
    "消防救援大队": date(2022, 5, 1),
}
_SUBJECTS = [
    "许可证信息",
    "登记信息",
    "行政处罚信息",
    "企业名录",
    "从业人员信息",
    "项目审批信息",
    "监测数据",
    "统计年报",
    "补贴发放信息",
    "检查记录",
    "资格证书信息",
    "设施分布信息",
    "备案信息",
    "信用评价信息",
    "办件信息",
    "应急预案",
    "电子证照目录",
    "工程进度信息",
    "救助对象信息",
    "培训记录",
    "合同备案信息",
    "公示公告",
]
_FORMATS = ("数据库", "数据库", "数据库", "电子表格", "电子文件", "图形图像", "自描述格式", "流媒体")
_CYCLES = ("实时", "每日", "每周", "每月", "每月", "每季度", "每半年", "每年", "不定期", "不更新")
_CONDITIONS = ("经数源单位同意后共享", "仅限政务部门履职使用", "需签订数据使用协议")
_LEGAL_BASES = ("《中华人民共和国统计法》第二十五条", "《中华人民共和国个人信息保护法》第二十八条")
_OFFLINE = ("已创建", "已创建", "发布待审核", "发布已驳回")
#: Bodies with a valid code that is in no list: reported, never invented.
_STRANGERS = ("市区域协同发展办公室", "市数字乡村试点办公室")


@dataclass(eq=False)
class Entry:
    """One catalogue entry as it stands on the day that is being made."""

    code: str
    name: str
    body_name: str
    body_code: str
    system_name: str | None
    is_vertical: bool
    resource_format: str
    sharing: str
    sharing_condition: str | None
    is_open: bool
    update_cycle: str
    confirmation: str = "待确认"
    publication: str = "已创建"
    published_on: date | None = None
    counts: tuple[int, int, int] = (0, 0, 0)
    is_steady: bool = False

    @property
    def is_online(self) -> bool:
        return self.publication in ONLINE

    @property
    def resource_count(self) -> int:
        return sum(self.counts)


@dataclass
class _Catalogue:
    """The list while it grows from one snapshot date to the next."""

    town: City
    rng: Random
    entries: list[Entry] = field(default_factory=list)
    serial: int = 0

    def bodies(self, day: date) -> list[Body]:
        return cataloguing_bodies(self.town, day)

    def add(self, day: date, is_vertical: bool, *, body: Body | None = None, **changes: object) -> Entry:
        rng = self.rng
        self.serial += 1
        body = body or rng.choice(self.bodies(day))
        sharing = rng.choices(("无条件共享", "有条件共享", "不予共享"), (52, 39, 9))[0]
        condition = {"有条件共享": rng.choice(_CONDITIONS), "不予共享": rng.choice(_LEGAL_BASES)}.get(sharing)
        short = body.name.removeprefix(city.NAME).removeprefix("国家税务总局" + city.NAME)
        # class code and serial, with and without the slash; some old systems used a short number
        code = f"3070{rng.randint(10, 39)}000/{self.serial:06d}" if self.serial % 7 else f"4128{self.serial:08d}"
        entry = Entry(
            code=code if self.serial % 5 else f"{city.REGION_CODE}0003{self.serial:010d}",
            name=f"{short}{rng.choice(_SUBJECTS)}（{self.serial}）",
            body_name=body.name if rng.random() < 0.6 else body.name_on(day, self.town.valid_from),
            body_code=body.code,
            system_name=f"{'省' if is_vertical else '市'}{short}业务系统" if rng.random() < 0.9 else None,
            is_vertical=is_vertical,
            resource_format=rng.choice(_FORMATS),
            sharing=sharing,
            sharing_condition=condition,
            is_open=sharing == "无条件共享" and rng.random() < 0.3,
            update_cycle=rng.choice(_CYCLES),
        )
        entry = replace(entry, **changes)  # type: ignore[arg-type]
        self.entries.append(entry)
        return entry

    def moving(self) -> list[Entry]:
        return [entry for entry in self.entries if not entry.is_steady]

    def pick(self, count: int, *, of: list[Entry]) -> list[Entry]:
        return self.rng.sample(of, count)

    def advance(self, before: date | None, day: date, target: Target) -> None:
        """Bring the list to what it says on ``day``."""
        first = before or date(2019, 6, 1)
        if before is not None:
            offline = [entry for entry in self.moving() if not entry.is_online]
            for entry in self.pick(6, of=offline):
                self.entries.remove(entry)
            settled = [entry for entry in self.moving() if not entry.is_online and entry.confirmation == CONFIRMED]
            for entry in self.pick(4, of=settled):
                entry.confirmation = "已退回"
        self._confirm(day, target)
        self._publish(first, day, target)
        self._mount()

    def _confirm(self, day: date, target: Target) -> None:
        for is_vertical, wanted in ((True, target.vertical), (False, target.self_built)):
            alike = [entry for entry in self.moving() if entry.is_vertical == is_vertical]
            held = sum(e.confirmation == CONFIRMED for e in self.entries if e.is_vertical == is_vertical)
            waiting = [entry for entry in alike if entry.confirmation != CONFIRMED and not entry.is_online]
            for entry in waiting[: min(len(waiting) // 2, wanted - held)]:
                entry.confirmation = CONFIRMED
                held += 1
            for _ in range(wanted - held):
                self.add(day, is_vertical, confirmation=CONFIRMED)
        for state, wanted in (("待确认", target.waiting), ("已退回", target.returned)):
            held = sum(entry.confirmation == state for entry in self.entries)
            for number in range(wanted - held):
                self.add(day, number % 2 == 0, confirmation=state)
            spare = [entry for entry in self.moving() if entry.confirmation == state and not entry.is_online]
            for entry in self.pick(max(held - wanted, 0), of=spare):
                self.entries.remove(entry)

    def _publish(self, first: date, day: date, target: Target) -> None:
        def state(name: str) -> list[Entry]:
            return [entry for entry in self.entries if entry.publication == name]

        # what was under withdrawal is decided, then new requests come in
        for entry in state("撤销待审核"):
            entry.publication = "撤销已驳回" if len(state("撤销已驳回")) < target.withdrawal_refused else "已撤销"
        for entry in state("撤销已驳回")[target.withdrawal_refused :]:
            entry.publication = "已发布"
        published = [entry for entry in self.moving() if entry.publication == "已发布"]
        unconfirmed = sum(entry.is_online and entry.confirmation != CONFIRMED for entry in self.entries)
        fresh = [entry for entry in self.moving() if entry.publication in _OFFLINE]
        wanted = target.published + target.withdrawal_requested + target.withdrawal_refused
        online = sum(entry.is_online for entry in self.entries)
        missing = target.unconfirmed_online - unconfirmed
        going = self.pick(missing, of=[entry for entry in fresh if entry.confirmation == "待确认"])
        going += self.pick(wanted - online - missing, of=[entry for entry in fresh if entry.confirmation == CONFIRMED])
        for entry in going:
            entry.publication = "已发布"
            entry.published_on = city.day_between(self.rng, first, day)
        asked = [entry for entry in published if entry.confirmation == CONFIRMED]
        asked = asked if len(asked) >= 8 else [*asked, *(entry for entry in going if entry.confirmation == CONFIRMED)]
        refused = target.withdrawal_refused - len(state("撤销已驳回"))
        for number, entry in enumerate(self.pick(target.withdrawal_requested + refused, of=asked)):
            entry.publication = "撤销待审核" if number < target.withdrawal_requested else "撤销已驳回"
        for entry in self.moving():
            if entry.publication == "已创建" and entry.confirmation == CONFIRMED and self.rng.random() < 0.2:
                entry.publication = self.rng.choice(_OFFLINE)
        if len(state("已删除")) < 2:
            self.pick(1, of=[e for e in self.moving() if e.publication == "已创建"])[0].publication = "已删除"

    def _mount(self) -> None:
        for entry in self.moving():
            if entry.confirmation == CONFIRMED and self.rng.random() < (0.5 if entry.is_online else 0.13):
                api, files, tables = entry.counts
                more = self.rng.choices(("api", "file", "table"), (3, 4, 5))[0]
                entry.counts = (api + (more == "api"), files + (more == "file"), tables + (more == "table"))


def cataloguing_bodies(town: City, day: date) -> list[Body]:
    """The bodies that have to catalogue and mount on a day."""
    departments = list(town.bodies.values())[1:33]
    joined = {town.named(name).code: since for name, since in _JOINED.items()}
    return [body for body in departments if joined.get(body.code, date.min) <= day]


def lists(town: City, seed: int) -> dict[date, list[Entry]]:
    """The true list of each snapshot date, before any file garbles it."""
    made = _Catalogue(town, Random(f"{seed} {SOURCE}"))
    first = DAYS[0]
    for number in range(8):
        is_online = number == 0
        made.add(
            first,
            number % 2 == 0,
            confirmation=CONFIRMED,
            publication="已发布" if is_online else "已创建",
            published_on=date(2020, 5, 18) if is_online else None,
            sharing="无条件共享",
            sharing_condition=None,
            is_steady=True,
        )
    for number, name in enumerate(_STRANGERS):
        code = city.credit_code("11", city.REGION_CODE, f"MB29990{number}")
        made.add(first, True, body_name=name, body_code=code, confirmation=CONFIRMED, is_steady=True)
    found = {}
    before = None
    for day, target in TARGETS.items():
        made.advance(before, day, target)
        found[day] = [replace(entry) for entry in made.entries]
        before = day
    return found


def exports(town: City, seed: int) -> list[Export]:
    """The workbooks of the sharing platform, one per snapshot date."""
    made = []
    for day, entries in lists(town, seed).items():
        content = _workbook(day, entries, town, Random(f"{seed} {SOURCE} {day}"))
        made.append(delivered(SOURCE, day, content, arrived_at=LATE.get(day)))
    return made


def _workbook(day: date, entries: list[Entry], town: City, rng: Random) -> Content:
    rows = list(_rows(day, entries, town, rng))
    headers = dict(HEADERS)
    totals = {"resource_count": sum(entry.resource_count for entry in entries)}
    notes: tuple[str, ...] = ("填报人：市政数局数据股",)
    has_blank = False
    match DAYS.index(day):
        case 0:  # the platform did not know 是否向社会开放 yet
            del headers["is_open"]
        case 1:  # an older template with other names, and no total
            headers |= {"entry_code": "目录代码", "entry_name": "目录名称", "body_name": "数源单位"}
            headers |= {"body_code": "提供单位代码", "system_name": "所属信息系统", "publication": "发布状态"}
            totals, notes = {}, ()
        case 2:
            headers = {"number": "序号", **headers, "entry_name": "信息资源\n名称", "sharing": " 共享类型 "}
            headers["publication"] = "目录发布\n状态"
            rows = [replace(row, cells={"number": n, **row.cells}) for n, row in enumerate(rows, 1)]
        case 3:
            headers |= {"resource_count": "挂接资源数量（个）", "entry_code": "资源代码", "entry_name": "资源名称"}
            has_blank = True
        case 4:
            headers |= {"body_name": "提供单位", "body_code": "提供单位代码", "is_open": "是否向社会 开放"}
        case _:
            required = ("entry_code", "entry_name", "body_name", "body_code", "system_kind", "sharing")
            headers |= {name: f"*{headers[name]}" for name in required}
            headers |= {"resource_count": "挂接资源数量\n（单位：个）", "confirmation": "＊确认状态"}
            headers["domain"] = "所属领域"
            notes += ("备注：撤销流程中的目录仍在线。",)
            has_blank = True
    layout = Layout(
        headers,
        titles=(f"{city.NAME}政务数据资源目录清单", f"统计截止日期：{spelling.day(day, 'hanzi')}　　单位：条"),
        totals=totals,
        notes=notes,
        has_blank_before_notes=has_blank,
    )
    return to_xlsx(layout, rows, "目录清单", has_instructions=day == DAYS[4])


def _rows(day: date, entries: list[Entry], town: City, rng: Random) -> Iterator[Row]:
    """The rows below the header: every entry, with the trouble of that day in between."""
    steady = [entry for entry in entries if entry.is_steady]
    damaged = _damage(day, steady)
    unfounded = [entry for entry in entries if entry.sharing == "不予共享" and not entry.is_steady][:3]
    unconditional = [entry for entry in entries if entry.sharing == "有条件共享" and entry.is_online][:2]
    strangers = {entry.code for entry in entries if entry.body_name in _STRANGERS}
    plain = [entry for entry in entries if entry.resource_count == 0 and not entry.is_steady]
    twin = plain[len(plain) // 2].code if day == DAYS[-1] else None
    for entry in entries:
        cells = _cells(day, entry, rng)
        if entry.code in damaged:
            for outcome, column, what, changes in damaged[entry.code]:
                yield Row({**cells, **changes}, outcome, column, what)
        elif day == DAYS[-1] and entry in unfounded:
            without = {**cells, "sharing_condition": None}
            yield Row(without, "loaded", "sharing_condition", "不予共享 without legal basis")
        elif day == DAYS[-1] and entry in unconditional:
            without = {**cells, "sharing_condition": None}
            yield Row(without, "loaded", "sharing_condition", "有条件共享 without a condition")
        elif entry.code in strangers:
            yield Row(cells, "loaded", "body_code", "valid code of a body that no list knows")
        else:
            yield Row(cells)
        if entry.code == twin:
            yield Row(cells, "skipped", "", "duplicate of the row above, alike in every column")
    for number, (outcome, column, what, changes) in enumerate(_strays(day)):
        body = cataloguing_bodies(town, day)[number]
        online: dict[str, Cell] = {"confirmation": CONFIRMED, "publication": "已发布", "published_on": day}
        cells = _cells(day, _stray(f"99{number:03d}{day:%Y%m%d}", body), rng)
        yield Row({**cells, **online, **changes}, outcome, column, what)


def _damage(day: date, steady: list[Entry]) -> dict[str, list[tuple[Outcome, str, str, dict[str, Cell]]]]:
    """Steady entries whose rows are damaged on a day: the record stays as it was, or loads without the damaged value."""
    online, first, second, third, fourth, *_ = [entry.code for entry in steady]
    if day == DAYS[2]:
        return {
            third: [("loaded", "system_name", "error cell", {"system_name": "#REF!"})],
            fourth: [("quarantined", "resource_count", "formula without a value", {"resource_count": "=1-1"})],
        }
    if day == DAYS[-1]:
        twice = "one key twice with different content"
        other: dict[str, Cell] = {"sharing": "有条件共享", "sharing_condition": "经同意"}
        return {
            online: [("loaded", "published_on", "month 13 in a date", {"published_on": "2020年13月5日"})],
            first: [("quarantined", "update_cycle", "unknown enumeration", {"update_cycle": "每十天"})],
            second: [("quarantined", "entry_code", twice, {}), ("quarantined", "entry_code", twice, other)],
        }
    return {}


def _strays(day: date) -> list[tuple[Outcome, str, str, dict[str, Cell]]]:
    """Rows that belong in quarantine under keys that no other file has; confirmed and online, if they counted."""
    wrong = city.with_wrong_check(city.credit_code("11", city.REGION_CODE, "MB277777"))
    if day == DAYS[1]:
        return [("quarantined", "resource_count", "2 is not 1 + 0 + 0", {"resource_count": 2, "api_count": 1})]
    if day == DAYS[3]:
        return [("quarantined", "body_code", "wrong check digit", {"body_code": wrong})]
    if day == DAYS[-1]:
        return [
            ("quarantined", "entry_code", "lost digits: a number of 18 digits", {"entry_code": 159012345678901234}),
            ("quarantined", "entry_code", "lost digits: 1.59E+17", {"entry_code": "1.59E+17"}),
            ("quarantined", "body_code", "wrong check digit", {"body_code": wrong}),
            ("quarantined", "sharing", "missing required", {"sharing": None, "sharing_condition": None}),
        ]
    return []


def _stray(code: str, body: Body) -> Entry:
    name = f"待整改目录（{code}）"
    return Entry(code, name, body.name, body.code, None, False, "数据库", "无条件共享", None, False, "每月")


def _cells(day: date, entry: Entry, rng: Random) -> dict[str, Cell]:
    """One entry as the platform writes it: real dates and text dates, numbers as text, stray spaces."""
    style: list[spelling.DayStyle] = ["dash", "slash", "hanzi", "compact", "dot"]
    published: Cell = entry.published_on
    if entry.published_on is None:
        published = rng.choice((None, None, "-", "—")) if day >= DAYS[3] else None
    elif rng.random() < 0.3:
        published = spelling.day(entry.published_on, rng.choice(style))
    elif rng.random() < 0.15:
        published = spelling.serial(entry.published_on)
    total: Cell = entry.resource_count
    if rng.random() < 0.1:
        total = str(total) if rng.random() < 0.8 else spelling.full_width(str(total))
    code: Cell = entry.code
    if len(entry.code) <= 12 and entry.code.isdigit():
        code = int(entry.code)  # text stored as a number; with 12 digits nothing is lost
    return {
        "entry_code": code,
        "entry_name": entry.name,
        "body_name": entry.body_name + (" " if rng.random() < 0.02 else ""),
        "body_code": entry.body_code if rng.random() > 0.03 else entry.body_code.lower(),
        "system_name": entry.system_name,
        "system_kind": "垂直系统" if entry.is_vertical else "自建系统",
        "resource_format": entry.resource_format,
        "sharing": entry.sharing,
        "sharing_condition": entry.sharing_condition,
        "is_open": spelling.yes_no(entry.is_open, ("hanzi", "digit", "letter")[DAYS.index(day) % 3]),
        "update_cycle": entry.update_cycle,
        "confirmation": entry.confirmation,
        "publication": entry.publication + (" " if rng.random() < 0.02 else ""),
        "published_on": published,
        "resource_count": total,
        "api_count": entry.counts[0],
        "file_count": entry.counts[1],
        "table_count": entry.counts[2],
        "domain": "公共服务",
    }
