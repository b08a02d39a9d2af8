"""Audit: every observation, sealed or not, against a fresh computation of the same definition.

A figure that its rows do not give is the worst fault there is. Observations are what a computation once wrote; the audit
asks each definition's own select again, apart from the scans that computations share, and compares the city, every body
and the bodies with nothing but zero. A seal is asked by its own definitions, as the rows were known at its instant.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import period as periods
from halfyear.indicators import computation, indicator
from halfyear.indicators.computation import Observation
from halfyear.indicators.definition import CITY, Definition, Pair
from halfyear.period import Period


@dataclass(frozen=True)
class Difference:
    """One figure of the city or a body that its rows do not give; ``vintage`` None: the provisional one.

    ``stored`` or ``computed`` is None where one side has no row for the body.
    """

    period: str
    vintage: int | None
    code: str
    name_zh: str
    body_code: str | None
    body_name: str
    stored: Observation | None
    computed: Observation | None

    @property
    def line(self) -> str:
        """The finding on one line: half-year, figure, body and both values."""
        seal = "" if self.vintage is None else f" v{self.vintage}"
        stored, computed = _shown(self.stored), _shown(self.computed)
        return (
            f"{self.period}{seal} {self.code} {self.name_zh} {self.body_name}: 存 {stored}，按行重算 {computed} / "
            f"stored {stored}, its rows give {computed}"
        )

    def as_dict(self) -> dict[str, Any]:
        """The finding for programs, numbers as text."""
        return {
            "period": self.period,
            "vintage": self.vintage,
            "indicator_code": self.code,
            "name_zh": self.name_zh,
            "body_code": self.body_code,
            "body_name": self.body_name,
            **{f"stored_{name}": value for name, value in _facts(self.stored).items()},
            **{f"computed_{name}": value for name, value in _facts(self.computed).items()},
        }


@dataclass(frozen=True)
class Audit:
    """How many observations were computed anew, how many figures wait to be computed, and what differs."""

    observations: int
    due: int
    differences: tuple[Difference, ...]

    def __add__(self, other: Audit) -> Audit:
        return Audit(self.observations + other.observations, self.due + other.due, self.differences + other.differences)


NOTHING = Audit(0, 0, ())


def _facts(observation: Observation | None) -> dict[str, str | None]:
    names = ("numerator", "denominator", "value", "printed")
    found = (getattr(observation, name) if observation else None for name in names)
    return {name: None if value is None else str(value) for name, value in zip(names, found, strict=True)}


def _shown(observation: Observation | None) -> str:
    """The printed value, with the counts behind it, which may differ where the print does not."""
    if observation is None:
        return "没有该行 no row"
    above, below = observation.numerator, observation.denominator
    if above is None:
        return observation.printed
    return f"{observation.printed} ({above}{'' if below is None else f' / {below}'})"


# ---------------------------------------------------------------- the audit


def audit(
    connection: Connection,
    wanted: Sequence[Period] | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Audit:
    """Audit half-years (None: all that have figures), provisional values and the newest seal of each.

    Every half-year is read in one snapshot, so a load beside the audit is no difference.
    """
    connection.rollback()
    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct period from indicators.observation where superseded_at is null "
            "union select period from indicators.vintage order by 1"
        )
        known = [periods.parse(row[0]) for row in cursor]
    total = NOTHING
    for period in known if wanted is None else wanted:
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute("set transaction isolation level repeatable read")
        found = provisional(connection, period) + sealed(connection, period) + in_force(connection, period)
        progress(f"{period}: {found.observations} observations, {len(found.differences)} differences")
        total += found
    connection.rollback()
    return total


def provisional(connection: Connection, period: Period) -> Audit:
    """Compare the current observations of a half-year with their rows, in the caller's transaction.

    What is due is no difference: it is computed next.
    """
    with connection.cursor() as cursor:
        cursor.execute("select indicator_code, reading from indicators.due where period = %s", (str(period),))
        due = {Pair(*row) for row in cursor}
        stored = _by_pair(
            _rows(cursor, "(select * from indicators.observation where superseded_at is null) as o", period)
        )
    definitions = indicator.definitions(connection)
    wanted = [each for pair, each in definitions.items() if pair not in due and pair in stored]
    found = _compare(connection, period, None, wanted, stored, None)
    return Audit(found.observations, len(due), found.differences)


def sealed(connection: Connection, period: Period) -> Audit:
    """Compare the newest seal of a half-year with the rows known at its instant, in the caller's transaction."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select vintage, sealed_at from indicators.vintage where period = %s order by vintage desc limit 1",
            (str(period),),
        )
        newest = cursor.fetchone()
        if newest is None:
            return NOTHING
        vintage, sealed_at = newest
        cursor.execute(
            "select definition from indicators.sealed_definition where period = %s and vintage = %s",
            (str(period), vintage),
        )
        definitions = [_sealed_definition(row[0]) for row in cursor]
        cursor.execute(
            "select indicator_code, reading, body_code, numerator, denominator, value, printed "
            "from indicators.sealed_observation where period = %s and vintage = %s",
            (str(period), vintage),
        )
        stored = _by_pair(cursor)
    return _compare(connection, period, vintage, [d for d in definitions if d.pair in stored], stored, sealed_at)


def in_force(connection: Connection, period: Period) -> Audit:
    """Compare the figures kept as in force, which the mart shows, with the observations and the seal of a half-year."""
    with connection.cursor() as cursor:
        kept, chosen = (
            _by_pair(_rows(cursor, relation, period))
            for relation in ("indicators.in_force", "indicators.in_force_derived")
        )
        names = _names(cursor)
    differences = [
        Difference(str(period), None, pair.name, "生效值 in force", body, names.get(body, body or CITY), was, now)
        for pair in sorted(kept.keys() | chosen.keys())
        for body, was, now in _sides(kept.get(pair, {}), chosen.get(pair, {}))
        if was != now
    ]
    return Audit(0, 0, tuple(differences))


def _rows(cursor: Cursor, relation: str, period: Period) -> list[tuple[Any, ...]]:
    cursor.execute(
        f"select indicator_code, reading, body_code, numerator, denominator, value, printed from {relation} "
        "where period = %s",
        (str(period),),
    )
    return cursor.fetchall()


_Stored = Mapping[Pair, Mapping[str | None, Observation]]


def _by_pair(rows: Iterable[tuple[Any, ...]]) -> dict[Pair, dict[str | None, Observation]]:
    found: dict[Pair, dict[str | None, Observation]] = {}
    for code, reading, body_code, *rest in rows:
        found.setdefault(Pair(code, reading), {})[body_code] = Observation(body_code, *rest)
    return found


def _compare(
    connection: Connection,
    period: Period,
    vintage: int | None,
    definitions: Iterable[Definition],
    stored: _Stored,
    as_known: datetime | None,
) -> Audit:
    count = 0
    differences: list[Difference] = []
    with connection.cursor() as cursor:
        names = _names(cursor)
    for each in definitions:
        computed = {o.body_code: o for o in computation.observe(connection, each, period, as_known)}
        count += len(computed)
        differences += [
            Difference(str(period), vintage, each.name, each.name_zh, body, names.get(body, body or CITY), was, now)
            for body, was, now in _sides(stored[each.pair], computed)
            if was != now
        ]
    return Audit(count, 0, tuple(differences))


def _sides(
    stored: Mapping[str | None, Observation], computed: Mapping[str | None, Observation]
) -> Iterator[tuple[str | None, Observation | None, Observation | None]]:
    for body in sorted(stored.keys() | computed.keys(), key=lambda code: code or ""):
        yield body, stored.get(body), computed.get(body)


def _names(cursor: Cursor) -> dict[str | None, str]:
    cursor.execute("select code, name from core.body")
    return dict(cursor.fetchall())


def _sealed_definition(kept: Mapping[str, Any]) -> Definition:
    """A definition as a seal keeps it; seals from before definitions had readings say stock or flow of each source."""
    readings = kept.get("readings") or ["last_day" if basis == "stock" else "flow" for basis in kept["bases"]]
    given: dict[str, Any] = {each.name: kept.get(each.name) for each in fields(Definition)}
    given |= {"scale": Decimal(kept["scale"]), "sources": tuple(kept["sources"]), "readings": tuple(readings)}
    return Definition(**{**given, "parts": None})
