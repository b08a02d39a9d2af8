"""Indicators in the warehouse: their definitions, as ``migrate`` writes them and everything else reads them."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extras import Json

from halfyear.errors import UsageError
from halfyear.indicators.definition import Definition, Parts
from halfyear.indicators.population import PARAMETERS, Laid

_FIELDS = {
    "indicator_code": "code",
    "reading": "reading",
    "name_zh": "name_zh",
    "name_en": "name_en",
    "domain": "domain",
    "domain_zh": "domain_zh",
    "domain_en": "domain_en",
    "unit": "unit",
    "kind": "kind",
    "decimals": "decimals",
    "scale": "scale",
    "template": "template",
    "without_rows": "without_rows",
    "population": "population",
    "sources": "sources",
    "readings": "readings",
    "published_no": "published_no",
    "section": "section",
    "description_zh": "description_zh",
    "description_en": "description_en",
    "excluded": "excluded",
    "is_published": "is_published",
    "sort_order": "sort_order",
    "sql_text": "sql",
    "parts": "parts",
}
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
    sets = ", ".join(f"{c} = excluded.{c}" for c in columns[2:])
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
            cursor.execute(
                f"insert into indicators.definition as d ({', '.join(columns)}) "
                f"values ({', '.join(['%s'] * len(columns))}) on conflict (indicator_code, reading) do update "
                f"set {sets}, changed_at = case when d.definition_hash = excluded.definition_hash "
                "then d.changed_at else clock_timestamp() end "
                "returning (old.definition_hash is distinct from new.definition_hash)::integer",
                row,
            )
            changed = cursor.fetchone()
            changes += changed[0] if changed else 0
        cursor.execute(
            "delete from indicators.stale as s where not exists (select from indicators.definition as d "
            "where d.indicator_code = s.indicator_code and d.reading = s.reading)"
        )
    return changes


def definitions(connection: Connection) -> dict[tuple[str, str], Definition]:
    """The definitions as the warehouse holds them, in the order of the tables."""
    with connection.cursor() as cursor:
        cursor.execute(f"select {', '.join(_FIELDS)} from indicators.definition order by sort_order")
        rows = cursor.fetchall()
    return {d.pair: d for d in (_definition(dict(zip(_FIELDS.values(), row, strict=True))) for row in rows)}


def _definition(fields: dict[str, Any]) -> Definition:
    parts = fields["parts"]
    if parts is not None:
        laid = parts["laid"] and Laid(**parts["laid"])
        parts = Parts(**{**parts, "relations": tuple(tuple(each) for each in parts["relations"]), "laid": laid})
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
