"""The scope of a report: its half-year, the indicators that it shows and its seal; and what it asks of the mart."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor

from halfyear.period import Period
from halfyear.publishing import page

Row = Mapping[str, Any]


@dataclass(frozen=True)
class Seal:
    """The newest vintage of a half-year, and all of them, oldest first, as rows of ``mart.vintage``."""

    vintage: int
    sealed_at: datetime
    prepared_by: str
    approved_by: str
    vintages: tuple[Row, ...]

    @property
    def latest(self) -> Row:
        return self.vintages[-1]


@dataclass(frozen=True)
class Scope:
    """What every annex is made for; ``codes`` are the indicators that the report shows."""

    connection: Connection
    period: Period
    codes: tuple[str, ...]
    seal: Seal | None

    def rows(self, name: str) -> Sequence[Row]:
        """The rows of a page, see `page.rows`."""
        return page.rows(self.connection, self.period, name)


def seal(connection: Connection, period: Period) -> Seal | None:
    """The seal of a half-year; None while it is open."""
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute("select * from mart.vintage where period = %s order by vintage", (str(period),))
        rows = [dict(row) for row in cursor]
    if not rows:
        return None
    last = rows[-1]
    return Seal(last["vintage"], last["sealed_at"], last["prepared_by"], last["approved_by"], tuple(rows))
