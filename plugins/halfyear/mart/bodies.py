"""Bodies: the code of one that people name, and drafts of the lines in ``expectations/core`` that are missing.

A draft is a proposal and changes nothing. What a person has to decide is left empty, and the lists are not loaded
while it is.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from psycopg2.extensions import connection as Connection

from halfyear.errors import UsageError
from halfyear.statement_file import statement

#: GB 32100: the first two characters of a credit code, as far as they tell the kind of body.
_KINDS = {"11": "政府机关", "12": "事业单位", "54": "村居", "55": "村居", "91": "国有企业"}
_LEVELS = {"村居": "村"}
#: Below this likeness (0 to 1, of the names without the city) a name is not proposed as another name of a body.
_LIKENESS = 0.6


@dataclass(frozen=True)
class Unknown:
    """A name or code that rows bear and no list knows; ``first_day`` is that of the first delivery with it."""

    name: str | None
    code: str | None
    sources: tuple[str, ...]
    rows: int
    first_day: date


@dataclass(frozen=True)
class Draft:
    """The proposed line of ``<table>.csv`` for one unknown body, by column; ``resembles`` is the body it may be."""

    unknown: Unknown
    table: str
    line: dict[str, str]
    resembles: str | None


def body_code(connection: Connection, body: str | None) -> str | None:
    """The code of a body given by code or reviewed name; None for None. UsageError when nobody knows it."""
    if body is None:
        return None
    with connection.cursor() as cursor:
        cursor.execute(
            "select code from core.body where code = %(body)s union "
            "select code from core.body_name where name = %(body)s and upper_inf(valid_at)",
            {"body": body.strip()},
        )
        found = cursor.fetchone()
    if found is None:
        raise UsageError(f"{body}: 单位名单中没有 / no such body in expectations/core/body.csv")
    return str(found[0])


def unknown(connection: Connection) -> list[Unknown]:
    """The bodies of rows that hold now and that no list knows, those with most rows first."""
    with connection.cursor() as cursor:
        cursor.execute(statement(__file__, "unknown_bodies"))
        return [Unknown(name, code, tuple(sources), rows, day) for name, code, sources, rows, day in cursor]


def drafts(connection: Connection) -> list[Draft]:
    """A proposed line for every unknown body.

    With a code that no list knows it is a new body; without one it is another name of the body that it resembles
    most, and a new body where it resembles none.
    """
    with connection.cursor() as cursor:
        cursor.execute("select n.name, n.code, b.name from core.body_name as n inner join core.body as b using (code)")
        known = {_short(name): (code, official) for name, code, official in cursor}
        cursor.execute("select code, region_code from core.body where parent_code is null order by code limit 1")
        city = cursor.fetchone() or ("", "")
    found = unknown(connection)
    # A name that comes with a code elsewhere is settled by the line for that code.
    coded = {each.name for each in found if each.code is not None}
    return [_draft(each, known, city) for each in found if each.code is not None or each.name not in coded]


def _short(name: str) -> str:
    """A name without the city in front of it."""
    return re.sub(r"^(.{1,4}?市|市)(?=..)", "", name)


def _draft(each: Unknown, known: dict[str, tuple[str, str]], city: tuple[str, str | None]) -> Draft:
    close = difflib.get_close_matches(_short(each.name or ""), known, 1, _LIKENESS)
    if each.code is None and close:
        code, official = known[close[0]]
        line = {"name": each.name or "", "code": code, "valid_from": each.first_day.isoformat(), "reviewed_by": ""}
        return Draft(each, "body_alias", line, official)
    code = each.code or ""
    kind = _KINDS.get(code[:2], "")
    line = {
        "code": code,
        "name": each.name or "",
        "kind": kind,
        "level": _LEVELS.get(kind, "市"),
        "parent_code": city[0],
        "region_code": code[2:8] or city[1] or "",
    }
    return Draft(each, "body", line, known[close[0]][1] if close else None)


def by_table(found: Iterable[Draft]) -> dict[str, list[Draft]]:
    """The drafts of each list, in the order in which a person should look at them."""
    tables: dict[str, list[Draft]] = {}
    for each in found:
        tables.setdefault(each.table, []).append(each)
    return tables
