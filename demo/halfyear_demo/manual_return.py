"""Demo exports of ``manual_return``: the ledger of figures that no system counts, with evidence and a second person."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

from halfyear.period import Period, of, parse
from halfyear_demo import city, spelling
from halfyear_demo.city import City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_xlsx

SOURCE = "manual_return"
HEADERS = {
    "indicator_code": "指标代码",
    "occurred_on": "发生日期",
    "line_no": "序号",
    "quantity": "数值",
    "note": "说明",
    "reporter": "填报人",
    "approver": "审核人",
    "evidence": "佐证材料",
}
#: What happened so often in a half-year, one row each; a half-year in which nothing happened reports a zero.
TARGETS: Mapping[Period, Mapping[str, int]] = {
    parse("2020-S2"): {
        "party_study_sessions": 6,
        "party_discussions": 2,
        "party_lectures": 2,
        "revolutionary_education_activities": 1,
        "theme_party_days": 5,
        "township_coordination_meetings": 1,
        "township_draft_rounds": 1,
        "counter_complaints": 3,
        "enterprise_complaints": 1,
    },
    parse("2021-S1"): {
        "party_study_sessions": 9,
        "party_discussions": 4,
        "party_lectures": 3,
        "revolutionary_education_activities": 3,
        "theme_party_days": 6,
        "township_coordination_meetings": 3,
        "township_draft_rounds": 1,
        "counter_complaints": 2,
        "enterprise_complaints": 0,
    },
    parse("2021-S2"): {
        "party_study_sessions": 8,
        "party_discussions": 3,
        "party_lectures": 2,
        "revolutionary_education_activities": 2,
        "theme_party_days": 6,
        "township_coordination_meetings": 2,
        "township_draft_rounds": 3,
        "counter_complaints": 1,
        "enterprise_complaints": 0,
    },
    parse("2022-S1"): {
        "party_study_sessions": 7,
        "party_discussions": 3,
        "party_lectures": 2,
        "revolutionary_education_activities": 1,
        "theme_party_days": 3,
        "township_coordination_meetings": 2,
        "township_draft_rounds": 2,
        "counter_complaints": 0,
        "enterprise_complaints": 0,
    },
}
#: Persons at the study sessions of a half-year, all sessions together.
ATTENDANCE = {parse("2020-S2"): 51, parse("2021-S1"): 83, parse("2021-S2"): 77, parse("2022-S1"): 68}
#: Weeks in which the halls were disinfected.
WEEKS = {parse("2020-S2"): 24, parse("2021-S1"): 25, parse("2021-S2"): 26, parse("2022-S1"): 26}
_STYLES: Mapping[date, spelling.DayStyle] = {
    date(2020, 12, 31): "dash",
    date(2021, 6, 30): "hanzi",
    date(2021, 12, 31): "slash",
    date(2022, 3, 31): "compact",
    date(2022, 6, 30): "dot",
}
DAYS = tuple(_STYLES)


@dataclass(frozen=True)
class Line:
    """One line of the ledger."""

    code: str
    occurred_on: date
    line_no: int
    quantity: int


def lines(seed: int) -> list[Line]:
    """Every line, by half-year, indicator and day."""
    rng = Random(f"{seed} {SOURCE}")
    made: list[Line] = []
    for half, counts in TARGETS.items():
        for code, count in counts.items():
            # The first and the last day of the half-year are among the days.
            days = sorted(
                half.first_day if n == 0 else city.day_between(rng, half.first_day, half.last_day) for n in range(count)
            )
            made += [Line(code, day, n, 1) for n, day in enumerate(days, start=1)]
            if not count:
                made.append(Line(code, half.last_day, 1, 0))
        sessions = [line for line in made if line.code == "party_study_sessions" and of(line.occurred_on) == half]
        shares = _shares(rng, ATTENDANCE[half], len(sessions))
        made += [
            Line("party_study_attendance", line.occurred_on, line.line_no, share)
            for line, share in zip(sessions, shares, strict=True)
        ]
        made += _disinfections(half)
    return made


def _shares(rng: Random, total: int, count: int) -> list[int]:
    """``total`` in ``count`` parts that differ a little."""
    base, rest = divmod(total, count)
    shares = [base + (n < rest) for n in range(count)]
    for n in range(0, count - 1, 2):
        shift = rng.randint(0, 2)
        shares[n] += shift
        shares[n + 1] -= shift
    return shares


def _disinfections(half: Period) -> Iterator[Line]:
    """A line in so many weeks; one week has two of them, and one line says that nothing was done."""
    monday = half.first_day + timedelta(days=-half.first_day.weekday() % 7)
    for week in range(WEEKS[half]):
        yield Line("disinfection_weeks", min(monday + timedelta(days=7 * week + 2), half.last_day), 1, 1)
    yield Line("disinfection_weeks", monday + timedelta(days=7 * 9 + 4), 1, 1)
    yield Line("disinfection_weeks", half.first_day + timedelta(days=1), 2, 0)


def exports(town: City, seed: int) -> list[Export]:
    """The ledgers; in 2022 also one for the first quarter, whose lines come again in June."""
    every = lines(seed)
    return [_export(day, every, seed) for day in DAYS]


def _export(day: date, every: list[Line], seed: int) -> Export:
    rng = Random(f"{seed} {SOURCE} {day}")
    half = of(day)
    reporters, approvers = (["陈晓燕", "林嘉欣"], ["黄国栋", "梁志坚"])
    rows = []
    for line in every:
        if half.first_day <= line.occurred_on <= day:
            cells: dict[str, Cell] = {
                "indicator_code": line.code,
                "occurred_on": spelling.day(line.occurred_on, _STYLES[day]),
                "line_no": line.line_no,
                "quantity": line.quantity,
                "note": "本期未发生" if line.quantity == 0 else None,
                "reporter": rng.choice(reporters),
                "approver": rng.choice(approvers),
                "evidence": f"榕政数台账〔{line.occurred_on.year}〕{rng.randint(1, 400)}号",
            }
            rows.append(Row(cells))
    rows += _troubles(day, rows[0].cells)
    headers = dict(HEADERS)
    if day >= DAYS[3]:
        headers |= {"indicator_code": "指标代码*", "quantity": "数 值*", "evidence": "佐证\n材料*"}
    layout = Layout(headers, titles=(f"{city.NAME}政务服务数据管理局手工填报台账",), notes=("备注：零报告须填 0",))
    return delivered(SOURCE, day, to_xlsx(layout, rows, "台账"))


def _troubles(day: date, cells: Mapping[str, Cell]) -> list[Row]:
    style = _STYLES[day]
    if day == DAYS[2]:
        own = {**cells, "line_no": 90, "reporter": "林嘉欣", "approver": "林嘉欣"}
        return [Row(own, "quarantined", "approver", "approved by who entered it")]
    if day == DAYS[4]:
        return [
            Row({**cells, "indicator_code": "party_picnics"}, "quarantined", "indicator_code", "unknown indicator"),
            Row({**cells, "line_no": 91, "quantity": "两次"}, "quarantined", "quantity", "a number in words"),
            Row({**cells, "line_no": 92, "evidence": None}, "quarantined", "evidence", "missing required"),
            Row(
                {**cells, "line_no": 93, "occurred_on": spelling.day(date(2022, 7, 1), style)},
                "quarantined",
                "occurred_on",
                "after the snapshot date",
            ),
        ]
    return []
