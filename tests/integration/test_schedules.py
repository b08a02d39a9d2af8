"""Loads and computations beside each other, statement by statement: whatever the order, the figures are their rows.

Every connection waits for its turn before each statement and each commit, and the turns are drawn. A statement that
waits for a lock gives its turn back.
"""

from __future__ import annotations

import functools
import random
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime
from itertools import permutations
from typing import Any

import psycopg2
import pytest
from deliveries import CONTRACTS, Bodies, Delivery, Ledger, bodies, clear, delivery, keyed, only, placed, plain_rows
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from figures_are_rows import assert_figures_are_rows
from halfyear import warehouse as warehouse_module
from halfyear.indicators import computation, indicator, observation
from halfyear.period import Period
from halfyear.settings import Settings

SCHEDULES = 16
#: About so many statements are executed until all have ended.
_STEPS = 150
S2, S1 = Period(2021, 2), Period(2022, 1)
_RUNNING, _READY, _ENDED = "running", "ready", "ended"


class Turned(Connection):
    """A connection that asks for a turn before each statement and each commit, while it has somebody to ask."""

    turns: Turns | None = None
    actor = ""

    def cursor(self, *arguments: Any, **options: Any) -> Any:
        options.setdefault("cursor_factory", TurnedCursor)
        return super().cursor(*arguments, **options)

    def commit(self) -> None:
        self.wait("commit")
        super().commit()

    def rollback(self) -> None:
        self.wait("rollback")
        super().rollback()

    def wait(self, statement: str) -> None:
        if self.turns is not None:
            self.turns.ask(self.actor, statement)


class TurnedCursor(Cursor):
    def execute(self, query: Any, variables: Any = None) -> None:
        assert isinstance(self.connection, Turned)
        self.connection.wait(query if isinstance(query, str) else repr(query))
        super().execute(query, variables)


@dataclass
class Turns:
    """Gives turns to actors, each a thread with a connection, one at a time; ``done`` tells what was executed."""

    choose: Callable[[int, Mapping[str, str]], str]
    monitor: Connection
    states: dict[str, str] = field(default_factory=dict)
    statements: dict[str, str] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)
    turn: str = ""
    done: list[str] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)
    errors: list[BaseException] = field(default_factory=list)

    def ask(self, actor: str, statement: str) -> None:
        with self.changed:
            self.states[actor], self.statements[actor] = _READY, statement
            self.changed.notify_all()
            assert self.changed.wait_for(lambda: self.turn == actor, 60)
            self.turn = ""
            self.states[actor] = _RUNNING
            self.done.append(f"{actor}: {' '.join(statement.split())[:100]}")
            self.changed.notify_all()

    def run(self, actors: Mapping[str, tuple[Turned, Callable[[Turned], None]]]) -> None:
        """Run all actors to their ends; raises what one of them raised."""
        self.states = dict.fromkeys(actors, _RUNNING)
        self.pids = {name: connection.info.backend_pid for name, (connection, _) in actors.items()}
        threads = [
            threading.Thread(target=self._act, args=(name, *actor), daemon=True) for name, actor in actors.items()
        ]
        for thread in threads:
            thread.start()
        with self.changed:
            while set(self.states.values()) != {_ENDED}:
                self._settle()
                if ready := {name: self.statements[name] for name, state in self.states.items() if state == _READY}:
                    self.turn = self.choose(len(self.done), ready)
                    self.changed.notify_all()
                    assert self.changed.wait_for(lambda: self.turn == "", 60)
        for thread in threads:
            thread.join(60)
        if self.errors:
            raise self.errors[0]

    def _act(self, name: str, connection: Turned, does: Callable[[Turned], None]) -> None:
        connection.turns, connection.actor = self, name
        try:
            does(connection)
        except BaseException as error:
            self.errors.append(error)
        finally:
            connection.turns = None
            # What failed gives back its locks.
            connection.rollback()
            with self.changed:
                self.states[name] = _ENDED
                self.changed.notify_all()

    def _settle(self) -> None:
        """Wait until every actor is ready, has ended, or waits for a lock while another one is ready."""
        began = time.monotonic()
        while running := [name for name, state in self.states.items() if state == _RUNNING]:
            if self.changed.wait(0.02):
                continue
            assert time.monotonic() - began < 60, (self.states, self.done)
            if _READY in self.states.values() and all(self._waits_for_a_lock(name) for name in running):
                return

    def _waits_for_a_lock(self, actor: str) -> bool:
        with self.monitor.cursor() as cursor:
            cursor.execute("select wait_event_type from pg_stat_activity where pid = %s", (self.pids[actor],))
            return bool(cursor.fetchone() == ("Lock",))


def chooser(seed: int, actors: list[str]) -> Callable[[int, Mapping[str, str]], str]:
    """Draws turns. First, in every order, one is held where it would commit while the others run to their ends; after
    that by a rank that changes at a few moments, or each turn by itself.

    Few changes find what needs one load as a whole between two statements; many what needs them mixed.
    """
    orders = list(permutations(actors))
    draw = random.Random(seed)
    rank = list(orders[seed] if seed < len(orders) else draw.choice(orders))
    moments = draw.sample(range(_STEPS), draw.randint(1, 3)) if seed >= len(orders) else []
    held = [] if moments else rank[:1]

    def each(step: int, ready: Mapping[str, str]) -> str:
        return draw.choice(sorted(ready))

    def by_rank(step: int, ready: Mapping[str, str]) -> str:
        first = next(name for name in rank if name in ready)
        if step in moments or (first in held and ready[first] == "commit"):
            rank.remove(first)
            rank.append(first)
            held.clear()
        return next(name for name in rank if name in ready)

    return each if moments and seed % 3 == 0 else by_rank


# ---------------------------------------------------------------- what runs beside each other


@dataclass(frozen=True)
class Scenario:
    """Files that are delivered and computed before, those that are delivered at once, and those of afterwards.

    ``computed`` are the half-years that each computation asks, one after another, while the files are loaded.
    """

    before: tuple[Delivery, ...]
    at_once: tuple[Delivery, ...]
    computed: tuple[Period, ...] = (S2, S1)
    computations: int = 1
    after: tuple[Delivery, ...] = ()

    @property
    def world(self) -> list[str]:
        return sorted({each.source for each in (*self.before, *self.at_once)})


IN_S2, IN_S1, IN_NEXT = date(2021, 12, 31), date(2022, 6, 30), date(2022, 7, 1)


def file(source: str, day: date, known: Bodies, rows: Mapping[str, date] | int, sequence: int = 1) -> Delivery:
    """A file of a register with so many rows, or of events, by their keys, on their days: all their times are then."""
    contract = CONTRACTS[source]
    plain = plain_rows(contract, known)
    if isinstance(rows, int):
        return delivery(source, day, *plain[:rows], sequence=sequence)
    events = [
        keyed(contract, placed(contract, plain[0], datetime(on.year, on.month, on.day, 12)), key)
        for key, on in rows.items()
    ]
    return delivery(source, day, *events, sequence=sequence)


def scenarios(known: Bodies) -> dict[str, Scenario]:
    make = functools.partial(file, known=known)
    kiosks = (make("kiosk", IN_S2, rows=3), make("kiosk", IN_S1, rows=3))
    sites = make("network_site", IN_S1, rows=4)
    corrected = make("network_site", IN_S1, rows=3, sequence=2)
    return {
        "events that create a half-year": Scenario(
            (*kiosks, make("counter_case", IN_S1, rows={"A": IN_S1})),
            (make("counter_case", IN_S2, rows={"B": IN_S2, "C": IN_S2}),),
        ),
        "events of a half-year that is there": Scenario(
            (make("counter_case", IN_S2, rows={"A": IN_S2}), make("counter_case", IN_S1, rows={"B": IN_S1})),
            (make("counter_case", IN_NEXT, rows={"B": IN_S2, "C": IN_S1}),),
        ),
        "tickets that are dispatched again": Scenario(
            (*kiosks, make("hotline_ticket", IN_S2, rows={"A": IN_S2})),
            (make("hotline_ticket", IN_S1, rows={"A": IN_S1, "B": IN_S1}),),
        ),
        "lots beside a default partition": Scenario(
            (*kiosks, make("resource_trade", IN_S1, rows={"A": IN_S1})),
            (make("resource_trade", IN_S2, rows={"B": IN_S2}),),
        ),
        "a list of year end that is corrected": Scenario(
            (make("service_item", IN_S2, rows=3), make("service_item", IN_S1, rows=3)),
            (make("service_item", IN_S2, rows=2, sequence=2),),
        ),
        "the next list": Scenario(
            (make("service_item", IN_S2, rows=3), make("counter_case", IN_S1, rows={"A": IN_S1})),
            (make("service_item", IN_S1, rows=2),),
        ),
        "a load beside one that opens a half-year": Scenario(
            (*kiosks, sites), (corrected, make("kiosk", IN_NEXT, rows=2)), (Period(2022, 2), S1)
        ),
        "a load beside one that closes a half-year": Scenario(
            (*kiosks, sites, make("kiosk", IN_NEXT, rows=3)),
            # Two files claim one day and number, so neither stands.
            (corrected, make("kiosk", IN_NEXT, rows=2)),
            (Period(2022, 2),),
            after=(make("kiosk", IN_NEXT, rows=3, sequence=2),),
        ),
        "loads that find a half-year closed": Scenario(
            (*kiosks, make("kiosk", IN_NEXT, rows=3)),
            (
                make("kiosk", IN_NEXT, rows=2),
                make("network_site", IN_NEXT, rows=3),
                make("service_hall", IN_NEXT, rows=3),
            ),
            computations=0,
        ),
        "two computations": Scenario(
            (*kiosks, make("kiosk_transaction", IN_S1, rows={"A": IN_S1})),
            (make("kiosk_transaction", IN_S2, rows={"B": IN_S2}),),
            computations=2,
        ),
        "two loads of two sources": Scenario(
            (*kiosks, make("kiosk_transaction", IN_S1, rows={"A": IN_S1})),
            (make("kiosk_transaction", IN_S2, rows={"B": IN_S2}), make("kiosk", IN_S2, rows=2, sequence=2)),
        ),
    }


NAMES = list(scenarios(Bodies(*({level: level for level in ("city", "town", "village", "other village")},) * 3)))


@pytest.fixture
def connections(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Turned]]:
    """Connections as loader that can be told to wait for turns."""
    with monkeypatch.context() as patch:
        patch.setattr(psycopg2, "connect", functools.partial(psycopg2.connect, connection_factory=Turned))
        opened: list[Any] = [warehouse_module.connect(warehouse) for _ in range(5)]
    yield opened
    for connection in opened:
        connection.close()


@pytest.mark.parametrize("name", NAMES)
def test_beside_each_other(warehouse: Settings, connections: list[Turned], name: str) -> None:
    with (
        closing(warehouse_module.connect(warehouse, "owner")) as owner,
        closing(warehouse_module.connect(warehouse, "owner")) as monitor,
    ):
        monitor.autocommit = True
        scenario = scenarios(bodies(owner))[name]
        only(owner, scenario.world)
        for seed in range(SCHEDULES):
            clear(owner, scenario.world)
            _run(scenario, connections, monitor, seed)


def _run(scenario: Scenario, connections: list[Turned], monitor: Connection, seed: int) -> None:
    plain, *turned = connections
    ledger = Ledger(plain)
    for each in scenario.before:
        ledger.deliver(each)
    ledger.compute()
    draw = random.Random(seed)
    if draw.random() < 0.5:
        # Something is due before, so that a computation has all to do whatever it sees of the loads.
        ledger.run("select indicators.mark_stale(null, array(select period from lineage.open_period), 'doubted')")
        plain.commit()

    def loads(new: Delivery, connection: Turned) -> None:
        Ledger(connection, ledger.loads).deliver(new)

    has_begun = draw.random() < 0.5

    def computes(connection: Turned) -> None:
        if has_begun:
            # A transaction that has asked all of it already, and knows the partitions that there are.
            with connection.cursor() as cursor:
                cursor.execute("delete from indicators.stale using indicators.due where false")
                cursor.execute("select from lineage.open_period")
            for period in scenario.computed:
                observation.observe_all(connection, list(indicator.definitions(connection).values()), period)
        for period in (*scenario.computed, *scenario.computed):
            computation.compute(connection, period)

    does: dict[str, Callable[[Turned], None]] = {
        f"load {number}": functools.partial(loads, new) for number, new in enumerate(scenario.at_once)
    }
    does |= {f"computation {number}": computes for number in range(scenario.computations)}
    turns = Turns(chooser(seed, sorted(does)), monitor)
    turns.run({name: (connection, do) for connection, (name, do) in zip(turned, does.items(), strict=False)})
    for new in scenario.after:
        ledger.deliver(new)
    ledger.compute()
    try:
        assert_figures_are_rows(plain)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}\n" + "\n".join(turns.done)) from None
