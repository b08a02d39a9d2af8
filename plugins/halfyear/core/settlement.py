"""Settlement: core is brought to what follows from the deliveries of a source, whatever order they came in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime

from psycopg2.extensions import cursor as Cursor

from halfyear.contract import Contract
from halfyear.core import event, half_year, part, register
from halfyear.core.change import Change
from halfyear.core.verdict import Candidate, judge
from halfyear.period import Period
from halfyear.statement_file import statement

#: Memory for each sort or hash of a settlement; a register is compared with what is known in one.
_WORK_MEM = "128MB"
#: After so many changed rows all groups of a source are looked at.
_MANY_ROWS = 100_000


class Settling:
    """The settlement of one source, in the one transaction of a delivery and under the lock of its source.

    It begins after the load was entered in the ledger: ``verdict.judge`` says which load stands for each day, and ``days``
    are those on which that changed, oldest first. For each of them its rows are laid out before: ``missing`` names the loads
    whose rows ``restate`` will read and that no table of ``tables`` has. ``finish`` marks what became stale.

    ``newest_first``: the other way round, which ends in the same rows. Where loads of many days are replaced no day then
    reaches for one that is about to be replaced too; where many days are new each would be laid before all that follow it.
    """

    def __init__(self, cursor: Cursor, contract: Contract, newest_first: bool = False) -> None:
        self.contract = contract
        self._cursor = cursor
        cursor.execute("select set_config('work_mem', %s, true)", (_WORK_MEM,))
        self._before = _standing(cursor, contract.source)
        self._after = _judge(cursor, contract)
        days = self._before.keys() | self._after.keys()
        changed = (day for day in days if self._before.get(day) != self._after.get(day))
        self.days = sorted(changed, reverse=newest_first)
        self._standing = dict(self._before)
        self._touched: set[Period] = set()
        self._closed = self._opened = 0
        if self.days:
            half_year.hold(cursor, contract.source, self._after)
            self._open_before = set(half_year.opened(cursor))
            self._known_from = _next_instant(cursor, contract.source)

    def missing(self, day: date, tables: Mapping[int, str]) -> list[int]:
        """The loads whose rows have to be staged before a day is restated; asked again until there is none.

        ``tables`` has the staging table of each load whose accepted rows are staged.
        """
        new = self._after.get(day)
        if self.contract.mode == "events":
            wanted = [] if new is None or event.is_stored(self._cursor, self.contract, new) else [new]
        elif new is not None and new not in tables:
            # How far a day reaches is seen from its rows.
            return [new]
        else:
            wanted = list(self._change(day, tables).reached.values())
        return [load_id for load_id in wanted if load_id not in tables]

    def restate(self, day: date, tables: Mapping[int, str]) -> None:
        """Let the load that is judged to stand for a day stand, and bring the rows of core to it."""
        change = self._change(day, tables)
        _stand(self._cursor, self.contract.source, change, self._known_from)
        self._standing.pop(day, None)
        if change.new is not None:
            self._standing[day] = change.new
            if change.new in tables:
                part.enter(self._cursor, self.contract, change.new, tables[change.new])
        if self.contract.mode == "register":
            moved = register.restate(self._cursor, self.contract, change, self._known_from, tables)
        else:
            loads = list(self._standing.values())
            moved = event.restate(self._cursor, self.contract, change, loads, self._known_from, tables)
        half_years, closed, opened = moved
        loads = [load for load in (change.old, change.new) if load is not None]
        _note_spanning_groups(self._cursor, self.contract, loads, closed + opened)
        self._touched |= half_years
        self._closed += closed
        self._opened += opened

    def finish(self) -> set[Period]:
        """Mark what became stale; the half-years whose figures may have moved."""
        if not self.days:
            return set()
        source, touched = self.contract.source, self._touched
        halves = [str(half) for half in touched]
        rows = self._closed + self._opened
        self._cursor.execute("select core.refresh_statistics(%s, %s, %s)", (source, halves, rows))
        touched = touched | half_year.newly_covered(self._before, self._after)
        open_now = set(half_year.opened(self._cursor))
        moved = touched & (self._open_before | open_now)
        moved |= half_year.mark_stale(self._cursor, source, touched, "rows changed")
        # A half-year that opens has no figures, or old ones from before it closed, and nothing marked them since.
        return moved | half_year.mark_stale(self._cursor, None, open_now - self._open_before, "half-year opened")

    def _change(self, day: date, tables: Mapping[int, str]) -> Change:
        later = {other: load for other, load in sorted(self._standing.items()) if other > day}
        change = Change(day, self._before.get(day), self._after.get(day), later, {})
        if self.contract.mode == "events":
            return change
        return replace(change, reached=register.reached(self._cursor, self.contract, change, tables))


def _judge(cursor: Cursor, contract: Contract) -> dict[date, int]:
    """Judge all deliveries of the source again and write their verdicts; the load that stands for each day."""
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
        cursor.execute(statement(__file__, "write_verdict"), vars(verdict))
    cursor.execute(statement(__file__, "count_loaded_rows"), {"source": contract.source})
    return after


def _candidates(cursor: Cursor, source: str) -> list[Candidate]:
    cursor.execute(statement(__file__, "candidates"), {"source": source})
    return [Candidate(*row) for row in cursor.fetchall()]


def is_unchanged(cursor: Cursor, contract: Contract, old: int, new: int, table: str) -> bool:
    """Whether ``new``, a load of the same file as ``old`` with its accepted rows in ``table``, would make core no other.

    Asked only where ``old`` stands; the rows of both that are in quarantine are in the ledger.
    """
    cursor.execute(
        "select snapshot_date from lineage.standing where load_id = %s and upper_inf(known_at)",
        (old,),
    )
    row = cursor.fetchone()
    if row is None:
        return False
    if contract.mode == "events":
        return event.is_unchanged(cursor, contract, old, table)
    return register.is_unchanged(cursor, contract, row[0], old, new, table)


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


def _stand(cursor: Cursor, source: str, change: Change, known_from: datetime) -> None:
    cursor.execute(
        "update lineage.standing set known_at = tstzrange(lower(known_at), %s) "
        "where source = %s and snapshot_date = %s and upper_inf(known_at)",
        (known_from, source, change.day),
    )
    if change.new is not None:
        cursor.execute(
            "insert into lineage.standing (source, snapshot_date, load_id, known_at) "
            "values (%s, %s, %s, tstzrange(%s, null))",
            (source, change.day, change.new, known_from),
        )


def _note_spanning_groups(cursor: Cursor, contract: Contract, loads: list[int], rows: int) -> None:
    """Note which groups of events now lie in several half-years; ``loads`` are those that stood and stand for a day.

    After very many changed rows all groups are looked at, which is then cheaper than to look for theirs. Rows that are
    replaced at once change nothing that is known, and still say where a group lies.
    """
    if contract.period_group is not None:
        column = contract.named(contract.period_group).column
        wanted = None if rows > _MANY_ROWS else loads
        cursor.execute("select core.note_spanning_groups(%s, %s, %s)", (contract.source, column, wanted))
