"""Audit: every observation, sealed or not, against a fresh computation of the same definition.

A figure that its rows do not give is the worst fault there is. Observations are what a computation once wrote; the audit
asks each definition's own select again, apart from the scans that computations share, and compares the city, every body
and the bodies with nothing but zero, and the loads that the rows are of. A seal is asked by its own definitions, as the rows were
known at its instant; the reviewed lists of ``expectations/core/`` are those of today.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import psycopg2
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import period as periods
from halfyear.core.lock import declarations_held
from halfyear.errors import ContractError, UsageError
from halfyear.indicators import indicator, observation
from halfyear.indicators.definition import CITY, Definition, Pair
from halfyear.indicators.observation import Observation
from halfyear.indicators.rounding import DASH
from halfyear.period import Period


@dataclass(frozen=True)
class Difference:
    """One figure of the city or a body that its rows do not give; ``vintage`` None: the provisional one.

    ``stored`` or ``computed`` is None where one side has no row for the body. ``other`` is what differs beside the figure,
    by name: what is stored and what it should be. ``list_changed`` names a reviewed list that was changed after the
    half-year was sealed: the figure has moved with it, and may be restated.
    """

    period: str
    vintage: int | None
    code: str
    name_zh: str
    body_code: str | None
    body_name: str
    stored: Observation | None
    computed: Observation | None
    other: tuple[tuple[str, str, str], ...] = ()
    list_changed: str | None = None

    @property
    def line(self) -> str:
        """The finding on one line: half-year, figure, body and both values."""
        seal = "" if self.vintage is None else f" v{self.vintage}"
        stored, computed = _shown(self.stored), _shown(self.computed)
        if self.other:
            stored, computed = (", ".join(f"{each[0]} {each[place]}" for each in self.other) for place in (1, 2))
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
            "other": [dict(zip(("name", "stored", "computed"), each, strict=True)) for each in self.other],
            "list_changed": self.list_changed,
        }


@dataclass(frozen=True)
class Audit:
    """How many observations were computed anew, how many figures wait to be computed, and what differs.

    ``moved`` are sealed figures that a reviewed list has moved since: no fault, but figures that may be restated.
    """

    observations: int
    due: int
    differences: tuple[Difference, ...]
    moved: tuple[Difference, ...] = ()

    def __add__(self, other: Audit) -> Audit:
        return Audit(
            self.observations + other.observations,
            self.due + other.due,
            self.differences + other.differences,
            self.moved + other.moved,
        )


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

    Every half-year is read in one snapshot, so a load beside the audit is no difference. Raises UsageError for a half-year
    that has no figure.
    """
    connection.rollback()
    total = NOTHING
    with declarations_held(connection), connection.cursor() as cursor:
        cursor.execute(
            "select distinct period from indicators.observation where superseded_at is null "
            "union select period from indicators.vintage union select period from indicators.in_force order by 1"
        )
        known = [periods.parse(row[0]) for row in cursor]
        for unknown in sorted({*(wanted or ())} - {*known}):
            raise UsageError(f"{unknown}: 没有指标值可核对 / there are no figures to audit; see: halfyear status")
        for period in known if wanted is None else wanted:
            connection.rollback()
            cursor.execute("set transaction isolation level repeatable read")
            found = provisional(connection, period) + sealed(connection, period) + in_force(connection, period)
            progress(f"{period}: {found.observations} observations, {len(found.differences)} differences")
            total += found
    return total


def provisional(connection: Connection, period: Period) -> Audit:
    """Compare the current observations of a half-year with their rows, in the caller's transaction.

    The loads that are kept as behind a figure are compared too: a seal names its deliveries by them. What is due is no
    difference: it is computed next.
    """
    loads: dict[Pair, set[int]] = {}
    with connection.cursor() as cursor:
        cursor.execute("select indicator_code, reading from indicators.due where period = %s", (str(period),))
        due = {Pair(*row) for row in cursor}
        cursor.execute(
            "select indicator_code, reading, body_code, numerator, denominator, value, printed "
            "from indicators.observation where superseded_at is null and period = %s",
            (str(period),),
        )
        stored = _by_pair(cursor)
        cursor.execute(
            "select indicator_code, reading, load_id from lineage.observation_input where period = %s", (str(period),)
        )
        for code, reading, load_id in cursor:
            loads.setdefault(Pair(code, reading), set()).add(load_id)
    definitions = indicator.definitions(connection)
    wanted = [each for pair, each in definitions.items() if pair not in due and pair in stored]
    count, differences = _compare(connection, period, None, wanted, stored, loads, None)
    return Audit(count, len(due), tuple(differences))


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
        definitions = list(indicator.sealed_definitions(connection, period, vintage).values())
        cursor.execute(
            "select indicator_code, reading, body_code, numerator, denominator, value, printed "
            "from indicators.sealed_observation where period = %s and vintage = %s",
            (str(period), vintage),
        )
        stored = _by_pair(cursor)
        cursor.execute(
            "select array_agg(name order by name) from lineage.declaration where name = any(%s) and applied_at > %s",
            (list(_LISTS), sealed_at),
        )
        (lists,) = cursor.fetchone() or (None,)
    wanted = [each for each in definitions if each.pair in stored]
    count, differences = _compare(connection, period, vintage, wanted, stored, None, sealed_at)
    moved = _moved_with(lists or (), differences, {each.name: each.sql for each in definitions})
    named_apart = tuple(replace(each, list_changed=", ".join(lists or ())) for each in moved)
    return Audit(count, 0, tuple(each for each in differences if each not in moved), named_apart)


def _moved_with(
    lists: Sequence[str], differences: Sequence[Difference], selects: Mapping[str, str]
) -> tuple[Difference, ...]:
    """The differences that come from reviewed lists that changed since the seal.

    They move rows from one body to another, and the city's figure only where the select asks for a body's kind or for the
    values of a set. Where the city has another fault, so have its bodies.
    """
    if not lists:
        return ()
    asks = _KINDS if set(lists) - {"core.value_set"} else None
    at_fault = {
        each.code
        for each in differences
        if each.body_code is None
        and not (asks is not None and asks.search(selects[each.code]))
        and not ("core.value_set" in lists and "core.value_set" in selects[each.code])
    }
    return tuple(each for each in differences if each.code not in at_fault and not each.other)


def in_force(connection: Connection, period: Period) -> Audit:
    """Compare the figures kept as in force, which the mart shows, with the observations and the seal of a half-year."""
    with connection.cursor() as cursor:
        kept, chosen = (
            _in_force(cursor, relation, period) for relation in ("indicators.in_force", "indicators.in_force_derived")
        )
        names = _names(cursor)
    differences = []
    for pair, body in sorted(kept.keys() | chosen.keys(), key=lambda key: (key[0], key[1] or "")):
        (was, aside), (now, wanted) = (rows.get((pair, body), (None, {})) for rows in (kept, chosen))
        other = tuple(
            (name, str(aside[name]), str(wanted[name])) for name in aside if was == now and aside[name] != wanted[name]
        )
        if was != now or other:
            name = names.get(body, body or CITY)
            differences.append(Difference(str(period), None, pair.name, "生效值 in force", body, name, was, now, other))
    return Audit(0, 0, tuple(differences))


#: The reviewed lists that move figures, by their names in lineage.declaration.
_LISTS = ("core.body", "core.body_alias", "core.region", "core.value_set")
#: A select that asks for what a list says of a body, beside which body a row belongs to.
_KINDS = re.compile(r"\bcore\.body as (?!by_code\b)|\bcore\.region\b")
#: What the mart shows or decides by, beside the figure itself.
_ASIDE = (
    "vintage", "is_published", "definition_hash", "computed_at", "unit", "first_printed", "body_name", "compared",
)  # fmt: skip


def _in_force(
    cursor: Cursor, relation: str, period: Period
) -> dict[tuple[Pair, str | None], tuple[Observation, dict[str, Any]]]:
    cursor.execute(
        f"select indicator_code, reading, body_code, numerator, denominator, value, printed, {', '.join(_ASIDE)} "
        f"from {relation} where period = %s",
        (str(period),),
    )
    return {
        (Pair(code, reading), body): (
            Observation(body, *rest[:4]),
            dict(zip(_ASIDE, rest[4:], strict=True)),
        )
        for code, reading, body, *rest in cursor
    }


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
    loads: Mapping[Pair, set[int]] | None,
    as_known: datetime | None,
) -> tuple[int, list[Difference]]:
    """How many observations were computed anew, and what differs; ``loads`` None: those are not compared."""
    count = 0
    differences: list[Difference] = []
    with connection.cursor() as cursor:
        names = _names(cursor)
    for each in definitions:
        try:
            asked = _asked(connection, each, period, as_known)
        except psycopg2.Error as error:
            fault = (("SQLSTATE", "", f"{error.pgcode} {type(error).__name__}"),)
            of_city = stored[each.pair].get(None)
            differences.append(
                Difference(str(period), vintage, each.name, each.name_zh, None, CITY, of_city, None, fault)
            )
            continue
        computed = {o.body_code: o for o in asked.observations}
        count += len(computed)
        differences += [
            Difference(str(period), vintage, each.name, each.name_zh, body, names.get(body, body or CITY), was, now)
            for body, was, now in _sides(stored[each.pair], computed)
            if was != now
        ]
        kept = None if loads is None else loads.get(each.pair, set())
        if kept is not None and kept != set(asked.loads):
            left, missing = (_files(connection, loads) for loads in (kept - {*asked.loads}, {*asked.loads} - kept))
            other = (("file_name", left, missing),)
            of_city = stored[each.pair].get(None)
            differences.append(
                Difference(
                    str(period), vintage, each.name, each.name_zh, None, CITY, of_city, computed.get(None), other
                )
            )
    return count, differences


def _asked(
    connection: Connection, definition: Definition, period: Period, as_known: datetime | None
) -> observation.Computed:
    """What a definition gives; a select that no longer runs, as an old seal's may not, leaves the transaction usable."""
    with connection.cursor() as cursor:
        cursor.execute("savepoint asked")
        try:
            found = observation.observe_alone(connection, definition, period, as_known)
        except (psycopg2.Error, ContractError) as error:
            cursor.execute("rollback to savepoint asked")
            raise error if isinstance(error, psycopg2.Error) else psycopg2.DataError() from None
        cursor.execute("release savepoint asked")
    return found


def _files(connection: Connection, loads: Iterable[int]) -> str:
    """The files of loads, by name; a load that is in no ledger by its number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(d.file_name, 'load ' || number) from unnest(%s::bigint[]) as number "
            "left join lineage.load as l on number = l.load_id "
            "left join lineage.delivery as d on l.delivery_id = d.delivery_id order by 1",
            (sorted(loads),),
        )
        return ", ".join(name for (name,) in cursor) or DASH


def _sides(
    stored: Mapping[str | None, Observation], computed: Mapping[str | None, Observation]
) -> Iterator[tuple[str | None, Observation | None, Observation | None]]:
    for body in sorted(stored.keys() | computed.keys(), key=lambda code: code or ""):
        yield body, stored.get(body), computed.get(body)


def _names(cursor: Cursor) -> dict[str | None, str]:
    cursor.execute("select code, name from core.body")
    return dict(cursor.fetchall())
