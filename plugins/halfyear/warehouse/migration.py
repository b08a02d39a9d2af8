"""Migration: the warehouse is brought to what ``sql/`` and ``expectations/`` declare.

One order: roles, numbered migrations, core tables from the contracts, reviewed lists, views and functions, grants, indicator
definitions. All in one transaction; with nothing changed it returns at once.
"""

from __future__ import annotations

import csv
import hashlib
import itertools
import logging
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import psycopg2
from psycopg2 import sql as pgsql
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from halfyear import contract as contracts
from halfyear.contract import Contract
from halfyear.core import lock
from halfyear.errors import ContractError, UsageError
from halfyear.indicators import (
    definition,
    identity,
    indicator,
    population,
    printed_identity,
    published_figure,
    scan,
    select_text,
    unit,
)
from halfyear.mart import mart
from halfyear.settings import Settings
from halfyear.warehouse import core_table, declaration
from halfyear.warehouse.connection import describe, transaction
from halfyear.warehouse.declaration import Declaration

log = logging.getLogger(__name__)

_ROLES = ("halfyear_loader", "halfyear_publisher", "halfyear_reader")
#: The migrations that made a warehouse before the first four did, with the SHA-256 of their texts. Where all of them were
#: applied, the tables are those of the first four.
_EARLIER = {
    "0001_layers.sql": "80eee528d541c086ab53d817d8ca469adfd6c806dca49025511a0d096169da9e",
    "0002_indicators.sql": "ab7f2b428e5cbdda511215086c6d7f148c99887dd7b26ce7ed29f7f45cbe6d6d",
    "0003_value_sets.sql": "02f66fb805b6db965bb8a95a4bb9cebc873fc99c7fc1ca19320896b8c10adefb",
    "0004_reconciliation.sql": "83e98e62f2163bbeabdea9295699669cf8efd1419a845ca2c26173fb15c8101a",
    "0005_regions.sql": "c83cb798d96fc3113a80e22e14031b9efef7a42631292ca43bc7304a81d0c51b",
    "0007_seals.sql": "7343d0ea153f78b0b3ddc424b89e1b4d80e4f932eb444f07058d7c3309bcfbc4",
    "0008_one_scan.sql": "505d2fa7b83f7d9cc3f5a8b2e6867d478cd6b21239f1bf3245d54abad284dcae",
}
_FIRST_FOUR = ("0001_ledger.sql", "0002_lists.sql", "0003_figures.sql", "0004_seals.sql")
#: The lists that people review, with their columns.
_LISTS = {
    "core.body": ("code", "name", "kind", "level", "parent_code", "region_code"),
    "core.body_alias": ("name", "code", "valid_from", "reviewed_by"),
    "core.county": ("county_code",),
    "core.region": ("region_code", "name", "level"),
    "core.value_set": ("value_set", "value", "valid_from", "valid_until", "reviewed_by"),
    "indicators.published_figure": published_figure.COLUMNS,
    "indicators.printed_only": published_figure.PRINTED_ONLY_COLUMNS,
    "indicators.series_link": ("indicator_code", "from_hash", "to_hash", "factor", "reason", "reviewed_by"),
}  # fmt: skip


def is_migrated(settings: Settings) -> bool:
    """Whether the warehouse has been migrated at all, by this checkout or an earlier one."""
    with transaction(settings, "owner") as connection, connection.cursor() as cursor:
        return _known(cursor, "warehouse") is not None


def check(settings: Settings) -> None:
    """See that all declarations can be read and that the warehouse, where it is there, takes every select as it is now.

    Raises ContractError with the file and what is wrong with it, InfrastructureFault where the warehouse does not run.
    """
    declared = contracts.load_all(settings.expectations)
    definitions = definition.load_all(settings.sql)
    identity.load_all(settings.expectations, definitions)
    _printed_figures(settings, definitions)
    declaration.load(settings.sql, declared, definitions)
    with transaction(settings, "owner") as connection, connection.cursor() as cursor:
        if _known(cursor, "warehouse") is not None:
            scan.check(cursor, list(definitions.values()), settings.sql)


def migrate(settings: Settings, progress: Callable[[str], None] = log.info) -> bool:
    """Bring the warehouse to what this checkout declares; True when anything was changed.

    Raises ContractError when a contract changed a column in a way that needs a numbered migration.
    """
    declared = contracts.load_all(settings.expectations)
    definitions = definition.load_all(settings.sql)
    fingerprint = _fingerprint(settings)
    with transaction(settings, "owner") as connection, connection.cursor() as cursor:
        lock.hold_declarations_alone(cursor)
        if _known(cursor, "warehouse") == fingerprint:
            return False
        _create_roles(cursor)
        declarations = declaration.load(settings.sql, declared, definitions)
        views_of_core = _views_of_core(cursor)
        _apply_migrations(cursor, settings, declarations, progress)
        for contract in declared.values():
            core_table.derive(cursor, contract, progress)
        identities = identity.load_all(settings.expectations, definitions)
        printed_figures = _printed_figures(settings, definitions)
        _write_sources(cursor, declared)
        _write_units(cursor, settings)
        lists_changed = _load_lists(cursor, settings)
        if "indicators.in_force_derived" in declaration.apply(cursor, declarations, progress):
            cursor.execute(
                "select indicators.bring_into_force(f.period, null, null) "
                "from (select distinct period from indicators.in_force) as f"
            )
        # The views of core decide figures too.
        views_now = _views_of_core(cursor)
        lists_changed |= any(views_now.get(name, text) != text for name, text in views_of_core.items())
        for contract in declared.values():
            if contract.period_group is not None:
                column = contract.named(contract.period_group).column
                cursor.execute("select core.note_spanning_groups(%s, %s, null)", (contract.source, column))
        for path in sorted((settings.sql / "roles").glob("*.sql")):
            cursor.execute(path.read_text("utf-8"))
        broken = printed_identity.check(cursor, identities, printed_figures)
        scan.check(cursor, list(definitions.values()), settings.sql)
        cursor.execute("select indicator_code, reading, definition_hash from indicators.definition")
        before = {definition.Pair(code, reading): held for code, reading, held in cursor}
        indicator.sync(connection, definitions)
        if lists_changed:
            cursor.execute(
                "select indicators.mark_stale(null, coalesce(array_agg(period), '{}'), 'lists') from lineage.open_period"
            )
        _tell_changes(cursor, before, definitions, progress)
        declaration.remember(cursor, "warehouse", fingerprint)
    if broken:
        more = f"; 另有 more: {len(broken) - 1}" if len(broken) > 1 else ""
        progress(
            f"公布数自相矛盾 / printed figures that do not agree with each other: {broken[0]}{more}; 见 see: mart.printed_identity"
        )
    progress("数据仓库已是最新 / the warehouse is up to date")
    return True


def _printed_figures(
    settings: Settings, definitions: Mapping[tuple[str, str], definition.Definition]
) -> list[published_figure.Figure]:
    return published_figure.load(settings.expectations, {d.code for d in definitions.values() if d.is_published})


def _tell_changes(
    cursor: Cursor,
    before: Mapping[definition.Pair, str],
    definitions: Mapping[tuple[str, str], definition.Definition],
    progress: Callable[[str], None],
) -> None:
    """Name the indicators that are new, changed or gone, where there were any before, and the half-years that are due."""
    now = {each.pair: each.hash for each in definitions.values()}
    for words, pairs in (
        ("新增指标 indicators added", now.keys() - before.keys()),
        (
            "定义变更的指标 indicators with a changed definition",
            {p for p in now.keys() & before if now[p] != before[p]},
        ),
        ("撤销的指标 indicators retired", before.keys() - now.keys()),
    ):
        if before and pairs:
            progress(f"{words}: {', '.join(sorted(pair.name for pair in pairs))}")
    cursor.execute("select distinct period from indicators.due order by period")
    if due := [period for (period,) in cursor]:
        progress(f"待算的半年期 half-years due: {', '.join(due)}; 计算用 / to compute them: halfyear ingest")


def _fingerprint(settings: Settings) -> str:
    digest = hashlib.sha256()
    for root in (settings.sql, settings.expectations):
        for path in sorted(p for p in root.rglob("*") if p.suffix in (".sql", ".yaml", ".csv")):
            digest.update(str(path.relative_to(settings.project)).encode() + b"\0" + path.read_bytes() + b"\0")
    for module in (
        mart, definition, indicator, population, select_text, core_table, declaration,
        identity, printed_identity, published_figure,
    ):  # fmt: skip
        digest.update(Path(str(module.__file__)).read_bytes())
    digest.update(Path(__file__).read_bytes())
    return digest.hexdigest()


def _known(cursor: Cursor, name: str) -> str | None:
    cursor.execute("select to_regclass('lineage.declaration') is not null")
    if not _one(cursor)[0]:
        return None
    cursor.execute("select fingerprint from lineage.declaration where name = %s", (name,))
    row = cursor.fetchone()
    return str(row[0]) if row else None


def _remember_changed(cursor: Cursor, name: str, content: bytes) -> bool:
    """Remember a content under a name; whether it is another than before."""
    fingerprint = hashlib.sha256(content).hexdigest()
    if _known(cursor, name) == fingerprint:
        return False
    declaration.remember(cursor, name, fingerprint)
    return True


def _one(cursor: Cursor) -> tuple[object, ...]:
    row = cursor.fetchone()
    assert row is not None
    return row


def _create_roles(cursor: Cursor) -> None:
    # Roles belong to the whole server, so two databases may create them at once.
    for role in _ROLES:
        cursor.execute(
            pgsql.SQL(
                "do $$ begin create role {role} login; exception when duplicate_object or unique_violation then null; end $$"
            ).format(role=pgsql.Identifier(role))
        )


def _views_of_core(cursor: Cursor) -> dict[str, str]:
    cursor.execute("select viewname, definition from pg_catalog.pg_views where schemaname = 'core'")
    return dict(cursor.fetchall())


def _apply_migrations(
    cursor: Cursor, settings: Settings, declarations: Sequence[Declaration], progress: Callable[[str], None]
) -> None:
    texts = {path.name: path.read_text("utf-8") for path in sorted((settings.sql / "migrations").glob("*.sql"))}
    hashes = {name: hashlib.sha256(text.encode()).hexdigest() for name, text in texts.items()}
    applied = _applied(cursor)
    if applied and _FIRST_FOUR[0] not in applied:
        _adopt(cursor, applied, {name: hashes[name] for name in _FIRST_FOUR}, progress)
        applied = _applied(cursor)
    for name in texts.keys() & applied.keys():
        if applied[name] != hashes[name]:
            raise ContractError(
                f"sql/migrations/{name}: 已执行的迁移不能修改，请新增一个编号 / "
                "an applied migration must not change; add a new number instead"
            )
    pending = [name for name in texts if name not in applied]
    if pending:
        declaration.drop_views(cursor, declarations)
    for name in pending:
        progress(f"迁移 migration {name}")
        cursor.execute(texts[name])
        _note_migrations(cursor, {name: hashes[name]})


def _applied(cursor: Cursor) -> dict[str, str]:
    """The migrations that were applied, with the hashes of their texts."""
    cursor.execute("select to_regclass('lineage.migration') is not null")
    if not _one(cursor)[0]:
        return {}
    cursor.execute("select name, sha256 from lineage.migration")
    return dict(cursor.fetchall())


def _note_migrations(cursor: Cursor, hashes: Mapping[str, str]) -> None:
    cursor.executemany("insert into lineage.migration (name, sha256) values (%s, %s)", list(hashes.items()))


def _adopt(
    cursor: Cursor, applied: Mapping[str, str], first_four: Mapping[str, str], progress: Callable[[str], None]
) -> None:
    """Go on after the first four migrations in a warehouse of the earlier ones; UsageError where one of these is missing."""
    missing = [name for name, sha256 in _EARLIER.items() if applied.get(name) != sha256]
    if missing:
        raise UsageError(
            f"数据仓库由更早的版本建立，没有执行其迁移 {missing[0]}；请先用含有 sql/migrations/{missing[0]} 的版本运行 halfyear "
            f"migrate，再用本版本 / the warehouse is of an earlier version and lacks its migration {missing[0]}: run halfyear "
            f"migrate of the version that has sql/migrations/{missing[0]}, and then of this one"
        )
    progress(f"视为已执行的迁移 / migrations, as applied already: {', '.join(first_four)}")
    _note_migrations(cursor, first_four)
    cursor.execute("delete from lineage.declaration where name = 'core.views'")


def _write_sources(cursor: Cursor, declared: Mapping[str, Contract]) -> None:
    reads = {source: {source} if contracts.has_body(contract) else set() for source, contract in declared.items()}
    for contract, _, to in contracts.relationships(declared):
        reads[contract.source] |= {contract.source, to.partition(".")[0]}
    cursor.execute("delete from lineage.source")
    execute_values(
        cursor,
        "insert into lineage.source (source, title_zh, title_en, schedule, latency_days, days_between, reads, mode, "
        "allows_silence, keeps_bodies) values %s",
        [
            (
                c.source, c.title_zh, c.title_en, c.schedule, c.sla_properties.latency_days,
                mart.days_between(c.schedule), sorted(reads[c.source]), c.mode, c.sla_properties.allows_silence,
                c.sla_properties.keeps_bodies,
            )
            for c in declared.values()
        ],
        template="(%s, %s, %s, %s, %s, %s, %s::text[], %s, %s, %s)",
    )  # fmt: skip
    cursor.execute("delete from lineage.delivery_plan")
    execute_values(
        cursor,
        "insert into lineage.delivery_plan (source, valid_at, month_ends, is_daily) values %s",
        [
            (c.source, each.since, following.since if following else None, list(each.month_ends), each.daily)
            for c in declared.values()
            for each, following in itertools.zip_longest(c.sla_properties.plan, c.sla_properties.plan[1:])
        ],
        template="(%s, daterange(%s, %s), %s::integer[], %s)",
    )


def _write_units(cursor: Cursor, settings: Settings) -> None:
    rows = [
        (name, each.code, each.zh, each.en, each.measured)
        for name, each in unit.load_units(settings.expectations).items()
    ]
    cursor.execute("delete from indicators.unit")
    execute_values(cursor, "insert into indicators.unit (unit, code, name_zh, name_en, is_measured) values %s", rows)


def _load_lists(cursor: Cursor, settings: Settings) -> bool:
    """Replace the reviewed lists, ``<schema>.<table>``, by the files ``expectations/<schema>/<table>.csv``.

    True when one of core changed, which makes every indicator stale.
    """
    changed = False
    for table, columns in _LISTS.items():
        schema, name = table.split(".")
        path = settings.expectations / schema / f"{name}.csv"
        if not _remember_changed(cursor, table, path.read_bytes()):
            continue
        changed = changed or schema == "core"
        with path.open(encoding="utf-8-sig", newline="") as stream:
            rows = [tuple(row[c].strip() or None for c in columns) for row in csv.DictReader(stream)]
        cursor.execute("set constraints all deferred")
        cursor.execute(pgsql.SQL("delete from {}").format(pgsql.Identifier(schema, name)))
        insert = pgsql.SQL("insert into {} ({}) values ({})").format(
            pgsql.Identifier(schema, name),
            pgsql.SQL(", ").join(map(pgsql.Identifier, columns)),
            pgsql.SQL(", ").join([pgsql.Placeholder()] * len(columns)),
        )
        try:
            cursor.executemany(insert, rows)
            cursor.execute("set constraints all immediate")
        except psycopg2.Error as error:
            raise ContractError(f"{path.relative_to(settings.project)}: {describe(error)}") from None
    # Identities are asked again when figures are computed again, but those over printed figures by every migration.
    computed = [each.model_dump_json() for each in identity.declared(settings.expectations) if each.of == "computed"]
    return _remember_changed(cursor, "indicators.identities", "\n".join(computed).encode()) or changed
