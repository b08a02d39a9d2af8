"""Half-years: those that rows lie in, those that are open, and the marks that make figures due."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from psycopg2 import sql as pgsql
from psycopg2.extensions import cursor as Cursor

from halfyear import period as periods
from halfyear.contract import Contract
from halfyear.core.statement import run
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE_NAME

#: The advisory lock that loads share, and that a load which opens a half-year holds alone; any number would do.
_LOCK = 8_150_005


# ---------------------------------------------------------------- open half-years


def opened(cursor: Cursor) -> list[Period]:
    """The open half-years: from the first to the newest snapshot that stands."""
    cursor.execute("select period from lineage.open_period")
    return [periods.parse(row[0]) for row in cursor.fetchall()]


def newly_covered(before: dict[date, int], after: dict[date, int]) -> set[Period]:
    """Half-years between the newest day before and after: a flow in them turns from unknown to counted or back."""
    ends = [max(days) for days in (before, after) if days]
    if len(ends) < 2:
        first = min(after or before)
        return set(periods.between(periods.of(first), periods.of(ends[0])))
    low, high = sorted(ends)
    return set(periods.between(periods.of(low).next, periods.of(high)))


def hold(cursor: Cursor, source: str, after: Mapping[date, int]) -> None:
    """Let no half-year open or close beside this load, until the transaction ends.

    A load marks the half-years that it sees open, and one that opens a half-year marks whatever is committed. Side by
    side and unseen by each other, the first would leave no mark in the half-year of the second.
    """
    if not _moves_half_years(cursor, source, after):
        cursor.execute("savepoint half_years")
        cursor.execute("select pg_advisory_xact_lock_shared(%s)", (_LOCK,))
        # Ask again: after what another load committed meanwhile, this one may open a half-year.
        if not _moves_half_years(cursor, source, after):
            cursor.execute("release savepoint half_years")
            return
        # Two loads that share the lock would wait for each other.
        cursor.execute("rollback to savepoint half_years")
    cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))


def _moves_half_years(cursor: Cursor, source: str, after: Mapping[date, int]) -> bool:
    """Whether ``after`` opens or closes a half-year; open are those from the first to the newest snapshot."""
    cursor.execute(
        "select min(snapshot_date), max(snapshot_date), min(snapshot_date) filter (where source <> %(source)s), "
        "max(snapshot_date) filter (where source <> %(source)s) from lineage.standing where upper_inf(known_at)",
        {"source": source},
    )
    first, newest, *others = cursor.fetchone() or (None, None)
    return _ends([first, newest]) != _ends([*others, *after])


def _ends(days: Iterable[date | None]) -> set[Period]:
    """The half-years of the first and the last of some days."""
    known = [day for day in days if day is not None]
    return {periods.of(min(known)), periods.of(max(known))} if known else set()


# ---------------------------------------------------------------- due figures


def mark_stale(cursor: Cursor, source: str | None, touched: set[Period], reason: str) -> set[Period]:
    """Mark what a source's change in some half-years makes due, by what each definition reads; its half-years."""
    if not touched:
        return set()
    cursor.execute(
        "select * from indicators.mark_stale(%s, %s, %s)", (source, [str(p) for p in sorted(touched)], reason)
    )
    return {periods.parse(row[0]) for row in cursor.fetchall()}


# ---------------------------------------------------------------- of rows


def times(contract: Contract) -> list[str]:
    """The columns of dates and times, by which rows lie in half-years."""
    return [p.column for p in contract.columns if p.postgres_type in ("date", "timestamptz")]


def of_rows(
    cursor: Cursor,
    table: pgsql.Composable,
    columns: Sequence[str],
    condition: str = "true",
    values: dict[str, object] | None = None,
) -> dict[str, set[Period]]:
    """The half-years of each of some columns, dates or times, in the rows, called ``row``, that meet the condition.

    The first and the last of a column are found in one scan; only where others may lie between is each row asked.
    """
    if not columns:
        return {}
    bounds = ", ".join(
        f"(min(row.\"{c}\")::timestamptz at time zone '{LOCAL_ZONE_NAME}')::date, "
        f"(max(row.\"{c}\")::timestamptz at time zone '{LOCAL_ZONE_NAME}')::date"
        for c in columns
    )
    run(cursor, f"select {bounds} from {{table}} as row where {condition}", values, table=table)
    found = iter(cursor.fetchone() or ())
    half_years: dict[str, set[Period]] = {}
    wide: list[str] = []
    for column, first, last in zip(columns, found, found, strict=True):
        half_years[column] = set() if first is None else {periods.of(first), periods.of(last)}
        if first is not None and periods.of(first).next < periods.of(last):
            wide.append(column)
    if wide:
        times = ", ".join(
            f"({place}, row.\"{c}\"::timestamptz at time zone '{LOCAL_ZONE_NAME}')" for place, c in enumerate(wide)
        )
        run(
            cursor,
            "select distinct place, extract(year from time)::integer, "
            "case when extract(month from time) < 7 then 1 else 2 end "
            f"from {{table}} as row cross join lateral (values {times}) as moment (place, time) "
            f"where time is not null and {condition}",
            values,
            table=table,
        )
        for place, year, semester in cursor.fetchall():
            half_years[wide[place]].add(Period(year, semester))
    return half_years


def of_any(half_years: dict[str, set[Period]]) -> set[Period]:
    """The half-years of any of the columns."""
    return set().union(*half_years.values())
