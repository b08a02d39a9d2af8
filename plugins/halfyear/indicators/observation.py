"""Observation: what definitions give for a half-year from its rows: the city, the bodies, and the loads behind them.

Nothing is added up from night to night, so a figure depends on nothing but the rows. This is the one place for null or
zero, the row of the whole city, and the villages of a town.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear.errors import ContractError
from halfyear.indicators.definition import Definition, Pair
from halfyear.indicators.rounding import EXACT, plain
from halfyear.indicators.scan import parameters, scan, together
from halfyear.indicators.select_text import query
from halfyear.period import Period

#: Of a computation: memory for each sort or hash, and parallel workers that cost what they cost here. The planner expects a group
#: per body and load, of which there are far fewer, and would keep to one process for the sake of those it expects.
_SCAN_SETTINGS = {"work_mem": "64MB", "parallel_setup_cost": "100", "parallel_tuple_cost": "0.001"}


@dataclass(frozen=True)
class Observation:
    """One computed value; ``body_code`` None is the whole city."""

    body_code: str | None
    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None
    printed: str


@dataclass(frozen=True)
class Computed:
    """What a definition gives for a half-year: the city and every body with rows, and the loads that the rows are of."""

    observations: tuple[Observation, ...]
    loads: tuple[int, ...]


@dataclass(frozen=True)
class _Sum:
    """What the rows of one body and one load add up to; ``body_code`` None: rows that no body is known for."""

    body_code: str | None
    load_id: int
    rows: int
    numerator: Decimal
    denominator: Decimal


def observe(
    connection: Connection, definition: Definition, period: Period, as_known: datetime | None = None
) -> list[Observation]:
    """What one definition gives for a half-year from the rows known at an instant (None: now): city, then bodies.

    It runs the definition's own select, as the trace does, and shares no scan with others.
    """
    return list(observe_alone(connection, definition, period, as_known).observations)


def observe_alone(
    connection: Connection, definition: Definition, period: Period, as_known: datetime | None = None
) -> Computed:
    """As ``observe``, with the loads that the rows are of."""
    alone = replace(definition, parts=None)
    with connection.cursor() as cursor:
        return computed_of(cursor, [alone], parameters(period, as_known))[definition.pair]


def observe_all(
    connection: Connection, definitions: Sequence[Definition], period: Period, as_known: datetime | None = None
) -> dict[Pair, Computed]:
    """What definitions give for a half-year from the rows known at an instant (None: now), each population asked once."""
    with connection.cursor() as cursor:
        return computed_of(cursor, definitions, parameters(period, as_known))


def computed_of(
    cursor: Cursor,
    definitions: Sequence[Definition],
    values: Mapping[str, Any],
    failed: dict[Pair, str] | None = None,
) -> dict[Pair, Computed]:
    """What definitions give; one whose select fails on a row is noted in ``failed``, or raised where that is None."""
    wholes = _wholes(cursor)
    covered = _covered(cursor, definitions, values)
    found: dict[Pair, Computed] = {}
    for name, value in _SCAN_SETTINGS.items():
        cursor.execute("select set_config(%s, %s, true)", (name, value))
    for group in together(definitions):
        for pair, own in _sums(cursor, group, values, failed).items():
            each = next(each for each in group if each.pair == pair)
            observations = _observations(each, pair in covered, own, wholes)
            found[pair] = Computed(tuple(observations), tuple(sorted({row.load_id for row in own})))
    return found


def _sums(
    cursor: Cursor, group: Sequence[Definition], values: Mapping[str, Any], failed: dict[Pair, str] | None
) -> dict[Pair, list[_Sum]]:
    """The sums of definitions that share a scan; where it fails on a row, those of each alone."""
    sums: dict[Pair, list[_Sum]] = {each.pair: [] for each in group}
    cursor.execute("savepoint scan")
    try:
        cursor.execute(query(scan(group)), values)
        for position, *rest in cursor:
            sums[group[position].pair].append(_Sum(*rest))
        cursor.execute("release savepoint scan")
        return sums
    except psycopg2.DataError as error:
        # The message of PostgreSQL may quote the row.
        code = f"{type(error).__name__}, SQLSTATE {error.pgcode}"
    cursor.execute("rollback to savepoint scan")
    if len(group) > 1:
        alone = [replace(each, parts=None) for each in group]
        return {pair: own for each in alone for pair, own in _sums(cursor, [each], values, failed).items()}
    (only,) = group
    if failed is None:
        raise ContractError(explain({only.pair: code}))
    failed[only.pair] = code
    return {}


def explain(failed: Mapping[Pair, str]) -> str:
    """What is said of definitions whose selects failed on a row, by name."""
    names = ", ".join(f"sql/indicators/{pair.name}.sql ({code})" for pair, code in sorted(failed.items()))
    return (
        f"查询在某一行上失败，请修改定义或更正该行 / the select fails on a row; mend the definition or the row: {names}"
    )


def _covered(cursor: Cursor, definitions: Sequence[Definition], values: Mapping[str, Any]) -> set[Pair]:
    """The definitions of which anything is known in the period."""
    named = [
        (number, source, reading)
        for number, each in enumerate(definitions)
        for source, reading in zip(each.sources, each.readings, strict=True)
    ]
    if not named:
        return set()
    numbers, sources, readings = (list(column) for column in zip(*named, strict=True))
    cursor.execute(
        "select * from indicators.covered(%(numbers)s, %(sources)s, %(readings)s, %(first_day)s, %(as_known)s)",
        {**values, "numbers": numbers, "sources": sources, "readings": readings},
    )
    return {definitions[number].pair for (number,) in cursor}


def _wholes(cursor: Cursor) -> dict[str | None, list[str]]:
    """The bodies that a body is part of: itself, and for a village its town."""
    found: dict[str | None, list[str]] = {}
    cursor.execute("select part_code, body_code from core.body_part")
    for part, body in cursor:
        found.setdefault(part, []).append(body)
    return found


def _observations(
    definition: Definition, is_covered: bool, sums: Iterable[_Sum], wholes: Mapping[str | None, Sequence[str]]
) -> list[Observation]:
    """The observations of a definition from its sums: the city, then every body with rows.

    A body's figure has the rows of the bodies that are part of it: a town's has those of its villages.
    """
    nothing = (0, Decimal(0), Decimal(0))
    totals: dict[str | None, tuple[int, Decimal, Decimal]] = {None: nothing}
    for each in sums:
        for whole in (None, *wholes.get(each.body_code, ())):
            count, above, below = totals.get(whole, nothing)
            totals[whole] = (
                count + each.rows,
                EXACT.add(above, each.numerator),
                EXACT.add(below, each.denominator),
            )
    observations: list[Observation] = []
    for whole, (count, above, below) in sorted(totals.items(), key=lambda item: item[0] or ""):
        known = is_covered and (count > 0 or definition.without_rows == "zero")
        total = plain(above) if known else None
        over = plain(below) if known and definition.has_denominator else None
        value = definition.value(total, over)
        observations.append(Observation(whole, total, over, value, definition.printed(value)))
    return observations
