"""The scope of a report: its half-year, the indicators that it shows and its seal; and what it asks of the mart."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor

from halfyear.period import Period
from halfyear.statement_file import statement

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

    def rows(self, name: str, **values: Any) -> list[Row]:
        """The rows of the statement ``<name>.sql`` of this folder, which may use the scope's own values and ``values``.

        Its own are ``period``, ``first_day``, ``last_day``, ``codes`` and ``vintage``, which is null for a draft.
        """
        given = {
            "period": str(self.period),
            "first_day": self.period.first_day,
            "last_day": self.period.last_day,
            "codes": list(self.codes),
            "vintage": self.seal and self.seal.vintage,
        }
        return _rows(self.connection, statement(__file__, name), given | values)


def _rows(connection: Connection, select: str, values: Mapping[str, Any]) -> list[Row]:
    with connection.cursor(cursor_factory=RealDictCursor) as cursor:
        cursor.execute(select, values)
        return [dict(row) for row in cursor]


def seal(connection: Connection, period: Period) -> Seal | None:
    """The seal of a half-year; None while it is open."""
    rows = _rows(connection, "select * from mart.vintage where period = %(period)s order by vintage",
                 {"period": str(period)})  # fmt: skip
    if not rows:
        return None
    last = rows[-1]
    return Seal(last["vintage"], last["sealed_at"], last["prepared_by"], last["approved_by"], tuple(rows))
