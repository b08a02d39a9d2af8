"""File to staging table, in each format, against raw COPY of the same rows as CSV in UTF-8."""

from __future__ import annotations

from benchmarks import delivery, raw_copy
from benchmarks.generate import Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import Run, medians

#: The greatest good ratio to raw COPY, by kind of file.
_GOALS = {"utf-8": 0.8, "gb18030": 1.0, "parquet": 0.8}
_NAMES = {"utf-8": "CSV, UTF-8", "gb18030": "CSV, GB18030", "parquet": "Parquet"}
_TWO_STREAMS = f"{raw_copy.NAME}, two streams"


def measure(home: Home) -> list[Measurement]:
    exports = {kind: Export("hotline_call", home.rows, kind) for kind in _GOALS}
    csv = home.file(exports["utf-8"])
    runs: dict[str, Run] = {raw_copy.NAME: raw_copy.run(home, csv, home.rows)}
    runs |= {_NAMES[kind]: _stage(home, export) for kind, export in exports.items()}
    taken = medians(runs)
    taken |= medians({_TWO_STREAMS: raw_copy.run(home, csv, home.rows, streams=2)}, repetitions=1)
    limit = taken[raw_copy.NAME]
    size = csv.stat().st_size
    rate = f"{home.rows / limit:,.0f} rows and {size / limit / 1e6:.0f} MB a second"
    return [
        Measurement(f"{raw_copy.NAME} of the CSV file (the limit)", limit, note=rate),
        Measurement(_TWO_STREAMS, taken[_TWO_STREAMS], raw_copy.NAME, limit, note="information; once"),
        *(
            Measurement(f"file to staging: {_NAMES[kind]}", taken[_NAMES[kind]], raw_copy.NAME, limit, goal)
            for kind, goal in _GOALS.items()
        ),
    ]


def _stage(home: Home, export: Export) -> Run:
    file = home.file(export)
    contract = home.contract(export.source)

    def staged() -> float:
        with (
            home.warehouse() as settings,
            delivery.staged(settings, file, contract, export.snapshot_date) as (table, taken),
        ):
            if table.summary.rows_accepted != export.rows or table.rows_duplicate:
                raise AssertionError(f"staged {table.summary}")
            return taken

    return staged
