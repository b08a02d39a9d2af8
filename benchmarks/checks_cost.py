"""The rules of a contract, against one SQL scan that counts the same violations; and what quarantine adds.

The scan is ``sql/violations.sql``. It gives a column for every rule of the suite, and the same counts: both are
compared on tables with broken rows before anything is believed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import datetime, time, timedelta

from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from benchmarks import delivery
from benchmarks.generate import ROOT, Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import Run, medians, seconds
from halfyear import warehouse
from halfyear.settings import LOCAL_ZONE, Settings
from halfyear.staging import Staged, quarantine, validation
from halfyear.staging.rule import suite
from halfyear.staging.validation import CheckResult

_SCAN = "one SQL scan"
_SUITE = "the suite"
#: Of how many rows one is broken, by name.
_BROKEN = {"0.1 % broken": 1000, "1 % broken": 100}
#: Tables with broken rows are a quarter of the whole one, and are held against one of their own size without any.
_PARTS = 4
_NONE_BROKEN = "none broken"


def measure(home: Home) -> list[Measurement]:
    validation.import_great_expectations()
    contract = home.contract("hotline_call")
    rows = home.rows // _PARTS
    exports = {
        _SUITE: Export("hotline_call", home.rows),
        _NONE_BROKEN: Export("hotline_call", rows),
        **{name: Export("hotline_call", rows, broken_one_in=one_in) for name, one_in in _BROKEN.items()},
    }
    with home.warehouse() as settings, ExitStack() as stack:
        tables = {
            name: stack.enter_context(delivery.staged(settings, home.file(export), contract, export.snapshot_date))[0]
            for name, export in exports.items()
        }
        subject = _Subject(home, settings, exports[_SUITE])
        subject.compare(tables["1 % broken"])
        runs: dict[str, Run] = {_SCAN: lambda: subject.scan(tables[_SUITE])}
        runs |= {name: subject.check(table) for name, table in tables.items()}
        taken = medians(runs)
    small, large = (taken[name] - taken[_NONE_BROKEN] for name in _BROKEN)
    count = len(suite(contract))
    return [
        Measurement(f"{count} rules on clean rows", taken[_SUITE], _SCAN, taken[_SCAN], 2.5),
        *(
            Measurement(
                f"rules and quarantine, {rows:,} rows, {name}",
                taken[name],
                f"the same, {_NONE_BROKEN}",
                taken[_NONE_BROKEN],
                note="information: the failing rules are asked twice, and their rows moved",
            )
            for name in _BROKEN
        ),
        Measurement(
            "quarantine in proportion: 1 % against 0.1 %",
            large,
            "what 0.1 % adds",
            max(small, 0.01),
            10.0,
            note="ten times the rows cost at most ten times as much",
        ),
    ]


class _Subject:
    """What is asked of a staged table: by the suite, and by hand."""

    def __init__(self, home: Home, settings: Settings, export: Export) -> None:
        self._home = home
        self._settings = settings
        self._contract = home.contract(export.source)
        self._day = export.snapshot_date
        text = (ROOT / "benchmarks" / "sql" / "violations.sql").read_text("utf-8")
        self._statements = re.sub(r":(snapshot_\w+)", r"%(\1)s", text).split(";")[:-1]

    def scan(self, table: Staged) -> float:
        """The seconds of the hand-written scan."""
        with warehouse.transaction(self._settings) as connection:
            _name_staged(connection, table)
            return seconds(lambda: self._violations(connection))

    def check(self, table: Staged) -> Run:
        """The seconds of the suite and, where rows are broken, of moving them to quarantine; then all is undone."""

        def checked() -> float:
            with warehouse.transaction(self._settings) as connection:
                results: list[CheckResult] = []

                def work() -> None:
                    results.extend(self._ask(connection, table))
                    with connection.cursor() as cursor:
                        quarantine.move_rejected(cursor, self._contract, table, results)

                taken = seconds(work)
                connection.rollback()
            self._home.on_server(f'vacuum staging."{table.table}"', _database(self._settings))
            return taken

        return checked

    def compare(self, table: Staged) -> None:
        """Raise unless scan and suite have the same rules and count the same violations."""
        with warehouse.transaction(self._settings) as connection:
            _name_staged(connection, table)
            by_hand = self._violations(connection)
            asked = {result.rule: result.unexpected_count for result in self._ask(connection, table)}
        if by_hand != asked or not any(by_hand.values()):
            raise AssertionError(f"violations.sql and the suite differ: {set(by_hand.items()) ^ set(asked.items())}")

    def _ask(self, connection: Connection, table: Staged) -> Sequence[CheckResult]:
        url = warehouse.sqlalchemy_url(self._settings)
        return validation.run(connection, url, "staging", table.table, self._contract, self._day)

    def _violations(self, connection: Connection) -> dict[str, int]:
        end = datetime.combine(self._day + timedelta(days=1), time(), LOCAL_ZONE)
        counts: dict[str, int] = {}
        with connection.cursor() as cursor:
            for statement in self._statements:
                cursor.execute(statement, {"snapshot_date": self._day, "snapshot_end": end})
                row = cursor.fetchone()
                assert row is not None and cursor.description is not None
                counts |= {column.name: int(value) for column, value in zip(cursor.description, row, strict=True)}
        return counts


def _name_staged(connection: Connection, table: Staged) -> None:
    with connection.cursor() as cursor:
        view = sql.SQL("create temporary view staged as select * from {}")
        cursor.execute(view.format(sql.Identifier("staging", table.table)))
        cursor.execute("set local search_path = pg_temp, pg_catalog")


def _database(settings: Settings) -> str:
    return str(settings.warehouse).partition("@/")[2].partition("?")[0]
