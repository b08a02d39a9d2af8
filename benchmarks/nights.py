"""Nights through the real scheduler: one with nothing new, one with a small file of every source. ``make bench-night``.

The first night, which loads the demo exports, is information: it is what ``make run`` does.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from time import time

from benchmarks.generate import ROOT
from benchmarks.measurement import Measurement
from benchmarks.repetition import medians, say, seconds
from halfyear import contract
from halfyear.landing import inbox
from halfyear.settings import LOCAL_ZONE

_STATED = "the stated seconds"
_NOTHING_NEW, _ONE_FILE_EACH = "a night with nothing new", "a night with one file of every source"
_GOALS = {_NOTHING_NEW: 30.0, _ONE_FILE_EACH: 90.0}
#: A night that found something wrong with the exports; the demo exports have such rows.
_FINDINGS = 1
_NOW = datetime.now(LOCAL_ZONE)


def measure(folder: Path | None) -> list[Measurement]:
    """Nights in a home of their own below ``folder``; nothing of it runs or remains afterwards."""
    sources = contract.load_all(ROOT / "expectations")
    with _airflow(folder) as home:
        first = seconds(lambda: _halfyear(home, "run"))
        say(f"  the first night: {first:.1f} s")
        newest = _newest(home)
        if newest.keys() != sources.keys():
            raise AssertionError(f"no demo export of {', '.join(sources.keys() - newest.keys())}")
        delivered = 0

        def one_file_each() -> float:
            nonlocal delivered
            delivered += 1
            _deliver(newest, delivered)
            return seconds(lambda: _halfyear(home, "run"))

        runs = {_NOTHING_NEW: lambda: seconds(lambda: _halfyear(home, "run")), _ONE_FILE_EACH: one_file_each}
        taken = medians(runs)
        size = sum(path.stat().st_size for path in newest.values()) / 1e6
    notes = {_ONE_FILE_EACH: f"{len(sources)} files, {size:.1f} MB together"}
    return [
        Measurement("the first night of the demo exports", first, note="information; once"),
        *(
            Measurement(name, taken[name], _STATED, stated, 1.0, note=notes.get(name, ""))
            for name, stated in _GOALS.items()
        ),
    ]


@contextmanager
def _airflow(folder: Path | None) -> Iterator[Path]:
    """A home with the demo exports in which Airflow runs."""
    home = Path(tempfile.mkdtemp(prefix="halfyear-night-", dir=folder))
    try:
        say(f"starting PostgreSQL and Airflow in {home}")
        (home / "inbox").mkdir()
        _halfyear(home, "up")
        _halfyear(home, "demo")
        yield home
    finally:
        _halfyear(home, "down")
        shutil.rmtree(home)


def _halfyear(home: Path, command: str) -> None:
    """Run a command of ``halfyear``; what it prints goes to a log in the home, and to the error if it fails."""
    kept = {name: text for name, text in os.environ.items() if not name.startswith(("HALFYEAR_", "AIRFLOW"))}
    log = home / f"{command}.log"
    with log.open("w") as output:
        done = subprocess.run(
            [sys.executable, "-c", "from halfyear.terminal.command import main; main()", command],
            env={**kept, "HALFYEAR_HOME": str(home), "HALFYEAR_PROJECT": str(ROOT)},
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=ROOT,
        )
    if done.returncode not in (0, _FINDINGS if command == "run" else 0):
        raise RuntimeError(f"halfyear {command} ended with {done.returncode}:\n{log.read_text()}")


def _newest(home: Path) -> dict[str, Path]:
    """The newest well-named demo export of each source."""
    found: dict[str, Path] = {}
    for folder in sorted((home / "inbox").iterdir()):
        named = [inbox.named(folder.name, path, 0, _NOW) for path in folder.iterdir()]
        dated = [a for a in named if a.snapshot_date and not a.fault]
        newest = max(dated, key=lambda a: (a.snapshot_date or date.min, a.sequence or 0))
        found[folder.name] = Path(newest.path)
    return found


def _deliver(newest: dict[str, Path], days: int) -> None:
    """Deliver the newest file of each source again, for a day so many days later."""
    for source, path in newest.items():
        day = inbox.named(source, path, 0, _NOW).snapshot_date
        assert day is not None
        copy = path.with_name(f"{source}_{day + timedelta(days=days):%Y%m%d}{path.suffix}")
        shutil.copyfile(path, copy)
        old = time() - 3600
        os.utime(copy, (old, old))
