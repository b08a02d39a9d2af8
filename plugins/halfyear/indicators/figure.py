"""Figures: the indicators of a half-year as people ask for them, in force or as known at an instant."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import RealDictCursor

from halfyear.contract import Title
from halfyear.indicators import indicator, observation
from halfyear.indicators.definition import CITY, Definition
from halfyear.indicators.observation import Observation
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
    "previous_printed",
    "previous_vintage",
    "previous_first_printed",
    "previous_not_comparable",
    "year_ago_printed",
    "year_ago_vintage",
    "year_ago_first_printed",
    "year_ago_not_comparable",
    "decimals",
    "sort_order",
    "domain_zh",
    "domain_en",
)
#: What stands in place of a change, by the reason that mart.indicator gives.
NOT_COMPARABLE = {
    "unit": Title(zh="计量单位不同", en="another unit"),
    "definition": Title(zh="指标定义不同", en="another definition"),
}


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
                f"select {', '.join(FIGURE_COLUMNS)} from mart.indicator "
                "where period = %s and body_code is not distinct from %s order by sort_order, indicator_code",
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
    now, before, year_ago = (
        _observed(connection, published, each, body, as_known) for each in (period, period.previous, period.year_ago)
    )
    changes = zip(
        _changes(connection, published, now, before), _changes(connection, published, now, year_ago), strict=True
    )
    rows = [
        (
            str(period), d.code, d.name_zh, d.name_en, d.domain, d.unit, d.kind, body, body_name,
            o.numerator, o.denominator, o.value, o.printed,
            _value(previous), on_previous, _value(earlier), on_year, "as_known", None, as_known,
            # Computed as known at one instant, by one definition: no vintage, no other print, nothing that is not comparable.
            previous and previous.printed, None, None, None, earlier and earlier.printed, None, None, None,
            d.decimals, d.sort_order, d.domain_zh, d.domain_en,
        )
        for d, o, previous, earlier, (on_previous, on_year) in zip(
            published, now, before, year_ago, changes, strict=True
        )
        if o is not None
    ]  # fmt: skip
    return [dict(zip(FIGURE_COLUMNS, row, strict=True)) for row in rows]


def _observed(
    connection: Connection, definitions: Sequence[Definition], period: Period, body: str | None, as_known: datetime
) -> list[Observation | None]:
    """What each definition gives for a body (None: the whole city), as known at an instant."""
    computed = observation.observe_all(connection, definitions, period, as_known)
    return [next((o for o in computed[d.pair].observations if o.body_code == body), None) for d in definitions]


def _changes(
    connection: Connection,
    definitions: Sequence[Definition],
    now: Sequence[Observation | None],
    earlier: Sequence[Observation | None],
) -> list[Decimal | None]:
    """环比 or 同比 of observations against earlier ones, from the exact values."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select indicators.change(kind, value, earlier) from unnest(%s::text[], %s::numeric[], %s::numeric[]) "
            "with ordinality as asked (kind, value, earlier, place) order by place",
            ([d.kind for d in definitions], list(map(_value, now)), list(map(_value, earlier))),
        )
        return [row[0] for row in cursor]


def _value(observation: Observation | None) -> Decimal | None:
    return observation.value if observation else None
