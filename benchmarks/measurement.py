"""A measurement: one thing, what it was held against, and whether it came near enough."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Measurement:
    """One row of the table.

    ``value`` and ``limit_value`` are medians, in ``unit`` (s or MB). ``goal`` is the greatest ratio of the two that
    is good enough; None for what is only information. Without a limit there is no ratio.
    """

    what: str
    value: float
    limit: str | None = None
    limit_value: float | None = None
    goal: float | None = None
    unit: str = "s"
    note: str = ""

    @property
    def ratio(self) -> float | None:
        return self.value / self.limit_value if self.limit_value else None

    @property
    def is_met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        return None if self.goal is None or self.ratio is None else self.ratio <= self.goal
