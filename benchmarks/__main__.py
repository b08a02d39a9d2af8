"""``python -m benchmarks``: measure, print, and write docs/performance.md. See benchmarks/README.md."""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from benchmarks import (
    checks_cost,
    first_load,
    home,
    indicators,
    machine,
    mart,
    memory,
    nights,
    peers,
    performance_page,
    register,
    workbook,
)
from benchmarks.generate import Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.performance_page import Section
from benchmarks.repetition import say
from halfyear.settings import LOCAL_ZONE

#: What a run measures, in this order.
SECTIONS: dict[str, Callable[[Home], list[Measurement]]] = {
    "load": first_load.measure,
    "checks": checks_cost.measure,
    "register": register.measure,
    "memory": memory.measure,
    "indicators": indicators.measure,
    "mart": mart.measure,
    "workbook": workbook.measure,
    "peers": peers.measure,
}
#: Has a home of its own and takes longest, so it is measured only when it is asked for.
NIGHT = "night"
_ORDER = (*SECTIONS, NIGHT)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="make bench", description="Measure Halfyear against the limits of the machine."
    )
    parser.add_argument("--rows", type=int, default=2_000_000, help="rows of the export; 20000000 is full size")
    parser.add_argument("--only", default="", help=f"sections, joined by commas: {', '.join(_ORDER)}")
    parser.add_argument("--folder", type=Path, help="where files and databases go while it runs; default: temporary")
    given = parser.parse_args()
    wanted = [name for name in given.only.split(",") if name] or list(SECTIONS)
    if unknown := set(wanted) - set(_ORDER):
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    if given.rows < 10_000:
        parser.error("--rows: 10000 at least")
    # A run that is told to end stops what it started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    began = time.monotonic()
    found = _measure([name for name in wanted if name != NIGHT], given.rows, given.folder)
    if NIGHT in wanted:
        found[NIGHT] = _section(nights.measure(given.folder), machine.facts(), None)
    performance_page.write(found, _ORDER)
    print()
    print(performance_page.table(list(found.items())))
    say(f"{time.monotonic() - began:.0f} s; written to docs/performance.md and docs/performance.json")


def _measure(wanted: list[str], rows: int, folder: Path | None) -> dict[str, Section]:
    if not wanted:
        return {}
    found = {}
    with home.opened(rows, folder) as opened:
        facts = {**machine.facts(), "PostgreSQL": machine.postgresql(opened.settings)}
        for name in wanted:
            began = time.monotonic()
            say(f"{name}:")
            found[name] = _section(SECTIONS[name](opened), facts, rows)
            # The one that several sections read.
            opened.forget(Export("hotline_call", rows))
            say(f"  {name} took {time.monotonic() - began:.0f} s")
    return found


def _section(measurements: list[Measurement], facts: dict[str, str], rows: int | None) -> Section:
    return Section(datetime.now(LOCAL_ZONE).date().isoformat(), rows, facts, tuple(measurements))


if __name__ == "__main__":
    main()
