"""The warehouse: connections by role, and `migrate`, which derives everything from ``sql/`` and ``expectations/``.

One order: roles, numbered migrations, core tables from the contracts, reviewed lists, functions and views of
core, indicator definitions, mart, grants. All in one transaction; with nothing changed it returns at once.
"""

from __future__ import annotations

import csv
import hashlib
import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Literal
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg2
from psycopg2 import sql as pgsql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import contract as contracts
from halfyear.contract import Contract
from halfyear.core import loading
from halfyear.errors import ContractError, InfrastructureFault, UsageError
from halfyear.indicators import computation, definition, identity, indicator, population
from halfyear.mart import mart
from halfyear.settings import LOCAL_ZONE_NAME, Settings
from halfyear.warehouse import embedded

log = logging.getLogger(__name__)

Role = Literal["owner", "loader", "reader"]
_ROLES = ("halfyear_loader", "halfyear_reader")
#: Any constant: one migration at a time.
_MIGRATION_LOCK = 8_150_001
MINIMUM_VERSION = 180000
#: The lists that people review, with their columns.
_LISTS = {
    "core.body": ("code", "name", "kind", "level", "parent_code", "region_code"),
    "core.body_alias": ("name", "code", "valid_from", "reviewed_by"),
    "core.county": ("county_code",),
    "core.region": ("region_code", "name", "level"),
    "core.value_set": ("value_set", "value", "valid_from", "valid_until", "reviewed_by"),
    "indicators.published_figure": (
        "period", "published_no", "indicator_code", "section", "printed", "value", "unit", "decimals", "shares_of",
    ),
}  # fmt: skip


def url(settings: Settings) -> str:
    """The URL of the warehouse as its owner: ``HALFYEAR_WAREHOUSE``, the Airflow connection, or the embedded server.

    Raises InfrastructureFault when there is none.
    """
    found = settings.warehouse or os.environ.get("AIRFLOW_CONN_HALFYEAR_WAREHOUSE") or embedded.server_url(settings)
    if not found:
        raise InfrastructureFault(
            "数据仓库未启动，请先运行 halfyear up / the warehouse is not running; run: halfyear up"
        )
    return found.replace("postgres://", "postgresql://", 1).replace("postgresql+psycopg2://", "postgresql://", 1)


def role_url(settings: Settings, role: Role) -> str:
    """The URL with which a person or program connects as ``role`` (without a password where one is needed)."""
    base = url(settings)
    if role == "owner":
        return base
    parts = urlsplit(base)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"halfyear_{role}@{host}"))


def sqlalchemy_url(settings: Settings) -> str:
    """The URL in SQLAlchemy's form, acting as the loader: a socket needs a host in front of ``?host=``."""
    parts = urlsplit(url(settings))
    user, _, host = parts.netloc.rpartition("@")
    options = quote(f"-c role=halfyear_loader -c timezone={LOCAL_ZONE_NAME}")
    query = f"{parts.query}&options={options}" if parts.query else f"options={options}"
    return urlunsplit(("postgresql+psycopg2", f"{user or 'postgres'}@{host or 'localhost'}", parts.path, query, ""))


def connect(settings: Settings, role: Role = "loader") -> Connection:
    """Open a connection that acts as ``role``; times are shown in Asia/Shanghai.

    Raises InfrastructureFault when the server cannot be reached or is older than PostgreSQL 18.
    """
    options = f"-c timezone={LOCAL_ZONE_NAME} -c client_min_messages=warning"
    if role != "owner":
        options += f" -c role=halfyear_{role}"
    try:
        connection = psycopg2.connect(
            url(settings), options=options, fallback_application_name="halfyear", connect_timeout=10
        )
    except psycopg2.OperationalError as error:
        raise InfrastructureFault(
            f"无法连接数据仓库 / the warehouse cannot be reached: {str(error).splitlines()[0]}"
        ) from None
    except psycopg2.ProgrammingError:  # quotes the URL, which may hold a password
        raise UsageError(
            "HALFYEAR_WAREHOUSE 不是 PostgreSQL 的 URL / is not the URL of a PostgreSQL server; write postgresql://…"
        ) from None
    if connection.server_version < MINIMUM_VERSION:
        connection.close()
        raise InfrastructureFault("需要 PostgreSQL 18 / the warehouse needs PostgreSQL 18 or newer")
    return connection


@contextmanager
def transaction(settings: Settings, role: Role = "loader") -> Iterator[Connection]:
    """One connection and one transaction: committed at the end, rolled back and closed on any error.

    A PostgreSQL error becomes an InfrastructureFault with its primary message only: DETAIL and CONTEXT quote rows.
    """
    connection = connect(settings, role)
    try:
        yield connection
        connection.commit()
    except psycopg2.Error as error:
        raise InfrastructureFault(describe(error)) from None
    finally:
        connection.close()


def describe(error: psycopg2.Error) -> str:
    """The primary message of a PostgreSQL error, which quotes no row."""
    primary = error.diag.message_primary if error.diag else None
    return f"数据仓库出错 / the warehouse reported: {primary or type(error).__name__}"


def is_migrated(settings: Settings) -> bool:
    """Whether the warehouse has been migrated at all, by this checkout or an earlier one."""
    with transaction(settings, "owner") as connection, connection.cursor() as cursor:
        return _known(cursor, "warehouse") is not None


def migrate(settings: Settings, progress: Callable[[str], None] = log.info) -> bool:
    """Bring the warehouse to what this checkout declares; True when anything was changed.

    Raises ContractError when a contract changed a column in a way that needs a numbered migration.
    """
    declared = contracts.load_all(settings.expectations)
    definitions = definition.load_all(settings.sql)
    fingerprint = _fingerprint(settings)
    with transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", (_MIGRATION_LOCK,))
        if _known(cursor, "warehouse") == fingerprint:
            return False
        _create_roles(cursor)
        _apply_migrations(cursor, settings, progress)
        for contract in declared.values():
            _derive_core_table(cursor, contract, progress)
        identity.load_all(settings.expectations, definitions)
        lists_changed = _load_lists(cursor, settings)
        core = [path.read_text("utf-8") for path in sorted((settings.sql / "core").glob("*.sql"))]
        for text in core:
            cursor.execute(text)
        # Definitions name these views; what the views say is part of what their figures are.
        core += [mart.resolved_view_sql(contract) for contract in declared.values()]
        lists_changed |= _remember_changed(cursor, "core.views", "\0".join(core).encode())
        for contract in declared.values():
            if contract.period_group is not None:
                column = contract.named(contract.period_group).column
                cursor.execute("select core.note_spanning_groups(%s, %s, null)", (contract.source, column))
        for statement in mart.statements(declared, definitions, settings.sql):
            cursor.execute(statement)
        for path in sorted((settings.sql / "roles").glob("*.sql")):
            cursor.execute(path.read_text("utf-8"))
        computation.check(cursor, list(definitions.values()))
        indicator.sync(connection, definitions)
        if lists_changed:
            # A half-year that a load opens meanwhile would be computed by the lists of before.
            loading.hold_half_years_alone(cursor)
            cursor.execute(
                "select indicators.mark_stale(null, coalesce(array_agg(period), '{}'), 'lists') from lineage.open_period"
            )
        _remember(cursor, "warehouse", fingerprint)
    progress("数据仓库已是最新 / the warehouse is up to date")
    return True


def _fingerprint(settings: Settings) -> str:
    digest = hashlib.sha256()
    for root in (settings.sql, settings.expectations):
        for path in sorted(p for p in root.rglob("*") if p.suffix in (".sql", ".yaml", ".csv")):
            digest.update(str(path.relative_to(settings.project)).encode() + b"\0" + path.read_bytes() + b"\0")
    for module in (mart.__file__, definition.__file__, population.__file__, __file__):
        digest.update(Path(module).read_bytes())
    return digest.hexdigest()


def _known(cursor: Cursor, name: str) -> str | None:
    cursor.execute("select to_regclass('lineage.declaration') is not null")
    if not _one(cursor)[0]:
        return None
    cursor.execute("select fingerprint from lineage.declaration where name = %s", (name,))
    row = cursor.fetchone()
    return str(row[0]) if row else None


def _remember(cursor: Cursor, name: str, fingerprint: str) -> None:
    cursor.execute(
        "insert into lineage.declaration (name, fingerprint) values (%s, %s) "
        "on conflict (name) do update set fingerprint = excluded.fingerprint, applied_at = clock_timestamp()",
        (name, fingerprint),
    )


def _remember_changed(cursor: Cursor, name: str, content: bytes) -> bool:
    """Remember a content under a name; whether it is another than before."""
    fingerprint = hashlib.sha256(content).hexdigest()
    if _known(cursor, name) == fingerprint:
        return False
    _remember(cursor, name, fingerprint)
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


def _apply_migrations(cursor: Cursor, settings: Settings, progress: Callable[[str], None]) -> None:
    cursor.execute("select to_regclass('lineage.migration') is not null")
    applied: dict[str, str] = {}
    if _one(cursor)[0]:
        cursor.execute("select name, sha256 from lineage.migration")
        applied = dict(cursor.fetchall())
    for path in sorted((settings.sql / "migrations").glob("*.sql")):
        text = path.read_text("utf-8")
        sha256 = hashlib.sha256(text.encode()).hexdigest()
        if path.name in applied:
            if applied[path.name] != sha256:
                raise ContractError(
                    f"sql/migrations/{path.name}: 已执行的迁移不能修改，请新增一个编号 / "
                    "an applied migration must not change; add a new number instead"
                )
            continue
        progress(f"迁移 migration {path.name}")
        cursor.execute(text)
        cursor.execute("insert into lineage.migration (name, sha256) values (%s, %s)", (path.name, sha256))


def _derive_core_table(cursor: Cursor, contract: Contract, progress: Callable[[str], None]) -> None:
    """Create ``core.<source>`` or add the columns that its contract gained."""
    table = pgsql.Identifier("core", contract.source)
    wanted = {p.column: p.postgres_type for p in contract.columns}
    cursor.execute(
        "select column_name, case when data_type = 'timestamp with time zone' then 'timestamptz' else data_type end "
        "from information_schema.columns where table_schema = 'core' and table_name = %s",
        (contract.source,),
    )
    present = dict(cursor.fetchall())
    if not present:
        progress(f"表 table core.{contract.source}")
        axes = {"record_key": "text not null", "row_number": "bigint not null", "load_id": "bigint not null"}
        if contract.mode == "register":
            axes["valid_at"] = "daterange not null"
        axes["known_at"] = "tstzrange not null"
        columns = [f'"{name}" {kind}' for name, kind in {**wanted, **axes}.items()]
        partition = f' partition by range ("{contract.period_property}")' if contract.mode == "events" else ""
        cursor.execute(pgsql.SQL(f"create table {{}} ({', '.join(columns)}){partition}").format(table))
        if contract.mode == "events" and not contract.named(contract.period_property or "").is_required:
            undated = pgsql.Identifier("core", f"{contract.source}_undated")
            cursor.execute(pgsql.SQL("create table {} partition of {} default").format(undated, table))
        place = "lower(valid_at)" if contract.mode == "register" else f'"{contract.period_property}"'
        cursor.execute(
            pgsql.SQL(f"create unique index on {{}} (record_key, {place}) where upper_inf(known_at)").format(table)
        )
        cursor.execute(pgsql.SQL("create index on {} using brin (load_id)").format(table))
    else:
        for name, kind in wanted.items():
            if name not in present:
                progress(f"列 column core.{contract.source}.{name}")
                cursor.execute(pgsql.SQL(f'alter table {{}} add column "{name}" {kind}').format(table))
            elif present[name] != kind:
                raise ContractError(
                    f"expectations/sources/{contract.source}.yaml: {name}: 类型由 {present[name]} 改为 {kind}，"
                    "请在 sql/migrations 中新增迁移 / the type changed; write a numbered migration for it"
                )
    if contract.mode == "events":
        # Rows of before, of which a first load has none: with the unique index of those known now, all of a record.
        _index(cursor, contract, "closed", "(record_key) where not upper_inf(known_at)")
        # What is asked by another of its times is then not looked for in every half-year.
        times = [
            f'"{p.column}"'
            for p in contract.columns
            if p.postgres_type in ("date", "timestamptz") and p.name != contract.period_property
        ]
        if times:
            _index(cursor, contract, "times", f"using brin ({', '.join(times)})")
    if contract.period_group is not None:
        _index(cursor, contract, "group", f'("{contract.named(contract.period_group).column}")')
    comments = {p.column: _comment(contract, p.column) for p in contract.columns}
    comments |= {
        "record_key": "The key fields as one text, joined by |",
        "row_number": "The number of the row that a person sees in the file",
        "load_id": "The load that first showed this version (lineage.load)",
        "valid_at": "The days on which this version was true",
        "known_at": "The instants at which this was what we knew; without an end: now",
    }
    cursor.execute(
        pgsql.SQL("comment on table {} is %s").format(table),
        (f"{contract.title_zh} {contract.title_en}: {contract.grain}",),
    )
    for name, comment in comments.items():
        if name == "valid_at" and contract.mode == "events":
            continue
        cursor.execute(
            pgsql.SQL("comment on column {} is %s").format(pgsql.Identifier("core", contract.source, name)), (comment,)
        )


def _index(cursor: Cursor, contract: Contract, name: str, what: str) -> None:
    cursor.execute(
        pgsql.SQL(f"create index if not exists {{}} on {{}} {what}").format(
            pgsql.Identifier(f"{contract.source}_{name}_idx"), pgsql.Identifier("core", contract.source)
        )
    )


def _comment(contract: Contract, column: str) -> str:
    field = next(p for p in contract.columns if p.column == column)
    parts = [field.business_name, field.description]
    if field.unit:
        parts.append(f"({field.unit})")
    if field.is_personal:
        parts.append("(keyed token)")
    return " ".join(part for part in parts if part)


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
        names = ", ".join(columns)
        marks = ", ".join(["%s"] * len(columns))
        try:
            cursor.executemany(f"insert into {table} ({names}) values ({marks})", rows)
            cursor.execute("set constraints all immediate")
        except psycopg2.Error as error:
            raise ContractError(f"{path.relative_to(settings.project)}: {describe(error)}") from None
    # Identities are asked again when figures are computed again.
    return (
        _remember_changed(cursor, "indicators.identities", (settings.expectations / identity.FILE).read_bytes())
        or changed
    )
