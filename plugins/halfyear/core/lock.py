"""Locks: what waits for what. Each is held until the transaction ends, and ``declarations_held`` over several.

Whoever takes several takes them in the order of this module, so that nobody waits for somebody who waits for him.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

#: The advisory lock that all who read or write rows share, and that a migration holds alone; any number would do.
_MIGRATION = 8_150_001


def hold_declarations(cursor: Cursor) -> None:
    """Let no migration change tables and views until the transaction ends; waits for one that is under way.

    Whoever reads many of them takes it first: a migration takes them one after the other too, in an order of its own.
    """
    cursor.execute("select pg_advisory_xact_lock_shared(%s)", (_MIGRATION,))


@contextmanager
def declarations_held(connection: Connection) -> Iterator[None]:
    """As ``hold_declarations`` over several transactions, each of which may then see one state from its first statement."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock_shared(%s)", (_MIGRATION,))
    connection.rollback()
    try:
        yield
    finally:
        connection.rollback()
        with connection.cursor() as cursor:
            cursor.execute("select pg_advisory_unlock_shared(%s)", (_MIGRATION,))
        connection.rollback()


def hold_declarations_alone(cursor: Cursor) -> None:
    """Wait for the loads, computations and audits that are under way, and let none begin until the transaction ends."""
    cursor.execute("select pg_advisory_xact_lock(%s)", (_MIGRATION,))


def hold_source(cursor: Cursor, source: str) -> None:
    """One load of a source at a time, and no migration, until the transaction ends."""
    hold_declarations(cursor)
    cursor.execute("select pg_advisory_xact_lock(hashtextextended('halfyear:' || %s, 0))", (source,))
