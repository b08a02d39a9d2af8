"""Nothing absent becomes a number: six faults of a delivery, of every source, are each an open point before the seal.

All sources get the same fault at once, in a transaction that is rolled back: one warehouse and one history serve all.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from deliveries import CONTRACTS, Bodies, Delivery, Ledger, bodies, delivery, keyed, placed, plain_rows
from psycopg2.extensions import connection as Connection

from halfyear import period
from halfyear import warehouse as warehouse_module
from halfyear.contract import Contract, has_body
from halfyear.period import Period
from halfyear.publishing.vintage import OpenPoint, open_points
from halfyear.settings import Settings

PERIODS = [Period(2020, 2), Period(2021, 1), Period(2021, 2), Period(2022, 1)]
JUDGED = PERIODS[-1]
#: Rows per day of an event source, and records of a register that has room for them.
RATE, RECORDS = 0.6, 24

Row = dict[str, Any]
Place = tuple[str, str, str]


def days(contract: Contract) -> list[date]:
    """The days that a contract expects in these half-years; irregular batches come at their ends here."""
    found = []
    for day in (PERIODS[0].first_day + timedelta(days=n) for n in range(731)):
        plan = [each for each in contract.sla_properties.plan if each.since is None or each.since <= day]
        months = plan[-1].month_ends if plan else (6, 12)
        if (day + timedelta(days=1)).day == 1 and day.month in months and day <= JUDGED.last_day:
            found.append(day)
    return found


class World:
    """The deliveries that the sources would make if nothing went wrong."""

    def __init__(self, known: Bodies, places: Sequence[Place]) -> None:
        self.known = known
        self.places = places
        self.days = {source: days(contract) for source, contract in CONTRACTS.items()}

    def rows(self, source: str, day: date) -> list[Row]:
        """The rows of a delivery: of an event source by the days since the one before, of a register a few more each time."""
        contract = CONTRACTS[source]
        number = self.days[source].index(day)
        before = self.days[source][number - 1] if number else PERIODS[0].first_day - timedelta(days=1)
        plain = plain_rows(contract, self.known)[0]
        is_by_body = {p.column for p in contract.key} & {"body_code", "region_code"}
        if contract.mode == "events":
            count = round((day - before).days * RATE)
        else:
            count = (len(self.places) - 6 if is_by_body else RECORDS) + number
        made = []
        for line in range(count):
            code, name, region = self.places[line if is_by_body else line % 3]
            row = {**plain, **_given(contract, body_code=code, body_name=name, region_code=region)}
            if contract.mode == "events":
                at = before + timedelta(days=1 + line % (day - before).days)
                row = placed(contract, row, datetime(at.year, at.month, at.day, 12))
            if not is_by_body:
                row = keyed(contract, row, f"{number if contract.mode == 'events' else 0}-{line}")
            numbers = {p.column: line + 1 for p in contract.key if p.logical_type == "integer"}
            made.append({**row, **numbers})
        return made

    def without_a_body(self, source: str, day: date) -> list[Row]:
        code, name, region = self.places[0]
        given = _given(CONTRACTS[source], body_code=code, body_name=name, region_code=region)
        return [row for row in self.rows(source, day) if any(row[column] != value for column, value in given.items())]


def _given(contract: Contract, **values: str) -> dict[str, str]:
    columns = {p.column for p in contract.columns}
    return {column: value for column, value in values.items() if column in columns}


#: What is delivered for the last two expected days, the middle one and the newest; None: nothing.
Fault = Callable[[World, str, date, date], tuple[list[Row] | None, list[Row] | None]]
FAULTS: dict[str, Fault] = {
    "none": lambda w, s, middle, last: (w.rows(s, middle), w.rows(s, last)),
    "the middle file left out": lambda w, s, middle, last: (None, w.rows(s, last)),
    "the header only": lambda w, s, middle, last: (w.rows(s, middle), []),
    "a tenth of the rows": lambda w, s, middle, last: (w.rows(s, middle), w.rows(s, last)[::10]),
    "yesterday's rows again": lambda w, s, middle, last: (w.rows(s, middle), w.rows(s, middle)),
    "an old snapshot only": lambda w, s, middle, last: (w.rows(s, middle), None),
    "one body missing": lambda w, s, middle, last: (w.rows(s, middle), w.without_a_body(s, last)),
}
#: Of these no row names a body, so none can be missing.
WITHOUT_BODIES = {"app_usage", "kiosk_transaction", "resource_trade", "security_event", "manual_return"}
#: Here a unit has one row, which may end: it leaves the list when units are merged, and the register says since when.
ONE_ROW_EACH = {"catalogue_unit"}
#: An event source that may be silent: its empty file is no gap, and still far from all that it reported before.
SILENT = {"security_event"}


def expected(source: str, fault: str) -> str | None:
    """The name and the words of the open point that a fault of a source is; None: the fault does not apply to it."""
    register = CONTRACTS[source].mode == "register"
    refused = f"{source}: 完整性 2022-06-30 被拒"
    if fault == "the middle file left out":
        # A source with one file in a half-year has no middle one there: it is that of the half-year before.
        return f"{source}: 完整性 {days(CONTRACTS[source])[-2]} 缺报"
    if fault == "the header only":
        volume = f"{source}.volume: 异动"
        return refused if register else volume if source in SILENT else f"{source}: 完整性 2022-06-30 空报"
    if fault == "a tenth of the rows":
        return refused if register else f"{source}.volume: 异动"
    if fault == "yesterday's rows again":
        return f"{source}.repeated_rows: 异动"
    if fault == "an old snapshot only":
        return f"{source}: 完整性 2022-06-30 缺报"
    return None if source in WITHOUT_BODIES | ONE_ROW_EACH else f"{source}.body_vanished: 异动"


def _points(connection: Connection, half: Period) -> list[OpenPoint]:
    return [p for p in open_points(connection, half) if p.kind in ("completeness", "anomaly")]


def _figures(connection: Connection, source: str) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select indicator_code from indicators.definition where is_published and %s = any(sources) order by 1",
            (source,),
        )
        return [code for (code,) in cursor]


def _places(owner: Connection) -> list[Place]:
    with owner, owner.cursor() as cursor:
        cursor.execute(
            "select b.code, b.name, b.region_code from core.body as b inner join core.body_region as r using (region_code) "
            "inner join core.body_name as n on b.name = n.name where b.level = '村' and r.code = b.code order by 1 limit 20"
        )
        return cursor.fetchall()


@pytest.mark.timeout(300)
def test_every_fault_of_every_source_is_an_open_point(warehouse: Settings) -> None:
    with (
        closing(warehouse_module.connect(warehouse, "owner")) as owner,
        closing(warehouse_module.connect(warehouse)) as loader,
    ):
        world = World(bodies(owner), _places(owner))
        assert {source for source, contract in CONTRACTS.items() if not has_body(contract)} == WITHOUT_BODIES
        assert {s for s, contract in CONTRACTS.items() if contract.sla_properties.allows_silence} == SILENT
        ledger = Ledger(loader)
        for source in CONTRACTS:
            for day in world.days[source][:-2]:
                ledger.enter(delivery(source, day, *world.rows(source, day)))
        loader.commit()
        for fault, make in FAULTS.items():
            for source in CONTRACTS:
                middle, last = world.days[source][-2:]
                for day, rows in zip((middle, last), make(world, source, middle, last), strict=True):
                    if rows is not None:
                        ledger.enter(_delivered(source, day, rows))
            _judge(loader, world, fault)
            loader.rollback()


def _delivered(source: str, day: date, rows: list[Row]) -> Delivery:
    made = delivery(source, day, *rows)
    assert len(made.rows) == len(rows), f"{source}: two rows have one key"
    return made


def _judge(connection: Connection, world: World, fault: str) -> None:
    found = {half: _points(connection, half) for half in PERIODS}
    if fault == "none":
        assert [point.line for points in found.values() for point in points] == []
        return
    for source in CONTRACTS:
        wanted = expected(source, fault)
        half = period.of(world.days[source][-2 if fault == "the middle file left out" else -1])
        lines = [p for p in found[half] if wanted and p.line.startswith(wanted)]
        said = "\n".join(p.line for p in found[half] if p.name.startswith(source))
        assert len(lines) == (1 if wanted else 0), f"{source}: {fault}: {wanted}:\n{said}"
        for point in lines:
            codes = _figures(connection, source)
            assert codes and list(point.indicator_codes) == codes
            assert all(code in point.line for code in codes)
