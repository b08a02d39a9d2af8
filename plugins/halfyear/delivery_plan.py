"""Delivery plan: when a source delivers, and which of its days have to be there before a half-year is sealed."""

from __future__ import annotations

import calendar
from datetime import date
from typing import Annotated, Literal

from pydantic import Field, model_validator

from halfyear.declared import Strict


class DeliveryDays(Strict):
    """The days that a source has to deliver, from ``since`` on until the next entry: every one, or the last of some months."""

    since: date | None = None
    month_ends: tuple[Annotated[int, Field(ge=1, le=12)], ...] = ()
    daily: bool = False

    @model_validator(mode="after")
    def _either(self) -> DeliveryDays:
        if self.daily == bool(self.month_ends):
            raise ValueError("either `monthEnds`, the months at whose end a file is due, or `daily: true`")
        if sorted(set(self.month_ends)) != list(self.month_ends):
            raise ValueError("monthEnds: each month once, in their order")
        return self


class Sla(Strict):
    """``frequency``: cron in Asia/Shanghai. ``latency_days``: a file is late when it arrives more days after its date.

    ``deliveries`` says which days have to be delivered, each by a file of that snapshot date; of ``irregular`` batches it is
    only asked that there is one of a day of the half-year. ``allows_silence``: an event file without rows says that
    nothing happened (零报告); otherwise it is an open point. ``keeps_bodies``: a body that was there before stays, so that even
    one with a single row is missed; it names one.
    """

    frequency: str
    latency_days: int = 1
    deliveries: tuple[DeliveryDays, ...] | Literal["irregular"]
    allows_silence: bool = False
    keeps_bodies: bool = False

    @model_validator(mode="after")
    def _in_order(self) -> Sla:
        if self.deliveries == ():
            raise ValueError("deliveries: say which days the source delivers, or `irregular`")
        since = [each.since or date.min for each in self.plan]
        if date.min in since[1:] or since != sorted(set(since)):
            raise ValueError("deliveries: in the order of `since`, which only the first entry may leave out")
        return self

    @property
    def plan(self) -> tuple[DeliveryDays, ...]:
        """The days that have to be delivered; empty where batches are irregular."""
        return () if self.deliveries == "irregular" else self.deliveries

    def words(self, mode: str) -> str:
        """Which days are expected of a source of this mode, and what else is said of them, for the data dictionary."""
        said = []
        for each in self.plan:
            ends = ", ".join(calendar.month_name[month] for month in each.month_ends)
            since = f" (since {each.since})" if each.since else ""
            said.append((f"the last day of {ends}" if ends else "every day") + since)
        found = ["; ".join(said) or "irregular batches, at least one in a half-year"]
        if mode == "events":
            empty = "says that nothing happened 零报告" if self.allows_silence else "is an open point"
            found.append(f"a file without rows {empty}")
        if self.keeps_bodies:
            found.append("a body that was there before stays")
        return "; ".join(found)
