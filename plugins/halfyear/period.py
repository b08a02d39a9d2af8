"""Half-years: SDMX semester codes ``2022-S1`` = [2022-01-01, 2022-07-01) in Asia/Shanghai, half-open.

Figures are computed of half-years only; what others print may also be of a quarter or a month (`Span`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Literal

from halfyear.errors import UsageError
from halfyear.settings import LOCAL_ZONE

#: No half-year of ours is earlier or later, and its neighbours exist too.
_CODE = re.compile(r"((?:19|20|21)\d{2})-S([12])\Z", re.ASCII)
_SPAN = re.compile(r"((?:19|20|21)\d{2})-(?:S([12])|Q([1-4])|(0[1-9]|1[0-2]))\Z", re.ASCII)

SpanKind = Literal["half_year", "quarter", "month"]


@dataclass(frozen=True, order=True)
class Period:
    """One half-year; ``str(period)`` is its SDMX code."""

    year: int
    semester: int

    def __str__(self) -> str:
        return f"{self.year:04d}-S{self.semester}"

    @property
    def first_day(self) -> date:
        return date(self.year, 1 if self.semester == 1 else 7, 1)

    @property
    def next_day(self) -> date:
        """The first day of the next half-year, which is the exclusive end of this one."""
        return self.next.first_day

    @property
    def last_day(self) -> date:
        return self.next_day - timedelta(days=1)

    @property
    def next(self) -> Period:
        return Period(self.year, 2) if self.semester == 1 else Period(self.year + 1, 1)

    @property
    def previous(self) -> Period:
        return Period(self.year - 1, 2) if self.semester == 1 else Period(self.year, 1)

    @property
    def year_ago(self) -> Period:
        return Period(self.year - 1, self.semester)


def parse(code: str) -> Period:
    """Read an SDMX semester code; UsageError when it is none."""
    match = _CODE.match(code.strip().upper())
    if not match:
        raise UsageError(f"{code}: 不是半年期，例如 2022-S1 / not a half-year; write it as 2022-S1")
    return Period(int(match[1]), int(match[2]))


def of(day: date) -> Period:
    """The half-year in which a day lies; a time with a zone is taken to Asia/Shanghai first."""
    if isinstance(day, datetime) and day.tzinfo is not None:
        day = day.astimezone(LOCAL_ZONE)
    return Period(day.year, 1 if day.month < 7 else 2)


def containing(text: str) -> Period:
    """A half-year by its code, or the one that a day or time in ISO 8601 lies in; UsageError when it is neither."""
    try:
        return of(datetime.fromisoformat(text))
    except ValueError:
        return parse(text)


def between(first: Period, last: Period) -> list[Period]:
    """Every half-year from ``first`` to ``last``, both included; empty when ``last`` is earlier."""
    periods = []
    while first <= last:
        periods.append(first)
        first = first.next
    return periods


@dataclass(frozen=True)
class Span:
    """A half-year, quarter or month of which something was printed; both days are in it."""

    kind: SpanKind
    first_day: date
    last_day: date


def codes_within(period: Period) -> list[str]:
    """The codes of a half-year and of its quarters and months."""
    months = range(period.first_day.month, period.first_day.month + 6)
    quarters = sorted({(month + 2) // 3 for month in months})
    return [
        str(period),
        *(f"{period.year:04d}-Q{quarter}" for quarter in quarters),
        *(f"{period.year:04d}-{month:02d}" for month in months),
    ]


def span(code: str) -> Span:
    """Read an SDMX code of a half-year (2022-S1), a quarter (2022-Q1) or a month (2022-03); UsageError when it is none."""
    match = _SPAN.match(code)
    if not match:
        raise UsageError(
            f"{code}: 没有这个时期，请写作 2022-S1、2022-Q1 或 2022-03 / no such period; write 2022-S1, 2022-Q1 or 2022-03"
        )
    year, semester, quarter, month = (int(part or 0) for part in match.groups())
    kind: SpanKind = "half_year" if semester else "quarter" if quarter else "month"
    months = {"half_year": 6, "quarter": 3, "month": 1}[kind]
    first = ((semester or quarter or month) - 1) * months + 1
    after = first + months
    next_day = date(year + (after - 1) // 12, (after - 1) % 12 + 1, 1)
    return Span(kind, date(year, first, 1), next_day - timedelta(days=1))
