"""What a vintage holds: collected from the warehouse, rehearsed, and entered with its hashes.

A rehearsal enters a vintage, lets the mart be asked as it would stand then, and takes it back. So an approver is shown what
will be printed, and a seal keeps what is printed, without a second way to say either.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from halfyear.indicators.definition import Definition
from halfyear.period import Period
from halfyear.publishing import page
from halfyear.publishing.digest import FACTS, HELD, PROOF, digest_of, own_digest
from halfyear.statement_file import statement

#: The rows of each table of `HELD`.
Held = Mapping[str, Sequence[tuple[Any, ...]]]


def figures(cursor: Cursor, period: Period) -> list[tuple[Any, ...]]:
    """The current observations of a half-year: every indicator, reading and body, as sealed_observation holds them."""
    columns = HELD["sealed_observation"][2:]
    cursor.execute(
        f"select {', '.join(columns)} from indicators.observation where period = %s and superseded_at is null "
        "order by indicator_code, reading, body_code nulls first",
        (str(period),),
    )
    return cursor.fetchall()


def collect(
    cursor: Cursor,
    period: Period,
    vintage: int,
    definitions: Mapping[tuple[str, str], Definition],
    restatements: Sequence[tuple[Any, ...]] = (),
) -> dict[str, Sequence[tuple[Any, ...]]]:
    """What a vintage would hold now: figures, definitions and deliveries; ``restatements`` without period and vintage."""
    key = (str(period), vintage)
    cursor.execute(statement(__file__, "sealed_inputs"), {"period": str(period)})
    return {
        "sealed_delivery": [(*key, *row) for row in cursor],
        "sealed_observation": [(*key, *row) for row in figures(cursor, period)],
        "sealed_definition": [(*key, *pair, _definition(d), d.hash) for pair, d in definitions.items()],
        "restatement": [(*key, *row) for row in restatements],
    }


def comparisons(cursor: Cursor, period: Period) -> list[tuple[Any, ...]]:
    """What the published figures in force are compared with, as sealed_comparison holds it; asked in a rehearsal."""
    cursor.execute(
        "select indicator_code, reading, body_code, body_name, "
        "jsonb_build_object('previous', previous, 'year_ago', year_ago)::text "
        "from indicators.compared_figure where period = %s order by indicator_code, body_key",
        (str(period),),
    )
    return cursor.fetchall()


def pages(cursor: Cursor, period: Period, vintage: int) -> list[tuple[str, str]]:
    """Every page of the half-year with its rows, as sealed_print holds them; asked in a rehearsal."""
    return [(name, page.content_now(cursor, period, vintage, name)) for name in page.PAGES]


@contextmanager
def rehearsed(cursor: Cursor, facts: Mapping[str, Any], held: Held) -> Iterator[None]:
    """The warehouse as it would be with a vintage, within; afterwards it is as it was. ``facts`` lack no fact but the hash."""
    cursor.execute("savepoint rehearsal")
    try:
        enter(cursor, facts, held)
        cursor.execute("select indicators.bring_into_force(%s, null, null)", (facts["period"],))
        yield
    finally:
        cursor.execute("rollback to savepoint rehearsal")
        cursor.execute("release savepoint rehearsal")


def enter(cursor: Cursor, facts: Mapping[str, Any], held: Held) -> str:
    """Enter a vintage with all that it holds and the hash of each row; its own hash."""
    hashes = {table: [digest_of(row) for row in rows] for table, rows in held.items()}
    own = own_digest([facts[name] for name in FACTS], [facts[name] for name in PROOF], hashes)
    columns = (*FACTS, *PROOF)
    values = [Json(facts[name]) if name == "exceptions" else facts[name] for name in columns]
    cursor.execute(
        f"insert into indicators.vintage ({', '.join(columns)}, hash) values ({', '.join(['%s'] * len(columns))}, %s)",
        [*values, own],
    )
    for table, rows in held.items():
        if not rows:
            continue
        execute_values(
            cursor,
            f"insert into indicators.{table} ({', '.join(HELD[table])}, row_hash) values %s",
            [
                (*(Json(v) if isinstance(v, dict) else v for v in row), row_hash)
                for row, row_hash in zip(rows, hashes[table], strict=True)
            ],
            # One statement a table: what it adds is looked at by one call of its trigger.
            page_size=len(rows) + 1,
        )
    return own


def facts_of(
    cursor: Cursor, period: Period, vintage: int, prepared_by: str, approved_by: str, **more: Any
) -> dict[str, Any]:
    """The facts of a vintage that is made now: its instant and its place in the chain; ``more`` are those that people give."""
    # No row is known later than this instant, and whatever is loaded after this transaction is.
    cursor.execute(
        "select greatest(clock_timestamp(), max(greatest(lower(known_at), upper(known_at)))) from lineage.standing"
    )
    (sealed_at,) = cursor.fetchone() or (None,)
    assert isinstance(sealed_at, datetime)
    cursor.execute("select sequence, hash from indicators.vintage order by sequence desc limit 1")
    sequence, previous_hash = cursor.fetchone() or (0, None)
    # The fingerprint of all that the warehouse was last derived from: lists, views, definitions.
    cursor.execute("select coalesce((select fingerprint from lineage.declaration where name = 'warehouse'), '')")
    (declarations,) = cursor.fetchone() or ("",)
    given = {
        "period": str(period), "vintage": vintage, "sequence": sequence + 1, "sealed_at": sealed_at,
        "prepared_by": prepared_by, "approved_by": approved_by, "approved_at": sealed_at, "code_version": "",
        "note": "", "exceptions": [], "declarations": declarations, "proposal_digest": "",
        "previous_hash": previous_hash, **dict.fromkeys(PROOF),
    }  # fmt: skip
    return given | {name: value for name, value in more.items() if value is not None}


def _definition(definition: Definition) -> dict[str, Any]:
    """A definition as the seal keeps it: every field but the parts of its select, numbers as they were written."""
    return {
        name: format(value, "f") if isinstance(value, Decimal) else list(value) if isinstance(value, tuple) else value
        for name, value in vars(definition).items()
        if name != "parts"
    }
