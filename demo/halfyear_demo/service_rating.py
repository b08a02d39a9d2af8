"""Demo exports of ``service_rating``: what applicants said, mostly of cases of ``counter_case``.

Of a case the rating with the highest number stands, if it is valid and no default. So every half-year has
ratings that do not count: defaults, invalid ones, and first ratings that a second one replaced.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from random import Random

from halfyear.period import Period, parse
from halfyear_demo import city, counter_case, service_hall, spelling
from halfyear_demo.city import Body, City
from halfyear_demo.counter_case import Acceptance, Applicant, Offer
from halfyear_demo.exporting import Cell, Content, Export, Row, delivered, to_jsonl

SOURCE = "service_rating"
#: The names of the rating interface, in its order.
NAMES = {
    "case_no": "projectNo",
    "round": "assessNumber",
    "item_code": "taskCode",
    "item_name": "taskName",
    "body_name": "deptName",
    "body_code": "deptCode",
    "hall_code": "hallCode",
    "channel": "pf",
    "satisfaction_code": "satisfaction",
    "rated_at": "assessTime",
    "is_default": "isDefault",
    "is_valid": "isValid",
    "comment": "evalDetail",
    "person_name": "userName",
    "person_id": "certKey",
    "rectified_at": "rectifiedAt",
}


@dataclass(frozen=True)
class Target:
    """Of one half-year: cases whose standing rating lies in it, and of these the 不满意 and 非常不满意."""

    valid: int
    bad: int


TARGETS = {
    parse("2020-S2"): Target(4_186, 17),
    parse("2021-S1"): Target(4_903, 15),
    parse("2021-S2"): Target(5_742, 11),
    parse("2022-S1"): Target(12_355, 3),
}
DAYS = (date(2020, 12, 31), date(2021, 6, 30), date(2021, 12, 31), date(2022, 3, 31), date(2022, 6, 30))
#: The first export of this day counted satisfaction the other way round, as GB/T 39046 does.
_REVERSED = date(2022, 3, 31)
_CORRECTED_AT = datetime(2022, 4, 6, 16, 40)
_TIME_STYLES: dict[date, spelling.TimeStyle] = {
    date(2020, 12, 31): "compact",
    date(2021, 6, 30): "dash",
    date(2021, 12, 31): "iso_compact",
    date(2022, 3, 31): "dash",
}
_ANSWERS = {date(2020, 12, 31): "digit", date(2021, 6, 30): "letter", date(2021, 12, 31): "word"}
_LAST_MOMENT = time(23, 59, 59)
#: 线上 cases, which no counter accepted.
_ONLINE_SHARE = 0.12
#: Ratings of each half-year that never count, per 1000 of its target.
_DEFAULTS = 40
_INVALID = 5
_PAIRS = 8
_KEPT_PAIRS = 2
_CROSSING = 4
_GOOD_COMMENTS = ("", "", "", "", "服务态度好，办事效率高", "很方便,一次就办好了", '窗口人员说"马上办"，果然马上办')
_BAD_COMMENTS = ("等候时间太长\n叫号不清楚", "材料要求前后不一致")


@dataclass
class Rating:
    """One rating; it is invalid from ``invalid_from``, and a bad one may be put right later."""

    visit: Acceptance
    round: int
    satisfaction: int
    rated_at: datetime
    person: Applicant
    channel: int
    is_default: bool = False
    invalid_from: datetime | None = None
    rectified_at: datetime | None = None

    @property
    def moments(self) -> list[datetime]:
        """When there was something to export of it."""
        return [at for at in (self.rated_at, self.invalid_from, self.rectified_at) if at is not None]


class _Platform:
    """The ratings while they are made, half-year by half-year; ``counted`` says how many stand in each."""

    def __init__(self, town: City, seed: int) -> None:
        self.town = town
        self.rng = Random(f"{seed} {SOURCE}")
        self.seed = seed
        self.persons = counter_case.applicants(self.rng, 2_000)
        self.offers = counter_case.offers(town)
        self.made: list[Rating] = []
        self.counted: Counter[Period] = Counter()
        self.visits: list[Acceptance] = []
        self.online = 0

    def visit(self, latest: datetime) -> Acceptance:
        """A case without a rating that was accepted early enough, at a counter or online."""
        if self.rng.random() < _ONLINE_SHARE:
            return self.online_visit(latest)
        while True:
            visit = self.visits.pop()
            if visit.accepted_at < latest:
                return visit

    def online_visit(self, latest: datetime) -> Acceptance:
        self.online += 1
        number = f"WS{latest.year}{self.online:07d}"
        return Acceptance(number, latest - timedelta(minutes=30), self.rng.choice(self.offers))

    def rate(self, visit: Acceptance, number: int, satisfaction: int, rated_at: datetime) -> Rating:
        rng = self.rng
        channels = (1, 2) if visit.case_no.startswith("WS") else (3, 4, 5, 6, 7)
        weights = (30, 70) if len(channels) == 2 else (55, 25, 8, 4, 8)
        channel = rng.choices(channels, weights)[0]
        rating = Rating(visit, number, satisfaction, rated_at, rng.choice(self.persons), channel)
        self.made.append(rating)
        return rating

    def rate_soon(self, latest: datetime, satisfaction: int) -> Rating:
        """A rating within days of the acceptance, by the given moment."""
        visit = self.visit(latest - timedelta(minutes=10))
        room = min(latest - visit.accepted_at, timedelta(days=6)) - timedelta(minutes=6)
        seconds = 300 + int(self.rng.random() * room.total_seconds())
        return self.rate(visit, 1, satisfaction, visit.accepted_at + timedelta(seconds=seconds))

    def good(self) -> int:
        return self.rng.choices((5, 4, 3), (93, 6, 1))[0]

    def bad(self) -> int:
        return self.rng.choice((2, 2, 1))

    def again(self, first: Rating, satisfaction: int, latest: datetime, *, days: int = 9) -> Rating:
        """The second rating of a case: days after the first, by the given moment."""
        at = first.rated_at + timedelta(days=days, minutes=self.rng.randint(1, 600))
        second = self.rate(first.visit, 2, satisfaction, min(at, latest))
        second.person = first.person
        return second

    def half_year(self, half: Period, target: Target) -> None:
        """Make the ratings of one half-year, and those that cross into the next one."""
        rng = self.rng
        self.visits = counter_case.acceptances(self.town, self.seed, half)
        rng.shuffle(self.visits)
        end = datetime.combine(half.last_day, _LAST_MOMENT)
        early = end - timedelta(days=15)
        for _ in range(_PAIRS):
            self.again(self.rate_soon(early, self.bad()), self.good(), end)
            self.counted[half] += 1
        for number in range(_KEPT_PAIRS):
            # the second rating is a default or invalid, so the first stands
            second = self.again(self.rate_soon(early, self.good()), 5, end)
            second.is_default = number == 0
            second.invalid_from = second.rated_at if number else None
            self.counted[half] += 1
        self._cross(half, end)
        for number in range(target.valid * _DEFAULTS // 1000):
            default = self.rate_soon(early, 5)
            default.is_default = True
            if number < 3:
                # silence first, then an answer: the answer stands
                self.again(default, self.good(), end)
                self.counted[half] += 1
        for number in range(target.valid * _INVALID // 1000):
            invalid = self.rate_soon(early, self.good() if number % 2 else self.bad())
            # some were valid in the first export that has them
            invalid.invalid_from = invalid.rated_at if number % 4 else end - timedelta(hours=9)
        self._bad(half, target.bad, end)
        first_second = datetime.combine(half.first_day, time())
        for at in (first_second, end):
            self.rate(self.online_visit(at), 1, 5, at)
            self.counted[half] += 1
        for _ in range(target.valid - self.counted[half]):
            self.rate_soon(end, self.good())

    def _cross(self, half: Period, end: datetime) -> None:
        """First ratings of this half-year whose second ones, in the next, replace them or do not."""
        if half.next not in TARGETS:
            return
        beyond = end + timedelta(days=60)
        for number in range(_CROSSING * 2 - 1):
            at = end - timedelta(days=number, hours=3)
            first = self.rate(self.online_visit(at), 1, self.bad() if number < _CROSSING else 4, at)
            second = self.again(first, 5, beyond, days=12)
            if number < _CROSSING:
                self.counted[half.next] += 1
                continue
            second.is_default = number > _CROSSING
            second.invalid_from = None if second.is_default else second.rated_at
            self.counted[half] += 1

    def _bad(self, half: Period, count: int, end: datetime) -> None:
        """Bad ratings that stand: the first after two rounds, most of them put right within days."""
        for number in range(count):
            rating = self.rate_soon(end - timedelta(days=15), self.bad())
            if number == 0:
                rating = self.again(rating, self.bad(), end)
            if number % 3 < 2:
                rating.rectified_at = rating.rated_at + timedelta(days=self.rng.randint(2, 12), hours=1)
            self.counted[half] += 1


def ratings(town: City, seed: int) -> list[Rating]:
    """Every rating, by time."""
    platform = _Platform(town, seed)
    for half, target in TARGETS.items():
        platform.half_year(half, target)
    made = sorted(platform.made, key=lambda rating: (rating.rated_at, rating.visit.case_no))
    for rating in made[len(made) // 2 : len(made) // 2 + 2]:
        body = Body("", "榕湾市便民服务专班", "其他", "市", "", city.REGION_CODE, ())
        rating.visit = rating.visit._replace(offer=Offer("综合咨询", "", body))
    return made


def exports(town: City, seed: int) -> list[Export]:
    """The batches; that of 2022-03-31 counted satisfaction the wrong way round and came again."""
    every = ratings(town, seed)
    made = []
    before = date.min
    for day in DAYS:
        content = _batch(before, day, every, town, seed)
        if day == _REVERSED:
            made.append(delivered(SOURCE, day, _batch(before, day, every, town, seed, is_reversed=True)))
            made.append(delivered(SOURCE, day, content, sequence=2, arrived_at=_CORRECTED_AT))
        else:
            made.append(delivered(SOURCE, day, content))
        before = day
    return made


def _batch(
    before: date, day: date, every: Sequence[Rating], town: City, seed: int, *, is_reversed: bool = False
) -> Content:
    rng = Random(f"{seed} {SOURCE} {day}")
    return to_jsonl(list(_rows(before, day, every, town, rng, is_reversed)), NAMES)


def _rows(
    before: date, day: date, every: Sequence[Rating], town: City, rng: Random, is_reversed: bool
) -> Iterator[Row]:
    """The ratings with anything new since the batch before, then rows that are no ratings."""
    since, until = (datetime.combine(end, _LAST_MOMENT) for end in (before, day))
    listed = 0
    for rating in every:
        if rating.rated_at > until or not any(since < at <= until for at in rating.moments):
            continue
        listed += 1
        cells = _cells(rating, day, until, town, rng)
        if is_reversed:
            cells["satisfaction_code"] = 6 - rating.satisfaction
        if rating.visit.offer.body.code:
            yield Row(cells)
        else:
            yield Row(cells, "loaded", "body_name", "name of a body that no list knows, without code")
        if listed in (500, 2_500):
            yield Row(cells, "skipped", "", "duplicate of the row above, alike in every column")
    template = next(rating for rating in every if since < rating.rated_at <= until and not rating.is_default)
    for number, (column, what, changes) in enumerate(_strays(day), start=1):
        stray: dict[str, Cell] = {"case_no": f"RW{day:%Y%m%d}99{number:04d}", "round": 1, "satisfaction_code": 5}
        yield Row({**_cells(template, day, until, town, rng), **stray, **changes}, "quarantined", column, what)


def _cells(rating: Rating, day: date, until: datetime, town: City, rng: Random) -> dict[str, Cell]:
    """One rating as the platform knew it at the end of a day: numbers sometimes as text, answers in five ways."""
    offer = rating.visit.offer
    body = offer.body
    is_text = day < DAYS[2] or (day > DAYS[2] and rng.random() < 0.3)
    is_valid = rating.invalid_from is None or rating.invalid_from > until
    rectified_at = rating.rectified_at if rating.rectified_at is not None and rating.rectified_at <= until else None
    has_code = bool(body.code) and rng.random() > 0.1
    cells: dict[str, Cell] = {
        "case_no": rating.visit.case_no,
        "round": str(rating.round) if is_text else rating.round,
        "item_code": offer.item_code or None,
        "item_name": offer.item_name,
        "body_name": body.name if has_code else body.name_on(day, town.valid_from),
        "body_code": body.code,
        "hall_code": None if rating.visit.case_no.startswith("WS") else service_hall.hall_code(body),
        "channel": str(rating.channel) if is_text else rating.channel,
        "satisfaction_code": str(rating.satisfaction) if is_text else rating.satisfaction,
        "rated_at": _moment(rating.rated_at, day),
        "is_default": _answer(rating.is_default, day),
        "is_valid": _answer(is_valid, day),
        "comment": rng.choice(_BAD_COMMENTS if rating.satisfaction < 3 else _GOOD_COMMENTS),
        "person_name": rating.person.name,
        "person_id": rating.person.resident_id,
        "rectified_at": _moment(rectified_at, day),
    }
    if not has_code:
        # the interface leaves out what it does not know
        del cells["body_code"]
    return cells


def _moment(at: datetime | None, day: date) -> Cell:
    """A time in the spelling of an export; without one in ISO 8601."""
    style = _TIME_STYLES.get(day)
    return at if style is None else spelling.moment(at, style)


def _answer(value: bool, day: date) -> Cell:
    """Yes or no as text of an export; without a spelling as JSON true and false."""
    style = _ANSWERS.get(day)
    return value if style is None else spelling.yes_no(value, style)


def _strays(day: date) -> list[tuple[str, str, dict[str, Cell]]]:
    """Rows that belong in quarantine under numbers that no other row has."""
    wrong = city.with_wrong_check(city.credit_code("11", city.REGION_CODE, "MB266666"))
    twin: dict[str, Cell] = {"case_no": f"RW{day:%Y%m%d}980001"}
    twice = "one key twice with different content"
    if day == DAYS[0]:
        return [("satisfaction_code", "missing required", {"satisfaction_code": None})]
    if day == DAYS[1]:
        return [("round", "neither 1 nor 2", {"round": "3"})]
    if day == DAYS[2]:
        return [
            ("satisfaction_code", "unknown enumeration", {"satisfaction_code": 0}),
            ("is_valid", "not a yes or no", {"is_valid": "待审"}),
        ]
    if day == DAYS[3]:
        return [("channel", "unknown enumeration", {"channel": "9"})]
    return [
        ("satisfaction_code", "unknown enumeration", {"satisfaction_code": "6"}),
        ("rectified_at", "put right before it was rated", {"rectified_at": "2022-01-02 08:00:00"}),
        ("body_code", "wrong check digit", {"body_code": wrong}),
        ("case_no", "lost digits: a number of 17 digits", {"case_no": 20220630000123456}),
        ("case_no", "missing key", {"case_no": None}),
        ("case_no", twice, twin),
        ("case_no", twice, {**twin, "satisfaction_code": 1}),
    ]
