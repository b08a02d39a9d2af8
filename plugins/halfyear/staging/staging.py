"""Staging: one load's rows in a table of their own, not yet believed.

``staging.<source>_<load_id>`` has ``row_number``, ``record_key``, ``snapshot_date`` and the contract's columns;
``staging.<source>_<load_id>_rejected`` has the cells that the reader could not use, and whether their row loads
without them. Both are unlogged and are
dropped when the load ends; what a killed load leaves is swept (a session lock tells the living from the dead).
"""

from __future__ import annotations

import dataclasses
import itertools
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pgpq import ArrowToPostgresBinaryEncoder
from psycopg2 import sql as pgsql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import reading
from halfyear.contract import Contract
from halfyear.settings import Settings

#: The first key of the session locks that living loads hold on their load_id.
_LIVING = 8_150_002
#: Columns of every staging table, besides the contract's.
STAGING_COLUMNS = {"row_number": "bigint", "record_key": "text", "snapshot_date": "date"}
#: The columns of a table of rejected cells, as ``reading.RejectedCell`` has them.
_REJECTED = pa.schema(
    [
        ("row_number", pa.int64()),
        *((n, pa.string()) for n in ("record_key", "column_name", "rule", "reason_zh", "reason_en", "masked_value")),
        ("row_loads", pa.bool_()),
    ]
)
_BLOCK = 50_000
#: Bytes that are sent to PostgreSQL at once.
_SENT = 1 << 18
#: Portions that are encoded while one is sent: the parser makes them in bursts.
_AHEAD = 4


@dataclass(frozen=True)
class Staged:
    """A staged load: its table (in schema ``staging``), the table of rejected cells, and the reader's account.

    ``keys_ascend``: each record key is greater than the one before it.
    """

    load_id: int
    table: str
    rejected_table: str
    summary: reading.Summary
    rows_duplicate: int
    keys_ascend: bool


def stage(
    connection: Connection,
    path: Path,
    contract: Contract,
    snapshot_date: date,
    load_id: int,
    settings: Settings,
    file_format: str | None,
    suffix: str = "",
    parser: reading.Parser | None = None,
) -> Staged:
    """Read a file into its staging tables; rows alike in every column are kept once.

    ``file_format`` is the extension of the delivered name, since landing keeps bytes without one; None goes by the
    content. ``parser`` was started by the caller. The count that PostgreSQL reports for the COPY is compared with the rows that were sent. Raises
    FileRefused when the file cannot be used; the caller rolls back. The caller commits.
    """
    table = f"{contract.source}_{load_id}{suffix}"
    rejected_table = f"{table}_rejected"
    with connection.cursor() as cursor:
        _create(cursor, contract, table, rejected_table, snapshot_date)
        key = reading.load_key(settings)
        with reading.open_file(path, contract, settings, key, file_format=file_format, parser=parser) as opened:
            keys = _Keys()
            _copy(cursor, table, reading.arrow_schema(contract), map(keys.see, opened.batches()))
            _copy(cursor, rejected_table, _REJECTED, _rejected(opened.rejected()))
            summary = opened.summary
        # A small sample of the columns that joins use: the planner needs no statistics of the others.
        cursor.execute("set local default_statistics_target = 10")
        cursor.execute(pgsql.SQL("analyze {} (row_number, record_key)").format(pgsql.Identifier("staging", table)))
        duplicates = 0 if keys.ascend else _drop_duplicates(cursor, contract, table)
    return Staged(load_id, table, rejected_table, summary, duplicates, keys.ascend)


def restage(
    connection: Connection,
    path: Path,
    contract: Contract,
    snapshot_date: date,
    load_id: int,
    settings: Settings,
    file_format: str,
) -> str:
    """Stage an accepted load's file once more, without what was quarantined then; returns the table.

    Late and corrected files need their neighbour's rows; landing has the bytes, so nothing is kept for it.
    """
    staged = stage(connection, path, contract, snapshot_date, load_id, settings, file_format, suffix="_again")
    with connection.cursor() as cursor:
        delete_rejected(connection, "staging", staged.table, load_id)
        null_rejected(connection, "staging", staged.table, contract, load_id)
        drop(cursor, staged.rejected_table)
    return staged.table


def delete_rejected(connection: Connection, schema: str, table: str, load_id: int) -> int:
    """Delete the quarantined rows of this load from its staging table; returns how many there were."""
    statement = pgsql.SQL(
        "delete from {table} as staged where exists (select from quarantine.rejected_row as rejected"
        " where rejected.load_id = {load_id} and rejected.row_number = staged.row_number)"
    ).format(table=pgsql.Identifier(schema, table), load_id=pgsql.Literal(load_id))
    with connection.cursor() as cursor:
        cursor.execute(statement)
        return int(cursor.rowcount)


def null_rejected(connection: Connection, schema: str, table: str, contract: Contract, load_id: int) -> None:
    """Set the values of this load that loaded as null to null in its staging table; those that were unreadable are."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select distinct column_name from quarantine.rejected_value where load_id = %s order by 1", (load_id,)
        )
        found = {row[0] for row in cursor}
        for field in (p for p in contract.columns if {p.name, p.column} & found):
            cursor.execute(
                pgsql.SQL(
                    "update {table} as staged set {column} = null where {column} is not null"
                    " and exists (select from quarantine.rejected_value as rejected where rejected.load_id = {load_id}"
                    " and rejected.row_number = staged.row_number and rejected.column_name = any({names}))"
                ).format(
                    table=pgsql.Identifier(schema, table),
                    column=pgsql.Identifier(field.column),
                    load_id=pgsql.Literal(load_id),
                    names=pgsql.Literal([field.name, field.column]),
                )
            )


def hold(connection: Connection, load_id: int) -> None:
    """Mark a load as living for as long as this connection is open."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_lock(%s, %s)", (_LIVING, load_id % 2**31))


def drop(cursor: Cursor, *tables: str) -> None:
    """Drop staging tables; absent ones are no error."""
    for table in tables:
        cursor.execute(pgsql.SQL("drop table if exists {}").format(pgsql.Identifier("staging", table)))


def sweep(connection: Connection) -> list[str]:
    """Drop the staging tables of loads that no longer live; returns their names."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select tablename, (regexp_match(tablename, '_(\\d+)(?:_rejected|_again|_again_rejected)?$'))[1]::bigint "
            "from pg_tables where schemaname = 'staging' and tableowner = current_user"
        )
        dropped = []
        for table, load_id in cursor.fetchall():
            if load_id is None:
                continue
            cursor.execute("select pg_try_advisory_xact_lock(%s, %s)", (_LIVING, load_id % 2**31))
            row = cursor.fetchone()
            if row and row[0]:
                drop(cursor, table)
                dropped.append(table)
    connection.commit()
    return dropped


def _create(cursor: Cursor, contract: Contract, table: str, rejected_table: str, snapshot_date: date) -> None:
    columns = pgsql.SQL(", ").join(
        pgsql.SQL("{} {}").format(pgsql.Identifier(p.column), pgsql.SQL(p.postgres_type)) for p in contract.columns
    )
    cursor.execute(
        pgsql.SQL(
            "create unlogged table {} (row_number bigint, record_key text, snapshot_date date default {}, {})"
        ).format(pgsql.Identifier("staging", table), pgsql.Literal(snapshot_date.isoformat()), columns)
    )
    cursor.execute(
        pgsql.SQL("create unlogged table {} (like quarantine.rejected_row)").format(
            pgsql.Identifier("staging", rejected_table)
        )
    )
    cursor.execute(
        pgsql.SQL("alter table {} drop column load_id, add column row_loads boolean").format(
            pgsql.Identifier("staging", rejected_table)
        )
    )


class _Keys:
    """Sees the keys of a load pass. Keys that only ascend, as in most exports, cannot repeat."""

    def __init__(self) -> None:
        self.ascend = True
        self._last = pa.array([], pa.string())

    def see(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        if self.ascend:
            keys = pa.concat_arrays([self._last, batch["record_key"]])
            self.ascend = pc.all(pc.less(keys[:-1], keys[1:]), min_count=0).as_py()
            self._last = keys[-1:]
        return batch


def _copy(cursor: Cursor, table: str, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
    """Send batches as one binary COPY; the next is read and encoded while the present one is sent.

    The table is of this transaction, so its rows may be frozen: the scans after it need not mark each as committed.
    What the batches raise is raised here; the rows that were sent before are in the table then.
    """
    stream = _Stream(schema, batches)
    names = pgsql.SQL(", ").join(map(pgsql.Identifier, schema.names))
    target = pgsql.Identifier("staging", table)
    statement = pgsql.SQL("copy {} ({}) from stdin with (format binary, freeze)").format(target, names)
    cursor.copy_expert(statement, stream, size=_SENT)
    if stream.error is not None:
        raise stream.error
    if cursor.rowcount != stream.rows:
        raise AssertionError(f"COPY took {cursor.rowcount} of {stream.rows} rows into {table}")


class _Stream:
    """Batches as a file in PostgreSQL's binary form. ``error`` is what they raised: to COPY it is their end."""

    def __init__(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> None:
        self.rows = 0
        self.error: Exception | None = None
        self._parts = _ahead(self._encoded(schema, batches))
        self._part = memoryview(b"")

    def read(self, size: int = _SENT, /) -> bytes:
        if not self._part:
            self._part = memoryview(next(self._parts, b""))
        block, self._part = self._part[:size], self._part[size:]
        return bytes(block)

    #: psycopg2's type of a file has it; COPY never calls it.
    readline = read

    def _encoded(self, schema: pa.Schema, batches: Iterator[pa.RecordBatch]) -> Iterator[bytes]:
        encoder = ArrowToPostgresBinaryEncoder(schema)
        yield encoder.write_header()
        try:
            for batch in batches:
                self.rows += batch.num_rows
                if part := encoder.write_batch(batch):  # it keeps small ones for the next
                    yield part
        except Exception as error:
            self.error = error
        yield encoder.finish()


def _ahead(parts: Iterator[bytes]) -> Iterator[bytes]:
    """The parts; while one is sent, a thread makes the next ones."""
    pool = ThreadPoolExecutor(1)
    try:
        following = deque(pool.submit(next, parts, b"") for _ in range(_AHEAD))
        while part := following.popleft().result():
            following.append(pool.submit(next, parts, b""))
            yield part
    finally:
        pool.shutdown(cancel_futures=True)


def _rejected(cells: Iterable[reading.RejectedCell]) -> Iterator[pa.RecordBatch]:
    """The cells in batches of the table's columns."""
    rows = iter(cells)
    while block := list(itertools.islice(rows, _BLOCK)):
        fields = zip(*(dataclasses.astuple(cell) for cell in block), strict=True)
        columns = [pa.array(values, kind) for values, kind in zip(fields, _REJECTED.types, strict=True)]
        yield pa.RecordBatch.from_arrays(columns, schema=_REJECTED)


def _drop_duplicates(cursor: Cursor, contract: Contract, table: str) -> int:
    """Of rows alike in every column the first stays; returns how many went. Keys seen once cost one aggregate."""
    columns = pgsql.SQL(", ").join(pgsql.Identifier(p.column) for p in contract.columns)
    cursor.execute(
        pgsql.SQL(
            "delete from {table} where row_number in ("
            "select row_number from (select row_number, row_number() over (partition by record_key, {columns} "
            "order by row_number) as copy from {table} where record_key in ("
            "select record_key from {table} group by record_key having count(*) > 1)) as ranked where copy > 1)"
        ).format(table=pgsql.Identifier("staging", table), columns=columns)
    )
    return int(cursor.rowcount)
