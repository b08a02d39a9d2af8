"""The indicators of one source for a half-year, all together, against one aggregate scan of its rows.

The scan is ``sql/aggregate_scan.sql``. A few rows and every figure of every source are there before the clock starts,
so that what is computed is what the new rows move.
"""

from __future__ import annotations

from datetime import timedelta

from benchmarks import delivery
from benchmarks.generate import HALF, ROOT, Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import Run, medians, seconds
from halfyear import warehouse
from halfyear.indicators import computation, definition
from halfyear.period import Period
from halfyear.settings import Settings
from halfyear.staging import validation

SOURCE = "hotline_call"
_SCAN = "one aggregate scan"
_ALONE = "alone"
_FIRST = 1000
#: Half-years before the one that is computed, in the second case.
_EARLIER = 4
#: A second of work, on a machine that does other things too: the median of few would be one of those.
_TURNS = 7


def measure(home: Home) -> list[Measurement]:
    validation.import_great_expectations()
    rows = home.rows // 10
    halves = [HALF]
    while len(halves) <= _EARLIER:
        halves.insert(0, halves[0].previous)
    among_others = f"{_EARLIER} equal half-years before it"
    templates = {
        _ALONE: home.template("alone", lambda settings: _fill(home, settings, [HALF], rows)),
        among_others: home.template("among_others", lambda settings: _fill(home, settings, halves, rows)),
    }
    runs: dict[str, Run] = {_SCAN: _run(home, templates[_ALONE], is_scan=True)}
    runs |= {name: _run(home, template, is_scan=False) for name, template in templates.items()}
    taken = medians(runs, _TURNS)
    for template in templates.values():
        home.drop_template(template)
    count = sum(each.sources == (SOURCE,) for each in definition.load_all(home.settings.sql).values())
    what = f"{count} indicators of a half-year of {rows:,} rows"
    return [
        Measurement(f"{what}, all from nothing", taken[_ALONE], _SCAN, taken[_SCAN], 4.0),
        Measurement(f"{what}, {among_others}", taken[among_others], _ALONE, taken[_ALONE], 1.25),
    ]


def _fill(home: Home, settings: Settings, halves: list[Period], rows: int) -> None:
    """Half-years of equal size; all but the last are computed, and of the last the first rows."""
    calls = _FIRST + rows
    for half in halves:
        day = half.last_day - timedelta(days=1)
        if half == HALF:
            first = Export(SOURCE, _FIRST, snapshot_date=day - timedelta(days=1), half=half, calls=calls)
            _deliver(home, settings, first)
            _compute(settings)
        _deliver(home, settings, Export(SOURCE, rows, snapshot_date=day, half=half, first=_FIRST, calls=calls))


def _deliver(home: Home, settings: Settings, export: Export) -> None:
    delivery.place(settings, home.file(export), SOURCE)
    delivery.load_timed(settings, SOURCE, export.rows)


def _compute(settings: Settings) -> None:
    with warehouse.transaction(settings) as connection:
        for period in computation.stale_periods(connection):
            computation.compute(connection, period)


def _run(home: Home, template: str, is_scan: bool) -> Run:
    scan = (ROOT / "benchmarks" / "sql" / "aggregate_scan.sql").read_text("utf-8")

    def work() -> float:
        with home.warehouse(template) as settings, warehouse.transaction(settings) as connection:
            with connection.cursor() as cursor:
                # Read once before the clock, so that none finds the rows of the half-year colder than another.
                cursor.execute(scan)
                connection.commit()
                if is_scan:
                    return seconds(lambda: cursor.execute(scan))
            computed: list[int] = []
            taken = seconds(lambda: computed.append(computation.compute(connection, HALF)))
            if computed == [0]:
                raise AssertionError("nothing was due")
            return taken

    return work
