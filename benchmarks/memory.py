"""The greatest resident size of the processes of a load, at the full number of rows and at a tenth of it.

The loader prints its own. The parser is its child, or two processes that share the bound: /proc tells the peak of a process as long as it lives
(``ru_maxrss`` would not do: a child begins with the peak of its parent).
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import time
from pathlib import Path

import psutil

from benchmarks import delivery
from benchmarks.generate import ROOT, Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import say
from halfyear.reading.child import PROGRAM
from halfyear.settings import Settings

#: The greatest resident size in MB that is good.
_GOALS = {"parser": 512.0, "loader": 300.0}
_LOOK_SECONDS = 0.02


def measure(home: Home) -> list[Measurement]:
    small, large = (_peaks(home, rows) for rows in (home.rows // 10, home.rows))
    return [
        Measurement(
            f"peak memory of the {process}",
            large[process],
            "the bound",
            goal,
            1.0,
            unit="MB",
            note=f"{small[process]:.0f} MB at a tenth of the rows",
        )
        for process, goal in _GOALS.items()
    ]


def _peaks(home: Home, rows: int) -> dict[str, float]:
    export = Export("hotline_call", rows)
    with home.warehouse() as settings:
        delivery.place(settings, home.file(export), export.source)
        found = _load(settings, export.source)
    say(f"  {rows:,} rows: " + ", ".join(f"{process} {peak:.0f} MB" for process, peak in found.items()))
    return found


def _load(settings: Settings, source: str) -> dict[str, float]:
    given = {
        "HALFYEAR_INBOX": settings.inbox,
        "HALFYEAR_LANDING": settings.landing,
        "HALFYEAR_WAREHOUSE": str(settings.warehouse),
    }
    command = [sys.executable, "-m", "benchmarks.load_once", source]
    parsers: dict[int, float] = {}
    with subprocess.Popen(command, cwd=ROOT, env={**os.environ, **given}, stdout=subprocess.PIPE, text=True) as loader:
        process = psutil.Process(loader.pid)
        while loader.poll() is None:
            parsers |= _parser_peaks(process)
            time.sleep(_LOOK_SECONDS)
        printed = loader.stdout.read() if loader.stdout else ""
    if loader.returncode:
        raise AssertionError(f"the load failed: {printed}")
    return {"parser": sum(parsers.values()), "loader": float(printed)}


def _parser_peaks(loader: psutil.Process) -> dict[int, float]:
    found = {}
    try:
        for child in loader.children(recursive=True):
            if PROGRAM in child.cmdline():
                found[child.pid] = peak_mb(str(child.pid))
    except (psutil.Error, OSError):  # it ended meanwhile
        pass
    return found


def peak_mb(process: str) -> float:
    """The greatest resident size of a process so far (``self``, or its number), in MB."""
    status = (Path("/proc") / process / "status").read_text()
    peak = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    if peak is None:
        raise ProcessLookupError(process)
    return int(peak[1]) / 1024
