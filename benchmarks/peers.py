"""What else takes a file to a typed table, on the same rows: dlt, pandas, and Great Expectations on pandas."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from benchmarks import delivery, raw_copy
from benchmarks.generate import ROOT, Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import Run, medians, seconds
from halfyear import checks, warehouse

_MOST_ROWS = 200_000
_STAGING = "Halfyear, file to staging"
_CORE = "Halfyear, inbox to core"
_CHECKS = "Halfyear, rules in PostgreSQL"
_DLT = "dlt, as it comes"
_DLT_BEST = ("dlt, Arrow and CSV", "dlt, Arrow and Parquet")
_TABLES = {
    _DLT: "dlt_default",
    _DLT_BEST[0]: "dlt_csv",
    _DLT_BEST[1]: "dlt_parquet",
    "pandas read_csv and to_sql": "pandas_to_sql",
    "pandas and COPY": "pandas_copy",
}
_RULES_ON_PANDAS = "Great Expectations on pandas"


def measure(home: Home) -> list[Measurement]:
    checks.import_great_expectations()
    export = Export("hotline_call", min(home.rows, _MOST_ROWS))
    file = home.file(export)
    peaks: dict[str, float] = {}
    runs: dict[str, Run] = {
        raw_copy.NAME: raw_copy.run(home, file, export.rows),
        _STAGING: _stage(home, export),
        _CORE: _load(home, export),
        **{name: _peer(home, name, peer, file, export.rows, peaks) for name, peer in _TABLES.items()},
        _CHECKS: _check(home, export),
        _RULES_ON_PANDAS: _peer(home, _RULES_ON_PANDAS, "great_expectations_pandas", file, export.rows, peaks),
    }
    taken = medians(runs)
    best = min(_DLT_BEST, key=lambda name: taken[name])
    ours = f"{_STAGING}, {export.rows:,} rows"
    information = f"information, {export.rows:,} rows"
    return [
        Measurement(ours, taken[_STAGING], _DLT, taken[_DLT], 1 / 10, note="goal: 10 times as fast"),
        Measurement(ours, taken[_STAGING], best, taken[best], 1 / 3, note="its best; goal: 3 times as fast"),
        *(
            Measurement(
                name,
                taken[name],
                raw_copy.NAME,
                taken[raw_copy.NAME],
                note=f"{information}" + (f"; {peaks[name]:.0f} MB" if name in peaks else ""),
            )
            for name in (_STAGING, _CORE, *_TABLES)
        ),
        Measurement(
            _RULES_ON_PANDAS,
            taken[_RULES_ON_PANDAS],
            _CHECKS,
            taken[_CHECKS],
            note=f"{information}; {peaks[_RULES_ON_PANDAS]:.0f} MB, with the file read into a frame",
        ),
    ]


def _peer(home: Home, name: str, peer: str, file: Path, rows: int, peaks: dict[str, float]) -> Run:
    def run() -> float:
        with home.warehouse() as settings:
            command = [sys.executable, "-m", "benchmarks.peer", peer, str(file), str(settings.warehouse)]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        if found["rows"] != rows:
            raise AssertionError(f"{name} loaded {found['rows']} of {rows} rows")
        peaks[name] = max(peaks.get(name, 0.0), found["peak_mb"])
        return float(found["seconds"])

    return run


def _stage(home: Home, export: Export) -> Run:
    def run() -> float:
        contract = home.contract(export.source)
        with (
            home.warehouse() as settings,
            delivery.staged(settings, home.file(export), contract, export.snapshot_date) as (_, taken),
        ):
            return taken

    return run


def _load(home: Home, export: Export) -> Run:
    def run() -> float:
        with home.warehouse() as settings:
            delivery.place(settings, home.file(export), export.source)
            return delivery.load_timed(settings, export.source, export.rows)

    return run


def _check(home: Home, export: Export) -> Run:
    def run() -> float:
        contract = home.contract(export.source)
        day = export.snapshot_date
        with (
            home.warehouse() as settings,
            delivery.staged(settings, home.file(export), contract, day) as (table, _),
            warehouse.transaction(settings) as connection,
        ):
            url = warehouse.sqlalchemy_url(settings)
            return seconds(lambda: checks.run(connection, url, "staging", table.table, contract, day))

    return run
