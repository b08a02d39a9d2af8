"""Loading: accepted rows into core, on both time axes, so that what is known now is a function of the deliveries.

`settle` is called in the one transaction of a delivery, after its load was entered in the ledger and under the
lock of its source. It lets `verdict.judge` say which load stands for each day, and restates each day on which that
changed:

* **Registers.** A version of a record is true from the first snapshot that shows it until the first accepted
  snapshot that shows another or none (``valid_at``). A day at the end of the line needs only the difference from
  the newest state. A day in the middle (late or corrected) needs its neighbour's file again, because the
  versions that begin there may begin anew; landing has the bytes.
* **Events.** The row of the newest day that has the key is what is known. Rows of deliveries that are older than
  what is known are kept with an empty ``known_at``: they were never known, and stand ready if the newer delivery
  is superseded.

Rows are closed, never overwritten: ``known_at`` ends when the next thing was known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from psycopg2 import sql as pgsql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import period as periods
from halfyear.contract import Contract
from halfyear.core.verdict import Candidate, judge
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE_NAME

#: Gives the staged, accepted rows of a load (a table in schema staging), reading its file again when necessary.
Rows = Callable[[int], str]
#: Memory for each sort or hash of a settlement; a register is compared with what is known in one.
_WORK_MEM = "128MB"
#: Any constant: what loads hold together, and one that opens a half-year alone.
_LOCK = 8_150_005
#: Any constant: what everything that reads or writes rows holds together, and a migration alone.
_MIGRATION_LOCK = 8_150_001
#: After so many changed rows all groups of a source are looked at.
_MANY_ROWS = 100_000


@dataclass(frozen=True)
class Settlement:
    """The half-years whose figures may have moved, and how many rows of core were closed and opened."""

    periods: tuple[Period, ...]
    rows_closed: int
    rows_opened: int


def hold_declarations(cursor: Cursor) -> None:
    """Let no migration change tables and views until the transaction ends; waits for one that is under way.

    Whoever reads many of them takes it first: a migration takes them one after the other too, in an order of its own.
    """
    cursor.execute("select pg_advisory_xact_lock_shared(%s)", (_MIGRATION_LOCK,))


@contextmanager
def declarations_held(connection: Connection) -> Iterator[None]:
    """As ``hold_declarations`` over several transactions, each of which may then see one state from its first statement."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock_shared(%s)", (_MIGRATION_LOCK,))
    connection.rollback()
    try:
        yield
    finally:
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock_shared(%s)", (_MIGRATION_LOCK,))
        connection.rollback()


def hold_declarations_alone(cursor: Cursor) -> None:
    """Wait for the loads, computations and audits that are under way, and let none begin until the transaction ends."""
    cursor.execute("select pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))


def lock(cursor: Cursor, source: str) -> None:
    """One load of a source at a time, and no migration, until the transaction ends."""
    hold_declarations(cursor)
    cursor.execute("select pg_advisory_xact_lock(hashtextextended('halfyear:' || %s, 0))", (source,))


def prepare(connection: Connection, contract: Contract, table: str) -> None:
    """Make of staged rows, which nobody has judged yet, what ``settle`` will need anyway; commits.

    It may run in a thread while they are judged. Nothing depends on it.
    """
    if contract.mode == "register":
        with connection.cursor() as cursor:
            _index(cursor, contract, table)
    connection.commit()


def settle(connection: Connection, contract: Contract, rows: Rows) -> Settlement:
    """Judge all deliveries of the source again, bring core to what follows, and mark what became stale."""
    with connection.cursor() as cursor:
        cursor.execute("select set_config('work_mem', %s, true)", (_WORK_MEM,))
        before = _standing(cursor, contract.source)
        candidates = _candidates(cursor, contract.source)
        after, verdicts = judge(contract, candidates)
        load_of = {candidate.delivery_id: candidate.load_id for candidate in candidates}
        for verdict in verdicts:
            if verdict.verdict in ("loaded", "loaded_with_quarantine"):
                # Bytes that came by several names belong to the delivery that stands.
                cursor.execute(
                    "update lineage.load set delivery_id = %s where load_id = %s and delivery_id <> %s",
                    (verdict.delivery_id, load_of[verdict.delivery_id], verdict.delivery_id),
                )
            cursor.execute(
                # A load that was refused for itself keeps its own reason.
                "update lineage.delivery as delivery set verdict = %(verdict)s, "
                "rule = coalesce(%(rule)s, own.rule), reason_zh = coalesce(%(reason_zh)s, own.reason_zh), "
                "reason_en = coalesce(%(reason_en)s, own.reason_en), judged_at = clock_timestamp() "
                "from (select 1) as one left join lineage.load as own on own.delivery_id = %(delivery_id)s "
                "and own.state = 'refused' "
                "where delivery.delivery_id = %(delivery_id)s and (delivery.verdict, delivery.rule) is distinct from "
                "(%(verdict)s, coalesce(%(rule)s, own.rule))",
                vars(verdict),
            )
        cursor.execute(
            "update lineage.load as load set rows_loaded = new.rows_loaded, "
            "rows_skipped = load.rows_read - load.rows_quarantined - new.rows_loaded "
            "from (select load_id, case when delivery.verdict in ('loaded', 'loaded_with_quarantine') "
            "then rows_passed else 0 end as rows_loaded from lineage.load inner join lineage.delivery "
            "using (delivery_id) where delivery.source = %s) as new "
            "where new.load_id = load.load_id and load.rows_loaded <> new.rows_loaded",
            (contract.source,),
        )
        changed_days = sorted(day for day in before.keys() | after.keys() if before.get(day) != after.get(day))
        if not changed_days:
            return Settlement((), 0, 0)
        _hold_half_years(cursor, contract.source, after)
        open_before = set(_open_periods(cursor))
        known_from = _next_instant(cursor, contract.source)
        standing = dict(before)
        touched: set[Period] = set()
        closed = opened = 0
        for day in changed_days:
            old, new = before.get(day), after.get(day)
            _stand(cursor, contract.source, day, new, known_from, standing)
            apply = _apply_register if contract.mode == "register" else _apply_events
            half_years, day_closed, day_opened = apply(cursor, contract, day, old, new, standing, known_from, rows)
            loads = [load for load in (old, new) if load is not None]
            _note_spanning_groups(cursor, contract, loads, day_closed + day_opened)
            touched |= half_years
            closed += day_closed
            opened += day_opened
        halves = [str(half) for half in touched]
        cursor.execute("select core.refresh_statistics(%s, %s, %s)", (contract.source, halves, closed + opened))
        touched |= _newly_covered(before, after)
        open_now = set(_open_periods(cursor))
        moved = touched & (open_before | open_now)
        moved |= _mark_stale(cursor, contract.source, touched, "rows changed")
        # A half-year that opens has no figure of any source, or those of before it closed: nothing was marked since.
        moved |= _mark_stale(cursor, None, open_now - open_before, "half-year opened")
        return Settlement(tuple(sorted(moved)), closed, opened)


def _candidates(cursor: Cursor, source: str) -> list[Candidate]:
    cursor.execute(
        "select delivery.delivery_id, delivery.snapshot_date, delivery.sequence, delivery.sha256, load.load_id, "
        "load.delivery_id = delivery.delivery_id, load.state = 'checked', load.rows_passed + load.rows_quarantined, "
        "load.rows_quarantined, acceptance.delivery_id is not null "
        "from lineage.delivery as delivery "
        "inner join lineage.delivery as same on same.source = delivery.source "
        "and same.snapshot_date = delivery.snapshot_date and same.sha256 = delivery.sha256 "
        "inner join lineage.load as load on load.delivery_id = same.delivery_id "
        "left join lineage.acceptance as acceptance on acceptance.delivery_id = delivery.delivery_id "
        "where delivery.source = %s and delivery.sequence is not null",
        (source,),
    )
    return [Candidate(*row) for row in cursor.fetchall()]


def _standing(cursor: Cursor, source: str) -> dict[date, int]:
    cursor.execute(
        "select snapshot_date, load_id from lineage.standing where source = %s and upper_inf(known_at)", (source,)
    )
    return dict(cursor.fetchall())


def _next_instant(cursor: Cursor, source: str) -> datetime:
    """Now, but later than anything this source knew before: known_at increases strictly."""
    cursor.execute(
        "select greatest(clock_timestamp(), "
        "max(greatest(lower(known_at), coalesce(upper(known_at), '-infinity'))) + interval '1 microsecond') "
        "from lineage.standing where source = %s",
        (source,),
    )
    row = cursor.fetchone()
    assert row is not None
    instant: datetime = row[0]
    return instant


def _hold_half_years(cursor: Cursor, source: str, after: Mapping[date, int]) -> None:
    """Let no half-year open or close beside this load, until the transaction ends.

    A load marks the half-years that it sees open, and one that opens a half-year marks whatever is committed. Side by
    side and unseen by each other, the first would leave no mark in the half-year of the second.
    """
    if not _moves_half_years(cursor, source, after):
        cursor.execute("savepoint half_years")
        cursor.execute("select pg_advisory_xact_lock_shared(%s)", (_LOCK,))
        # Asked again: what another load did while this one waited may make it the one that opens.
        if not _moves_half_years(cursor, source, after):
            cursor.execute("release savepoint half_years")
            return
        # Two loads that share the lock would wait for each other.
        cursor.execute("rollback to savepoint half_years")
    cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))


def _moves_half_years(cursor: Cursor, source: str, after: Mapping[date, int]) -> bool:
    """Whether the open half-years, from the first to the newest snapshot, are others once ``after`` stands."""
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


def _stand(
    cursor: Cursor, source: str, day: date, load_id: int | None, known_from: datetime, standing: dict[date, int]
) -> None:
    cursor.execute(
        "update lineage.standing set known_at = tstzrange(lower(known_at), %s) "
        "where source = %s and snapshot_date = %s and upper_inf(known_at)",
        (known_from, source, day),
    )
    standing.pop(day, None)
    if load_id is not None:
        cursor.execute(
            "insert into lineage.standing (source, snapshot_date, load_id, known_at) "
            "values (%s, %s, %s, tstzrange(%s, null))",
            (source, day, load_id, known_from),
        )
        standing[day] = load_id


def _open_periods(cursor: Cursor) -> list[Period]:
    cursor.execute("select period from lineage.open_period")
    return [periods.parse(row[0]) for row in cursor.fetchall()]


def _newly_covered(before: dict[date, int], after: dict[date, int]) -> set[Period]:
    """Half-years between the newest day before and after: a flow in them turns from unknown to counted or back."""
    ends = [max(days) for days in (before, after) if days]
    if len(ends) < 2:
        first = min(after or before)
        return set(periods.between(periods.of(first), periods.of(ends[0])))
    low, high = sorted(ends)
    return set(periods.between(periods.of(low).next, periods.of(high)))


def _mark_stale(cursor: Cursor, source: str | None, touched: set[Period], reason: str) -> set[Period]:
    """Mark what a source's change in some half-years makes due, by what each definition reads; its half-years."""
    if not touched:
        return set()
    cursor.execute(
        "select * from indicators.mark_stale(%s, %s, %s)", (source, [str(p) for p in sorted(touched)], reason)
    )
    return {periods.parse(row[0]) for row in cursor.fetchall()}


def _note_spanning_groups(cursor: Cursor, contract: Contract, loads: list[int], rows: int) -> None:
    """Note which groups of events now lie in several half-years; ``loads`` are those that stood and stand for a day.

    After very many changed rows all groups are looked at, which is then cheaper than to look for theirs. Rows that are
    replaced at once change nothing that is known, and still say where a group lies.
    """
    if contract.period_group is not None:
        column = contract.named(contract.period_group).column
        wanted = None if rows > _MANY_ROWS else loads
        cursor.execute("select core.note_spanning_groups(%s, %s, %s)", (contract.source, column, wanted))


class _Names:
    """The SQL names that the statements of one source share."""

    def __init__(self, contract: Contract) -> None:
        self.core = pgsql.Identifier("core", contract.source)
        names = [p.column for p in contract.columns]
        self.all = pgsql.SQL(", ").join(map(pgsql.Identifier, [*names, "record_key", "row_number", "load_id"]))
        self._names = names
        self._numbers = {p.column for p in contract.columns if p.postgres_type == "numeric"}

    def of(self, alias: str) -> pgsql.Composed:
        """The content of a record as a row value: ``(alias.a, alias.b)``."""
        parts = [pgsql.Identifier(alias, name) for name in self._names]
        return pgsql.SQL("row({})").format(pgsql.SQL(", ").join(parts))

    def staged(self, alias: str, load_id: int) -> pgsql.Composed:
        """A staged row as it goes into core: numbers arrive with ten decimals and are kept as they were written."""
        parts = [
            pgsql.SQL("trim_scale({})" if name in self._numbers else "{}").format(pgsql.Identifier(alias, name))
            for name in [*self._names, "record_key", "row_number"]
        ]
        return pgsql.SQL("{}, {}::bigint").format(pgsql.SQL(", ").join(parts), pgsql.Literal(load_id))

    def all_of(self, alias: str) -> pgsql.Composed:
        parts = [pgsql.Identifier(alias, name) for name in [*self._names, "record_key", "row_number", "load_id"]]
        return pgsql.SQL(", ").join(parts)


def _run(cursor: Cursor, text: str, values: dict[str, object] | None = None, **names: pgsql.Composable) -> int:
    cursor.execute(pgsql.SQL(text).format(**names), values)
    return int(cursor.rowcount)


# --- registers -------------------------------------------------------------------------------------------------


def _apply_register(
    cursor: Cursor,
    contract: Contract,
    day: date,
    old: int | None,
    new: int | None,
    standing: dict[date, int],
    known_from: datetime,
    rows: Rows,
) -> tuple[set[Period], int, int]:
    later = sorted(d for d in standing if d > day)
    moved: list[tuple[date, date | None]] = [(day, None)]
    if old is None and new is not None and not later:
        closed, opened = _append_snapshot(cursor, contract, day, new, known_from, rows(new))
    else:
        closed, opened, moved = _restate_snapshot(cursor, contract, day, later, standing, known_from, rows)
    if not closed and not opened:
        return set(), 0, 0
    newest = max(_open_periods(cursor), default=periods.of(day))
    half_years = {periods.of(day)}
    for first, end in moved:
        # A register is read as it held on a last day.
        between = periods.between(periods.of(first), periods.of(end) if end else newest)
        half_years |= {half for half in between if end is None or half.last_day < end}
    return half_years, closed, opened


def _append_snapshot(
    cursor: Cursor, contract: Contract, day: date, load_id: int, known_from: datetime, table: str
) -> tuple[int, int]:
    """The newest day: close what changed or ended, open what changed or is new; the unchanged stays untouched."""
    names = _Names(contract)
    staged = pgsql.Identifier("staging", table)
    values: dict[str, object] = {"day": day, "known_from": known_from, "load_id": load_id}
    cursor.execute("drop table if exists pg_temp.changed")
    if _index(cursor, contract, table):
        # Rows that lie in the order of their indexes are merged in half the time that a hash table of them takes, and
        # go into core in that order.
        cursor.execute("set local enable_hashjoin = off")
    _run(
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
    closed = _run(
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
    closed += _run(
        cursor,
        "update {core} as row set valid_at = daterange(lower(row.valid_at), %(day)s) from changed "
        "where changed.was and changed.record_key = row.record_key and upper_inf(row.known_at) "
        "and upper_inf(row.valid_at) and lower(row.known_at) = %(known_from)s and lower(row.valid_at) < %(day)s",
        values,
        core=names.core,
    )
    opened = _run(
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
        _run(cursor, "create index if not exists {name} on {staged} (record_key)", name=name, staged=staged)
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
    cursor: Cursor,
    contract: Contract,
    day: date,
    later: list[date],
    standing: dict[date, int],
    known_from: datetime,
    rows: Rows,
) -> tuple[int, int, list[tuple[date, date | None]]]:
    """A day in the middle: lay the versions of its records anew from that day on, and write the difference.

    Returns rows closed and opened, and the days from one until before another (None: without an end) on which a record
    is another one or comes from another file.
    """
    names = _Names(contract)
    values: dict[str, object] = {"day": day, "known_from": known_from}
    tables = {day: rows(standing[day])} if day in standing else {}
    for table in ("affected", "timeline", "laid"):
        cursor.execute(f"drop table if exists pg_temp.{table}")
    _run(
        cursor,
        "create temp table affected on commit drop as "
        "select distinct record_key from {core} where upper_inf(known_at) "
        "and (valid_at @> %(day)s::date or valid_at @> (%(day)s::date - 1))",
        values,
        core=names.core,
    )
    if day in tables:
        _run(
            cursor,
            "insert into affected select record_key from {staged} "
            "where record_key not in (select record_key from affected)",
            staged=pgsql.Identifier("staging", tables[day]),
        )
    cursor.execute("create unique index on affected (record_key)")
    cursor.execute("analyze affected")
    _run(
        cursor,
        "create temp table timeline on commit drop as "
        "select {all}, valid_at * daterange(null, %(day)s) as valid_at from {core} "
        "inner join affected using (record_key) where upper_inf(known_at) and lower(valid_at) < %(day)s",
        values,
        core=names.core,
        all=names.all,
    )
    days = [day, *later]
    tail: date | None = None
    changed = True  # what a record shows just before x
    for place, x in enumerate(days):
        y = days[place + 1] if place + 1 < len(days) else None
        if not changed:
            tail = x
            break
        if place:
            # The versions that begin on x may begin anew, so its file is needed even if nothing goes beyond it.
            changed = _carries(cursor, names, x, standing[x])
        _lay(cursor, names, x, y, standing.get(x), tables, rows)
    if tail is not None:
        _run(
            cursor,
            "insert into timeline ({all}, valid_at) select {all}, valid_at * daterange(%(tail)s, null) from {core} "
            "inner join affected using (record_key) where upper_inf(known_at) "
            "and (upper_inf(valid_at) or upper(valid_at) > %(tail)s)",
            {"tail": tail},
            core=names.core,
            all=names.all,
        )
    _run(
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
    _run(
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
    closed = _run(
        cursor,
        "delete from {core} as row where " + gone + " and lower(row.known_at) = %(known_from)s",
        values,
        core=names.core,
    )
    closed += _run(
        cursor,
        "update {core} as row set known_at = tstzrange(lower(row.known_at), %(known_from)s) where " + gone,
        values,
        core=names.core,
    )
    opened = _run(
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
    names: _Names,
    x: date,
    y: date | None,
    load_id: int | None,
    tables: dict[date, str],
    rows: Rows,
) -> None:
    """Continue the timeline over [x, y): with the rows that stand for x, or as before where none does."""
    values: dict[str, object] = {"x": x, "y": y, "load_id": load_id}
    held = (
        ""
        if load_id is None
        else " and record_key in (select record_key from quarantine.rejected_row where load_id = %(load_id)s)"
    )
    _run(
        cursor,
        "update timeline set valid_at = daterange(lower(valid_at), %(y)s) where upper(valid_at) = %(x)s" + held,
        values,
    )
    if load_id is None:
        return
    table = tables.setdefault(x, "") or rows(load_id)
    _run(
        cursor,
        "insert into timeline ({all}, valid_at) select {staged_columns}, daterange(%(x)s, %(y)s) "
        "from {staged} as new inner join affected using (record_key)",
        values,
        all=names.all,
        staged=pgsql.Identifier("staging", table),
        staged_columns=names.staged("new", load_id),
    )


def _carries(cursor: Cursor, names: _Names, x: date, load_id: int) -> bool:
    """Whether a record that is held (quarantined with a readable key) on day x comes to it changed."""
    cursor.execute(
        pgsql.SQL(
            "select exists (select 1 from affected "
            "left join timeline as new on new.record_key = affected.record_key and upper(new.valid_at) = %(x)s "
            "left join {core} as old on old.record_key = affected.record_key and upper_inf(old.known_at) "
            "and old.valid_at @> (%(x)s::date - 1) "
            "where affected.record_key in (select record_key from quarantine.rejected_row where load_id = %(load_id)s) "
            "and {new} is distinct from {old})"
        ).format(core=names.core, new=names.of("new"), old=names.of("old")),
        {"x": x, "load_id": load_id},
    )
    row = cursor.fetchone()
    return bool(row and row[0])


# --- events ----------------------------------------------------------------------------------------------------


def _apply_events(
    cursor: Cursor,
    contract: Contract,
    day: date,
    old: int | None,
    new: int | None,
    standing: dict[date, int],
    known_from: datetime,
    rows: Rows,
) -> tuple[set[Period], int, int]:
    names = _Names(contract)
    values: dict[str, object] = {"known_from": known_from, "old": old, "new": new, "loads": list(standing.values())}
    touched, opened = _insert(cursor, contract, names, old, new, values, rows)
    cursor.execute("select exists (select from affected)")
    if cursor.fetchone() == (False,):
        return touched, 0, opened
    cursor.execute("drop table if exists pg_temp.winner")
    _run(
        cursor,
        "create temp table winner on commit drop as select distinct on (row.record_key) row.* from {core} as row "
        "inner join affected using (record_key) inner join lineage.standing as standing "
        "on standing.load_id = row.load_id and upper_inf(standing.known_at) and standing.load_id = any(%(loads)s) "
        "order by row.record_key, standing.snapshot_date desc, upper_inf(row.known_at) desc",
        values,
        core=names.core,
    )
    closing = (
        "row.record_key in (select record_key from affected) and upper_inf(row.known_at) and not exists "
        "(select 1 from winner where winner.record_key = row.record_key and winner.load_id = row.load_id)"
    )
    touched |= _touched(cursor, contract, names, closing, values)
    closed = _run(
        cursor,
        "update {core} as row set known_at = case when lower(row.known_at) = %(known_from)s then 'empty'::tstzrange "
        "else tstzrange(lower(row.known_at), %(known_from)s) end where " + closing,
        values,
        core=names.core,
    )
    opening = (
        "row.record_key in (select record_key from winner where not upper_inf(winner.known_at)) and isempty(row.known_at) "
        "and exists (select 1 from winner where winner.record_key = row.record_key and winner.load_id = row.load_id)"
    )
    opened += _run(
        cursor,
        "update {core} as row set known_at = tstzrange(%(known_from)s, null) where " + opening,
        values,
        core=names.core,
    )
    # A row that was known, replaced, and is known again opens a second stretch of time.
    opened += _run(
        cursor,
        "insert into {core} ({all}, known_at) select {all}, tstzrange(%(known_from)s, null) from winner "
        "where not upper_inf(known_at) and not isempty(known_at)",
        values,
        core=names.core,
        all=names.all,
    )
    opened_rows = "row.record_key in (select record_key from affected) and lower(row.known_at) = %(known_from)s"
    touched |= _touched(cursor, contract, names, opened_rows, values)
    return touched, closed, opened


def _is_stored(cursor: Cursor, names: _Names, load_id: int) -> bool:
    cursor.execute(pgsql.SQL("select exists (select 1 from {} where load_id = %s)").format(names.core), (load_id,))
    row = cursor.fetchone()
    return bool(row and row[0])


def _insert(
    cursor: Cursor,
    contract: Contract,
    names: _Names,
    old: int | None,
    new: int | None,
    values: dict[str, object],
    rows: Rows,
) -> tuple[set[Period], int]:
    """Insert the rows of a load that is not stored yet, and list in ``affected`` the keys that have other rows.

    A row whose key is new to core is known from now on. The others wait with an empty ``known_at`` until it is
    decided which row of a key stands. Returns the half-years of the new keys' rows, and how many these are.
    """
    cursor.execute("drop table if exists pg_temp.affected")
    if new is None or _is_stored(cursor, names, new):
        _run(
            cursor,
            "create temp table affected on commit drop as "
            "select distinct record_key from {core} where load_id in (%(old)s, %(new)s)",
            values,
            core=names.core,
        )
        cursor.execute("analyze affected")
        return set(), 0
    staged = pgsql.Identifier("staging", rows(new))
    _run(
        cursor,
        # Not one condition with "or": each half has an index.
        "create temp table affected on commit drop as "
        "select record_key from {core} where load_id = %(old)s union "
        "select record_key from {staged} as new where exists (select from {core} as row "
        "where row.record_key = new.record_key and upper_inf(row.known_at)) union "
        "select record_key from {staged} as new where exists (select from {core} as row "
        "where row.record_key = new.record_key and not upper_inf(row.known_at))",
        values,
        core=names.core,
        staged=staged,
    )
    cursor.execute("analyze affected")
    cursor.execute("select exists (select from affected)")
    is_other = "row.record_key in (select record_key from affected)" if cursor.fetchone() == (True,) else "false"
    half_years = _half_years(cursor, staged, _times(contract))
    touched = _all(half_years)
    if is_other != "false":
        touched = _all(_half_years(cursor, staged, _times(contract), f"not {is_other}"))
    # Other rows of the groups are rows that were there before; a first load need not look for any.
    _run(cursor, "select exists (select from {core})", core=names.core)
    had_rows = cursor.fetchone() == (True,)
    statement = (
        "insert into {table} ({all}, known_at) select {staged_columns}, "
        f"case when {is_other} then 'empty'::tstzrange else tstzrange(%(known_from)s, null) end "
        "from {staged} as row where {condition}"
    )
    opened = 0
    for table, condition in _partitions(cursor, contract, half_years[str(contract.period_property)]):
        opened += _run(
            cursor,
            statement,
            values,
            table=pgsql.Identifier("core", table),
            all=names.all,
            staged=staged,
            staged_columns=names.staged("row", new),
            condition=condition,
        )
    _run(cursor, "select count(*) from affected inner join {staged} using (record_key)", staged=staged)
    (waiting,) = cursor.fetchone() or (0,)
    if contract.period_group is not None and opened and had_rows:
        group = pgsql.Identifier("row", contract.named(contract.period_group).column).as_string(cursor)
        beside = f"row.load_id <> %(new)s and {group} in (select {group} from {staged.as_string(cursor)} as row)"
        touched |= _all(_half_years(cursor, names.core, _times(contract), beside, values))
    return touched, opened - waiting


def _partitions(cursor: Cursor, contract: Contract, half_years: set[Period]) -> Iterator[tuple[str, pgsql.Composable]]:
    """The tables in core that take staged rows of some half-years, and which rows each takes.

    A half-year that core does not know yet is a table of its own, which becomes a partition when its rows are in it; the
    functions belong to the owner of the tables.
    """
    column = pgsql.Identifier("row", str(contract.period_property))
    is_required = contract.named(str(contract.period_property)).is_required
    others: list[pgsql.Composable] = []
    for half in sorted(half_years):
        cursor.execute("select core.new_partition(%s, %s)", (contract.source, half.first_day))
        (table,) = cursor.fetchone() or (None,)
        if table is not None:
            is_in = pgsql.SQL("{column} >= {first}::date and {column} < {next}::date").format(
                column=column, first=pgsql.Literal(half.first_day), next=pgsql.Literal(half.next.first_day)
            )
            # PostgreSQL looks at every row when it attaches them.
            yield table, pgsql.SQL("true") if is_required and len(half_years) == 1 else is_in
            cursor.execute("select core.attach_partition(%s, %s)", (contract.source, half.first_day))
            others.append(pgsql.SQL("({}) is not true").format(is_in))
    if len(others) < len(half_years) or not is_required:
        yield contract.source, pgsql.SQL(" and ").join([pgsql.SQL("true"), *others])


def _times(contract: Contract) -> list[str]:
    return [p.column for p in contract.columns if p.postgres_type in ("date", "timestamptz")]


def _half_years(
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
    _run(cursor, f"select {bounds} from {{table}} as row where {condition}", values, table=table)
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
        _run(
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


def _all(half_years: dict[str, set[Period]]) -> set[Period]:
    return set().union(*half_years.values())


def _touched(
    cursor: Cursor, contract: Contract, names: _Names, condition: str, values: dict[str, object]
) -> set[Period]:
    """The half-years of every date and time in the rows that meet the condition, and in those that they stand beside."""
    if contract.period_group is not None:
        # Also a row that another one replaces at once is part of its group's history, as a first dispatch is.
        group = pgsql.Identifier("row", contract.named(contract.period_group).column).as_string(cursor)
        condition = (
            f"{group} in (select {group} from {names.core.as_string(cursor)} as row "
            f"where row.load_id in (%(old)s, %(new)s) or ({condition}))"
        )
    return _all(_half_years(cursor, names.core, _times(contract), condition, values))
