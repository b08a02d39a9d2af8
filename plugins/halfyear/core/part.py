"""Parts: what the accepted rows of a load consist of, kept so that its successors can be compared with it.

How many rows name each body, and a digest of them that neither their order nor the format of the file changes.
"""

from __future__ import annotations

from psycopg2 import sql as pgsql
from psycopg2.extensions import cursor as Cursor

from halfyear.contract import Contract
from halfyear.core.statement import run

_NAMES = ("body_code", "body_name", "region_code")


def enter(cursor: Cursor, contract: Contract, load_id: int, table: str) -> None:
    """Enter the parts of a load, whose accepted rows are in a table of staging; nothing where they are known."""
    columns = [p.column for p in contract.columns]
    parts = [pgsql.Identifier(name) if name in columns else pgsql.SQL("null::text") for name in _NAMES]
    run(
        cursor,
        "insert into lineage.load_part (load_id, body_code, body_name, region_code, rows, digest) "
        "select %(load_id)s, {parts}, count(*), sum(hash_record_extended(row({columns}), 0)::numeric) from {staged} "
        "where not exists (select from lineage.load_part where load_id = %(load_id)s) group by 2, 3, 4",
        {"load_id": load_id},
        parts=pgsql.SQL(", ").join(parts),
        columns=pgsql.SQL(", ").join(map(pgsql.Identifier, columns)),
        staged=pgsql.Identifier("staging", table),
    )
