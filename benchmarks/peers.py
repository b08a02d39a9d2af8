"""What else takes a file to a typed table, on the same rows: dlt, pandas, and Great Expectations on pandas."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from typing import Any

from benchmarks import delivery, raw_copy
from benchmarks.generate import ROOT, Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import Run, medians, seconds
from halfyear import reading, warehouse
from halfyear.staging import validation

_MOST_ROWS = 200_000
#: What needs a minute for 200,000 rows is held against us, and against raw COPY, on a tenth of them.
_FEWER_ROWS = _MOST_ROWS // 10
_START_SECONDS = 1.0
_STAGING = "Halfyear, file to staging"
_CORE = "Halfyear, inbox to core"
_CHECKS = "Halfyear, rules in PostgreSQL"
_DLT = "dlt, as it comes"
_DLT_BEST = "dlt, Arrow and Parquet"
_PANDAS = "pandas and COPY"
_RULES_ON_PANDAS = "Great Expectations on pandas"
#: The peers by the name that they have in ``peer``.
_FAST = {_DLT_BEST: "dlt_parquet", _PANDAS: "pandas_copy", _RULES_ON_PANDAS: "great_expectations_pandas"}
_SLOW = {_DLT: "dlt_default", "dlt, Arrow and CSV": "dlt_csv", "pandas read_csv and to_sql": "pandas_to_sql"}


def measure(home: Home) -> list[Measurement]:
    validation.import_great_expectations()
    most = Export("hotline_call", min(home.rows, _MOST_ROWS))
    fewer = Export("hotline_call", min(home.rows, _FEWER_ROWS))
    peaks: dict[str, float] = {}
    fast = medians(
        {
            raw_copy.NAME: raw_copy.run(home, home.file(most), most.rows),
            _STAGING: _stage(home, most),
            _CORE: _load(home, most),
            _CHECKS: _check(home, most),
            **{name: _peer(home, name, peer, most, peaks) for name, peer in _FAST.items()},
        }
    )
    slow = medians(
        {
            raw_copy.NAME: raw_copy.run(home, home.file(fewer), fewer.rows),
            _STAGING: _stage(home, fewer),
            **{name: _peer(home, name, peer, fewer, peaks) for name, peer in _SLOW.items()},
        }
    )

    def beside_copy(taken: dict[str, float], export: Export, *names: str) -> list[Measurement]:
        limit = taken[raw_copy.NAME]
        return [
            Measurement(
                f"{name}, {export.rows:,} rows",
                taken[name],
                raw_copy.NAME,
                limit,
                note="information" + (f"; {peaks[name]:.0f} MB" if name in peaks else ""),
            )
            for name in names
        ]

    return [
        Measurement(
            f"{_STAGING}, {fewer.rows:,} rows", slow[_STAGING], _DLT, slow[_DLT], 1 / 10, note="goal: 10 times as fast"
        ),
        Measurement(
            f"{_STAGING}, {most.rows:,} rows",
            fast[_STAGING],
            _DLT_BEST,
            fast[_DLT_BEST],
            1 / 3,
            note="its best; goal: 3 times as fast",
        ),
        *beside_copy(fast, most, _STAGING, _CORE, _DLT_BEST, _PANDAS),
        *beside_copy(slow, fewer, _STAGING, *_SLOW),
        Measurement(
            f"{_RULES_ON_PANDAS}, {most.rows:,} rows",
            fast[_RULES_ON_PANDAS],
            _CHECKS,
            fast[_CHECKS],
            note=f"information; {peaks[_RULES_ON_PANDAS]:.0f} MB, with the file read into a frame",
        ),
    ]


def _peer(home: Home, name: str, peer: str, export: Export, peaks: dict[str, float]) -> Run:
    file = home.file(export)

    def run() -> float:
        with home.warehouse() as settings:
            command = [sys.executable, "-m", "benchmarks.peer", peer, str(file), str(settings.warehouse)]
            done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, text=True, check=True)
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
        if found["rows"] != export.rows:
            raise AssertionError(f"{name} loaded {found['rows']} of {export.rows} rows")
        peaks[name] = max(peaks.get(name, 0.0), found["peak_mb"])
        return float(found["seconds"])

    return run


def _stage(home: Home, export: Export) -> Run:
    def run() -> float:
        contract = home.contract(export.source)
        file = home.file(export)
        with home.warehouse() as settings, reading.Parser(settings) as parser:
            # The peers are through with their imports, too, when the clock starts.
            time.sleep(_START_SECONDS)
            with delivery.staged(settings, file, contract, export.snapshot_date, parser) as (_, taken):
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
            return seconds(lambda: validation.run(connection, url, "staging", table.table, contract, day))

    return run
