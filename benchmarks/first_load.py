"""The first load of a source, and its first step alone: a file to its staging table, in each format; against raw COPY."""

from __future__ import annotations

import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks import delivery, raw_copy
from benchmarks.generate import Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import REPETITIONS, Run, medians, seconds
from halfyear.staging import validation

#: The greatest good ratio to raw COPY of the same rows as CSV in UTF-8, by kind of file.
_GOALS = {"utf-8": 0.8, "gb18030": 1.0, "parquet": 0.8}
_NAMES = {"utf-8": "CSV, UTF-8", "gb18030": "CSV, GB18030", "parquet": "Parquet"}
_TWO_STREAMS = f"{raw_copy.NAME}, two streams"
_LOAD = "first load"


def measure(home: Home) -> list[Measurement]:
    imports = statistics.median(_import_seconds() for _ in range(REPETITIONS))
    validation.import_great_expectations()
    exports = {kind: Export("hotline_call", home.rows, kind) for kind in _GOALS}
    csv = home.file(exports["utf-8"])
    runs: dict[str, Run] = {raw_copy.NAME: raw_copy.run(home, csv, home.rows)}
    runs |= {_NAMES[kind]: _stage(home, export) for kind, export in exports.items()}
    runs[_LOAD] = _load(home, exports["utf-8"], csv)
    taken = medians(runs)
    taken |= medians({_TWO_STREAMS: raw_copy.run(home, csv, home.rows, streams=2)}, repetitions=1)
    limit = taken[raw_copy.NAME]
    size = csv.stat().st_size
    rate = f"{home.rows / limit:,.0f} rows and {size / limit / 1e6:.0f} MB a second"
    note = "aim: 2.0; Great Expectations is imported before the clock starts, as the scheduler does"
    return [
        Measurement(f"{raw_copy.NAME} of the CSV file (the limit)", limit, note=rate),
        Measurement(_TWO_STREAMS, taken[_TWO_STREAMS], raw_copy.NAME, limit, note="information; once"),
        *(
            Measurement(f"file to staging: {_NAMES[kind]}", taken[_NAMES[kind]], raw_copy.NAME, limit, goal)
            for kind, goal in _GOALS.items()
        ),
        Measurement("inbox to core, first load", taken[_LOAD], raw_copy.NAME, limit, 2.5, note=note),
        Measurement(
            "import of Great Expectations", imports, note="information; once for a scheduler, in a new process"
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


def _load(home: Home, export: Export, file: Path) -> Run:
    def load() -> float:
        with home.warehouse() as settings:
            delivery.place(settings, file, export.source)
            home.settle()
            return delivery.load_timed(settings, export.source, export.rows)

    return load


def _import_seconds() -> float:
    program = "from halfyear.staging import validation; validation.import_great_expectations()"
    return seconds(lambda: subprocess.run([sys.executable, "-c", program], check=True))
