"""Nights that are killed at any moment, and nights that run twice at once, end in the rows of one quiet night."""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml

import halfyear_demo as demo
from figures_are_rows import assert_figures_are_rows
from halfyear import contract as contracts
from halfyear import warehouse as warehouse_module
from halfyear.settings import Settings

HALFYEAR = Path(sys.executable).parent / "halfyear"
SOURCES = ("catalogue_unit", "cloud_migration")
COMMAND = [str(HALFYEAR), "ingest", *(f"--source={source}" for source in SOURCES)]
REPLAY = [str(HALFYEAR), "replay", *COMMAND[2:]]
PROJECT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.timeout(600)


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("exports")
    demo.write(folder, periods=2, sources=SOURCES)
    return folder


@pytest.fixture
def filled(warehouse: Settings, exports: Path) -> Settings:
    for source in SOURCES:
        shutil.copytree(exports / source, Path(warehouse.inbox) / source, copy_function=shutil.copy2)
    return warehouse


def start(command: list[str] = COMMAND) -> subprocess.Popen[str]:
    # A session of its own, so that the kill takes the parser's child process along, as a power cut would.
    return subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, start_new_session=True
    )


def state(settings: Settings) -> dict[str, Any]:
    """Everything that must not depend on how the night went: rows known now, verdicts, accounts, figures."""
    found: dict[str, Any] = {}
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        declared = contracts.load_all(settings.expectations)
        for source, contract in ((source, declared[source]) for source in SOURCES):
            columns = ", ".join(f'"{p.column}"' for p in contract.columns)
            cursor.execute(
                f"select {columns}, row_number, valid_at::text from core.{source} where upper_inf(known_at) "
                "order by record_key, valid_at"
            )
            found[source] = cursor.fetchall()
        cursor.execute(
            "select file_name, verdict, rows_read, rows_loaded, rows_quarantined, rows_skipped "
            "from lineage.delivery as delivery left join lineage.load as load "
            "on load.delivery_id = delivery.delivery_id and load.replaced_at is null order by file_name"
        )
        found["deliveries"] = cursor.fetchall()
        cursor.execute(
            "select count(*) from quarantine.rejected_row inner join lineage.load using (load_id) where replaced_at is null"
        )
        found["rejected"] = cursor.fetchall()
        cursor.execute("select period, indicator_code, body_code, printed from mart.indicator order by 1, 2, 3")
        found["figures"] = cursor.fetchall()
        cursor.execute("select tablename from pg_tables where schemaname = 'staging'")
        found["staging"] = cursor.fetchall()
    assert_figures_are_rows(settings)
    found["work"] = sorted(p.name for p in settings.work.iterdir()) if settings.work.exists() else []
    return found


def finish(process: subprocess.Popen[str]) -> None:
    printed, _ = process.communicate(timeout=300)
    assert process.returncode in (0, 1), printed


def clear(settings: Settings, landing: bool = True) -> None:
    """Back to an empty warehouse of the same database, with or without landing."""
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "truncate core.catalogue_unit, core.cloud_migration, lineage.delivery, lineage.load, lineage.standing, "
            "lineage.acceptance, lineage.check_result, lineage.observation_input, lineage.load_part, quarantine.rejected_row, "
            "quarantine.rejected_value, indicators.observation, "
            "indicators.stale, indicators.announcement"
        )
    if landing:
        shutil.rmtree(settings.landing)


def kill(command: list[str], times: int, seconds: float) -> None:
    """Start it so many times and kill it wherever it happens to be; it takes ``seconds`` when it is left in peace."""
    draw = random.Random(20220630)
    for _ in range(times):
        process = start(command)
        time.sleep(draw.uniform(0.3, 0.8) * seconds)
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()


def test_killed_and_doubled_nights_end_like_a_quiet_one(filled: Settings) -> None:
    began = time.monotonic()
    finish(start())
    seconds = time.monotonic() - began
    quiet = state(filled)
    assert quiet["deliveries"] and quiet["figures"] and not quiet["staging"] and not quiet["work"]

    # Killed five times, wherever it happens to be, then left in peace.
    clear(filled)
    kill(COMMAND, 5, seconds)
    finish(start())
    assert state(filled) == quiet

    # Twice at once.
    clear(filled)
    both = [start(), start()]
    for process in both:
        finish(process)
    finish(start())
    assert state(filled) == quiet


@pytest.fixture
def mended(tmp_path: Path) -> Path:
    """A checkout with stricter contracts of both sources, so that rows go to quarantine which others let pass."""
    folder = tmp_path / "project"
    for name in ("expectations", "sql"):
        shutil.copytree(PROJECT / name, folder / name)
    for source, column, minimum in (("catalogue_unit", "entries_due", 5), ("cloud_migration", "vcpu", 16)):
        path = folder / "expectations" / "sources" / f"{source}.yaml"
        declared = contracts.read_yaml(path.read_text("utf-8"))
        next(each for each in declared["properties"] if each["name"] == column)["minimum"] = minimum
        declared["thresholds"] = {"maxRejectedShare": 0.9}
        path.write_text(yaml.safe_dump(declared, allow_unicode=True), encoding="utf-8")
    return folder


@pytest.mark.long
def test_killed_and_doubled_replays_end_like_a_night_under_the_contract_of_today(
    filled: Settings, mended: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFYEAR_PROJECT", str(mended))
    finish(start())
    right = state(filled)
    clear(filled)
    monkeypatch.delenv("HALFYEAR_PROJECT")
    finish(start())
    assert state(filled)["rejected"] != right["rejected"]

    # Killed while it judges again, then twice at once.
    monkeypatch.setenv("HALFYEAR_PROJECT", str(mended))
    began = time.monotonic()
    finish(start([*REPLAY, "--dry-run"]))
    seconds = time.monotonic() - began
    kill(REPLAY, 3, seconds)
    both = [start(REPLAY), start(REPLAY)]
    for process in both:
        finish(process)
    finish(start())
    assert state(filled) == right

    # Killed while it rebuilds a warehouse that is lost.
    clear(filled, landing=False)
    kill(REPLAY, 2, seconds)
    finish(start(REPLAY))
    assert state(filled) == right
