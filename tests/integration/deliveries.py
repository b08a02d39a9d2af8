"""Deliveries of the declared sources as a night enters them after reading and checks, their rows made from the contracts.

Nothing here names a source or an indicator: a new contract and a new definition come along by themselves.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import execute_values

from halfyear import contract as contracts
from halfyear import settings as settings_module
from halfyear.contract import Contract, Property
from halfyear.core import lock
from halfyear.core.settlement import Settling
from halfyear.indicators import computation, definition
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE

SETTINGS = settings_module.load()
CONTRACTS = contracts.load_all(SETTINGS.expectations)
DEFINITIONS = definition.load_all(SETTINGS.sql)

#: The last and the first days of half-years.
DAYS = [date(2021, 6, 30), date(2021, 7, 1), date(2021, 12, 31), date(2022, 1, 1), date(2022, 6, 30), date(2022, 7, 1)]
#: Times on both sides of the bounds of half-years.
TIMES = [
    datetime(2021, 12, 31, 23, 59, 59, 999999),
    datetime(2022, 1, 1),
    datetime(2021, 6, 30, 12),
    datetime(2022, 6, 30, 23, 59),
    datetime(2022, 7, 1),
]
#: A name that another body bears from 1 January 2022 on.
RENAMED = "改名局"
#: What a delivery and a computation write, beside the tables of the sources.
WRITTEN = (
    "lineage.delivery, lineage.load, lineage.standing, lineage.observation_input, quarantine.rejected_row, "
    "core.spanning_group, indicators.observation, indicators.stale, indicators.announcement"
)

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Delivery:
    """One file of a source: accepted rows, and the keys of rows that are held in quarantine."""

    source: str
    day: date
    rows: tuple[tuple[tuple[str, Any], ...], ...]
    sequence: int = 1
    held: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(repr((self.rows, self.held)).encode()).hexdigest()


def delivery(source: str, day: date, *rows: Row, sequence: int = 1, held: Iterable[str] = ()) -> Delivery:
    """A delivery of rows; of two with one key the first one stands."""
    contract = CONTRACTS[source]
    of_key = {key_of(contract, row): tuple(row.items()) for row in reversed(rows)}
    kept = tuple(of_key[key] for key in reversed(of_key))
    return Delivery(source, day, kept, sequence, tuple(sorted(set(held) - of_key.keys())))


def key_of(contract: Contract, row: Row) -> str:
    return "|".join(str(row[p.column]) for p in contract.key)


def settle(connection: Connection, contract: Contract, stage: Callable[[int], str]) -> set[Period]:
    """Settle as a night does; ``stage`` puts the rows of a load into a staging table. The half-years that moved."""
    tables: dict[int, str] = {}
    with connection.cursor() as cursor:
        settling = Settling(cursor, contract)
        for day in settling.days:
            while missing := settling.missing(day, tables):
                tables |= {load_id: stage(load_id) for load_id in missing}
            settling.restate(day, tables)
        return settling.finish()


@dataclass
class Ledger:
    """Enters deliveries into a migrated warehouse; ``connection`` acts as the loader."""

    connection: Connection
    loads: dict[int, Delivery] = field(default_factory=dict)

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def deliver(self, new: Delivery) -> None:
        """Enter a delivery and commit."""
        self.enter(new)
        self.connection.commit()

    def enter(self, new: Delivery) -> set[Period]:
        """Enter a delivery as a night does in the one transaction of a load; the half-years that it moved."""
        contract = CONTRACTS[new.source]
        with self.connection.cursor() as cursor:
            lock.hold_source(cursor, new.source)
        written = self.run(
            "insert into lineage.delivery (source, snapshot_date, sequence, file_name, sha256) "
            "values (%s, %s, %s, %s, %s) on conflict do nothing returning delivery_id",
            new.source, new.day, new.sequence, f"{new.source}_{new.day:%Y%m%d}_{new.sequence}", new.sha256,
        )  # fmt: skip
        if not written:  # the very same file once more
            return set()
        same = self.run(
            "select 1 from lineage.load inner join lineage.delivery using (delivery_id) "
            "where source = %s and snapshot_date = %s and sha256 = %s",
            new.source, new.day, new.sha256,
        )  # fmt: skip
        if not same:
            self._load(written[0][0], new)
        return settle(self.connection, contract, self._staged)

    def accept(self) -> None:
        """Let the newest snapshot stand that was refused for having too few rows, if there is one, and commit."""
        refused = self.run(
            "insert into lineage.acceptance (delivery_id, reason, accepted_by) select delivery_id, 'right', 'test' "
            "from lineage.delivery where rule = 'fewer_rows_than_before' and verdict = 'refused' "
            "order by delivery_id desc limit 1 returning (select source from lineage.delivery as d "
            "where d.delivery_id = acceptance.delivery_id)"
        )
        for (source,) in refused:
            settle(self.connection, CONTRACTS[source], self._staged)
        self.connection.commit()

    def _load(self, delivery_id: int, new: Delivery) -> None:
        ((load_id,),) = self.run("select nextval('lineage.load_id')")
        self.loads[load_id] = new
        passed, held = len(new.rows), len(new.held)
        # An event file without rows loads with none; one of which every row is bad cannot be used.
        is_empty = not held and CONTRACTS[new.source].mode == "events"
        self.run(
            "insert into lineage.load (load_id, delivery_id, contract_version, contract_fingerprint, code_version, "
            "rows_read, rows_passed, rows_loaded, rows_quarantined, rows_skipped, state, started_at) "
            "values (%s, %s, '1', '', '', %s, %s, 0, %s, %s, %s, now())",
            load_id, delivery_id, passed + held, passed, held, passed, "checked" if passed or is_empty else "refused",
        )  # fmt: skip
        for line, key in enumerate(new.held, start=2 + passed):
            self.run(
                "insert into quarantine.rejected_row values (%s, %s, %s, null, 'some_rule', '', '', null)",
                load_id, line, key,
            )  # fmt: skip

    def _staged(self, load_id: int) -> str:
        delivered = self.loads[load_id]
        contract = CONTRACTS[delivered.source]
        table = f"{contract.source}_{load_id}"
        listed = ", ".join(f'"{p.column}" {p.postgres_type}' for p in contract.columns)
        self.run(f"drop table if exists staging.{table}")
        self.run(f"create table staging.{table} (row_number bigint, record_key text, {listed})")
        rows = [
            (number, key_of(contract, row), *(row[p.column] for p in contract.columns))
            for number, row in enumerate(map(dict, delivered.rows), start=2)
        ]
        with self.connection.cursor() as cursor:
            execute_values(cursor, f"insert into staging.{table} values %s", rows)
        return table

    def missing_groups(self, contract: Contract) -> list[tuple[Any, ...]]:
        """The groups of events in several half-years that nobody noted, so that no select looks for them."""
        if contract.period_group is None:
            return []
        return self.run(
            f"select {contract.period_group} from core.{contract.source} group by 1 "
            "having count(distinct tableoid) > 1 except select group_value from core.spanning_group where source = %s",
            contract.source,
        )

    def compute(self, periods: Sequence[Period] | None = None) -> None:
        """Compute what is due in some half-years (None: until nothing is due)."""
        for period in computation.stale_periods(self.connection) if periods is None else periods:
            computation.compute(self.connection, period)
        self.connection.commit()


def clear(owner: Connection, sources: Iterable[str]) -> None:
    """An empty warehouse again, with its lists and definitions."""
    with owner, owner.cursor() as cursor:
        # Deliveries of other sources than these are not entered.
        tables = ", ".join(f"core.{source}" for source in sources)
        cursor.execute(f"truncate {WRITTEN}, {tables} cascade")


def only(owner: Connection, sources: Sequence[str]) -> None:
    """Leave the definitions that read nothing but these sources."""
    with owner, owner.cursor() as cursor:
        cursor.execute("delete from indicators.definition where not sources <@ %s", (list(sources),))


# ---------------------------------------------------------------- rows


@dataclass(frozen=True)
class Bodies:
    """Bodies of every level: of the city, a town, and two villages of it."""

    code: Mapping[str, str]
    name: Mapping[str, str]
    region: Mapping[str, str]


def bodies(owner: Connection) -> Bodies:
    """Bodies of the warehouse; RENAMED is the first one's name until the end of 2021, then that of the town."""
    with owner, owner.cursor() as cursor:
        cursor.execute(
            "select code, name, region_code from core.body where level = '村' and parent_code = "
            "(select min(parent_code) from core.body where level = '村') order by code limit 2"
        )
        villages = cursor.fetchall()
        cursor.execute(
            "select code, name, region_code from core.body where code = "
            "(select parent_code from core.body where code = %s)",
            villages[0][:1],
        )
        towns = cursor.fetchall()
        cursor.execute("select code, name, region_code from core.body where level = '市' order by code limit 1")
        rows = dict(
            zip(("city", "town", "village", "other village"), [*cursor.fetchall(), *towns, *villages], strict=True)
        )
        cursor.execute(
            "insert into core.body_alias (name, code, valid_from, reviewed_by) values "
            "(%(name)s, %(before)s, '2019-01-01', 'test'), (%(name)s, %(after)s, '2022-01-01', 'test')",
            {"name": RENAMED, "before": rows["city"][0], "after": rows["town"][0]},
        )
    code, name, region = ({level: row[place] for level, row in rows.items()} for place in range(3))
    return Bodies(code, name, region)


def candidates(contract: Contract, prop: Property, known: Bodies) -> list[Any]:
    """A few values of a property, the plainest first; null last where it may be."""
    found: list[Any]
    if prop.column == "body_code":
        found = [known.code["village"], known.code["town"], known.code["other village"], known.code["city"], "unknown"]
    elif prop.column == "body_name":
        found = [RENAMED, known.name["village"], known.name["town"], "unknown"]
    elif prop.format == "region_code":
        found = [known.region["village"], known.region["town"], known.region["other village"], "999999999999"]
    elif prop.values is not None:
        found = sorted(prop.values, key=lambda value: value not in _meant(contract, prop))
        found = [int(value) for value in found] if prop.logical_type == "integer" else found
    elif prop.logical_type == "timestamp":
        found = [time.replace(tzinfo=LOCAL_ZONE) for time in TIMES]
    elif prop.logical_type == "date":
        found = [time.date() for time in TIMES]
    elif prop.logical_type == "boolean":
        found = [True, False]
    elif prop.logical_type in ("integer", "number"):
        found = [1, 2] if prop.primary_key else [1, 0, 3]
    elif meant := _meant(contract, prop):
        found = [*meant, "X"]
    else:
        found = ["A", "B", "C"] if prop.primary_key else ["X", "Y"]
    return found if prop.is_required else [*found, None]


def plain_rows(contract: Contract, known: Bodies) -> list[dict[str, Any]]:
    """A row for each value of the first column of the key, plain in all others."""
    plain = {p.column: candidates(contract, p, known)[0] for p in contract.columns}
    return [plain | {contract.key[0].column: value} for value in candidates(contract, contract.key[0], known)]


def placed(contract: Contract, row: Row, at: datetime, columns: Iterable[str] | None = None) -> dict[str, Any]:
    """A row with its dates and times (None: all) at a local time."""
    wanted = [p for p in contract.columns if p.logical_type in ("date", "timestamp")]
    moved = {
        p.column: at.date() if p.logical_type == "date" else at.replace(tzinfo=LOCAL_ZONE)
        for p in wanted
        if columns is None or p.column in columns
    }
    return {**row, **moved}


def keyed(contract: Contract, row: Row, key: str) -> dict[str, Any]:
    """A row under another key, where the key has a property that may say anything."""
    for p in contract.key:
        if p.logical_type == "string" and p.values is None and p.format != "region_code" and not _meant(contract, p):
            return {**row, p.column: key}
    return dict(row)


def _meant(contract: Contract, prop: Property) -> list[str]:
    """The values of a property that definitions name: in the text of a select, or in a value set."""
    of_source = [d for d in DEFINITIONS.values() if contract.source in d.sources]
    sets = _value_sets()
    found: dict[str, None] = {}
    for each in of_source:
        for literal in re.findall(rf"\b{prop.column} (?:=|<>) '([^']*)'", each.sql):
            found[literal] = None
        for name in re.findall(
            rf"\b{prop.column} (?:=|<>) (?:any|all)\(array\(select value .*?value_set = '(\w+)'", each.sql
        ):
            found |= dict.fromkeys(sets[name])
    return list(found)


def _value_sets() -> dict[str, list[str]]:
    lines = (SETTINGS.expectations / "core" / "value_set.csv").read_text("utf-8-sig").splitlines()[1:]
    found: dict[str, list[str]] = {}
    for name, value, *_ in (line.split(",") for line in lines):
        found.setdefault(name, []).append(value)
    return found
