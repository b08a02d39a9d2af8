"""What was printed beside what the rows say, and whether figures agree with each other."""

from __future__ import annotations

import csv
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from psycopg2.extensions import connection as Connection

from halfyear import period
from halfyear import warehouse as warehouse_module
from halfyear.errors import ContractError, UsageError
from halfyear.indicators import definition, identity, indicator
from halfyear.mart import reconciliation_table
from halfyear.settings import Settings
from halfyear.terminal import command

HALF = period.parse("2030-S1")


def observe(connection: Connection, code: str, value: str | None, reading: str = "", body: str | None = None) -> None:
    """An observation, as the computation writes it."""
    definition = indicator.definition(connection, code, reading)
    exact = None if value is None else Decimal(value)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into indicators.observation (period, indicator_code, reading, body_code, numerator, value, printed, "
            "definition_hash, computed_at) values (%s, %s, %s, %s, %s, %s, %s, %s, now())",
            (str(HALF), code, reading, body, exact, exact, definition.printed(exact), definition.hash),
        )


def publish(
    connection: Connection,
    code: str,
    value: str,
    decimals: int = 0,
    unit: str | None = None,
    shares_of: str | None = None,
) -> None:
    """A printed figure; the words around it never matter."""
    definition = next(d for d in indicator.definitions(connection).values() if d.code == code and d.is_published)
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into indicators.published_figure (period, published_no, indicator_code, section, printed, value, "
            "unit, decimals, shares_of) values (%s, %s, %s, '一', %s, %s, %s, %s, %s)",
            (
                str(HALF),
                definition.published_no or "99",
                code,
                f"约{value}",
                value,
                unit or definition.unit,
                decimals,
                shares_of,
            ),
        )


@pytest.fixture
def owner(warehouse: Settings) -> Any:
    with warehouse_module.transaction(warehouse, "owner") as connection:
        yield connection


def verdicts(connection: Connection) -> dict[str, tuple[str, str | None]]:
    rows = reconciliation_table.reconciliation_rows(connection, HALF)
    return {row["indicator_code"]: (row["verdict"], row["reading"]) for row in rows}


def test_each_verdict(owner: Connection) -> None:
    observe(owner, "counter_cases", "24127")
    publish(owner, "counter_cases", "24172")
    observe(owner, "account_activation_rate", "97.1888")
    publish(owner, "account_activation_rate", "97.18", 2)
    observe(owner, "cloud_systems_migrated", "3")
    observe(owner, "cloud_systems_migrated", "6", "flow")
    publish(owner, "cloud_systems_migrated", "6")
    observe(owner, "resource_trade_amount", "1.198649")
    publish(owner, "resource_trade_amount", "1.1986", 4)
    observe(owner, "kiosks_in_service", None)
    publish(owner, "kiosks_in_service", "177")
    publish(owner, "levy_items", "100")
    assert verdicts(owner) == {
        "counter_cases": ("差异", None),
        "account_activation_rate": ("舍入差", None),
        "cloud_systems_migrated": ("口径差", "flow"),
        "resource_trade_amount": ("一致", None),
        "kiosks_in_service": ("无来源", None),
        "levy_items": ("无来源", None),
    }
    row = next(
        r for r in reconciliation_table.reconciliation_rows(owner, HALF) if r["indicator_code"] == "counter_cases"
    )
    assert row["difference"] == -45


def test_figures_are_matched_by_code_and_unit_never_by_value(owner: Connection) -> None:
    # 528 stands twice in the report: as items and as transactions per kiosk.
    observe(owner, "public_service_items", "527")
    publish(owner, "public_service_items", "528")
    observe(owner, "kiosk_transactions_per_kiosk", "528.07")
    publish(owner, "kiosk_transactions_per_kiosk", "528")
    observe(owner, "levy_items", "100")
    publish(owner, "levy_items", "100", unit="%")
    assert verdicts(owner) == {
        "public_service_items": ("差异", None),
        "kiosk_transactions_per_kiosk": ("一致", None),
        "levy_items": ("差异", None),
    }


def test_shares_of_one_thing_tell_of_its_count(owner: Connection) -> None:
    publish(owner, "one_visit_rate", "81.88", 2, shares_of="高频事项")
    publish(owner, "instant_service_rate", "88.41", 2, shares_of="高频事项")
    publish(owner, "account_activation_rate", "98.33", 2)
    possible = {
        r["indicator_code"]: r["possible_denominators"] for r in reconciliation_table.reconciliation_rows(owner, HALF)
    }
    assert possible["one_visit_rate"] == possible["instant_service_rate"]
    assert possible["one_visit_rate"].startswith("138 的倍数")
    assert possible["account_activation_rate"].startswith("60 的倍数")


def test_the_command_ends_with_one_unless_all_agree(warehouse: Settings) -> None:
    runner = CliRunner()
    assert runner.invoke(command.main, ["reconcile", str(HALF)]).exit_code == UsageError.exit_code
    with warehouse_module.transaction(warehouse, "owner") as connection:
        observe(connection, "levy_items", "100")
        publish(connection, "levy_items", "100")
    agreed = runner.invoke(command.main, ["reconcile", str(HALF)])
    assert agreed.exit_code == 0 and "一致 equal 1" in agreed.output
    with warehouse_module.transaction(warehouse, "owner") as connection:
        publish(connection, "counter_cases", "1")
    assert runner.invoke(command.main, ["reconcile", str(HALF), "--format", "csv"]).exit_code == 1


def test_what_was_printed_keeps_to_the_definitions(warehouse: Settings) -> None:
    with warehouse_module.transaction(warehouse) as connection:
        known = {d.code: d for d in indicator.definitions(connection).values() if d.is_published}
    with (warehouse.expectations / "indicators" / "published_figure.csv").open(encoding="utf-8", newline="") as lines:
        rows = list(csv.DictReader(lines))
    assert sum(row["period"] == "2022-S1" for row in rows) == 52
    for row in rows:
        definition = known[row["indicator_code"]]
        assert (row["unit"], row["section"], row["published_no"]) == (
            definition.unit,
            definition.section,
            definition.published_no,
        )


def breaches(connection: Connection) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select rule, body_name, trim_scale(difference) from mart.identity where period = %s and not is_kept "
            "order by rule, body_code nulls first",
            (str(HALF),),
        )
        return cursor.fetchall()


def test_identities_break_where_figures_do_not_agree(warehouse: Settings) -> None:
    with warehouse_module.transaction(warehouse, "owner") as connection:
        with connection.cursor() as cursor:
            cursor.execute("select code, name from core.body where level = '市' order by code limit 1")
            code, name = cursor.fetchone() or ("", "")
        for body, whole in ((None, "571"), (code, "9")):
            observe(connection, "catalogue_entries_confirmed", whole, body=body)
        for body, vertical, own in ((None, "309", "262"), (code, "5", "3")):
            observe(connection, "catalogue_entries_vertical", vertical, body=body)
            observe(connection, "catalogue_entries_self_built", own, body=body)
        observe(connection, "cloud_systems_added", "8")
        observe(connection, "cloud_systems_migrated", None)
        for code, value in (("kiosk_transactions", "7"), ("kiosks_in_service", "3")):
            observe(connection, code, value)
        observe(connection, "kiosk_transactions_per_kiosk", "2")
    url = warehouse_module.sqlalchemy_url(warehouse)
    with warehouse_module.transaction(warehouse) as connection:
        identity.check(connection, url, warehouse.expectations, HALF)
        assert breaches(connection) == [
            ("transactions_per_kiosk", "全市", Decimal(-1)),
            ("vertical_and_self_built_entries", name, Decimal(1)),
        ]
        with connection.cursor() as cursor:
            cursor.execute("select tablename from pg_tables where schemaname = 'staging'")
            assert cursor.fetchall() == []
            cursor.execute("update indicators.observation set value = 8 where value = 9")
            cursor.execute("update indicators.observation set value = 6 where value = 7")
            # A rule for the city counts once, whatever the bodies; of the migrated nothing is known.
            cursor.execute(
                "select rule, rows_checked from mart.identity where period = %s and rows_checked > 0", (str(HALF),)
            )
            assert dict(cursor.fetchall()) == {"transactions_per_kiosk": 1, "vertical_and_self_built_entries": 2}
        connection.commit()
        identity.check(connection, url, warehouse.expectations, HALF)
        assert breaches(connection) == []


def test_an_identity_of_an_unknown_indicator_is_an_error(warehouse: Settings, tmp_path: Path) -> None:
    (tmp_path / "indicators").mkdir()
    (tmp_path / identity.FILE).write_text(
        "- {rule: sums, left: no_such_figure, relation: equal, right: levy_items, description: {zh: 和, en: a sum}}",
        "utf-8",
    )
    with pytest.raises(ContractError, match="no_such_figure"):
        identity.load_all(tmp_path, definition.load_all(warehouse.sql))


def test_a_list_that_nobody_reviewed_is_not_loaded(warehouse: Settings, tmp_path: Path) -> None:
    import shutil

    project = tmp_path / "project"
    for folder in ("expectations", "sql"):
        shutil.copytree(warehouse.project / folder, project / folder)
    aliases = project / "expectations" / "core" / "body_alias.csv"
    aliases.write_text(aliases.read_text("utf-8") + "市新局,1144128900750237XL,2022-01-01,\n", "utf-8")
    with pytest.raises(ContractError, match=r"body_alias\.csv"):
        warehouse_module.migrate(replace(warehouse, project=project))
