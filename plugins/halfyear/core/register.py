"""Registers: a version of a record is true from the first snapshot that shows it until the first accepted snapshot that shows
another or none (``valid_at``).

A day at the end of the line needs only the difference from the newest state. A day in the middle (late or corrected) needs
its neighbours' files again, because the versions that begin there may begin anew; landing has the bytes. Rows are closed,
never overwritten: ``known_at`` ends when another version became known.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime

from psycopg2 import sql as pgsql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import period as periods
from halfyear.contract import Contract
from halfyear.core import half_year
from halfyear.core.change import Change
from halfyear.core.statement import Names, run
from halfyear.period import Period


def prepare(connection: Connection, contract: Contract, table: str) -> None:
    """Make of staged rows, which nobody has judged yet, what ``settle`` will need anyway; commits.

    It may run in a thread while they are judged. Nothing depends on it.
    """
    if contract.mode == "register":
        with connection.cursor() as cursor:
            _index(cursor, contract, table)
    connection.commit()


def reached(cursor: Cursor, contract: Contract, change: Change, tables: Mapping[int, str]) -> dict[date, int]:
    """The later days, with their loads, on which versions may begin anew when a day changes: their rows are read again.

    On the first of them any version may. A record that is held there (quarantined with a readable key) carries what it
    showed before to the next, and so on, as long as that is another thing than core knows.
    """
    found: dict[date, int] = {}
    if not change.later or (change.new is None and change.old is None):
        return found
    cursor.execute("drop table if exists pg_temp.carried")
    for place, (day, load_id) in enumerate(change.later.items()):
        found[day] = load_id
        values: dict[str, object] = {"load_id": load_id}
        if place == 0:
            _changed(cursor, contract, change, tables, values)
        else:
            run(
                cursor,
                "delete from carried where record_key not in "
                "(select record_key from quarantine.rejected_row where load_id = %(load_id)s and record_key is not null)",
                values,
            )
        cursor.execute("select exists (select from carried)")
        if cursor.fetchone() == (False,):
            break
    return found


def _changed(
    cursor: Cursor, contract: Contract, change: Change, tables: Mapping[int, str], values: dict[str, object]
) -> None:
    """The records that are held by a load and that a changed day shows, or carries, as another thing than core knows."""
    names = Names(contract)
    table = None if change.new is None else pgsql.Identifier("staging", tables[change.new])
    # Where no load stands for the day, every record is carried over it.
    none = pgsql.SQL("(select * from {core} where false)").format(core=names.core)
    is_carried = (
        "true"
        if change.new is None
        else "key.record_key in (select record_key from quarantine.rejected_row where load_id = %(new)s)"
    )
    run(
        cursor,
        "create temp table carried on commit drop as "
        "select key.record_key from (select distinct record_key from quarantine.rejected_row "
        "where load_id = %(load_id)s and record_key is not null) as key "
        "left join {staged} as new on new.record_key = key.record_key "
        "left join {core} as now on now.record_key = key.record_key and upper_inf(now.known_at) "
        "and now.valid_at @> %(day)s::date "
        "left join {core} as before on before.record_key = key.record_key and upper_inf(before.known_at) "
        "and before.valid_at @> (%(day)s::date - 1) "
        f"where case when new.record_key is not null then {{new}} is distinct from {{now}} "
        f"when {is_carried} then {{before}} is distinct from {{now}} else now.record_key is not null end",
        {**values, "day": change.day, "new": change.new},
        staged=table or none,
        core=names.core,
        new=names.of("new"),
        now=names.of("now"),
        before=names.of("before"),
    )


def is_unchanged(cursor: Cursor, contract: Contract, day: date, old: int, new: int, table: str) -> bool:
    """Whether a new load of the file that stands for a day, staged in ``table``, shows and holds just what core has of that day.

    The versions that begin on the day have to come from the same rows of the file, too.
    """
    names = Names(contract)
    run(
        cursor,
        "with held as (select distinct load_id, record_key from quarantine.rejected_row "
        "where load_id in (%(old)s, %(new)s) and record_key is not null) "
        "select not exists (select record_key from held group by record_key having count(*) = 1) and not exists ("
        "select from {staged} as new full join (select * from {core} where upper_inf(known_at) "
        "and valid_at @> %(day)s::date) as now on now.record_key = new.record_key "
        "where case when new.record_key is null then now.record_key not in (select record_key from held) "
        "else now.record_key is null or {new} is distinct from {now} "
        "or (now.load_id = %(old)s and now.row_number <> new.row_number) end)",
        {"day": day, "old": old, "new": new},
        staged=pgsql.Identifier("staging", table),
        core=names.core,
        new=names.of("new"),
        now=names.of("now"),
    )
    return cursor.fetchone() == (True,)


def restate(
    cursor: Cursor, contract: Contract, change: Change, known_from: datetime, tables: Mapping[int, str]
) -> tuple[set[Period], int, int]:
    """Bring the register to what a change of one day makes of it.

    Gives the half-years on whose last day a record is another one, and how many rows were closed and opened.
    """
    moved: list[tuple[date, date | None]] = [(change.day, None)]
    if change.old is None and change.new is not None and not change.later:
        closed, opened = _append_snapshot(cursor, contract, change.day, change.new, known_from, tables[change.new])
    else:
        closed, opened, moved = _restate_snapshot(cursor, contract, change, known_from, tables)
    if not closed and not opened:
        return set(), 0, 0
    newest = max(half_year.opened(cursor), default=periods.of(change.day))
    half_years = {periods.of(change.day)}
    for first, end in moved:
        # A register is read as it held on a last day.
        between = periods.between(periods.of(first), periods.of(end) if end else newest)
        half_years |= {half for half in between if end is None or half.last_day < end}
    return half_years, closed, opened


def _append_snapshot(
    cursor: Cursor, contract: Contract, day: date, load_id: int, known_from: datetime, table: str
) -> tuple[int, int]:
    """The newest day: close what changed or ended, open what changed or is new; the unchanged stays untouched."""
    names = Names(contract)
    staged = pgsql.Identifier("staging", table)
    values: dict[str, object] = {"day": day, "known_from": known_from, "load_id": load_id}
    cursor.execute("drop table if exists pg_temp.changed")
    if _index(cursor, contract, table):
        # Rows that lie in the order of their indexes are merged in half the time that a hash table of them takes, and
        # go into core in that order.
        cursor.execute("set local enable_hashjoin = off")
    run(
        cursor,
        "create temp table changed on commit drop as "
        "select coalesce(new.record_key, now.record_key) as record_key, now.record_key is not null as was, "
        "new.record_key is not null as is_listed "
        "from {staged} as new full join (select * from {core} where upper_inf(known_at) and upper_inf(valid_at)) as now "
        "on now.record_key = new.record_key "
        "where (new.record_key is null and not exists (select 1 from quarantine.rejected_row as held "
        "where held.load_id = %(load_id)s and held.record_key = now.record_key)) "
        "or now.record_key is null or (new.record_key is not null and {new} is distinct from {now})",
        values,
        staged=staged,
        core=names.core,
        new=names.of("new"),
        now=names.of("now"),
    )
    cursor.execute("analyze changed")
    closed = run(
        cursor,
        "with closed as (update {core} as row set known_at = tstzrange(lower(row.known_at), %(known_from)s) "
        "from changed where changed.was and changed.record_key = row.record_key and upper_inf(row.known_at) "
        "and upper_inf(row.valid_at) and lower(row.known_at) < %(known_from)s returning row.*) "
        "insert into {core} ({all}, valid_at, known_at) "
        "select {all}, daterange(lower(valid_at), %(day)s), tstzrange(%(known_from)s, null) from closed",
        values,
        core=names.core,
        all=names.all,
    )
    # Rows that this very transaction opened are not history: they are cut where they stand.
    closed += run(
        cursor,
        "update {core} as row set valid_at = daterange(lower(row.valid_at), %(day)s) from changed "
        "where changed.was and changed.record_key = row.record_key and upper_inf(row.known_at) "
        "and upper_inf(row.valid_at) and lower(row.known_at) = %(known_from)s and lower(row.valid_at) < %(day)s",
        values,
        core=names.core,
    )
    opened = run(
        cursor,
        "insert into {core} ({all}, valid_at, known_at) "
        "select {staged_columns}, daterange(%(day)s, null), tstzrange(%(known_from)s, null) "
        "from {staged} as new inner join changed on changed.record_key = new.record_key",
        values,
        core=names.core,
        all=names.all,
        staged=staged,
        staged_columns=names.staged("new", load_id),
    )
    cursor.execute("set local enable_hashjoin = default")
    return closed, opened


def _index(cursor: Cursor, contract: Contract, table: str) -> bool:
    """Index a snapshot whose rows lie in the order of their keys; returns whether they do."""
    if ascends := _ascends(cursor, contract, table):
        name, staged = pgsql.Identifier(f"{table}_key"), pgsql.Identifier("staging", table)
        run(cursor, "create index if not exists {name} on {staged} (record_key)", name=name, staged=staged)
    return ascends


def _ascends(cursor: Cursor, contract: Contract, table: str) -> bool:
    """Whether the rows of a snapshot, and those of core if there are any, lie in the order of their keys, as usual."""
    cursor.execute(
        "select bool_or(schemaname = 'staging') and bool_and(correlation > 0.9) from pg_stats "
        "where attname = 'record_key' and (schemaname, tablename) in (('staging', %s), ('core', %s))",
        (table, contract.source),
    )
    return cursor.fetchone() == (True,)


def _restate_snapshot(
    cursor: Cursor, contract: Contract, change: Change, known_from: datetime, tables: Mapping[int, str]
) -> tuple[int, int, list[tuple[date, date | None]]]:
    """A day in the middle: lay the versions of its records anew from that day on, and write the difference.

    Returns rows closed and opened, and the days from one until before another (None: without an end) on which a record
    is another one or comes from another file.
    """
    names = Names(contract)
    values: dict[str, object] = {"day": change.day, "known_from": known_from}
    for table in ("affected", "timeline", "laid"):
        cursor.execute(f"drop table if exists pg_temp.{table}")
    run(
        cursor,
        "create temp table affected on commit drop as "
        "select distinct record_key from {core} where upper_inf(known_at) "
        "and (valid_at @> %(day)s::date or valid_at @> (%(day)s::date - 1))",
        values,
        core=names.core,
    )
    if change.new is not None:
        run(
            cursor,
            "insert into affected select record_key from {staged} "
            "where record_key not in (select record_key from affected)",
            staged=pgsql.Identifier("staging", tables[change.new]),
        )
    cursor.execute("create unique index on affected (record_key)")
    cursor.execute("analyze affected")
    run(
        cursor,
        "create temp table timeline on commit drop as "
        "select {all}, valid_at * daterange(null, %(day)s) as valid_at from {core} "
        "inner join affected using (record_key) where upper_inf(known_at) and lower(valid_at) < %(day)s",
        values,
        core=names.core,
        all=names.all,
    )
    days = [change.day, *change.later]
    for place, x in enumerate(days[: 1 + len(change.reached)]):
        y = days[place + 1] if place + 1 < len(days) else None
        _lay(cursor, names, x, y, change.later.get(x, change.new), tables)
    tail = next((x for x in change.later if x not in change.reached), None)
    if tail is not None:
        run(
            cursor,
            "insert into timeline ({all}, valid_at) select {all}, valid_at * daterange(%(tail)s, null) from {core} "
            "inner join affected using (record_key) where upper_inf(known_at) "
            "and (upper_inf(valid_at) or upper(valid_at) > %(tail)s)",
            {"tail": tail},
            core=names.core,
            all=names.all,
        )
    run(
        cursor,
        # Neighbours with one content are one version, and the first of them is where it was first shown.
        "create temp table laid on commit drop as "
        "with placed as (select *, row_number() over (partition by record_key order by valid_at) as place from timeline), "
        "begun as (select this.*, (before.record_key is null or upper(before.valid_at) <> lower(this.valid_at) "
        "or {this} is distinct from {before}) as is_start from placed as this left join placed as before "
        "on before.record_key = this.record_key and before.place = this.place - 1), "
        "numbered as (select *, count(*) filter (where is_start) over "
        "(partition by record_key order by place) as version from begun), "
        "spans as (select record_key, version, range_merge(range_agg(valid_at)) as span from numbered "
        "group by record_key, version) "
        "select {numbered}, spans.span as valid_at from numbered "
        "inner join spans on spans.record_key = numbered.record_key and spans.version = numbered.version "
        "where numbered.is_start",
        this=names.of("this"),
        before=names.of("before"),
        numbered=names.all_of("numbered"),
    )
    run(
        cursor,
        "with was as (select record_key, load_id, row_number, range_agg(valid_at) as days from {core} "
        "inner join affected using (record_key) where upper_inf(known_at) group by 1, 2, 3), "
        "now as (select record_key, load_id, row_number, range_agg(valid_at) as days from laid group by 1, 2, 3), "
        "moved as (select coalesce(was.days, '{{}}') as was, coalesce(now.days, '{{}}') as now "
        "from was full join now using (record_key, load_id, row_number) where was.days is distinct from now.days), "
        "span as (select unnest(range_agg((was - now) + (now - was))) as days from moved) "
        "select lower(days), upper(days) from span",
        core=names.core,
    )
    moved: list[tuple[date, date | None]] = cursor.fetchall()
    same = (
        "exists (select 1 from {other} as other where other.record_key = row.record_key "
        "and other.valid_at = row.valid_at and other.load_id = row.load_id and other.row_number = row.row_number)"
    )
    now = "row.record_key in (select record_key from affected) and upper_inf(row.known_at)"
    gone = f"{now} and not " + same.format(other="laid")
    closed = run(
        cursor,
        "delete from {core} as row where " + gone + " and lower(row.known_at) = %(known_from)s",
        values,
        core=names.core,
    )
    closed += run(
        cursor,
        "update {core} as row set known_at = tstzrange(lower(row.known_at), %(known_from)s) where " + gone,
        values,
        core=names.core,
    )
    opened = run(
        cursor,
        "insert into {core} ({all}, valid_at, known_at) select {all}, valid_at, tstzrange(%(known_from)s, null) "
        "from laid as row where not exists (select 1 from {core} as other where other.record_key = row.record_key "
        "and upper_inf(other.known_at) and other.valid_at = row.valid_at)",
        values,
        core=names.core,
        all=names.all,
    )
    return closed, opened, moved


def _lay(
    cursor: Cursor,
    names: Names,
    x: date,
    y: date | None,
    load_id: int | None,
    tables: Mapping[int, str],
) -> None:
    """Continue the timeline over [x, y): with the rows that stand for x, or as before where none does."""
    values: dict[str, object] = {"x": x, "y": y, "load_id": load_id}
    held = (
        ""
        if load_id is None
        else " and record_key in (select record_key from quarantine.rejected_row where load_id = %(load_id)s)"
    )
    run(
        cursor,
        "update timeline set valid_at = daterange(lower(valid_at), %(y)s) where upper(valid_at) = %(x)s" + held,
        values,
    )
    if load_id is None:
        return
    run(
        cursor,
        "insert into timeline ({all}, valid_at) select {staged_columns}, daterange(%(x)s, %(y)s) "
        "from {staged} as new inner join affected using (record_key)",
        values,
        all=names.all,
        staged=pgsql.Identifier("staging", tables[load_id]),
        staged_columns=names.staged("new", load_id),
    )
