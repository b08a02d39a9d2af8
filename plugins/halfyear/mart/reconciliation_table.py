"""Tables of reconciliation: what was printed of a half-year beside what its rows give, for people and programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from psycopg2.extensions import connection as Connection

from halfyear.errors import UsageError
from halfyear.mart.serialisation import Row, csv_text, plain_row
from halfyear.period import Period, codes_within

#: The columns of ``mart.reconciliation``, but for the order.
RECONCILIATION_COLUMNS = (
    "period",
    "published_no",
    "indicator_code",
    "section",
    "name_zh",
    "name_en",
    "unit",
    "published_printed",
    "published_value",
    "computed_printed",
    "computed_value",
    "numerator",
    "denominator",
    "difference",
    "verdict",
    "reading",
    "explanation_zh",
    "explanation_en",
    "possible_denominators",
    "status",
)


def reconciliation_rows(connection: Connection, period: Period) -> list[dict[str, Any]]:
    """The printed figures of a half-year beside the computed ones, in the order of the report.

    Raises UsageError when nothing was entered as printed for this half-year.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {', '.join(RECONCILIATION_COLUMNS)} from mart.reconciliation where period = %s "
            "order by substring(published_no from '^[0-9]+')::integer, published_no",
            (str(period),),
        )
        rows = [dict(zip(RECONCILIATION_COLUMNS, row, strict=True)) for row in cursor]
    if not rows:
        raise UsageError(
            f"{period}: 尚未录入公布数 / nothing is entered as printed; add it to "
            "expectations/indicators/published_figure.csv and run: halfyear migrate"
        )
    return rows


def contradictions(connection: Connection, period: Period) -> list[dict[str, Any]]:
    """The identities that what was printed of a half-year, its quarters and months breaks."""
    columns = ("period", "rule", "description_zh", "description_en", "difference", "tolerance")
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {', '.join(columns)} from mart.printed_identity where period = any(%s) and not is_kept "
            "order by period, rule",
            (codes_within(period),),
        )
        return [dict(zip(columns, row, strict=True)) for row in cursor]


def reconciliation_text(rows: Sequence[Row], form: str) -> str:
    """The comparison as json or csv."""
    if form == "json":
        return json.dumps([plain_row(row, RECONCILIATION_COLUMNS) for row in rows], ensure_ascii=False, indent=2) + "\n"
    if form == "csv":
        return csv_text(RECONCILIATION_COLUMNS, rows)
    raise UsageError(f"{form}: 只能是 json、csv / one of json, csv")
