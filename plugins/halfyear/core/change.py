"""Change: a day of a source for which another load stands than before."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True)
class Change:
    """What changed on a day, and what lies after it.

    ``old`` and ``new`` are the loads that stood and stand for the day; None: none did. ``later`` has the loads that stand for
    later days, oldest first, and ``reached`` those of them whose versions of a register may begin anew.
    """

    day: date
    old: int | None
    new: int | None
    later: Mapping[date, int]
    reached: Mapping[date, int]
