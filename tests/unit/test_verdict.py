"""Which delivery stands for a day, and what is said of the others."""

from datetime import date
from itertools import permutations
from typing import Any

import pytest

from halfyear import contract as contracts
from halfyear import settings
from halfyear.contract import Contract
from halfyear.core.verdict import Candidate, judge

DAY, NEXT = date(2022, 6, 29), date(2022, 6, 30)


@pytest.fixture(scope="module")
def register() -> Contract:
    return contracts.load_all(settings.load().expectations)["catalogue_unit"]


def candidate(
    number: int, day: date = DAY, sequence: int = 1, sha: str = "", rows: int = 100, **more: Any
) -> Candidate:
    values: dict[str, Any] = {
        "load_id": number,
        "is_loader": True,
        "is_usable": True,
        "rows_quarantined": 0,
        "is_accepted": False,
    }
    return Candidate(number, day, sequence, sha or f"sha{number}", rows=rows, **{**values, **more})


def judged(contract: Contract, *candidates: Candidate) -> tuple[dict[date, int], dict[int, tuple[str, str | None]]]:
    """The judgement, which is the same whatever the order."""
    answers = []
    for order in permutations(candidates):
        standing, verdicts = judge(contract, order)
        answers.append((standing, {v.delivery_id: (v.verdict, v.rule) for v in verdicts}))
    assert all(answer == answers[0] for answer in answers)
    assert set(answers[0][1]) == {c.delivery_id for c in candidates}
    return answers[0]


def test_highest_number_wins(register: Contract) -> None:
    standing, verdicts = judged(register, candidate(1), candidate(2, sequence=2), candidate(3, sequence=3))
    assert standing == {DAY: 3}
    assert verdicts == {1: ("superseded", None), 2: ("superseded", None), 3: ("loaded", None)}


def test_refused_highest_lets_the_next_stand(register: Contract) -> None:
    standing, verdicts = judged(register, candidate(1, rows_quarantined=2), candidate(2, sequence=2, is_usable=False))
    assert standing == {DAY: 1}
    assert verdicts == {1: ("loaded_with_quarantine", None), 2: ("refused", None)}


def test_same_bytes_again_are_repeated_and_count_for_the_number(register: Contract) -> None:
    first = candidate(1, sha="a")
    other = candidate(2, sequence=2, sha="b")
    again = candidate(3, sequence=3, sha="a", load_id=1, is_loader=False)
    standing, verdicts = judged(register, first, other, again)
    assert standing == {DAY: 1}
    assert verdicts == {1: ("loaded", None), 2: ("superseded", None), 3: ("repeated", None)}


def test_one_number_with_two_contents_refuses_both(register: Contract) -> None:
    standing, verdicts = judged(register, candidate(1), candidate(2), candidate(3, sequence=2))
    assert standing == {DAY: 3}
    assert {verdicts[1], verdicts[2]} == {("refused", "one_file_per_day_and_number")}
    standing, _ = judged(register, candidate(1), candidate(2))
    assert standing == {}


def test_shrunken_register_is_refused_until_accepted(register: Contract) -> None:
    before, half, less = candidate(1), candidate(2, NEXT, rows=50), candidate(3, NEXT, rows=49)
    assert judged(register, before, half)[0] == {DAY: 1, NEXT: 2}
    standing, verdicts = judged(register, before, less)
    assert standing == {DAY: 1}
    assert verdicts[3] == ("refused", "fewer_rows_than_before")
    accepted = candidate(3, NEXT, rows=49, is_accepted=True)
    assert judged(register, before, accepted)[0] == {DAY: 1, NEXT: 3}


def test_late_earlier_day_changes_later_verdicts(register: Contract) -> None:
    later = candidate(2, NEXT, rows=40)
    assert judged(register, later)[0] == {NEXT: 2}
    assert judged(register, later, candidate(1, rows=100))[0] == {DAY: 1}


def test_empty_snapshot(register: Contract) -> None:
    assert judged(register, candidate(1, rows=0))[0] == {}
    events = register.model_copy(update={"mode": "events"})
    assert judged(events, candidate(1, rows=0))[0] == {DAY: 1}
    assert judged(events, candidate(1), candidate(2, NEXT, rows=1))[0] == {DAY: 1, NEXT: 2}
