"""What a change makes due: where the rows of a definition change, its half-year is due, for every definition and source.

To mark more is right, to mark less is wrong. Sources, rows and changes are made from the contracts, so a new definition
is tested by being there.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import product
from typing import Any

import pytest
from deliveries import (
    CONTRACTS,
    DEFINITIONS,
    Bodies,
    Delivery,
    Ledger,
    bodies,
    candidates,
    delivery,
    keyed,
    only,
    placed,
    plain_rows,
)

from halfyear import period as periods
from halfyear import warehouse as warehouse_module
from halfyear.contract import Contract
from halfyear.settings import Settings

#: The days that are delivered before: the last ones of four half-years.
LAST_DAYS = [date(2021, 6, 30), date(2021, 12, 31), date(2022, 6, 30), date(2022, 12, 31)]
#: Late days: before all others, between two of them on either side of New Year, and after all.
OTHER_DAYS = [date(2020, 12, 31), date(2021, 9, 1), date(2022, 1, 1), date(2022, 3, 1), date(2023, 1, 1)]
TIMES = [
    datetime(2021, 6, 30, 12),
    datetime(2021, 12, 31, 23, 59, 59, 999999),
    datetime(2022, 1, 1),
    datetime(2022, 7, 1),
]

# What every definition gives for every half-year, row by row, and whether it is covered, which decides on null or zero.
_ROWS = "select period, indicator_code, reading, r::text from mart.indicator_row as r"
_COVERED = "select period, indicator_code, reading from indicators.coverage where is_covered"
_DUE = "select period, indicator_code, reading from indicators.due"

Key = tuple[str, str, str]


@dataclass
class State:
    rows: dict[Key, Counter[str]] = field(default_factory=dict)
    covered: set[Key] = field(default_factory=set)

    @classmethod
    def of(cls, ledger: Ledger) -> State:
        state = cls(covered=set(ledger.run(_COVERED)))
        for *key, row in ledger.run(_ROWS):
            state.rows.setdefault((key[0], key[1], key[2]), Counter())[row] += 1
        return state

    def moved_since(self, before: State) -> set[Key]:
        """The figures whose rows are others than before, or that were unknown and are zero, or the other way round."""
        keys = self.rows.keys() | before.rows.keys()
        moved = {key for key in keys if self.rows.get(key) != before.rows.get(key)}
        zeros = {key for key in self.covered ^ before.covered if DEFINITIONS[key[1:]].without_rows == "zero"}
        return moved | zeros


def base(contract: Contract, known: Bodies, day: date) -> list[dict[str, Any]]:
    """The rows of a file: of a register the first of its plain rows, of events each of them in the half-year of the day."""
    rows = plain_rows(contract, known)
    if contract.mode == "register":
        return rows[:2]
    at = datetime(day.year, day.month, day.day, 9)
    return [keyed(contract, placed(contract, row, at), str(periods.of(day))) for row in rows]


def altered(contract: Contract, known: Bodies, row: dict[str, Any]) -> dict[str, Any]:
    """A row with another value in every column beside its key."""
    return row | {p.column: candidates(contract, p, known)[1] for p in contract.columns if not p.primary_key}


def changes(contract: Contract, known: Bodies) -> Iterator[tuple[str, Delivery]]:
    """Deliveries that change what is known, each by itself, with what each one does."""
    for day in [*LAST_DAYS, *OTHER_DAYS]:
        rows = base(contract, known, day)
        sequence = 2 if day in LAST_DAYS else 1
        other = [altered(contract, known, row) for row in rows]
        for what, given in (
            ("fewer rows", rows[:1]),
            ("other rows", other),
            ("more rows", [*rows, *plain_rows(contract, known)[2:]]),
        ):
            yield f"{day}: {what}", delivery(contract.source, day, *given, sequence=sequence)
        if day in LAST_DAYS:
            yield f"{day}: two files of one number", delivery(contract.source, day, *other)
    if contract.mode == "events":
        yield from _moves(contract, known)


def _moves(contract: Contract, known: Bodies) -> Iterator[tuple[str, Delivery]]:
    times = [p.column for p in contract.columns if p.logical_type in ("date", "timestamp")]
    present = base(contract, known, LAST_DAYS[1])
    # The same key again, so that the newest file decides: the one of the last day that is delivered, or one before it.
    for day, at, columns in product(
        (date(2021, 9, 1), date(2023, 1, 1)), TIMES, [times, *([each] for each in times if len(times) > 1)]
    ):
        moved = [placed(contract, row, at, columns) for row in present]
        yield f"{day}: {', '.join(columns)} to {at}", delivery(contract.source, day, *moved)
    if contract.period_group is not None:
        # Another row of the group, beside the one that is there.
        others = [p for p in contract.key if p.name != contract.period_group]
        for day, at in product((date(2021, 9, 1), date(2023, 1, 1)), TIMES):
            beside = [
                placed(contract, row, at) | {p.column: candidates(contract, p, known)[1] for p in others}
                for row in present[:1]
            ]
            yield f"{day}: another of the group at {at}", delivery(contract.source, day, *beside)


@pytest.mark.parametrize("source", sorted(CONTRACTS))
def test_what_changes_is_due(warehouse: Settings, source: str) -> None:
    read = [each for each in DEFINITIONS.values() if source in each.sources]
    world = sorted({name for each in read for name in each.sources} | {source})
    with (
        closing(warehouse_module.connect(warehouse, "owner")) as owner,
        closing(warehouse_module.connect(warehouse)) as loader,
    ):
        known = bodies(owner)
        only(owner, world)
        ledger = Ledger(loader)
        for day, name in product(LAST_DAYS, world):
            ledger.deliver(delivery(name, day, *base(CONTRACTS[name], known, day)))
        ledger.compute()
        before = State.of(ledger)
        assert ledger.run(_DUE) == []
        loader.commit()
        seen: set[Key] = set()
        for what, change in changes(CONTRACTS[source], known):
            ledger.enter(change)
            moved = State.of(ledger).moved_since(before)
            assert moved - set(ledger.run(_DUE)) == set(), what
            assert ledger.missing_groups(CONTRACTS[source]) == [], what
            seen |= moved
            loader.rollback()
    # A definition of which nothing ever changes would be tested by nothing.
    assert {key[1:] for key in seen} >= {each.pair for each in read}
