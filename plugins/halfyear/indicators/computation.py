"""Computation: what is due to be computed, and the figures of a half-year written down, whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from psycopg2.extensions import STATUS_READY
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from halfyear import period as periods
from halfyear.core.lock import hold_declarations
from halfyear.errors import ContractError
from halfyear.indicators import indicator
from halfyear.indicators.definition import Definition, Pair
from halfyear.indicators.observation import Computed, computed_of, explain
from halfyear.indicators.scan import parameters
from halfyear.period import Period

_LOCK = 8_150_003


def stale_periods(connection: Connection) -> list[Period]:
    """The half-years in which something is due, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("select distinct period from indicators.due order by period")
        return [periods.parse(row[0]) for row in cursor]


def claim_due(connection: Connection, source: str) -> list[Period]:
    """The due half-years that the scheduler should be told of now, each once; called when a source has loaded.

    Empty while another source still loads: the last one to end claims for all, so that a half-year is computed
    once for a night and not once for each source. A claim that nobody acted on is open again after an hour, and
    a source that has been waiting for half an hour keeps nobody back.
    """
    with connection.cursor() as cursor:
        hold_declarations(cursor)
        cursor.execute("select pg_advisory_xact_lock(%s, 0)", (_LOCK,))
        cursor.execute(
            "select exists (select from lineage.delivery where verdict is null and source <> %s "
            "and received_at > clock_timestamp() - interval '30 minutes')",
            (source,),
        )
        if cursor.fetchone() == (True,):
            return []
        cursor.execute("select * from indicators.claim_due()")
        return sorted(periods.parse(row[0]) for row in cursor)


def lock(cursor: Cursor, period: Period) -> None:
    """One computation of a half-year at a time, and no migration, until the transaction ends."""
    hold_declarations(cursor)
    cursor.execute("select pg_advisory_xact_lock(%s, %s)", (_LOCK, period.year * 2 + period.semester))


def compute(connection: Connection, period: Period, everything: bool = False) -> int:
    """Compute what is due in a half-year, or everything, and commit; the number of (indicator, reading) pairs computed.

    Safe to run twice at once: a lock per period, and the marks that are served leave in the same transaction, while a
    mark that arrives meanwhile stays for the next run. Marks are taken before any statement that reads rows is planned,
    so a load whose rows were not seen always leaves its mark. Values that did not move are not rewritten. An indicator
    whose select fails on a row stays due, and is named in a ContractError once the others are committed.
    """
    if connection.status != STATUS_READY:
        # A transaction that holds locks on tables may plan without a partition that was attached since.
        connection.commit()
    with connection, connection.cursor() as cursor:
        computed, failed = _compute(cursor, period, everything)
    if failed:
        raise ContractError(f"{period}: {explain(failed)}")
    return computed


def compute_within(cursor: Cursor, period: Period) -> None:
    """Compute what is due in a half-year and leave the transaction open, for somebody who only wants to see the figures."""
    _compute(cursor, period, everything=False)


def _compute(cursor: Cursor, period: Period, everything: bool) -> tuple[int, dict[Pair, str]]:
    """Compute what is due; how many pairs were computed, and those whose select failed."""
    code = str(period)
    failed: dict[Pair, str] = {}
    lock(cursor, period)
    cursor.execute("delete from indicators.stale where period = %s returning indicator_code, reading", (code,))
    pairs = {Pair(*row) for row in cursor}
    cursor.execute("select indicator_code, reading from indicators.due where period = %s", (code,))
    pairs |= {Pair(*row) for row in cursor}
    if not pairs and not everything:
        return 0, failed
    cursor.execute("select exists (select from lineage.open_period where period = %s)", (code,))
    known = indicator.definitions(cursor.connection) if cursor.fetchone() == (True,) else {}
    if everything:
        pairs |= {each.pair for each in known.values()}
    gone = sum(_withdraw(cursor, code, pair) for pair in sorted(pairs) if pair not in known)
    wanted = [known[pair] for pair in sorted(pairs) if pair in known]
    if wanted:
        computed = computed_of(cursor, wanted, parameters(period, None), failed)
        wanted = [each for each in wanted if each.pair not in failed]
        _write(cursor, code, wanted, computed)
        for pair in failed:
            cursor.execute(
                "insert into indicators.stale (period, indicator_code, reading, reason) "
                "values (%s, %s, %s, 'select failed')",
                (code, *pair),
            )
    if everything:
        cursor.execute("select indicators.bring_into_force(%s, null, null)", (code,))
    return gone + len(wanted), failed


def _withdraw(cursor: Cursor, period: str, pair: Pair) -> int:
    """Supersede the observations of a period or definition that is gone; 1 when there were any."""
    cursor.execute(
        "update indicators.observation set superseded_at = now() "
        "where period = %s and indicator_code = %s and reading = %s and superseded_at is null",
        (period, *pair),
    )
    is_gone = cursor.rowcount > 0
    cursor.execute(
        "delete from lineage.observation_input where period = %s and indicator_code = %s and reading = %s",
        (period, *pair),
    )
    return int(is_gone)


def _write(cursor: Cursor, period: str, definitions: Sequence[Definition], computed: Mapping[Pair, Computed]) -> None:
    """Supersede the observations of definitions that moved, add what they are now, and keep the loads of their rows."""
    wanted = {
        (*each.pair, o.body_code): (o.numerator, o.denominator, o.value, o.printed, definition_hash)
        for each in definitions
        for definition_hash in (each.hash,)
        for o in computed[each.pair].observations
    }
    of_pairs = "(indicator_code, reading) in (select * from unnest(%s::text[], %s::text[]))"
    pairs = ([each.code for each in definitions], [each.reading for each in definitions])
    cursor.execute(
        "select observation_id, indicator_code, reading, body_code, numerator, denominator, value, printed, "
        f"definition_hash from indicators.observation where period = %s and superseded_at is null and {of_pairs}",
        (period, *pairs),
    )
    present = {tuple(row[1:4]): (row[0], tuple(row[4:])) for row in cursor}
    ended = [number for key, (number, row) in present.items() if wanted.get(key) != row]
    added = [(*key, *row) for key, row in wanted.items() if key not in present or present[key][1] != row]
    if ended:
        cursor.execute(
            "update indicators.observation set superseded_at = now() where observation_id = any(%s)", (ended,)
        )
    if added:
        cursor.execute(
            "insert into indicators.observation (period, indicator_code, reading, body_code, numerator, denominator, "
            "value, printed, definition_hash, computed_at) select %s, *, now() from unnest(%s::text[], %s::text[], "
            "%s::text[], %s::numeric[], %s::numeric[], %s::numeric[], %s::text[], %s::text[])",
            (period, *(list(column) for column in zip(*added, strict=True))),
        )
    inputs = {(*each.pair, load_id) for each in definitions for load_id in computed[each.pair].loads}
    cursor.execute(
        f"select indicator_code, reading, load_id from lineage.observation_input where period = %s and {of_pairs}",
        (period, *pairs),
    )
    before = set(cursor)
    if before - inputs:
        cursor.execute(
            "delete from lineage.observation_input where period = %s and (indicator_code, reading, load_id) in "
            "(select * from unnest(%s::text[], %s::text[], %s::bigint[]))",
            (period, *(list(column) for column in zip(*sorted(before - inputs), strict=True))),
        )
    if inputs - before:
        execute_values(
            cursor,
            "insert into lineage.observation_input (period, indicator_code, reading, load_id) values %s",
            [(period, *row) for row in sorted(inputs - before)],
        )
