"""References: bodies and records of other sources that rows name and nobody knows, judged after loads and kept.

Which file came first does not matter: rows are judged against every accepted snapshot, never while they load. What is kept
is what ``mart.unknown_body_row`` and ``mart.unknown_reference_row`` say of a source, which read all of its rows.
"""

from __future__ import annotations

from psycopg2.extensions import connection as Connection

from halfyear.core.lock import hold_declarations

_LOCK = 8_150_008


def judge(connection: Connection) -> tuple[str, ...]:
    """Judge all rows of every source whose last judgement is out of date, and commit; returns these sources.

    It is out of date when rows of the source or of one that it refers to came or went, or a list, a contract or another
    declaration changed. Of two calls at once the second waits for the first, and finds nothing to do.
    """
    with connection, connection.cursor() as cursor:
        hold_declarations(cursor)
        cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        for table in ("unknown_body", "unknown_reference", "reference_judgement"):
            cursor.execute(
                f"delete from lineage.{table} as kept where not exists "
                "(select from mart.reference_judgement as known where known.source = kept.source)"
            )
        # Note what was seen before the rows are read: the judgement does not cover rows that arrive meanwhile.
        cursor.execute("select source, seen::text from mart.reference_judgement where not is_current order by source")
        seen = dict(cursor.fetchall())
        if not seen:
            return ()
        sources = (list(seen),)
        cursor.execute("delete from lineage.unknown_body where source = any(%s)", sources)
        cursor.execute("delete from lineage.unknown_reference where source = any(%s)", sources)
        cursor.execute(
            "insert into lineage.unknown_body (source, body_code, body_name, load_id, rows) "
            "select source, body_code, body_name, load_id, count(*) from mart.unknown_body_row "
            "where source = any(%s) group by source, body_code, body_name, load_id",
            sources,
        )
        cursor.execute(
            "insert into lineage.unknown_reference (source, column_name, refers_to, value, load_id, rows) "
            "select source, column_name, refers_to, value, load_id, count(*) from mart.unknown_reference_row "
            "where source = any(%s) group by source, column_name, refers_to, value, load_id",
            sources,
        )
        cursor.executemany(
            "insert into lineage.reference_judgement (source, seen) values (%s, %s) "
            "on conflict (source) do update set seen = excluded.seen, judged_at = clock_timestamp()",
            list(seen.items()),
        )
    return tuple(seen)
