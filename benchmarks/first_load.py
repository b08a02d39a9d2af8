"""The first load of a source: a file in the inbox, through landing, staging and checks into an empty core."""

from __future__ import annotations

import statistics
import subprocess
import sys

from benchmarks import delivery, raw_copy
from benchmarks.generate import Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import REPETITIONS, medians, seconds
from halfyear import checks

_OURS = "first load"


def measure(home: Home) -> list[Measurement]:
    imports = statistics.median(_import_seconds() for _ in range(REPETITIONS))
    checks.import_great_expectations()
    export = Export("hotline_call", home.rows)
    file = home.file(export)

    def load() -> float:
        with home.warehouse() as settings:
            delivery.place(settings, file, export.source)
            home.settle()
            return delivery.load_timed(settings, export.source, export.rows)

    taken = medians({raw_copy.NAME: raw_copy.run(home, file, home.rows), _OURS: load})
    note = "aim: 2.0; Great Expectations is imported before the clock starts, as the scheduler does"
    return [
        Measurement("inbox to core, first load", taken[_OURS], raw_copy.NAME, taken[raw_copy.NAME], 2.5, note=note),
        Measurement(
            "import of Great Expectations", imports, note="information; once for a scheduler, in a new process"
        ),
    ]


def _import_seconds() -> float:
    program = "from halfyear import checks; checks.import_great_expectations()"
    return seconds(lambda: subprocess.run([sys.executable, "-c", program], check=True))
