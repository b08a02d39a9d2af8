"""Views, functions and triggers: declared once and applied again when they change.

A file ``<name>.sql`` of a schema's folder (`FOLDERS`) declares one view or one function, with its triggers and its comment.
The views of mart and the resolved views of core come from the module ``mart``. A declaration is applied after those that
its text names, so the SQL itself says the order.

PostgreSQL replaces a function in place, but no view whose columns change, and no column that a view reads. So a changed view
and all views that read it are dropped at once and made again, in the transaction of ``migrate``.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

from psycopg2.extensions import cursor as Cursor
from psycopg2.sql import SQL, Composable, Identifier

from halfyear.contract import Contract, has_body
from halfyear.errors import ContractError
from halfyear.indicators.definition import Definition
from halfyear.mart import mart

#: Below ``sql/``, the folder in which a schema's views and functions are declared; ``sql/indicators`` itself has the indicators.
FOLDERS = {"lineage": "lineage", "core": "core", "indicators": "indicators/schema"}

_KINDS = {"view": "视图 view", "function": "函数 function"}
_CREATE = re.compile(r"^create (?:or replace )?(view|function) (\w+\.\w+)", re.MULTILINE)
_ASIDE = re.compile(r"--[^\n]*|/\*.*?\*/|'(?:[^']|'')*'", re.DOTALL)
_NAME = re.compile(r"\b(?:lineage|core|indicators|mart)\.\w+")


@dataclass(frozen=True)
class Declaration:
    """A view or a function by its name with schema, and the statements that make it.

    ``text`` is what these statements say, and whatever else decides what they make; ``reads`` are the names in them.
    """

    name: str
    kind: str
    text: str
    statements: tuple[str | Composable, ...]
    reads: frozenset[str]


def load(
    sql: Path, contracts: Mapping[str, Contract], definitions: Mapping[tuple[str, str], Definition]
) -> list[Declaration]:
    """All declarations, those that others name first.

    Raises ContractError for a file that declares something else than its name says, and for a circle.
    """
    found = [
        _read(path, f"{schema}.{path.stem}")
        for schema, folder in FOLDERS.items()
        for path in sorted((sql / folder).glob("*.sql"))
    ]
    found += [_resolved(contract) for contract in contracts.values() if has_body(contract)]
    found += [
        Declaration(f"mart.{view.name}", "view", view.text, tuple(view.statements), _names(view.select))
        for view in mart.views(contracts, definitions, sql)
    ]
    by_name = {each.name: each for each in found}
    try:
        order = [*TopologicalSorter({each.name: each.reads & by_name.keys() for each in found}).static_order()]
    except CycleError as error:
        raise ContractError(f"sql: 循环引用 / read each other: {', '.join(error.args[1])}") from None
    return [by_name[name] for name in order]


def _read(path: Path, name: str) -> Declaration:
    text = path.read_text("utf-8")
    declared = _CREATE.findall(text)
    if [what for _, what in declared] != [name]:
        raise ContractError(f"{path.name}: 应声明一个视图或函数 / declares one view or function, {name}")
    return Declaration(name, declared[0][0], text, (text,), _names(text) - {name})


def _resolved(contract: Contract) -> Declaration:
    statement = mart.resolved_view_sql(contract)
    # It gives all columns of its table, as they are when it is made.
    columns = ", ".join(column.column for column in contract.columns)
    name = f"core.{contract.source}_resolved"
    return Declaration(name, "view", f"{statement}\n-- {columns}", (statement,), _names(statement) - {name})


def _names(text: str) -> frozenset[str]:
    """The names of our schemas in a text, outside comments and quotes."""
    return frozenset(_NAME.findall(_ASIDE.sub(" ", text)))


def apply(cursor: Cursor, declarations: Sequence[Declaration], progress: Callable[[str], None]) -> frozenset[str]:
    """Apply what changed or is missing, and drop the views that are no longer declared; the names of what was applied.

    To be run in the transaction of ``migrate``. Fails, naming it, when a view outside these schemas reads one that has to
    be dropped.
    """
    fingerprints = _fingerprints(declarations)
    cursor.execute("select name, fingerprint from lineage.declaration where name ~ '^(view|function) '")
    applied = dict(cursor.fetchall())
    views = {each.name for each in declarations if each.kind == "view"}
    present = _present(cursor, views)
    changed = [
        each
        for each in declarations
        if applied.get(_key(each)) != fingerprints[each.name] or (each.kind == "view" and each.name not in present)
    ]
    _drop(cursor, present - views | present & {each.name for each in changed})
    for each in changed:
        progress(f"{_KINDS[each.kind]} {each.name}")
        for statement in each.statements:
            cursor.execute(statement)
        remember(cursor, _key(each), fingerprints[each.name])
    cursor.execute(
        "delete from lineage.declaration where name ~ '^(view|function) ' and name <> all(%s)",
        ([_key(each) for each in declarations],),
    )
    return frozenset(each.name for each in changed)


def drop_views(cursor: Cursor, declarations: Sequence[Declaration]) -> None:
    """Drop all views, so that a numbered migration may change any table; ``apply`` makes them again."""
    _drop(cursor, _present(cursor, {each.name for each in declarations}))


def remember(cursor: Cursor, name: str, fingerprint: str) -> None:
    """Note that the warehouse now is what this fingerprint stands for."""
    cursor.execute(
        "insert into lineage.declaration (name, fingerprint) values (%s, %s) "
        "on conflict (name) do update set fingerprint = excluded.fingerprint, applied_at = clock_timestamp()",
        (name, fingerprint),
    )


def _key(declaration: Declaration) -> str:
    return f"{declaration.kind} {declaration.name}"


def _fingerprints(declarations: Iterable[Declaration]) -> dict[str, str]:
    """By name, a hash of a declaration; that of a view changes with the views that it reads."""
    found: dict[str, str] = {}
    views: set[str] = set()
    for each in declarations:
        parts = [each.text]
        if each.kind == "view":
            parts += [found[name] for name in sorted(each.reads & views)]
            views.add(each.name)
        found[each.name] = hashlib.sha256("\0".join(parts).encode()).hexdigest()
    return found


def _present(cursor: Cursor, declared: set[str]) -> set[str]:
    """The views that are there and are ours: declared, of mart, or resolved ones of a contract that may be gone."""
    cursor.execute(
        "select schemaname || '.' || viewname from pg_catalog.pg_views where schemaname || '.' || viewname = any(%s) "
        "or schemaname = 'mart' or (schemaname = 'core' and viewname like '%%\\_resolved')",
        (list(declared),),
    )
    return {row[0] for row in cursor}


def _drop(cursor: Cursor, names: Iterable[str]) -> None:
    if views := [Identifier(*name.split(".")) for name in sorted(names)]:
        cursor.execute(SQL("drop view {}").format(SQL(", ").join(views)))
