"""A night without a scheduler: the demo exports from the inbox to the figures, on a real PostgreSQL and real files."""

from __future__ import annotations

import csv
import os
import random
import re
import shutil
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from click.testing import CliRunner

import halfyear_demo as demo
from halfyear import contract as contracts
from halfyear import period
from halfyear import warehouse as warehouse_module
from halfyear.core.settlement import Settling
from halfyear.errors import InfrastructureFault, UsageError
from halfyear.indicators import trace
from halfyear.landing import inbox
from halfyear.mart import indicator_table, reconciliation_table
from halfyear.scheduling import night
from halfyear.settings import Settings
from halfyear.terminal import command


def query(settings: Settings, text: str, *values: Any) -> list[tuple[Any, ...]]:
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall()


def ingest(settings: Settings, *sources: str) -> list[night.Outcome]:
    outcomes = []
    for source in sources or contracts.load_all(settings.expectations):
        for delivery_id in night.look(source, settings).pending:
            outcomes.append(night.load_delivery(delivery_id, settings))
    for code in night.stale_periods():
        night.compute(code)
    return outcomes


def now(settings: Settings) -> dict[str, list[tuple[Any, ...]]]:
    """The rows known now of every source, without known_at and load_id."""
    found = {}
    for source, contract in contracts.load_all(settings.expectations).items():
        columns = ", ".join(f'"{p.column}"' for p in contract.columns)
        found[source] = query(
            settings,
            f"select {columns}, row_number, {'valid_at' if contract.mode == 'register' else 'null'}::text as valid_at "
            f"from core.{source} where upper_inf(known_at) order by record_key, valid_at",
        )
    return found


def write_units(settings: Settings, name: str, rows: list[str], encoding: str = "utf-8") -> Path:
    """An export of catalogue_unit with the given rows below its header."""
    path = Path(settings.inbox) / "catalogue_unit" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    header = "单位名称,统一社会信用代码,是否需编目挂接,应编目数,已编目数,已挂接数"
    path.write_bytes("\n".join([header, *rows, ""]).encode(encoding))
    return path


def bodies(count: int) -> list[tuple[str, str]]:
    """Names and valid codes, from the reviewed list."""
    project = Path(__file__).resolve().parents[2]
    with (project / "expectations" / "core" / "body.csv").open(encoding="utf-8-sig") as stream:
        return [(row["name"], row["code"]) for row in csv.DictReader(stream)][:count]


def unit_rows(count: int, must: str = "是") -> list[str]:
    return [f"{name},{code},{must},10,8,5" for name, code in bodies(count)]


@pytest.fixture
def filled(warehouse: Settings, exports: Path) -> Iterator[Settings]:
    shutil.copytree(exports, warehouse.inbox, dirs_exist_ok=True, copy_function=shutil.copy2)
    yield warehouse


@pytest.mark.timeout(900)
def test_demo_night(demo_night: Any, loaded: Settings, exports: Path) -> None:
    filled, outcomes = loaded, demo_night.outcomes
    shutil.copytree(exports, filled.inbox, dirs_exist_ok=True, copy_function=os.link)

    # Every file is accounted for, as its generator says.
    made = {e.file_name: e for e in demo.exports()}
    assert outcomes.keys() == made.keys()
    for name, outcome in outcomes.items():
        assert outcome.rows_read == outcome.rows_loaded + outcome.rows_quarantined + outcome.rows_skipped
        ledger = query(
            filled,
            "select rows_read, rows_passed, rows_quarantined from lineage.load inner join lineage.delivery "
            "using (delivery_id) where file_name = %s",
            name,
        )
        if outcome.verdict != "repeated":
            export = made[name]
            assert ledger == [(export.rows_read, export.made.rows_loaded, export.made.rows_quarantined)], name
    verdicts = dict(query(filled, "select file_name, verdict from lineage.delivery"))
    assert verdicts["catalogue_unit_20211231_2.csv"] == "repeated"
    assert verdicts["cloud_migration_20220630.csv"] == "superseded"
    assert verdicts["cloud_migration_20220630_2.csv"] == "loaded_with_quarantine"

    # What was printed comes out of the rows, and every figure has rows behind it or says that there are none.
    with warehouse_module.transaction(filled) as connection:
        printed = reconciliation_table.reconciliation_rows(connection, period.parse("2022-S1"))
        assert [(row["indicator_code"], row["verdict"]) for row in printed if row["verdict"] != "一致"] == []
        assert len(printed) == 52
        before_that = reconciliation_table.reconciliation_rows(connection, period.parse("2021-S2"))
        assert {row["indicator_code"]: row["verdict"] for row in before_that if row["verdict"] != "一致"} == {
            "account_activation_rate": "舍入差",
            "cloud_systems_migrated": "口径差",
            "counter_cases": "差异",
        }
        for row in printed:
            summary = trace.trace_summary(connection, row["indicator_code"], "", period.parse("2022-S1"))
            assert summary.observation and summary.observation.value == row["computed_value"]
            assert summary.counted > 0
    assert query(filled, "select period, rule from mart.identity where not is_kept") == []
    assert query(filled, "select count(distinct period) from mart.identity") == [(4,)]
    unknown = query(filled, "select source, value from mart.unknown_reference")
    assert unknown == [("kiosk_transaction", "YZZ44128999999")]

    # A second night changes nothing, and leaves nothing in staging.
    before = now(filled)
    loads = query(filled, "select count(*) from lineage.load")
    assert ingest(filled) == []
    assert now(filled) == before and query(filled, "select count(*) from lineage.load") == loads
    assert query(filled, "select tablename from pg_tables where schemaname = 'staging'") == []

    _no_personal_value(filled, exports)
    _any_order_gives_the_same(filled, exports, before)


def _no_personal_value(settings: Settings, exports: Path) -> None:
    """No name, mobile number or resident ID of the exports stands anywhere in the warehouse."""
    with (exports / "account_activation" / "account_activation_20220630.csv").open(encoding="gb18030") as stream:
        lines = list(csv.reader(stream))
    header = next(line for line in lines if any("身份证" in cell for cell in line))
    persons = [line for line in lines if len(line) == len(header) and line is not header][:400]
    secrets = {
        line[place].strip()
        for line in persons
        for place, cell in enumerate(header)
        if any(word in cell for word in ("手机", "身份证")) and len(line[place].strip()) > 8
    }
    assert len(secrets) > 500
    tables = query(
        settings,
        "select schemaname, tablename from pg_tables where schemaname in ('core', 'quarantine', 'lineage', 'staging')",
    )
    for schema, name in tables:
        text = "\n".join(str(row) for row in query(settings, f'select t::text from {schema}."{name}" as t'))
        numbers = set(re.findall(r"\d{10,}[0-9X]", text))
        assert not numbers & secrets, f"{schema}.{name}"


def _any_order_gives_the_same(settings: Settings, exports: Path, expected: dict[str, list[tuple[Any, ...]]]) -> None:
    """The same files of one source, one night each, in another order."""
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        loads = "(select load_id from lineage.load inner join lineage.delivery using (delivery_id) where source = 'cloud_migration')"
        cursor.execute("truncate core.cloud_migration")
        cursor.execute("delete from lineage.standing where source = 'cloud_migration'")
        for name in (
            "lineage.observation_input",
            "quarantine.rejected_row",
            "quarantine.rejected_value",
            "lineage.load",
        ):
            cursor.execute(f"delete from {name} where load_id in {loads}")
        cursor.execute("delete from lineage.delivery where source = 'cloud_migration'")
    shutil.rmtree(Path(settings.inbox))
    files = sorted((exports / "cloud_migration").iterdir())
    random.Random(5).shuffle(files)
    for path in files:
        target = Path(settings.inbox) / "cloud_migration" / path.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(path, target)
        ingest(settings, "cloud_migration")
    assert now(settings)["cloud_migration"] == expected["cloud_migration"]


def test_shrunken_snapshot_is_refused_then_accepted(warehouse: Settings) -> None:
    write_units(warehouse, "catalogue_unit_20220629.csv", unit_rows(20))
    write_units(warehouse, "catalogue_unit_20220630.csv", unit_rows(9))
    outcomes = ingest(warehouse)
    assert [o.verdict for o in outcomes] == ["loaded", "refused"]
    assert "halfyear accept" in str(outcomes[1].reason_en)
    assert query(warehouse, "select count(*) from core.catalogue_unit where upper_inf(valid_at)") == [(20,)]
    with pytest.raises(UsageError, match="reason"):
        night.accept(outcomes[1].delivery_id, " ", "tester", warehouse)
    accepted = night.accept(outcomes[1].delivery_id, "eleven bodies were merged", "tester", warehouse)
    assert (accepted.verdict, accepted.rows_loaded, accepted.periods) == ("loaded", 9, ("2022-S1",))
    assert query(
        warehouse, "select count(*) from core.catalogue_unit where upper_inf(known_at) and upper_inf(valid_at)"
    ) == [(9,)]
    with pytest.raises(UsageError, match="only a snapshot"):
        night.accept(outcomes[1].delivery_id, "again", "tester", warehouse)


def test_held_row_neither_ends_nor_changes_its_record(warehouse: Settings) -> None:
    rows = unit_rows(10)
    write_units(warehouse, "catalogue_unit_20220629.csv", rows)
    broken = rows[0].replace(",10,8,5", ",十,8,5")
    write_units(warehouse, "catalogue_unit_20220630.csv", [broken, *rows[1:9]])
    outcomes = ingest(warehouse)
    assert [(o.verdict, o.rows_quarantined) for o in outcomes] == [("loaded", 0), ("loaded_with_quarantine", 1)]
    ended = query(
        warehouse, "select record_key from core.catalogue_unit where upper_inf(known_at) and not upper_inf(valid_at)"
    )
    assert ended == [(bodies(10)[9][1],)]


def test_too_many_bad_rows_refuse_the_file(warehouse: Settings) -> None:
    rows = unit_rows(10)
    write_units(warehouse, "catalogue_unit_20220630.csv", [*rows[:7], *(r.replace("是", "也许") for r in rows[7:])])
    (outcome,) = ingest(warehouse)
    assert (outcome.verdict, outcome.rows_read, outcome.rows_loaded, outcome.rows_quarantined) == ("refused", 10, 0, 3)
    assert "20%" in str(outcome.reason_en)
    assert query(warehouse, "select count(*) from core.catalogue_unit") == [(0,)]
    # Two of ten are just within the share.
    write_units(warehouse, "catalogue_unit_20220630_2.csv", [*rows[:8], *(r.replace("是", "也许") for r in rows[8:])])
    assert [o.verdict for o in ingest(warehouse)] == ["loaded_with_quarantine"]


def test_duplicates_and_conflicts_of_one_file(warehouse: Settings) -> None:
    rows = unit_rows(32)
    twice = rows[0]
    other = rows[1].replace(",5", ",4")
    unreadable = rows[2].replace(",5", ",?")
    write_units(warehouse, "catalogue_unit_20220630.csv", [*rows, twice, other, unreadable])
    (outcome,) = ingest(warehouse)
    # Skipped: the copy. Quarantined: both of the conflict, and both of the pair of which one cannot be read.
    assert (outcome.rows_loaded, outcome.rows_quarantined, outcome.rows_skipped) == (30, 4, 1)
    assert query(
        warehouse,
        "select row_number, rule from quarantine.rejected_row where rule = 'record_key_unique' order by row_number",
    ) == [(3, "record_key_unique"), (4, "record_key_unique"), (35, "record_key_unique")]


def test_one_number_with_two_contents(warehouse: Settings) -> None:
    write_units(warehouse, "catalogue_unit_20220630.csv", unit_rows(10))
    ingest(warehouse)
    write_units(warehouse, "catalogue_unit_20220630.csv", unit_rows(9))
    ingest(warehouse)
    verdicts = query(warehouse, "select verdict, rule from lineage.delivery")
    assert verdicts == [("refused", "one_file_per_day_and_number")] * 2
    assert query(warehouse, "select count(*) from core.catalogue_unit where upper_inf(known_at)") == [(0,)]
    write_units(warehouse, "catalogue_unit_20220630_2.csv", unit_rows(9))
    ingest(warehouse)
    assert query(warehouse, "select count(*) from core.catalogue_unit where upper_inf(known_at)") == [(9,)]


def test_unusable_files_lose_nothing(warehouse: Settings) -> None:
    write_units(warehouse, "catalogue_unit_20220629.csv", unit_rows(10))
    ingest(warehouse)
    folder = Path(warehouse.inbox) / "catalogue_unit"
    for name, content in {
        "catalogue_unit_20220630.csv": b"",
        "catalogue_unit_20220630_2.csv": b"\xff\xfe\x00broken\n",
        "catalogue_unit_20220630_3.csv": "单位名称,是否需编目挂接\n甲,是\n".encode(),
        "catalogue_unit_20220630_4.xlsx": b"not a workbook",
        "units.csv": b"a,b\n",
        "catalogue_unit_29990101.csv": b"a,b\n",
        ".hidden": b"",
    }.items():
        (folder / name).write_bytes(content)
        old = 1_656_600_000
        os.utime(folder / name, (old, old))
    ingest(warehouse)
    verdicts = dict(query(warehouse, "select file_name, verdict from lineage.delivery"))
    assert verdicts.pop("catalogue_unit_20220629.csv") == "loaded"
    assert verdicts.pop(".hidden") == "ignored"
    assert set(verdicts.values()) == {"refused"} and len(verdicts) == 6
    reasons = query(
        warehouse, "select file_name, rule, reason_zh, reason_en from lineage.delivery where verdict = 'refused'"
    )
    assert all(rule and zh and en for _, rule, zh, en in reasons), reasons
    assert query(warehouse, "select count(*) from core.catalogue_unit where upper_inf(valid_at)") == [(10,)]


def test_bytes_that_come_back_belong_to_the_delivery_that_stands(warehouse: Settings) -> None:
    first = write_units(warehouse, "catalogue_unit_20220630.csv", unit_rows(10))
    content = first.read_bytes()
    ingest(warehouse)
    first.write_bytes(content.replace(b"10,8,5", b"10,8,4"))
    ingest(warehouse)
    first.with_name("catalogue_unit_20220630_2.csv").write_bytes(content)
    (outcome,) = ingest(warehouse)
    assert (outcome.verdict, outcome.rows_read, outcome.rows_loaded) == ("loaded", 10, 10)
    assert query(
        warehouse,
        "select file_name, rows_loaded from lineage.load inner join lineage.delivery using (delivery_id) "
        "where load_id in (select load_id from core.catalogue_unit where upper_inf(known_at))",
    ) == [("catalogue_unit_20220630_2.csv", 10)]


def test_a_mended_contract_reads_a_refused_file_again(
    warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = tmp_path / "project"
    shutil.copytree(warehouse.expectations, project / "expectations")
    (project / "sql").symlink_to(warehouse.sql)
    monkeypatch.setenv("HALFYEAR_PROJECT", str(project))
    settings = replace(warehouse, project=project)
    path = write_units(settings, "catalogue_unit_20220630.csv", unit_rows(10))
    path.write_text(path.read_text("utf-8").replace("是否需编目挂接", "是否须编目"), "utf-8")
    assert [(o.verdict, o.rows_loaded) for o in ingest(settings, "catalogue_unit")] == [("refused", 0)]
    assert ingest(settings, "catalogue_unit") == []
    declared = project / "expectations" / "sources" / "catalogue_unit.yaml"
    text = declared.read_text("utf-8")
    declared.write_text(
        text.replace("businessName: 是否需编目挂接,", "businessName: 是否需编目挂接, aliases: [是否须编目],"), "utf-8"
    )
    contracts.load_all.cache_clear()
    assert [(o.verdict, o.rows_loaded) for o in ingest(settings, "catalogue_unit")] == [("loaded", 10)]


def test_a_file_dated_tomorrow_loads_when_its_day_has_come(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_units(warehouse, "catalogue_unit_20220630.csv", unit_rows(10))
    real = inbox.named
    with monkeypatch.context() as earlier:
        earlier.setattr(inbox, "named", lambda *arguments: real(*arguments, date(2022, 6, 29)))
        assert ingest(warehouse) == []
    assert query(warehouse, "select verdict, rule from lineage.delivery") == [("refused", "snapshot_date_in_future")]
    assert [o.verdict for o in ingest(warehouse)] == ["loaded"]


def test_one_bad_source_keeps_nobody_else_waiting(warehouse: Settings) -> None:
    folder = write_units(warehouse, "catalogue_unit_20220630.csv", unit_rows(10)).parent
    (folder / "catalogue_unit_20220629.csv").symlink_to("catalogue_unit_20220629.csv")
    done = CliRunner().invoke(command.main, ["ingest"])
    assert done.exit_code == 3
    assert "catalogue_unit_20220629.csv" in done.output
    assert query(warehouse, "select verdict from lineage.delivery") == [("loaded",)]
    assert night.stale_periods() == []


def test_a_late_day_that_refuses_a_later_one_is_reported(warehouse: Settings) -> None:
    write_units(warehouse, "catalogue_unit_20220630.csv", unit_rows(10))
    assert CliRunner().invoke(command.main, ["ingest"]).exit_code == 0
    write_units(warehouse, "catalogue_unit_20220629.csv", unit_rows(30))
    done = CliRunner().invoke(command.main, ["ingest"])
    assert done.exit_code == 1
    assert "catalogue_unit_20220630.csv: fewer_rows_than_before" in done.output


def test_killed_run_is_harmless(warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that dies between staging and commit leaves no trace in core, and the next one finishes the work."""
    write_units(warehouse, "catalogue_unit_20220630.csv", unit_rows(10))
    (delivery_id,) = night.look("catalogue_unit", warehouse).pending

    def die(*arguments: Any) -> Any:
        raise psycopg2.OperationalError("server closed the connection")

    with monkeypatch.context() as patched:
        patched.setattr(Settling, "finish", die)
        with pytest.raises(InfrastructureFault):
            night.load_delivery(delivery_id, warehouse)
    assert query(warehouse, "select count(*) from lineage.load") == [(0,)]
    assert query(warehouse, "select count(*) from core.catalogue_unit") == [(0,)]
    outcome = night.load_delivery(delivery_id, warehouse)
    assert (outcome.verdict, outcome.is_new) == ("loaded", True)
    again = night.load_delivery(delivery_id, warehouse)
    assert (again.verdict, again.is_new, again.periods) == ("loaded", False, ())
    night.sweep()
    assert query(warehouse, "select tablename from pg_tables where schemaname = 'staging'") == []


def test_changed_landing_is_noticed(warehouse: Settings) -> None:
    write_units(warehouse, "catalogue_unit_20220630.csv", unit_rows(10))
    (delivery_id,) = night.look("catalogue_unit", warehouse).pending
    shutil.rmtree(warehouse.landing)
    with pytest.raises(InfrastructureFault, match="landed bytes"):
        night.load_delivery(delivery_id, warehouse)


def test_as_known_gives_the_figure_of_that_instant(warehouse: Settings) -> None:
    write_units(warehouse, "catalogue_unit_20220630.csv", unit_rows(10))
    ingest(warehouse)
    ((instant,),) = query(warehouse, "select clock_timestamp()")
    write_units(warehouse, "catalogue_unit_20220630_2.csv", [*unit_rows(8), *unit_rows(10, "否")[8:]])
    ingest(warehouse)
    half = period.parse("2022-S1")
    with warehouse_module.transaction(warehouse) as connection:
        then = {
            r["indicator_code"]: r["value"] for r in indicator_table.indicator_rows(connection, half, as_known=instant)
        }
        today = {r["indicator_code"]: r["value"] for r in indicator_table.indicator_rows(connection, half)}
    assert (then["catalogue_units"], today["catalogue_units"]) == (10, 8)


def test_an_empty_register_snapshot_waits_for_an_operator(warehouse: Settings) -> None:
    write_units(warehouse, "catalogue_unit_20220629.csv", unit_rows(3))
    write_units(warehouse, "catalogue_unit_20220630.csv", [])
    outcome = ingest(warehouse)[-1]
    rules = query(warehouse, "select rule from lineage.delivery where verdict = 'refused'")
    assert (outcome.verdict, rules) == ("refused", [("fewer_rows_than_before",)])
    accepted = night.accept(outcome.delivery_id, "the list was abolished", "tester", warehouse)
    assert (accepted.verdict, accepted.rows_loaded) == ("loaded", 0)
    assert query(
        warehouse, "select count(*) from core.catalogue_unit where upper_inf(known_at) and upper_inf(valid_at)"
    ) == [(0,)]
