"""Statements: the SQL names that the statements of one source share."""

from __future__ import annotations

from psycopg2 import sql as pgsql
from psycopg2.extensions import cursor as Cursor

from halfyear.contract import Contract


class Names:
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


def run(cursor: Cursor, text: str, values: dict[str, object] | None = None, **names: pgsql.Composable) -> int:
    """Execute a statement with names and values; the number of rows that it moved."""
    cursor.execute(pgsql.SQL(text).format(**names), values)
    return int(cursor.rowcount)
