"""Traces: the rows behind a number, counted and left out, with file and line.

A trace runs a definition's own select without aggregating.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from psycopg2.extensions import connection as Connection

from halfyear.indicators import indicator
from halfyear.indicators.definition import COLUMNS, Definition
from halfyear.indicators.observation import Observation, observe
from halfyear.indicators.population import HISTORY, LAST_DAY, YEAR_END_BEFORE
from halfyear.indicators.scan import parameters
from halfyear.period import Period
from halfyear.statement_file import statement

_OF_BODY = "%(body)s is null or c.body_code in (select part_code from core.body_part where body_code = %(body)s)"
#: What ``excluded_because`` begins with for a row in quarantine.
QUARANTINE = "quarantine"
#: The columns of a traced row.
TRACE_COLUMNS = ("period", "indicator_code", "reading", *COLUMNS, "file_name", "snapshot_date")


def trace(
    connection: Connection,
    code: str,
    reading: str,
    period: Period,
    body: str | None = None,
    as_known: datetime | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows behind a number: counted first, then those in the denominator only, then those left out.

    ``body`` None is the whole city. Rows stream from the server; each says its file, snapshot date and row.
    Raises UsageError for an unknown indicator.
    """
    wanted = indicator.definition(connection, code, reading)
    return _trace(connection, wanted, period, body, as_known)


def _trace(
    connection: Connection, wanted: Definition, period: Period, body: str | None, as_known: datetime | None
) -> Iterator[dict[str, Any]]:
    with connection.cursor(name="halfyear_trace") as cursor:
        cursor.itersize = 2000
        cursor.execute(
            f"with contribution as (\n{wanted.query})\n"
            f"select {', '.join(f'c.{column}' for column in COLUMNS)}, d.file_name, d.snapshot_date\n"
            "from contribution as c\n"
            "left join lineage.load as l on l.load_id = c.load_id\n"
            "left join lineage.delivery as d on d.delivery_id = l.delivery_id\n"
            f"where {_OF_BODY}\n"
            "order by c.in_numerator desc, c.in_denominator desc, c.excluded_because, c.source, d.snapshot_date,\n"
            "    d.file_name, c.row_number, c.record_key",
            {**parameters(period, as_known), "body": body},
        )
        for row in cursor:
            yield dict(zip(TRACE_COLUMNS, (str(period), wanted.code, wanted.reading, *row), strict=True))


def quarantined(
    connection: Connection, code: str, reading: str, period: Period, as_known: datetime | None = None
) -> Iterator[dict[str, Any]]:
    """The rows in quarantine that belong to a number, in the columns of a traced row: those of the files that it reads.

    ``excluded_because`` is ``quarantine`` and the rules that the row broke. Which body such a row belongs to is not known.
    """
    wanted = indicator.definition(connection, code, reading)
    readings = dict(zip(wanted.sources, wanted.readings, strict=True))
    days = {LAST_DAY: period.last_day, HISTORY: period.last_day, YEAR_END_BEFORE: date(period.year - 1, 12, 31)}
    with connection.cursor() as cursor:
        cursor.execute(
            statement(__file__, "quarantined_rows"),
            {
                **parameters(period, as_known),
                "sources": list(readings),
                "until_days": [days.get(each, period.last_day) for each in readings.values()],
                "are_registers": [each in days for each in readings.values()],
                "period": str(period),
                "code": wanted.code,
                "reading": wanted.reading,
            },
        )
        for source, record_key, load_id, row_number, file_name, snapshot_date, rules in cursor:
            why = f"{QUARANTINE}: {', '.join(rules)}"
            row = (None, False, False, None, why, source, record_key, load_id, row_number, file_name, snapshot_date)
            yield dict(zip(TRACE_COLUMNS, (str(period), wanted.code, wanted.reading, *row), strict=True))


@dataclass(frozen=True)
class TraceSummary:
    """How many records a number counts, has in its denominator only, and leaves out by reason."""

    definition: Definition
    observation: Observation | None
    counted: int
    in_denominator_only: int
    left_out: Mapping[str, int]


def trace_summary(
    connection: Connection,
    code: str,
    reading: str,
    period: Period,
    body: str | None = None,
    as_known: datetime | None = None,
) -> TraceSummary:
    """The account of a trace: records counted, in the denominator only, and left out by reason."""
    wanted = indicator.definition(connection, code, reading)
    with connection.cursor() as cursor:
        cursor.execute(
            f"with contribution as (\n{wanted.query}),\n"
            "record as (\n"
            "    select source, record_key, bool_or(in_numerator) as counted, bool_or(in_denominator) as over,\n"
            "        min(excluded_because) as reason\n"
            f"    from contribution as c where {_OF_BODY} group by source, record_key)\n"
            "select case when counted then 'counted' when over then 'over' else 'left out' end,\n"
            "    case when not counted and not over then reason end, count(*)\n"
            "from record group by 1, 2 order by 3 desc, 2",
            {**parameters(period, as_known), "body": body},
        )
        rows = cursor.fetchall()
    found = next((o for o in observe(connection, wanted, period, as_known) if o.body_code == body), None)
    return TraceSummary(
        definition=wanted,
        observation=found,
        counted=sum(count for what, _, count in rows if what == "counted"),
        in_denominator_only=sum(count for what, _, count in rows if what == "over"),
        left_out={reason or "": count for what, reason, count in rows if what == "left out"},
    )
