"""Figures: the indicators of a half-year as people ask for them, in force or as known at an instant."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor

from halfyear.indicators import computation, indicator
from halfyear.indicators.definition import CITY, Definition, plain, rounded
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE

#: The columns of ``mart.indicator``, which every answer has.
FIGURE_COLUMNS = (
    "period",
    "indicator_code",
    "name_zh",
    "name_en",
    "domain",
    "unit",
    "kind",
    "body_code",
    "body_name",
    "numerator",
    "denominator",
    "value",
    "printed",
    "previous_value",
    "change_on_previous",
    "year_ago_value",
    "change_on_year",
    "status",
    "vintage",
    "computed_at",
)


def figures(
    connection: Connection, period: Period, body: str | None = None, as_known: datetime | None = None
) -> list[dict[str, Any]]:
    """The rows of ``mart.indicator`` for a half-year and one body (None: the whole city), in the order of the tables.

    With ``as_known`` they are computed from the rows known at that instant, by today's definitions, the
    periods compared with as well; status is then ``as_known`` and ``computed_at`` the instant.
    """
    if as_known is None:
        with connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(
                f"select {', '.join(f'i.{c}' for c in FIGURE_COLUMNS)} from mart.indicator as i "
                "left join mart.definition as d on d.indicator_code = i.indicator_code and d.is_published "
                "where i.period = %s and i.body_code is not distinct from %s order by d.sort_order",
                (str(period), body),
            )
            return [dict(row) for row in cursor]
    if as_known.tzinfo is None:
        as_known = as_known.replace(tzinfo=LOCAL_ZONE)
    with connection.cursor() as cursor:
        cursor.execute("select name from core.body where code = %s", (body,))
        name = cursor.fetchone()
    body_name = CITY if body is None else name[0] if name else None
    published = [d for d in indicator.definitions(connection).values() if d.is_published]
    values = [
        {
            pair: {o.body_code: o for o in computed.observations}
            for pair, computed in computation.observe_all(connection, published, p, as_known).items()
        }
        for p in (period, period.previous, period.year_ago)
    ]
    rows = []
    for d in published:
        then, before, year_ago = (of_period[d.pair].get(body) for of_period in values)
        if then is None:
            continue
        earlier = [o.value if o else None for o in (before, year_ago)]
        changes = [_change(d, then.value, value) for value in earlier]
        row = (
            str(period), d.code, d.name_zh, d.name_en, d.domain, d.unit, d.kind, body, body_name,
            then.numerator, then.denominator, then.value, then.printed,
            earlier[0], changes[0], earlier[1], changes[1], "as_known", None, as_known,
        )  # fmt: skip
        rows.append(dict(zip(FIGURE_COLUMNS, row, strict=True)))
    return rows


def _change(definition: Definition, value: Decimal | None, earlier: Decimal | None) -> Decimal | None:
    """环比 or 同比 of the values shown; the same as in sql/mart/indicator.sql, which a test holds."""
    if value is None or earlier is None:
        return None
    now, then = definition.shown(value), definition.shown(earlier)
    if then == 0:
        return None
    return now - then if definition.kind == "ratio" else plain(rounded((now - then) * 100 / then, 12))
