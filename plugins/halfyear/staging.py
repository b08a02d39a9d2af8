"""Staging: one load's rows in a table of their own, not yet believed.

``staging.<source>_<load_id>`` has ``row_number``, ``record_key``, ``snapshot_date`` and the contract's columns;
``staging.<source>_<load_id>_rejected`` has the cells that the reader could not use. Both are unlogged and are
dropped when the load ends; what a killed load leaves is swept (a session lock tells the living from the dead).
"""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from psycopg2 import sql as pgsql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from pyarrow import csv as arrow_csv

from halfyear import checks, reading
from halfyear.checks import CheckResult
from halfyear.contract import Contract
from halfyear.settings import Settings

#: The first key of the session locks that living loads hold on their load_id.
_LIVING = 8_150_002
_REJECTED = ("row_number", "record_key", "column_name", "rule", "reason_zh", "reason_en", "masked_value")


@dataclass(frozen=True)
class Staged:
    """A staged load: its table (in schema ``staging``), the table of rejected cells, and the reader's account."""

    load_id: int
    table: str
    rejected_table: str
    summary: reading.Summary
    rows_duplicate: int


def stage(
    connection: Connection,
    path: Path,
    contract: Contract,
    snapshot_date: date,
    load_id: int,
    settings: Settings,
    file_format: str | None,
    suffix: str = "",
) -> Staged:
    """Read a file into its staging tables; rows alike in every column are kept once.

    ``file_format`` is the extension of the delivered name, since landing keeps bytes without one; None goes by the
    content. The count that PostgreSQL reports for each COPY is compared with the rows that were sent. Raises
    FileRefused when the file cannot be used; the caller rolls back. The caller commits.
    """
    table = f"{contract.source}_{load_id}{suffix}"
    rejected_table = f"{table}_rejected"
    with connection.cursor() as cursor:
        _create(cursor, contract, table, rejected_table)
        key = reading.load_key(settings)
        with reading.open_file(path, contract, snapshot_date, settings, key, file_format=file_format) as opened:
            for batch in opened.batches():
                _copy(cursor, table, _with_date(batch, snapshot_date))
            _copy_rejected(cursor, rejected_table, opened.rejected())
            summary = opened.summary
        cursor.execute(pgsql.SQL("analyze {}").format(pgsql.Identifier("staging", table)))
        duplicates = _drop_duplicates(cursor, contract, table)
    return Staged(load_id, table, rejected_table, summary, duplicates)


def restage(
    connection: Connection,
    path: Path,
    contract: Contract,
    snapshot_date: date,
    load_id: int,
    settings: Settings,
    file_format: str,
) -> str:
    """Stage an accepted load's file once more, without the rows that were quarantined then; returns the table.

    Late and corrected files need their neighbour's rows; landing has the bytes, so nothing is kept for it.
    """
    staged = stage(connection, path, contract, snapshot_date, load_id, settings, file_format, suffix="_again")
    with connection.cursor() as cursor:
        checks.delete_rejected(connection, "staging", staged.table, load_id)
        drop(cursor, staged.rejected_table)
    return staged.table


def quarantine(cursor: Cursor, contract: Contract, staged: Staged, results: Sequence[CheckResult]) -> int:
    """Move every row that broke a rule from staging to quarantine; returns how many rows that are."""
    load_id = staged.load_id
    columns = "row_number, record_key, column_name, rule, reason_zh, reason_en, masked_value"
    cursor.execute(
        f"insert into quarantine.rejected_row (load_id, {columns}) "
        f'select %s, {columns} from staging."{staged.rejected_table}"',
        (load_id,),
    )
    checks.quarantine(cursor.connection, "staging", staged.table, contract, results, load_id)
    # A row whose twin could not be read shares its key with other content: neither can be believed.
    unique = next(rule for rule in checks.suite(contract) if rule.rule == "record_key_unique")
    cursor.execute(
        "insert into quarantine.rejected_row (load_id, row_number, record_key, column_name, rule, reason_zh, reason_en) "
        "select distinct %(load_id)s::bigint, row.row_number, row.record_key, %(column)s, %(rule)s, %(zh)s, %(en)s "
        f'from staging."{staged.table}" as row inner join staging."{staged.rejected_table}" as rejected '
        "on rejected.record_key = row.record_key where not exists (select 1 from quarantine.rejected_row as known "
        "where known.load_id = %(load_id)s and known.row_number = row.row_number and known.rule = %(rule)s)",
        {
            "load_id": load_id,
            "column": unique.column,
            "rule": unique.rule,
            "zh": unique.description.zh,
            "en": unique.description.en,
        },
    )
    checks.delete_rejected(cursor.connection, "staging", staged.table, load_id)
    cursor.execute("select count(distinct row_number) from quarantine.rejected_row where load_id = %s", (load_id,))
    row = cursor.fetchone()
    return int(row[0]) if row else 0


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


def _create(cursor: Cursor, contract: Contract, table: str, rejected_table: str) -> None:
    columns = ", ".join(f'"{p.column}" {p.postgres_type}' for p in contract.columns)
    cursor.execute(
        pgsql.SQL(
            f"create unlogged table {{}} (row_number bigint, record_key text, snapshot_date date, {columns})"
        ).format(pgsql.Identifier("staging", table))
    )
    cursor.execute(
        pgsql.SQL("create unlogged table {} (like quarantine.rejected_row)").format(
            pgsql.Identifier("staging", rejected_table)
        )
    )
    cursor.execute(pgsql.SQL("alter table {} drop column load_id").format(pgsql.Identifier("staging", rejected_table)))


def _with_date(batch: pa.RecordBatch, snapshot_date: date) -> pa.RecordBatch:
    dates = pa.repeat(pa.scalar(snapshot_date, pa.date32()), batch.num_rows)
    return batch.add_column(2, "snapshot_date", dates)


def _copy(cursor: Cursor, table: str, batch: pa.RecordBatch) -> None:
    buffer = io.BytesIO()
    arrays = [_as_text(column) for column in batch.columns]
    plain = pa.RecordBatch.from_arrays(arrays, names=batch.schema.names)
    arrow_csv.write_csv(plain, buffer, arrow_csv.WriteOptions(include_header=False))
    buffer.seek(0)
    names = pgsql.SQL(", ").join(map(pgsql.Identifier, batch.schema.names))
    statement = pgsql.SQL("copy {} ({}) from stdin with (format csv)").format(pgsql.Identifier("staging", table), names)
    cursor.copy_expert(statement, buffer)
    if cursor.rowcount != batch.num_rows:
        raise AssertionError(f"COPY took {cursor.rowcount} of {batch.num_rows} rows into {table}")


def _as_text(column: pa.Array) -> pa.Array:
    """The types whose CSV form PostgreSQL would not read back unchanged, as text."""
    if pa.types.is_decimal(column.type):
        text = pc.cast(column, pa.string())
        text = pc.replace_substring_regex(text, r"(\.\d*?)0+$", r"\1")
        return pc.replace_substring_regex(text, r"\.$", "")
    if pa.types.is_timestamp(column.type):
        return pc.strftime(pc.cast(column, pa.timestamp("us", "UTC")), format="%Y-%m-%d %H:%M:%S+00")
    return column


def _copy_rejected(cursor: Cursor, table: str, cells: Iterable[reading.RejectedCell]) -> None:
    block: list[tuple[object, ...]] = []

    def flush() -> None:
        columns = list(zip(*block, strict=True))
        types = [pa.int64(), *[pa.string()] * 6]
        arrays = [pa.array(values, kind) for values, kind in zip(columns, types, strict=True)]
        _copy(cursor, table, pa.RecordBatch.from_arrays(arrays, names=list(_REJECTED)))
        block.clear()

    for cell in cells:
        block.append(
            (cell.row_number, cell.record_key, cell.column, cell.rule, cell.reason_zh, cell.reason_en, cell.value)
        )
        if len(block) == 50_000:
            flush()
    if block:
        flush()


def _drop_duplicates(cursor: Cursor, contract: Contract, table: str) -> int:
    """Of rows alike in every column the first stays; returns how many went. Keys seen once cost one aggregate."""
    name = pgsql.Identifier("staging", table)
    columns = ", ".join(f'"{p.column}"' for p in contract.columns)
    cursor.execute(
        pgsql.SQL(
            "delete from {table} where row_number in ("
            f"select row_number from (select row_number, row_number() over (partition by record_key, {columns} "
            "order by row_number) as copy from {table} where record_key in ("
            "select record_key from {table} group by record_key having count(*) > 1)) as ranked where copy > 1)"
        ).format(table=name)
    )
    return int(cursor.rowcount)
