"""Who may do what, cell by cell: every schema, table, sequence and function against every role.

`GRANTS` is the whole truth: what it does not say is refused.
"""

from __future__ import annotations

import psycopg2
import pytest

from halfyear import contract
from halfyear import settings as settings_module
from halfyear import warehouse as warehouse_module
from halfyear.settings import Settings

ALL = "select insert update delete"
SOURCES = contract.load_all(settings_module.load().expectations)
PRIVILEGES = ("select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain")

#: What each role may do to the schemas.
SCHEMAS = {
    "halfyear_reader": {"mart": "usage"},
    "halfyear_loader": {
        "staging": "usage create",
        "quarantine": "usage",
        "core": "usage",
        "indicators": "usage",
        "lineage": "usage",
        "mart": "usage",
    },
    "halfyear_publisher": {"core": "usage", "indicators": "usage", "lineage": "usage", "mart": "usage"},
}
SEALS = ("vintage", "sealed_observation", "sealed_definition", "sealed_delivery", "sealed_comparison", "sealed_print")
#: What each role may do to the tables and views; `schema.*` is every other relation of the schema.
GRANTS = {
    "halfyear_reader": {"mart.*": "select"},
    "halfyear_loader": {
        "quarantine.*": ALL,
        **{f"core.{source}": ALL for source in SOURCES},
        "core.resource_trade_undated": ALL,
        "core.spanning_group": ALL,
        "core.*": "select",
        "indicators.observation": ALL,
        "indicators.announcement": ALL,
        "indicators.stale": ALL,
        "indicators.identity_check": ALL,
        "indicators.identity_breach": ALL,
        "indicators.*": "select",
        "lineage.migration": "select",
        "lineage.declaration": "select",
        "lineage.source": "select",
        "lineage.delivery_plan": "select",
        "lineage.open_period": "select",
        "lineage.expected_day": "select",
        "lineage.standing_volume": "select",
        "lineage.load_body": "select",
        "lineage.*": ALL,
        "mart.*": "select",
    },
    "halfyear_publisher": {
        **{f"indicators.{name}": "select insert" for name in (*SEALS, "restatement", "proposal")},
        **{f"{schema}.*": "select" for schema in ("core", "indicators", "lineage", "mart")},
    },
}
#: The functions that each role may call: all of these schemas, and those of this name.
FUNCTIONS = {
    "halfyear_reader": {
        "indicators.trace",
        "indicators.change",
        "indicators.comparison",
        "indicators.is_outside_past",
    },
    "halfyear_loader": {"core", "indicators"},
    "halfyear_publisher": {"indicators"},
}
LAYERS = ("staging", "quarantine", "core", "indicators", "mart", "lineage", "public")


def may(role: str, schema: str, name: str) -> set[str]:
    grants = GRANTS[role]
    return set(grants.get(f"{schema}.{name}", grants.get(f"{schema}.*", "")).split())


@pytest.mark.parametrize("role", GRANTS)
def test_every_cell(warehouse: Settings, role: str) -> None:
    wrong = []
    with warehouse_module.transaction(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "select nspname from pg_namespace where nspname !~ '^pg_' and nspname <> 'information_schema' order by 1"
        )
        schemas = [row[0] for row in cursor]
        assert set(schemas) == set(LAYERS), "a new schema needs a line here"
        for schema in schemas:
            for privilege in ("usage", "create"):
                cursor.execute("select has_schema_privilege(%s, %s, %s)", (role, schema, privilege))
                allowed = cursor.fetchone() == (True,)
                if allowed != (privilege in SCHEMAS[role].get(schema, "").split()):
                    wrong.append((schema, privilege, allowed))
        cursor.execute(
            "select n.nspname, c.relname, c.oid, c.relkind from pg_class as c "
            "join pg_namespace as n on n.oid = c.relnamespace "
            "where n.nspname = any(%s) and c.relkind in ('r', 'v', 'p', 'm', 'f', 'S') order by 1, 2",
            (list(LAYERS),),
        )
        relations = cursor.fetchall()
        assert len(relations) > 30
        for schema, name, oid, kind in relations:
            if kind == "S":
                expected = {"usage"} if role == "halfyear_loader" and schema in ("lineage", "indicators") else set()
                checks, function = ("usage", "select", "update"), "has_sequence_privilege"
            else:
                expected, checks, function = may(role, schema, name), PRIVILEGES, "has_table_privilege"
            for privilege in checks:
                cursor.execute(f"select {function}(%s, %s::oid, %s)", (role, oid, privilege))
                allowed = cursor.fetchone() == (True,)
                if allowed != (privilege in expected):
                    wrong.append((f"{schema}.{name}", privilege, allowed))
        cursor.execute(
            "select n.nspname, p.oid::regprocedure::text, has_function_privilege(%s, p.oid, 'execute') "
            "from pg_proc as p join pg_namespace as n on n.oid = p.pronamespace where n.nspname = any(%s)",
            (role, list(LAYERS)),
        )
        for schema, name, allowed in cursor.fetchall():
            if allowed != bool({schema, name.partition("(")[0]} & FUNCTIONS[role]):
                wrong.append((name, "execute", allowed))
    assert wrong == []


def test_roles_have_no_powers_of_their_own(warehouse: Settings) -> None:
    with warehouse_module.transaction(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "select rolname, rolsuper, rolcreaterole, rolcreatedb, rolreplication, rolbypassrls, "
            "pg_has_role(rolname, 'pg_read_all_data', 'usage'), pg_has_role(rolname, 'pg_read_server_files', 'usage') "
            "from pg_roles where rolname like 'halfyear%' order by 1"
        )
        assert [(name, any(powers)) for name, *powers in cursor] == [
            ("halfyear_loader", False),
            ("halfyear_publisher", False),
            ("halfyear_reader", False),
        ]


def test_nothing_belongs_to_the_roles(warehouse: Settings) -> None:
    with warehouse_module.transaction(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "select c.oid::regclass::text from pg_class as c join pg_roles as r on r.oid = c.relowner "
            "where r.rolname like 'halfyear%'"
        )
        assert cursor.fetchall() == []


def test_reader_sees_every_view_of_the_mart(warehouse: Settings) -> None:
    """Views run functions with the rights of who asks: each of them is really read."""
    connection = warehouse_module.connect(warehouse, "reader")
    with connection.cursor() as cursor:
        cursor.execute("select viewname from pg_views where schemaname = 'mart'")
        views = [row[0] for row in cursor]
        assert "indicator" in views
        for view in views:
            cursor.execute(f"select * from mart.{view}")
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "select * from core.data_catalogue",
        "select * from core.account_activation_resolved",
        "select * from indicators.observation",
        "select * from lineage.delivery",
        "select * from quarantine.rejected_row",
        "create table staging.mine (a int)",
        "create table public.mine (a int)",
        "delete from mart.definition",
        "select indicators.mark_stale(null, '{}', 'x')",
        # Only through mart.indicator_row, which is the owner's.
        "select * from indicators.trace('counter_cases', '', '2022-01-01', 'infinity')",
        "drop view mart.indicator",
    ],
)
def test_reader_is_refused_everything_else(warehouse: Settings, statement: str) -> None:
    connection = warehouse_module.connect(warehouse, "reader")
    with connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(statement)
    connection.close()


@pytest.mark.parametrize(
    "statement",
    [
        "update indicators.definition set sql_text = ''",
        "update indicators.sealed_observation set value = 1",
        "delete from indicators.vintage",
        *(f"insert into indicators.{table} default values" for table in (*SEALS, "restatement", "proposal")),
        "delete from core.body",
        "update lineage.migration set sha256 = ''",
        "drop table core.data_catalogue",
        "alter table core.data_catalogue add column x int",
        "create table core.mine (a int)",
        "truncate lineage.delivery",
    ],
)
def test_loader_cannot_change_definitions_seals_or_structure(warehouse: Settings, statement: str) -> None:
    connection = warehouse_module.connect(warehouse, "loader")
    with connection.cursor() as cursor, pytest.raises(psycopg2.errors.InsufficientPrivilege):
        cursor.execute(statement)
    connection.close()
