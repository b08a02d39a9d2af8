"""A register: yesterday's snapshot is in core, and today's has one row in a thousand changed."""

from __future__ import annotations

from datetime import timedelta

from benchmarks import delivery, raw_copy
from benchmarks.generate import HALF, Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import medians
from halfyear import warehouse
from halfyear.settings import Settings
from halfyear.staging import validation

SOURCE = "hotline_register"
_OURS = "next snapshot"


def measure(home: Home) -> list[Measurement]:
    validation.import_great_expectations()
    rows = home.rows // 2
    changed = len(range(0, rows, 1000))
    yesterday = Export(SOURCE, rows, snapshot_date=HALF.last_day - timedelta(days=1))
    today = Export(SOURCE, rows, is_changed=True)
    file = home.file(today)

    def first_snapshot(settings: Settings) -> None:
        delivery.place(settings, home.file(yesterday), SOURCE)
        delivery.load_timed(settings, SOURCE, rows)

    template = home.template("first_snapshot", first_snapshot)

    def load() -> float:
        with home.warehouse(template) as settings:
            delivery.place(settings, file, SOURCE)
            taken = delivery.load_timed(settings, SOURCE, rows)
            _see(settings, rows, changed)
            return taken

    taken = medians({raw_copy.NAME: raw_copy.run(home, file, rows), _OURS: load})
    home.drop_template(template)
    what = f"register of {rows:,} rows, 0.1 % changed"
    note = f"only the {changed:,} changed rows were written"
    return [Measurement(what, taken[_OURS], raw_copy.NAME, taken[raw_copy.NAME], 1.5, note=note)]


def _see(settings: Settings, rows: int, changed: int) -> None:
    """Raise unless exactly the changed rows have a version that ended and a new one."""
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select count(*), count(*) filter (where upper_inf(known_at) and upper_inf(valid_at)), "
            f"count(*) filter (where not upper_inf(known_at)) from core.{SOURCE}"
        )
        # A changed row: what was known until tonight, until when it was true, and what is true now.
        if cursor.fetchone() != (rows + 2 * changed, rows, changed):
            raise AssertionError("the register wrote more than what changed")
