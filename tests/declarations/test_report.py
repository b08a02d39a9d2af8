"""The report's template: every slot is known, every printed figure is in it, and no number stands beside the slots."""

from __future__ import annotations

import csv
import re

from halfyear import settings as settings_module
from halfyear.indicators import definition
from halfyear.publishing.report import template

SETTINGS = settings_module.load()
DEFINITIONS = {d.code: d for d in definition.load_all(SETTINGS.sql).values() if d.is_published}
TEXT = template.path(SETTINGS).read_text("utf-8")
TEMPLATE = template.load(SETTINGS, DEFINITIONS)


def test_every_figure_that_the_bureau_prints_has_its_slot() -> None:
    path = SETTINGS.expectations / "indicators" / "published_figure.csv"
    with path.open(encoding="utf-8-sig", newline="") as stream:
        printed = {row["indicator_code"] for row in csv.DictReader(stream) if row["period"] == "2022-S1"}
    slots = {slot.name for part in TEMPLATE.parts for slot in part.slots}
    assert len(printed) == 52
    assert printed - slots == set()


def test_no_number_is_written_beside_the_slots() -> None:
    """The name of the hotline is none."""
    for part in TEMPLATE.parts:
        if part.kind in ("paragraph", "signature"):
            text = "".join(piece for piece in part.pieces if isinstance(piece, str)).replace("“12345”", "")
            assert not re.search(r"[0-9０-９]", text), (part.line, text)
