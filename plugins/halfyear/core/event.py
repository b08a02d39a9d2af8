"""Events: the row of the newest day that has the key is what is known.

Rows of deliveries that are older than what is known are kept with an empty ``known_at``: they were never known, and stand
ready if the newer delivery is superseded. Rows are closed, never overwritten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime

from psycopg2 import sql as pgsql
from psycopg2.extensions import cursor as Cursor

from halfyear.contract import Contract
from halfyear.core import half_year
from halfyear.core.change import Change
from halfyear.core.statement import Names, run
from halfyear.period import Period


def restate(
    cursor: Cursor,
    contract: Contract,
    change: Change,
    standing: list[int],
    known_from: datetime,
    tables: Mapping[int, str],
) -> tuple[set[Period], int, int]:
    """Bring the events to what a change of one day makes of them; ``standing`` are the loads that stand for any day.

    Gives the half-years of every date and time in the rows that changed, and how many rows were closed and opened.
    """
    names = Names(contract)
    values: dict[str, object] = {"known_from": known_from, "old": change.old, "new": change.new, "loads": standing}
    touched, opened = _insert(cursor, contract, names, change.new, values, tables)
    cursor.execute("select exists (select from affected)")
    if cursor.fetchone() == (False,):
        return touched, 0, opened
    cursor.execute("drop table if exists pg_temp.winner")
    run(
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
    closed = run(
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
    opened += run(
        cursor,
        "update {core} as row set known_at = tstzrange(%(known_from)s, null) where " + opening,
        values,
        core=names.core,
    )
    # A row that was known, replaced, and is known again opens a second stretch of time.
    opened += run(
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


def is_unchanged(cursor: Cursor, contract: Contract, old: int, table: str) -> bool:
    """Whether a new load of the file of ``old``, staged in ``table``, has just the rows that core keeps of it."""
    names = Names(contract)
    run(
        cursor,
        # A row that was known twice is kept twice.
        "with kept as (select distinct on (record_key, row_number) * from {core} where load_id = %(old)s) "
        "select not exists (select from {staged} as new full join kept "
        "on kept.record_key = new.record_key and kept.row_number = new.row_number "
        "where new.record_key is null or kept.record_key is null or {new} is distinct from {kept})",
        {"old": old},
        staged=pgsql.Identifier("staging", table),
        core=names.core,
        new=names.of("new"),
        kept=names.of("kept"),
    )
    return cursor.fetchone() == (True,)


def is_stored(cursor: Cursor, contract: Contract, load_id: int) -> bool:
    """Whether core has rows of a load, known or not."""
    core = pgsql.Identifier("core", contract.source)
    cursor.execute(pgsql.SQL("select exists (select 1 from {} where load_id = %s)").format(core), (load_id,))
    row = cursor.fetchone()
    return bool(row and row[0])


def _insert(
    cursor: Cursor,
    contract: Contract,
    names: Names,
    new: int | None,
    values: dict[str, object],
    tables: Mapping[int, str],
) -> tuple[set[Period], int]:
    """Insert the rows of a load that is not stored yet, and list in ``affected`` the keys that have other rows.

    A row whose key is new to core is known from now on. The others wait with an empty ``known_at`` until it is
    decided which row of a key stands. Returns the half-years of the new keys' rows, and how many these are.
    """
    cursor.execute("drop table if exists pg_temp.affected")
    if new is None or is_stored(cursor, contract, new):
        run(
            cursor,
            "create temp table affected on commit drop as "
            "select distinct record_key from {core} where load_id in (%(old)s, %(new)s)",
            values,
            core=names.core,
        )
        cursor.execute("analyze affected")
        return set(), 0
    staged = pgsql.Identifier("staging", tables[new])
    run(
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
    half_years = half_year.of_rows(cursor, staged, half_year.times(contract))
    touched = half_year.of_any(half_years)
    if is_other != "false":
        touched = half_year.of_any(half_year.of_rows(cursor, staged, half_year.times(contract), f"not {is_other}"))
    # Other rows of the groups are rows that were there before; a first load need not look for any.
    run(cursor, "select exists (select from {core})", core=names.core)
    had_rows = cursor.fetchone() == (True,)
    statement = (
        "insert into {table} ({all}, known_at) select {staged_columns}, "
        f"case when {is_other} then 'empty'::tstzrange else tstzrange(%(known_from)s, null) end "
        "from {staged} as row where {condition}"
    )
    opened = 0
    for table, condition in _partitions(cursor, contract, half_years[str(contract.period_property)]):
        opened += run(
            cursor,
            statement,
            values,
            table=pgsql.Identifier("core", table),
            all=names.all,
            staged=staged,
            staged_columns=names.staged("row", new),
            condition=condition,
        )
    run(cursor, "select count(*) from affected inner join {staged} using (record_key)", staged=staged)
    (waiting,) = cursor.fetchone() or (0,)
    if contract.period_group is not None and opened and had_rows:
        group = pgsql.Identifier("row", contract.named(contract.period_group).column).as_string(cursor)
        beside = f"row.load_id <> %(new)s and {group} in (select {group} from {staged.as_string(cursor)} as row)"
        touched |= half_year.of_any(half_year.of_rows(cursor, names.core, half_year.times(contract), beside, values))
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


def _touched(
    cursor: Cursor, contract: Contract, names: Names, condition: str, values: dict[str, object]
) -> set[Period]:
    """The half-years of every date and time in the rows that meet the condition, and in those that they stand beside."""
    if contract.period_group is not None:
        # Also a row that another one replaces at once is part of its group's history, as a first dispatch is.
        group = pgsql.Identifier("row", contract.named(contract.period_group).column).as_string(cursor)
        condition = (
            f"{group} in (select {group} from {names.core.as_string(cursor)} as row "
            f"where row.load_id in (%(old)s, %(new)s) or ({condition}))"
        )
    return half_year.of_any(half_year.of_rows(cursor, names.core, half_year.times(contract), condition, values))
