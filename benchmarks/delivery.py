"""Our path: a file in the inbox, taken to core as a night does it, and its first step alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from itertools import count
from pathlib import Path

from benchmarks.repetition import seconds
from halfyear import staging, warehouse
from halfyear.contract import Contract
from halfyear.core.ledger import Outcome
from halfyear.reading import Parser
from halfyear.scheduling import night
from halfyear.settings import Settings
from halfyear.staging import Staged

_load_ids = count(1)


def place(settings: Settings, file: Path, source: str) -> None:
    """Put a generated file into the inbox; the bytes are not copied."""
    folder = Path(settings.inbox) / source
    folder.mkdir(exist_ok=True)
    os.link(file, folder / file.name)


def load(settings: Settings, source: str) -> list[Outcome]:
    """Land and load what is in the inbox: a look and one load for each file, as a night does."""
    received = night.look(source, settings)
    return [night.load_delivery(delivery_id, settings) for delivery_id in received.pending]


def load_timed(settings: Settings, source: str, rows: int, quarantined: int = 0) -> float:
    """The seconds of ``load`` for the one file that waits; raises when it did not come out as it should."""
    outcomes: list[Outcome] = []
    taken = seconds(lambda: outcomes.extend(load(settings, source)))
    counts = [(o.rows_read, o.rows_quarantined, o.rows_loaded) for o in outcomes]
    if counts != [(rows, quarantined, rows - quarantined)]:
        raise AssertionError(f"the load went wrong: {[o.line for o in outcomes]}")
    return taken


@contextmanager
def staged(
    settings: Settings, file: Path, contract: Contract, day: date, parser: Parser | None = None
) -> Iterator[tuple[Staged, float]]:
    """A file in its staging table, committed, and the seconds that it took; the table is dropped afterwards.

    Without a ``parser`` that was started before, its start counts.
    """
    load_id = next(_load_ids)
    made: list[Staged] = []
    with warehouse.transaction(settings) as connection:
        staging.hold(connection, load_id)
        connection.commit()

        def stage() -> None:
            file_format = file.suffix.removeprefix(".")
            made.append(staging.stage(connection, file, contract, day, load_id, settings, file_format, parser=parser))
            connection.commit()

        taken = seconds(stage)
        try:
            yield made[0], taken
        finally:
            with connection.cursor() as cursor:
                staging.drop(cursor, made[0].table, made[0].rejected_table)
