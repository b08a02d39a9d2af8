"""Whether figures are what their rows say: every half-year, indicator, reading and body, asked in every way there is."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import product
from typing import Any

from psycopg2.extensions import connection as Connection

from halfyear import period as periods
from halfyear import warehouse as warehouse_module
from halfyear.indicators import indicator, observation
from halfyear.indicators.definition import Definition, Pair
from halfyear.indicators.observation import Observation
from halfyear.settings import Settings

#: Each definition by its own select, all in the scans that they share, all as known at this instant, the sums of the rows.
WAYS = ("alone", "together", "as known now", "trace")

_IN_FORCE = (
    "period, indicator_code, reading, body_code, numerator, denominator, value, printed, vintage, is_published, "
    "definition_hash, computed_at, unit, first_printed, body_name, compared"
)
# The rows of a trace as they add up: for the city, for the body of a row, and for its town where the body is a village.
_TRACED = """
select r.period, r.indicator_code, r.reading, whole.body_code, count(*),
    coalesce(sum(r.quantity) filter (where r.in_numerator), 0),
    coalesce(sum(r.quantity) filter (where r.in_denominator), 0),
    array_agg(distinct r.load_id)
from mart.indicator_row as r
cross join lateral (
    select null as body_code
    union all select r.body_code where r.body_code is not null
    union all select b.parent_code from core.body as b
    where b.code = r.body_code and b.level = '村' and b.parent_code is not null
) as whole
group by r.period, r.indicator_code, r.reading, whole.body_code
"""


def assert_figures_are_rows(warehouse: Settings | Connection) -> None:
    """Nothing is due, and every stored figure is what its rows say.

    The stored observations are held against a computation of each definition by its own select, of all definitions
    together, of all as known at this instant, and against the sums of the trace. A body has a row exactly where the
    select returned a row for it or for a village of it. What is kept as in force is what is chosen anew.
    """
    if isinstance(warehouse, Settings):
        with warehouse_module.transaction(warehouse) as connection:
            assert_figures_are_rows(connection)
        return
    due = _ask(warehouse, "select * from indicators.due")
    assert not due, f"due: {due}"
    found = list(differences(warehouse))
    assert not found, "\n".join(found)
    warehouse.rollback()


def differences(connection: Connection, ways: Sequence[str] = WAYS) -> Iterator[str]:
    """A line for every figure that is not what its rows say, asked in some of the ways."""
    definitions = indicator.definitions(connection)
    open_periods = [code for (code,) in _ask(connection, "select period from lineage.open_period order by period")]
    stored: dict[tuple[str, Pair], set[Observation]] = defaultdict(set)
    for code, of, reading, *rest in _ask(
        connection,
        "select period, indicator_code, reading, body_code, numerator, denominator, value, printed "
        "from indicators.observation where superseded_at is null",
    ):
        stored[code, Pair(of, reading)].add(Observation(*rest))
    expected = {(code, each.pair) for code in open_periods for each in definitions.values()}
    for code, pair in sorted(stored.keys() ^ expected):
        yield f"{code} {pair}: stored {(code, pair) in stored}, open and defined {(code, pair) in expected}"
    ((now,),) = _ask(connection, "select clock_timestamp()")
    for code, way in product(open_periods, ways):
        for pair, found in _asked(connection, way, list(definitions.values()), code, now):
            yield from _compare(f"{code} {'.'.join(filter(None, pair))}: {way}", stored[code, pair], found)
    if "trace" in ways:
        yield from _against_the_trace(connection, definitions, expected, stored)
    kept = f"select {_IN_FORCE} from indicators.in_force"
    derived = f"select {_IN_FORCE} from indicators.in_force_derived"
    for row in _ask(connection, f"(({kept}) except ({derived})) union all (({derived}) except ({kept}))"):
        yield f"in force, kept or chosen anew: {row}"


def _asked(
    connection: Connection, way: str, definitions: list[Definition], code: str, now: datetime
) -> Iterator[tuple[Pair, set[Observation]]]:
    period = periods.parse(code)
    if way == "alone":
        for each in definitions:
            yield each.pair, set(observation.observe(connection, each, period))
    elif way != "trace":
        as_known = now if way == "as known now" else None
        for pair, computed in observation.observe_all(connection, definitions, period, as_known).items():
            yield pair, set(computed.observations)


def _against_the_trace(
    connection: Connection,
    definitions: dict[Any, Definition],
    expected: set[tuple[str, Pair]],
    stored: dict[tuple[str, Pair], set[Observation]],
) -> Iterator[str]:
    covered = {
        (code, Pair(of, reading))
        for code, of, reading in _ask(
            connection, "select period, indicator_code, reading from indicators.coverage where is_covered"
        )
    }
    traced: dict[tuple[str, Pair], dict[str | None, tuple[Any, ...]]] = defaultdict(dict)
    for code, of, reading, body, *rest in _ask(connection, _TRACED):
        traced[code, Pair(of, reading)][body] = tuple(rest)
    inputs: dict[tuple[str, Pair], list[int]] = defaultdict(list)
    for code, of, reading, load_id in _ask(
        connection, "select period, indicator_code, reading, load_id from lineage.observation_input order by load_id"
    ):
        inputs[code, Pair(of, reading)].append(load_id)
    for code, pair in sorted(expected):
        rows = {None: (0, 0, 0, []), **traced[code, pair]}
        each = definitions[pair]
        found = set()
        for body, (count, above, below, _) in rows.items():
            is_known = (code, pair) in covered and (count > 0 or each.without_rows == "zero")
            over = below if is_known and each.has_denominator else None
            value = each.value(above, over) if is_known else None
            found.add(Observation(body, above if is_known else None, over, value, each.printed(value)))
        yield from _compare(f"{code} {each.name}: trace", stored[code, pair], found)
        if inputs[code, pair] != rows[None][3]:
            yield f"{code} {each.name}: of loads {inputs[code, pair]}, rows of loads {rows[None][3]}"


def _compare(what: str, stored: set[Observation], found: set[Observation]) -> Iterator[str]:
    if stored != found:
        yield f"{what}: stored {_shown(stored - found)}, rows say {_shown(found - stored)}"


def _shown(observations: set[Observation]) -> str:
    return "; ".join(
        sorted(f"{o.body_code or 'city'} {o.numerator} / {o.denominator} = {o.printed}" for o in observations)
    )


def _ask(connection: Connection, statement: str) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()
