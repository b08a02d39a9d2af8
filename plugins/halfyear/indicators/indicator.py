"""Indicators in the warehouse: their definitions, as ``migrate`` writes them and everything else reads them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, fields
from decimal import Decimal
from typing import Any

from psycopg2 import sql as pgsql
from psycopg2.extensions import connection as Connection
from psycopg2.extras import Json

from halfyear.errors import UsageError
from halfyear.indicators.definition import Definition, Pair, Parts
from halfyear.indicators.population import Laid
from halfyear.indicators.select_text import PARAMETERS
from halfyear.period import Period

# Where a column is not called as the field is.
_COLUMNS = {"code": "indicator_code", "sql": "sql_text"}
#: The columns of indicators.definition, each with its field of a definition.
_FIELDS = {_COLUMNS.get(field.name, field.name): field.name for field in fields(Definition)}
# In what order the function indicators.trace gives the parameters to a select.
_POSITIONS = {name: f"${place}::{kind}" for place, (name, kind) in enumerate(PARAMETERS.items(), start=1)}


def sync(connection: Connection, definitions: Mapping[tuple[str, str], Definition]) -> int:
    """Bring ``indicators.definition`` to the files, within the caller's transaction; the number of changes.

    A changed hash makes every open period of the definition due by itself (``indicators.due``).
    """
    columns = [*_FIELDS, "definition_hash", "trace_text"]
    rows = [
        (*(_stored(getattr(d, field)) for field in _FIELDS.values()), d.hash, d.bind(_POSITIONS.__getitem__))
        for d in definitions.values()
    ]
    names = {column: pgsql.Identifier(column) for column in columns}
    statement = pgsql.SQL(
        "insert into indicators.definition as d ({columns}) values ({values}) "
        "on conflict (indicator_code, reading) do update "
        "set {sets}, changed_at = case when d.definition_hash = excluded.definition_hash "
        "then d.changed_at else clock_timestamp() end "
        "returning (old.definition_hash is distinct from new.definition_hash)::integer, old.reading is null"
    ).format(
        columns=pgsql.SQL(", ").join(names.values()),
        values=pgsql.SQL(", ").join(pgsql.Placeholder() * len(columns)),
        sets=pgsql.SQL(", ").join(
            pgsql.SQL("{0} = excluded.{0}").format(name)
            for column, name in names.items()
            if column not in ("indicator_code", "reading")
        ),
    )
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from indicators.definition where not (indicator_code, reading) in "
            "(select * from unnest(%s::text[], %s::text[]))",
            ([code for code, _ in definitions], [reading for _, reading in definitions]),
        )
        changes = cursor.rowcount
        # Which reading is published may move between two rows that are both kept.
        published = [(d.code, d.reading) for d in definitions.values() if d.is_published]
        cursor.execute(
            "update indicators.definition set is_published = false where is_published and "
            "(indicator_code, reading) not in (select * from unnest(%s::text[], %s::text[]))",
            ([code for code, _ in published], [reading for _, reading in published]),
        )
        for row in rows:
            cursor.execute(statement, row)
            changed, is_new = cursor.fetchone() or (0, False)
            changes += changed
            if is_new:
                # A definition that was removed and comes back has old figures, and rows may have changed since.
                cursor.execute(
                    "insert into indicators.stale (period, indicator_code, reading, reason) "
                    "select period, %s, %s, 'definition added' from lineage.open_period",
                    row[:2],
                )
        cursor.execute(
            "delete from indicators.stale as s where not exists (select from indicators.definition as d "
            "where d.indicator_code = s.indicator_code and d.reading = s.reading)"
        )
    return changes


def definitions(connection: Connection) -> dict[tuple[str, str], Definition]:
    """The definitions as the warehouse holds them, in the order of the tables."""
    with connection.cursor() as cursor:
        columns = pgsql.SQL(", ").join(map(pgsql.Identifier, _FIELDS))
        cursor.execute(pgsql.SQL("select {} from indicators.definition order by sort_order").format(columns))
        rows = cursor.fetchall()
    return {d.pair: d for d in (_definition(dict(zip(_FIELDS.values(), row, strict=True))) for row in rows)}


def _definition(fields: dict[str, Any]) -> Definition:
    parts = fields["parts"]
    if parts is not None:
        laid = parts["laid"] and Laid(**parts["laid"])
        relations = tuple(tuple(each) for each in parts["relations"])
        parts = Parts(**{**parts, "relations": relations, "laid": laid, "reads": tuple(parts["reads"])})
    return Definition(
        **{**fields, "sources": tuple(fields["sources"]), "readings": tuple(fields["readings"]), "parts": parts}
    )


def _stored(value: Any) -> Any:
    """A field of a definition as its column takes it."""
    if isinstance(value, Parts):
        return Json(asdict(value))
    return Json(value) if isinstance(value, Mapping) else list(value) if isinstance(value, tuple) else value


def definition(connection: Connection, code: str, reading: str = "") -> Definition:
    """The definition of a code and reading; UsageError, with what comes near, when there is none."""
    known = definitions(connection)
    try:
        return known[code, reading]
    except KeyError:
        names = [".".join(filter(None, key)) for key in known]
        wanted = ".".join(filter(None, (code, reading)))
        near = ", ".join(difflib.get_close_matches(wanted, names, 3))
        hint = f"是否指 / did you mean: {near}" if near else "代码见 / codes are listed by: halfyear indicators PERIOD"
        raise UsageError(f"{wanted}: 没有这个指标 / there is no such indicator; {hint}") from None


def sealed_definitions(connection: Connection, period: Period, vintage: int) -> dict[Pair, Definition]:
    """The definitions of a vintage as its figures were computed, by code and reading, in the order of the tables then."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select definition from indicators.sealed_definition where period = %s and vintage = %s",
            (str(period), vintage),
        )
        found = sorted((_sealed(row[0]) for row in cursor), key=lambda each: each.sort_order)
    return {each.pair: each for each in found}


def _sealed(kept: Mapping[str, Any]) -> Definition:
    """A definition as a seal keeps it; seals from before definitions had readings say stock or flow of each source."""
    readings = kept.get("readings") or ["last_day" if basis == "stock" else "flow" for basis in kept["bases"]]
    given: dict[str, Any] = {each.name: kept.get(each.name) for each in fields(Definition)}
    given |= {"scale": Decimal(kept["scale"]), "sources": tuple(kept["sources"]), "readings": tuple(readings)}
    return Definition(**{**given, "parts": None})
