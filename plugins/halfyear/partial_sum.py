"""Partial sums: what a figure is made of, body by body, and how a night adds to them only what it changed.

Loads note the records that they change (``indicators.changed_record``). Where whether and how a row counts is
decided within its record or group (``decided_within`` of a definition), it is enough to ask the definition's select
of these records alone, once as they were known before and once as they are known now; the difference moves the
partial sums. Both questions are asked of one temporary table that holds every version of these records.

Instants, not snapshots of the database, say what is in the sums: those known up to ``summed_through`` are, and what
a load commits while a computation runs is known later, so it comes with the next one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from psycopg2 import sql as pgsql
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

#: The key that every source has; what else a definition may be decided within is the group of its source.
RECORD = "record_key"
#: From so many changed records on, all rows are asked instead. Loads that change more do not list them.
MANY_RECORDS = 100_000
#: The marks of loads, which list the records that they change. Whoever else marks a figure wants all of it anew.
MARKS_OF_LOADS = frozenset({"rows changed", "new period"})


class Pair(NamedTuple):
    """One reading of one indicator."""

    code: str
    reading: str


@dataclass(frozen=True)
class State:
    """Up to which instant the sums of a pair hold what is known, and by which declarations they were made."""

    through: datetime
    fingerprint: str


@dataclass(frozen=True)
class Question:
    """The select of a pair, to be asked of changed records: as they are known now, and as they were at ``since``."""

    pair: Pair
    since: datetime
    query: str


@dataclass(frozen=True)
class ChangedRows:
    """Every version of the records that changed up to an instant, in a temporary table; no table when none did."""

    through: datetime
    table: str | None


#: Rows, numerator and denominator for a body, or None for rows that no body is known for.
BodySum = tuple[str | None, int, Decimal, Decimal]

#: What the rows of a select named ``contribution`` add up to.
TOTALS = """count(*) as rows,
    coalesce(sum(quantity) filter (where in_numerator), 0)::numeric as numerator,
    coalesce(sum(quantity) filter (where in_denominator), 0)::numeric as denominator"""

_NEWEST_INSTANT = (
    "select max(greatest(lower(known_at), upper(known_at))) from lineage.standing where source = %(source)s"
)
# Of a temporary table there are no statistics, and to gather them takes as long as to ask it. Without them sorts and
# joins row by row are chosen for what was thought to be a few rows; a hash is never bad.
_PLANS = ("enable_nestloop", "enable_mergejoin", "enable_sort")
_HASHES = "select " + ", ".join(f"set_config('{name}', 'off', true)" for name in _PLANS)
_AS_BEFORE = "; ".join(f"set local {name} to default" for name in _PLANS)
_OF_PAIR = "kept.period = %(period)s and kept.indicator_code = %(code)s and kept.reading = %(reading)s"


def newest_instant(cursor: Cursor, source: str) -> datetime | None:
    """The instant of the newest knowledge of a source that is committed; None when there never was any."""
    cursor.execute(_NEWEST_INSTANT, {"source": source})
    return _instant(cursor)


def _instant(cursor: Cursor) -> datetime | None:
    row = cursor.fetchone()
    return row[0] if row else None


def declarations(cursor: Cursor) -> str:
    """The fingerprint of all declarations that the warehouse was last derived from: lists, views, definitions."""
    cursor.execute("select fingerprint from lineage.declaration where name = 'warehouse'")
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def states(cursor: Cursor, period: str) -> dict[Pair, State]:
    """The pairs of a half-year whose sums can be added to."""
    cursor.execute(
        "select indicator_code, reading, known_through, fingerprint from indicators.summed_through where period = %s",
        (period,),
    )
    return {Pair(code, reading): State(through, fingerprint) for code, reading, through, fingerprint in cursor}


def all_changed_at(cursor: Cursor, source: str, through: datetime) -> datetime | None:
    """The last instant up to which any record of a source may have changed; only later changes are listed."""
    cursor.execute(
        "select max(known_from) from indicators.changed_record "
        "where source = %s and record_key is null and known_from <= %s",
        (source, through),
    )
    return _instant(cursor)


def lay_changed_rows(
    cursor: Cursor, source: str, group: str, selects: Sequence[str], since: datetime, through: datetime
) -> ChangedRows | None:
    """Lay every version of the records that changed in (since, through], and of those alike in the column ``group``.

    They are found by index, not by a scan. The table serves for ``core.<source>`` and ``core.<source>_resolved``,
    has the columns that the selects speak of, and ends with the transaction. None: so much changed that asking all
    rows is cheaper.
    """
    cursor.execute("drop table if exists pg_temp.changed_key")
    cursor.execute(
        "create temp table changed_key on commit drop as select distinct record_key "
        "from indicators.changed_record where source = %s and known_from > %s and known_from <= %s",
        (source, since, through),
    )
    if cursor.rowcount == 0:
        return ChangedRows(through, None)
    if cursor.rowcount > MANY_RECORDS:
        return None
    core = pgsql.Identifier("core", source).as_string(cursor)
    # Open and closed rows have an index each, and a list of keys is looked up in one pass over it.
    keys = "array(select record_key from pg_temp.changed_key order by record_key)"

    def rows(what: str) -> str:
        return " union all ".join(
            f"select {what} from {core} where record_key = any({keys}) and {state}"
            for state in ("upper_inf(known_at)", "not upper_inf(known_at)")
        )

    if group == RECORD:
        changed = rows("*")
    else:
        column = pgsql.Identifier(group).as_string(cursor)
        changed = (
            f"select * from {core} where {column} = any(array(select * from ({rows(column)}) as value order by 1))"
        )
    cursor.execute("select pg_get_viewdef(to_regclass(%s))", (f"core.{source}_resolved",))
    view = cursor.fetchone()
    text = view[0].rstrip("; \n") if view and view[0] else f"select * from core.{source} as t"
    cursor.execute(f"select * from ({text}) as event where false")
    words = set(re.findall(r"\w+", " ".join(selects)))
    columns = [pgsql.Identifier(each.name) for each in cursor.description or () if each.name in words]
    table = f"changed_{source}"
    cursor.execute(f"drop table if exists pg_temp.{table}")
    cursor.execute(_HASHES)
    cursor.execute(
        f"create temp table {table} on commit drop as select {pgsql.SQL(', ').join(columns).as_string(cursor)} "
        f"from ({asked_of(source, text, f'({changed})')}) as event"
    )
    cursor.execute(_AS_BEFORE)
    return ChangedRows(through, f"pg_temp.{table}")


def asked_of(source: str, text: str, table: str) -> str:
    """A select of ``core.<source>`` or its view with resolved bodies, asked of another table."""
    return re.sub(rf"\bcore\.{source}(_resolved)?\b", table, text)


def replace(cursor: Cursor, query: str, parameters: Mapping[str, Any]) -> datetime | None:
    """Make the sums of a pair from all rows of its select; sums that did not move are not written.

    Returns the newest instant of the parameter ``source`` that was committed when the rows were read: one statement
    sees both.
    """
    cursor.execute(
        f"with contribution as (\n{query}),\n"
        f"summed as materialized (select body_code, load_id, {TOTALS} from contribution group by body_code, load_id),\n"
        "body as (select body_code, sum(rows) as rows, sum(numerator) as numerator, sum(denominator) as denominator "
        "from summed group by body_code),\n"
        "input as (select load_id, sum(rows) as rows from summed group by load_id),\n"
        f"body_gone as (delete from indicators.partial_sum as kept where {_OF_PAIR} "
        "and coalesce(kept.body_code, '') not in (select coalesce(body_code, '') from body)),\n"
        f"input_gone as (delete from lineage.observation_input as kept where {_OF_PAIR} "
        "and kept.load_id not in (select load_id from input)),\n"
        "body_made as (insert into indicators.partial_sum as kept "
        "(period, indicator_code, reading, body_code, rows, numerator, denominator) "
        "select %(period)s, %(code)s, %(reading)s, body_code, rows, numerator, denominator from body "
        "where (coalesce(body_code, ''), rows, numerator, denominator) not in (select coalesce(kept.body_code, ''), "
        f"kept.rows, kept.numerator, kept.denominator from indicators.partial_sum as kept where {_OF_PAIR}) "
        "on conflict (period, indicator_code, reading, body_code) do update "
        "set rows = excluded.rows, numerator = excluded.numerator, denominator = excluded.denominator),\n"
        "input_made as (insert into lineage.observation_input as kept "
        "(period, indicator_code, reading, load_id, rows) "
        "select %(period)s, %(code)s, %(reading)s, load_id, rows from input where (load_id, rows) not in "
        f"(select kept.load_id, kept.rows from lineage.observation_input as kept where {_OF_PAIR}) "
        "on conflict (period, indicator_code, reading, load_id) do update set rows = excluded.rows)\n"
        f"{_NEWEST_INSTANT}",
        parameters,
    )
    return _instant(cursor)


def move(cursor: Cursor, period: str, asked: Sequence[Question], parameters: Mapping[str, Any]) -> set[Pair]:
    """Add to the sums of pairs what their selects give now and take away what they gave before; exact.

    Returns the pairs of which less than nothing would be left, which no history of loads leads to: their sums are to
    be replaced.
    """
    values = {**parameters, "period": period}
    parts = []
    for number, each in enumerate(asked):
        values |= {f"code_{number}": each.pair.code, f"reading_{number}": each.pair.reading}
        values[f"before_{number}"] = each.since
        for sign, query in (("", each.query), ("-", each.query.replace("%(as_known)s", f"%(before_{number})s"))):
            parts.append(
                f"select %(code_{number})s as indicator_code, %(reading_{number})s as reading, body_code, load_id, "
                f"{sign}rows as rows, {sign}numerator as numerator, {sign}denominator as denominator "
                f"from (select body_code, load_id, {TOTALS} from (\n{query}) as contribution "
                "group by body_code, load_id) as summed"
            )
    cursor.execute(_HASHES)
    cursor.execute(
        f"with difference as materialized ({' union all '.join(parts)}),\n"
        "input as (insert into lineage.observation_input as kept (period, indicator_code, reading, load_id, rows) "
        "select %(period)s, indicator_code, reading, load_id, sum(rows) from difference "
        "group by indicator_code, reading, load_id having sum(rows) <> 0 "
        "on conflict (period, indicator_code, reading, load_id) do update set rows = kept.rows + excluded.rows)\n"
        "merge into indicators.partial_sum as kept using ("
        "select indicator_code, reading, body_code, sum(rows) as rows, sum(numerator) as numerator, "
        "sum(denominator) as denominator from difference group by indicator_code, reading, body_code "
        "having sum(rows) <> 0 or sum(numerator) <> 0 or sum(denominator) <> 0) as moved "
        "on kept.period = %(period)s and kept.indicator_code = moved.indicator_code and kept.reading = moved.reading "
        "and coalesce(kept.body_code, '') = coalesce(moved.body_code, '') "
        "when matched then update set rows = kept.rows + moved.rows, numerator = kept.numerator + moved.numerator, "
        "denominator = kept.denominator + moved.denominator "
        "when not matched then insert (period, indicator_code, reading, body_code, rows, numerator, denominator) "
        "values (%(period)s, moved.indicator_code, moved.reading, moved.body_code, moved.rows, moved.numerator, "
        "moved.denominator)",
        values,
    )
    cursor.execute(_AS_BEFORE)
    wrong: set[Pair] = set()
    for table, is_nothing in (
        ("indicators.partial_sum", "rows = 0 and numerator = 0 and denominator = 0"),
        ("lineage.observation_input", "rows = 0"),
    ):
        cursor.execute(
            f"delete from {table} where period = %s and (indicator_code, reading) in "
            "(select * from unnest(%s::text[], %s::text[])) and rows <= 0 "
            f"returning indicator_code, reading, {is_nothing}",
            (period, [each.pair.code for each in asked], [each.pair.reading for each in asked]),
        )
        wrong |= {Pair(code, reading) for code, reading, is_right in cursor if not is_right}
    return wrong


def by_body(cursor: Cursor, period: str, pairs: Sequence[Pair]) -> dict[Pair, list[BodySum]]:
    """The sums of pairs."""
    cursor.execute(
        "select indicator_code, reading, body_code, rows, numerator, denominator "
        "from indicators.partial_sum where period = %s and (indicator_code, reading) in "
        "(select * from unnest(%s::text[], %s::text[]))",
        (period, [pair.code for pair in pairs], [pair.reading for pair in pairs]),
    )
    found: dict[Pair, list[BodySum]] = {}
    for code, reading, body_code, rows, numerator, denominator in cursor:
        found.setdefault(Pair(code, reading), []).append((body_code, rows, numerator, denominator))
    return found


def forget(cursor: Cursor, period: str, pair: Pair) -> None:
    """Drop the sums of a half-year or a definition that is gone."""
    for table in ("indicators.partial_sum", "lineage.observation_input", "indicators.summed_through"):
        cursor.execute(
            f"delete from {table} where period = %s and indicator_code = %s and reading = %s",
            (period, *pair),
        )


def remember(cursor: Cursor, period: str, reached: Mapping[Pair, tuple[str, State]]) -> None:
    """Keep up to which instant the sums of pairs now hold what is known of their source."""
    if not reached:
        return
    execute_values(
        cursor,
        "insert into indicators.summed_through (period, indicator_code, reading, source, known_through, fingerprint) "
        "values %s on conflict (period, indicator_code, reading) do update set source = excluded.source, "
        "known_through = excluded.known_through, fingerprint = excluded.fingerprint",
        [(period, *pair, source, state.through, state.fingerprint) for pair, (source, state) in reached.items()],
    )


def trim(cursor: Cursor, reached: Mapping[str, datetime]) -> None:
    """Forget which records of the sources changed up to an instant that every sum has reached.

    Sums without a mark have not moved, so they have reached it too. What is trimmed leaves an entry without a key
    behind: sums that a computation at the same time keeps from before it are made anew next time.
    """
    values = {"sources": list(reached), "instants": list(reached.values())}
    cursor.execute(
        "with reached (source, instant) as (select * from unnest(%(sources)s::text[], %(instants)s::timestamptz[])), "
        "idle as (select old.period, old.indicator_code, old.reading, reached.instant "
        "from indicators.summed_through as old inner join reached on reached.source = old.source "
        "where old.known_through < reached.instant and not exists (select from indicators.stale as mark "
        "where mark.period = old.period and mark.indicator_code = old.indicator_code and mark.reading = old.reading) "
        "for update of old skip locked) "
        "update indicators.summed_through as state set known_through = idle.instant from idle "
        "where (state.period, state.indicator_code, state.reading) = (idle.period, idle.indicator_code, idle.reading)",
        values,
    )
    cursor.execute(
        "with reached (source, instant) as (select * from unnest(%(sources)s::text[], %(instants)s::timestamptz[])), "
        "served as (select source, coalesce((select min(state.known_through) from indicators.summed_through as state "
        "where state.source = reached.source), instant) as instant from reached), "
        "gone as (delete from indicators.changed_record as changed using served "
        "where changed.source = served.source and changed.known_from <= served.instant "
        "returning changed.source, changed.known_from) "
        "insert into indicators.changed_record (source, known_from) "
        "select source, max(known_from) from gone group by source",
        values,
    )
