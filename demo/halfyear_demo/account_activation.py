"""Demo exports of ``account_activation``: some 8,000 accounts of the office platform, a row per post.

Persons join, activate, change posts, are suspended, cancelled and leave the list. *Steady* persons never
change, so a damaged row of theirs (their record stays as it was) leaves every figure alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from halfyear.settings import LOCAL_ZONE
from halfyear_demo import city, spelling
from halfyear_demo.city import Body, City
from halfyear_demo.exporting import Cell, Content, Export, Layout, Row, delivered, to_csv, to_parquet

SOURCE = "account_activation"
HEADERS = {
    "user_id": "用户ID",
    "person_name": "姓名",
    "mobile": "手机号",
    "resident_id": "身份证号",
    "body_name": "组织机构",
    "body_code": "组织机构代码",
    "body_path": "组织全路径",
    "body_kind": "单位类型",
    "opened_at": "开通时间",
    "activation": "激活状态",
    "activated_at": "激活时间",
    "last_login_at": "最近登录时间",
    "account_status": "账号状态",
}


@dataclass(frozen=True)
class Target:
    """On one day: persons with a post that is not 注销, and those of them with such a post activated."""

    opened: int
    activated: int


TARGETS = {
    date(2020, 12, 31): Target(7412, 6871),
    date(2021, 6, 30): Target(7688, 7304),
    date(2021, 12, 31): Target(7897, 7675),
    date(2022, 3, 31): Target(7981, 7809),
    date(2022, 6, 30): Target(8043, 7909),
}
DAYS = tuple(TARGETS)
#: On this day the platform delivered Parquet.
_AS_PARQUET = date(2022, 3, 31)
_TIME_STYLES: dict[date, spelling.TimeStyle] = {
    date(2020, 12, 31): "slash",
    date(2021, 6, 30): "compact",
    date(2021, 12, 31): "iso_compact",
    date(2022, 6, 30): "dash",
}
_CANCELLED_AT_FIRST = 90
_KIND_WEIGHTS = {"政府机关": 34, "事业单位": 14, "下属机构": 11, "镇街": 22, "村居": 14, "国有企业": 3, "其他": 2}
_SECTIONS = ("办公室", "综合股", "业务股", "执法股", "财务股", "信息股")
#: Names that neither list of bodies knows; these exports have no code for them.
_UNKNOWN_BODIES = ("市重点项目攻坚专班", "市数字政府建设指挥部", "市优化营商环境工作组")
_UNKNOWN_PERSONS = 7
_WRONG_RESIDENT_IDS = 5


@dataclass
class Post:
    """One post of a person; ``body`` is None where no list knows the body."""

    body: Body | None
    body_name: str
    path: str
    kind: str
    opened_at: datetime
    activated_at: datetime | None = None
    status: str = "正常"


@dataclass(eq=False)
class Person:
    """One account holder and the posts that the list shows for them today."""

    user_id: str
    name: str
    mobile: str
    resident_id: str
    habit: str
    posts: list[Post] = field(default_factory=list)
    fixed_login_at: datetime | None = None
    is_steady: bool = False
    is_special: bool = False
    has_wrong_resident_id: bool = False

    @property
    def is_opened(self) -> bool:
        return any(post.status != "注销" for post in self.posts)

    @property
    def is_activated(self) -> bool:
        return any(post.status != "注销" and post.activated_at for post in self.posts)


class _Register:
    """The accounts while they change from one snapshot date to the next."""

    def __init__(self, town: City, seed: int) -> None:
        self.town = town
        self.rng = Random(f"{seed} {SOURCE}")
        self.people: list[Person] = []
        self.serial = 0
        kinds = list(_KIND_WEIGHTS)
        self.kinds = kinds
        self.weights = [_KIND_WEIGHTS[kind] for kind in kinds]
        self.by_kind = {kind: town.of_kind(kind) for kind in kinds}

    def moment(self, first: date, last: date) -> datetime:
        """A second of a working day from ``first`` to ``last``."""
        day = city.day_between(self.rng, first, last)
        return datetime.combine(day, time(8)) + timedelta(seconds=self.rng.randint(0, 11 * 3600))

    def post(self, opened_at: datetime, body: Body | None = None, *, unknown: str = "") -> Post:
        rng = self.rng
        if unknown:
            return Post(None, unknown, f"{city.NAME}/{unknown}/{rng.choice(_SECTIONS)}", "其他", opened_at)
        body = body or rng.choice(self.by_kind[rng.choices(self.kinds, self.weights)[0]])
        above = self.town.bodies.get(body.parent_code)
        inside = above.aliases[0] + "/" if above is not None and body.kind in ("村居", "下属机构") else ""
        section = "" if body.kind == "村居" else f"/{rng.choice(_SECTIONS)}"
        return Post(body, body.name, f"{city.NAME}/{inside}{body.name}{section}", body.kind, opened_at)

    def join(self, first: date, last: date, *, is_activated: bool, **given: object) -> Person:
        """A new person with a post opened from ``first`` to ``last``."""
        rng = self.rng
        self.serial += 1
        born = city.day_between(rng, date(1963, 1, 1), date(1999, 12, 31))
        habit = rng.choices(("regular", "rare", "dormant", "never"), (880, 45, 60, 15))[0]
        person = Person(
            user_id=f"RW{self.serial:08d}",
            name=city.person_name(rng),
            mobile=city.mobile(self.serial),
            resident_id=city.resident_id(born, rng.randint(1, 999)),
            habit=habit,
        )
        unknown = str(given.pop("unknown", ""))
        person.posts.append(self.post(self.moment(first, last), unknown=unknown))
        for name, value in given.items():
            setattr(person, name, value)
        if is_activated:
            self.activate(person, last)
        if not unknown and not person.is_steady and rng.random() < 0.045:
            self.add_post(person, last)
        self.people.append(person)
        return person

    def activate(self, person: Person, day: date) -> None:
        """Activate every post of a person by the end of a day, most within weeks of opening."""
        for post in person.posts:
            soon = min(post.opened_at.date() + timedelta(days=45), day)
            post.activated_at = max(self.moment(post.opened_at.date(), soon), post.opened_at)
        # a login that stays as it is: right after activation
        first = min(post.activated_at for post in person.posts if post.activated_at)
        person.fixed_login_at = first + timedelta(minutes=3)

    def add_post(self, person: Person, day: date) -> None:
        """A second, sometimes a third post, opened later; now and then not activated or already cancelled."""
        rng = self.rng
        main = person.posts[0]
        for _ in range(rng.choices((1, 2), (9, 1))[0]):
            opened_at = self.moment(min(main.opened_at.date() + timedelta(days=1), day), day)
            post = self.post(main.opened_at if rng.random() < 0.05 else max(opened_at, main.opened_at))
            if post.path in {held.path for held in person.posts}:
                continue
            if main.activated_at is not None:
                post.activated_at = max(main.activated_at, post.opened_at) if rng.random() < 0.7 else None
                post.status = "注销" if rng.random() < 0.1 else "正常"
            person.posts.append(post)

    def movable(self, *, is_activated: bool | None = None) -> list[Person]:
        """Persons who count as opened and may change, of the given activation."""
        return [
            person
            for person in self.people
            if not (person.is_steady or person.is_special)
            and person.is_opened
            and (is_activated is None or person.is_activated == is_activated)
        ]

    def begin(self, day: date, target: Target) -> None:
        first = date(2019, 4, 1)
        for _ in range(12):
            person = self.join(first, date(2020, 6, 30), is_activated=True, is_steady=True, habit="dormant")
            person.fixed_login_at = datetime(2020, 9, 1, 9, 30)
        for number in range(_UNKNOWN_PERSONS):
            self.join(first, day, is_activated=True, is_special=True, unknown=_UNKNOWN_BODIES[number % 3])
        for _ in range(_WRONG_RESIDENT_IDS):
            person = self.join(first, day, is_activated=True, is_special=True)
            person.has_wrong_resident_id = True
            person.resident_id = person.resident_id[:-1] + ("1" if person.resident_id[-1] != "1" else "2")
        # the activated post is cancelled, the other was never activated: opened, not activated
        for _ in range(2):
            person = self.join(first, date(2020, 10, 31), is_activated=True, is_special=True)
            del person.posts[1:]
            person.posts[0].status = "注销"
            person.posts.append(self.post(self.moment(date(2020, 11, 1), day)))
        for _ in range(_CANCELLED_AT_FIRST):
            person = self.join(first, day, is_activated=self.rng.random() < 0.8)
            for post in person.posts:
                post.status = "注销"
        self._fill(first, day, target, sum(person.is_opened for person in self.people))

    def advance(self, before: date, day: date, target: Target) -> None:
        """Bring the accounts to what the list says on ``day``."""
        rng, first = self.rng, before + timedelta(days=1)
        months = (day.month - before.month) % 12 or 12
        gone = [person for person in self.people if not person.is_opened]
        for person in rng.sample(gone, min(len(gone), 4 * months)):
            self.people.remove(person)
        for person in rng.sample(self.movable(), 9 * months):
            for post in person.posts:
                post.status = "注销"
        for person in rng.sample(self.movable(), 3 * months):
            self.people.remove(person)
        for person in rng.sample([p for p in self.movable(is_activated=True) if len(p.posts) == 1], 4 * months):
            post = self.post(self.moment(first, day))
            if post.path != person.posts[0].path:
                post.activated_at = post.opened_at + timedelta(minutes=20)
                person.posts = [post]
                person.fixed_login_at = post.activated_at
        for person in rng.sample(self.movable(), 6 * months):
            status = "停用" if person.posts[0].status == "正常" else "正常"
            for post in person.posts:
                post.status = status if post.status != "注销" else post.status
        self._fill(first, day, target, sum(person.is_opened for person in self.people))

    def _fill(self, first: date, day: date, target: Target, held: int) -> None:
        """Let as many join and activate as the target says."""
        joining = target.opened - held
        idle = self.movable(is_activated=False)
        held_idle = sum(person.is_opened and not person.is_activated for person in self.people)
        wanted_idle = target.opened - target.activated
        fresh_idle = max(wanted_idle - held_idle, min(joining // 5, wanted_idle // 4))
        for number in range(joining):
            self.join(first, day, is_activated=number >= fresh_idle)
        for person in self.rng.sample(idle, held_idle + fresh_idle - wanted_idle):
            for post in person.posts:
                if post.status != "注销":
                    post.activated_at = max(self.moment(first, day), post.opened_at)
                    person.fixed_login_at = post.activated_at + timedelta(minutes=3)


def exports(town: City, seed: int) -> list[Export]:
    """The lists of accounts, one per snapshot date."""
    register = _Register(town, seed)
    made = []
    before: date | None = None
    for day, target in TARGETS.items():
        if before is None:
            register.begin(day, target)
        else:
            register.advance(before, day, target)
        content = _list(day, register.people, town, Random(f"{seed} {SOURCE} {day}"))
        made.append(delivered(SOURCE, day, content))
        before = day
    return made


def _list(day: date, people: list[Person], town: City, rng: Random) -> Content:
    rows = list(_rows(day, people, town, rng))
    headers = dict(HEADERS)
    if day == _AS_PARQUET:
        zones = {"opened_at": "local", "activated_at": "local", "last_login_at": "utc"}
        return to_parquet(Layout(headers), rows, zones)
    if day == DAYS[1]:
        headers |= {"user_id": "用户 ID", "opened_at": "开通\n时间"}
    if day == DAYS[-1]:
        headers |= {"user_id": "*用户ID", "body_name": "*组织机构", "last_login_at": "最近登录\n时间", "post": "职务"}
    notes = ("备注：账号信息由各单位管理员维护",) if day in (DAYS[2], DAYS[-1]) else ()
    return to_csv(Layout(headers, notes=notes), rows)


def _rows(day: date, people: list[Person], town: City, rng: Random) -> Iterator[Row]:
    damaged = _damage(day, [person.user_id for person in people if person.is_steady])
    twin = people[len(people) // 3].user_id if day == DAYS[-1] else None
    for person in people:
        login_at = _last_login_at(day, person, rng)
        for number, post in enumerate(person.posts):
            cells = _cells(day, person, post, login_at, town)
            if person.user_id in damaged:
                for column, what, changes in damaged[person.user_id]:
                    yield Row({**cells, **changes}, "quarantined", column, what)
            elif post.body is None:
                yield Row(cells, "loaded", "body_name", "name of a body that no list knows, without code")
            elif person.has_wrong_resident_id:
                yield Row(cells, "loaded", "resident_id", "wrong check digit of a resident identity number")
            else:
                yield Row(cells)
            if person.user_id == twin and number == 0:
                yield Row(cells, "skipped", "", "duplicate of the row above, alike in every column")
    for number, (column, what, changes) in enumerate(_strays(day)):
        opened_at = datetime.combine(day, time(9)) - timedelta(days=20)
        body = town.named("政务服务中心")
        path = f"{city.NAME}/{body.name}/窗口"
        post = Post(body, body.name, path, body.kind, opened_at, opened_at + timedelta(days=1))
        serial = 90_000_000 + DAYS.index(day) * 100 + number
        resident_id = city.resident_id(date(1990, 1, 1), number + 1)
        person = Person(f"RW{serial}", "陈待核", city.mobile(serial), resident_id, "regular", [post])
        cells = _cells(day, person, post, post.activated_at, town)
        yield Row({**cells, **changes}, "quarantined", column, what)


def _damage(day: date, steady: list[str]) -> dict[str, list[tuple[str, str, dict[str, Cell]]]]:
    """Steady persons whose rows are damaged on a day: the record stays as it was."""
    if day == _AS_PARQUET:
        return {steady[0]: [("body_kind", "unknown enumeration", {"body_kind": "临时机构"})]}
    if day == DAYS[-1]:
        twice = "one key twice with different content"
        return {
            steady[1]: [("opened_at", "day that does not exist", {"opened_at": "2022-02-30 09:00:00"})],
            steady[2]: [("account_status", "unknown enumeration", {"account_status": "冻结"})],
            steady[3]: [("user_id", twice, {}), ("user_id", twice, {"account_status": "停用"})],
        }
    return {}


def _strays(day: date) -> list[tuple[str, str, dict[str, Cell]]]:
    """Rows that belong in quarantine under keys that no other file has."""
    if day == DAYS[1]:
        return [("body_path", "missing key", {"body_path": None})]
    if day == DAYS[-1]:
        return [
            ("activated_at", "已激活 without a time", {"activated_at": None}),
            ("body_name", "missing required", {"body_name": None}),
            ("activated_at", "activated before it was opened", {"activated_at": "2022-05-31 08:00:00"}),
            ("user_id", "missing key", {"user_id": None}),
        ]
    return []


def _last_login_at(day: date, person: Person, rng: Random) -> datetime | None:
    """The last log-in by habit; no log-in before the activation, none without one."""
    activated = [post.activated_at for post in person.posts if post.activated_at is not None]
    if not activated or person.habit == "never":
        return None
    if person.habit == "dormant":
        return person.fixed_login_at
    reach = 21 if person.habit == "regular" else 88
    at = datetime.combine(day, time(8)) - timedelta(days=rng.randint(0, reach), seconds=-rng.randint(0, 43200))
    return max(at, min(activated) + timedelta(minutes=3))


def _cells(day: date, person: Person, post: Post, login_at: datetime | None, town: City) -> dict[str, Cell]:
    """One post as the platform writes it: half of the bodies with a code, the others by one of their names."""
    has_code = post.body is not None and int(post.body.code[10:14], 36) % 2 == 0
    name = post.body_name
    if post.body is not None and not has_code:
        name = post.body.name_on(day, town.valid_from)
    times: dict[str, Cell] = {"opened_at": post.opened_at, "activated_at": post.activated_at, "last_login_at": None}
    has_login = login_at is not None and post.activated_at is not None and login_at >= post.opened_at
    if has_login:
        times["last_login_at"] = login_at
    if day == _AS_PARQUET:
        if login_at is not None and has_login:
            times["last_login_at"] = login_at.replace(tzinfo=LOCAL_ZONE).astimezone(UTC)
    else:
        style = _TIME_STYLES[day]
        times = {name: spelling.moment(at, style) for name, at in times.items() if isinstance(at, datetime)}
    return {
        # the export of June 2021 wrote account numbers in lower case
        "user_id": person.user_id.lower() if day == DAYS[1] else person.user_id,
        "person_name": person.name,
        "mobile": person.mobile,
        "resident_id": person.resident_id,
        "body_name": name,
        "body_code": post.body.code if post.body is not None and has_code else None,
        "body_path": post.path,
        "body_kind": post.kind,
        "activation": "未激活" if post.activated_at is None else "已激活",
        "account_status": post.status,
        "post": "",
        **times,
    }
