"""Questions to the mart: the same at 4 and at 40 half-years, and against an index lookup of the rows that are asked for.

Figures are put there, not computed: every published indicator for the city and 59 bodies, all but the newest two
half-years sealed. A question is measured as a dashboard asks it, from the statement to the last fetched row.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from contextlib import ExitStack, closing
from functools import partial

from psycopg2.extensions import connection as Connection

from benchmarks.generate import HALF
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import Run, seconds
from halfyear import warehouse
from halfyear.settings import Settings

_SHORT, _LONG = 4, 40
_OPEN = 2
#: What takes milliseconds is asked in turn more often than what takes seconds.
_TURNS = 41
_INDICATOR = "accounts_opened"
#: What is asked for, of the mart and of the table where the rows of the answer lie.
_QUESTIONS = {
    "one half-year": "period = %(period)s",
    "the city in one half-year": "period = %(period)s and body_code is null",
    "one indicator": "indicator_code = %(code)s",
}
#: Few rows, of which a lookup has next to nothing to do: the planning of a view is all that is measured.
_SMALL = {"the city in one half-year"}
#: What costs more the more half-years the answer has.
_GROWING = {"one indicator"}
_TRACE = (
    "explain select * from mart.indicator_row where period = %(period)s and indicator_code = %(code)s",
    "planning of the rows behind one figure",
)
_PLANNING_SECONDS = 0.05

_FIGURES = """
insert into indicators.observation (period, indicator_code, reading, body_code, numerator, denominator, value, printed,
    definition_hash, computed_at)
select %(period)s, d.indicator_code, d.reading, body.code, figure.numerator, 1000, figure.numerator / 7.0, '—',
    d.definition_hash, now()
from indicators.definition as d
cross join (
    select code, row_number() over (order by code) as place from core.body
    union all
    select null, 0
) as body
cross join lateral (select 1000 + 7 * body.place + %(before)s as numerator) as figure
where d.is_published and body.place < 60"""
#: As seal.seal writes it, without the hashes and the deliveries that no view asks for here.
_SEAL = """
alter table indicators.vintage disable trigger require_two_persons;
insert into indicators.vintage (period, vintage, sequence, sealed_at, prepared_by, approved_by, approved_at, code_version,
    note, exceptions, declarations, proposal_digest, previous_hash, hash)
select %(period)s, 1, 1 + count(*), now(), 'prepared', 'approved', now(), '', '', '[]', '', '',
    (array_agg(hash order by sequence desc))[1], %(period)s
from indicators.vintage;
insert into indicators.sealed_observation (period, vintage, indicator_code, reading, body_code, numerator, denominator,
    value, printed, definition_hash, computed_at, row_hash)
select period, 1, indicator_code, reading, body_code, numerator, denominator, value, printed, definition_hash, computed_at,
    '' from indicators.observation where period = %(period)s;
insert into indicators.sealed_definition (period, vintage, indicator_code, reading, definition, definition_hash, row_hash)
select %(period)s, 1, indicator_code, reading, to_jsonb(d), definition_hash, '' from indicators.definition as d"""


def measure(home: Home) -> list[Measurement]:
    names = {count: f"{count} half-years" for count in (_SHORT, _LONG)}
    templates = {count: home.template(f"half_years_{count}", partial(_fill, count)) for count in names}
    with ExitStack() as stack:
        runs: dict[str, Run] = {}
        for count, name in names.items():
            settings = stack.enter_context(home.warehouse(templates[count]))
            connection = stack.enter_context(closing(warehouse.connect(settings)))
            connection.autocommit = True
            for question, condition in _QUESTIONS.items():
                statements = {
                    question: f"select * from mart.indicator where {condition}",
                    f"lookup of {question}": "select * from indicators.observation where superseded_at is null and "
                    + condition,
                }
                _see(connection, *statements.values())
                runs |= {f"{what}, {name}": _run(connection, text) for what, text in statements.items()}
            planning, what = _TRACE
            runs[f"{what}, {name}"] = _run(connection, planning)
        taken = _medians(runs)
    for template in templates.values():
        home.drop_template(template)
    return [*_compared(taken, names), _planned(taken, names)]


def _compared(taken: Mapping[str, float], names: Mapping[int, str]) -> list[Measurement]:
    found = []
    for question in _QUESTIONS:
        short, long = (
            taken[f"{question}, {name}"] / (count if question in _GROWING else 1) for count, name in names.items()
        )
        each = ", for each half-year of it" if question in _GROWING else ""
        found += [
            Measurement(f"{question}, {names[_LONG]}{each}", long, f"{names[_SHORT]}{each}", short, 1.1),
            *(
                Measurement(
                    f"{question}, {name}", taken[f"{question}, {name}"],
                    "lookup by index", taken[f"lookup of {question}, {name}"],
                    None if question in _SMALL else 5.0, note="information" if question in _SMALL else "",
                )
                for name in names.values()
            ),
        ]  # fmt: skip
    return found


def _planned(taken: Mapping[str, float], names: Mapping[int, str]) -> Measurement:
    what = f"{_TRACE[1]}, {names[_LONG]}"
    return Measurement(what, taken[what], "the stated limit", _PLANNING_SECONDS, 1.0, note="period and indicator named")


def _run(connection: Connection, statement: str) -> Run:
    values = {"period": str(HALF), "code": _INDICATOR}

    def ask() -> None:
        with connection.cursor() as cursor:
            cursor.execute(statement, values)
            cursor.fetchall()

    return lambda: seconds(ask)


def _medians(runs: Mapping[str, Run]) -> dict[str, float]:
    """As repetition.medians, without a line for each of many turns."""
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for _ in range(_TURNS):
        for name, run in runs.items():
            taken[name].append(run())
    return {name: statistics.median(values) for name, values in taken.items()}


def _see(connection: Connection, question: str, lookup: str) -> None:
    """Raise unless both give the same figures."""
    keys = []
    for statement in (question, lookup):
        with connection.cursor() as cursor:
            columns = "period, indicator_code, body_code, value"
            cursor.execute(
                f"select {columns} from ({statement}) as asked order by 1, 2, 3",
                {"period": str(HALF), "code": _INDICATOR},
            )
            keys.append(cursor.fetchall())
    if not keys[0] or keys[0] != keys[1]:
        raise AssertionError(f"another answer than the rows: {question}")


def _fill(count: int, settings: Settings) -> None:
    """The figures of so many half-years up to the newest, half-year by half-year, and the seals of the older ones."""
    half = HALF
    halves = [half]
    while len(halves) < count:
        half = half.previous
        halves.append(half)
    with closing(warehouse.connect(settings, "owner")) as connection:
        for before, half in reversed([*enumerate(halves)]):
            with connection, connection.cursor() as cursor:
                cursor.execute(_FIGURES, {"period": str(half), "before": before})
                if before >= _OPEN:
                    cursor.execute(_SEAL, {"period": str(half)})
