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
from halfyear import checks, indicator, warehouse
from halfyear.period import Period
from halfyear.settings import Settings

SOURCE = "hotline_call"
_SCAN = "one aggregate scan"
_FIRST = 1000
#: Half-years before the one that is computed, in the second case.
_EARLIER = 4
#: The share of the period that a later night adds.
_ADDED = 0.01


def measure(home: Home) -> list[Measurement]:
    checks.import_great_expectations()
    rows = home.rows // 10
    added = max(1, round(rows * _ADDED))
    calls = _FIRST + rows + added
    halves = [HALF]
    while len(halves) <= _EARLIER:
        halves.insert(0, halves[0].previous)
    cases = {
        "alone": home.template("alone", lambda settings: _fill(home, settings, [HALF], rows, calls)),
        f"{_EARLIER} equal half-years before it": home.template(
            "among_others", lambda settings: _fill(home, settings, halves, rows, calls)
        ),
    }

    def one_more_night(settings: Settings) -> None:
        _compute(settings)
        night = Export(SOURCE, added, snapshot_date=HALF.last_day, first=_FIRST + rows, calls=calls)
        _deliver(home, settings, night)

    cases["after a night that adds 1 %"] = home.template("added", one_more_night, base="alone")
    runs: dict[str, Run] = {_SCAN: _run(home, "alone", is_scan=True)}
    runs |= {name: _run(home, template, is_scan=False) for name, template in cases.items()}
    taken = medians(runs)
    for template in cases.values():
        home.drop_template(template)
    count = sum(definition.sources == (SOURCE,) for definition in indicator.load_all(home.settings.sql).values())
    what = f"{count} indicators of a half-year of {rows:,} rows"
    alone, among_others, added_to = cases
    return [
        Measurement(
            f"{what}, {alone}", taken[alone], _SCAN, taken[_SCAN], None, note="information: summed from nothing"
        ),
        Measurement(f"{what}, {among_others}", taken[among_others], "alone", taken[alone], 1.25),
        Measurement(f"{what}, {added_to}", taken[added_to], _SCAN, taken[_SCAN], 2.0),
    ]


def _fill(home: Home, settings: Settings, halves: list[Period], rows: int, calls: int) -> None:
    """Half-years of equal size; all but the last are computed, and of the last the first rows."""
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
        for period in indicator.stale_periods(connection):
            indicator.compute(connection, period)


def _run(home: Home, template: str, is_scan: bool) -> Run:
    scan = (ROOT / "benchmarks" / "sql" / "aggregate_scan.sql").read_text("utf-8")

    def work() -> float:
        with home.warehouse(template) as settings, warehouse.transaction(settings) as connection:
            with connection.cursor() as cursor:
                # Read once, so that neither finds the rows colder than the other.
                cursor.execute(f"select sum(load_id) from core.{SOURCE}")
                connection.commit()
                if is_scan:
                    return seconds(lambda: cursor.execute(scan))
            computed: list[int] = []
            taken = seconds(lambda: computed.append(indicator.compute(connection, HALF)))
            if computed == [0]:
                raise AssertionError("nothing was due")
            return taken

    return work
