"""The demo exports: files as the systems of an invented city would have dropped them, from a seed.

Four half-years of each source, in the formats of ``sources.md`` and with their usual trouble. The rows
are made so that the half-year figures come out of them; the figures themselves are written nowhere.

Modules, in the order in which data meets them: ``city`` (bodies and persons), ``spelling`` (how systems
write dates and yes/no), ``exporting`` (tables to bytes), then one module per source.
"""

from __future__ import annotations

import importlib
import os
import pkgutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from halfyear import period
from halfyear.errors import UsageError
from halfyear.period import Period
from halfyear_demo import city
from halfyear_demo.exporting import Export

_MODULES = (importlib.import_module(f"{__name__}.{module.name}") for module in pkgutil.iter_modules(__path__))
#: Every module here that names its SOURCE: a new source of the demo is one module.
SOURCES: dict[str, Callable[[city.City, int], list[Export]]] = {
    module.SOURCE: module.exports for module in _MODULES if hasattr(module, "SOURCE")
}
#: The half-years of the demo, oldest first.
PERIODS = tuple(period.between(Period(2020, 2), Period(2022, 1)))
SEED = 20220630


@dataclass(frozen=True)
class Written:
    """One file of the demo: where it is, and whether this call wrote it or it was already there."""

    path: Path
    is_new: bool
    export: Export


def exports(periods: int = len(PERIODS), seed: int = SEED, sources: Collection[str] = tuple(SOURCES)) -> list[Export]:
    """Every export of the last ``periods`` half-years, by arrival; the same seed gives the same bytes.

    Raises UsageError unless 1 <= ``periods`` <= 4 and for a source that the demo does not have.
    """
    unknown = sorted(set(sources) - SOURCES.keys())
    if unknown:
        raise UsageError(f"{', '.join(unknown)}: 演示数据没有这个来源 / the demo has no such source")
    if not 1 <= periods <= len(PERIODS):
        raise UsageError(f"periods={periods}: 演示数据只有 1 至 4 个半年 / the demo has 1 to {len(PERIODS)} half-years")
    wanted = PERIODS[-periods:]
    town = city.load()
    made = [export for source in sources for export in SOURCES[source](town, seed)]
    kept = [export for export in made if period.of(export.snapshot_date) in wanted]
    return sorted(kept, key=lambda export: (export.arrived_at, export.file_name))


def write(
    inbox: Path, periods: int = len(PERIODS), seed: int = SEED, sources: Collection[str] = tuple(SOURCES)
) -> list[Written]:
    """Write the demo exports to ``<inbox>/<source>/``, each with the modification time of its arrival.

    Files that are there with the same bytes are left as they are, and so is everything else in the inbox.
    A file appears under its name only when it is complete.
    """
    return [_place(inbox / export.source / export.file_name, export) for export in exports(periods, seed, sources)]


def _place(path: Path, export: Export) -> Written:
    if path.is_file() and path.read_bytes() == export.content:
        return Written(path, False, export)
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        unfinished.write_bytes(export.content)
        seconds = export.arrived_at.timestamp()
        os.utime(unfinished, (seconds, seconds))
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)
    return Written(path, True, export)
