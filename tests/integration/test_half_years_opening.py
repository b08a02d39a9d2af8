"""What happens beside a load that opens a half-year, and beside a migration: no figure is missed and nothing ends."""

from __future__ import annotations

import shutil
import threading
import time
from contextlib import nullcontext
from pathlib import Path

import pytest

import halfyear_demo as demo
from halfyear import period
from halfyear import warehouse as warehouse_module
from halfyear.core import lock
from halfyear.core.settlement import Settling
from halfyear.indicators import computation
from halfyear.scheduling import night
from halfyear.settings import Settings


def load(source: str, settings: Settings) -> None:
    for delivery_id in night.look(source, settings).pending:
        assert night.load_delivery(delivery_id, settings).verdict.startswith("loaded")


def is_waiting(settings: Settings) -> bool:
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select exists (select from pg_locks where locktype = 'advisory' and not granted)")
        return cursor.fetchone() == (True,)


@pytest.mark.parametrize("opens", ["kiosk_20220701.csv", "kiosk_20211231.csv"])
def test_a_load_beside_one_that_opens_a_half_year(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch, opens: str
) -> None:
    inbox = Path(warehouse.inbox)
    demo.write(inbox, 1, sources=("kiosk", "network_site"))
    for old in inbox.rglob("*.csv"):
        if "20220630" not in old.name:
            old.unlink()
    load("kiosk", warehouse)
    load("network_site", warehouse)
    for half_year in night.stale_periods():
        night.compute(half_year)
    listed = inbox / "network_site" / "network_site_20220630.csv"
    lines = listed.read_text("utf-8").splitlines(keepends=True)
    (inbox / "network_site" / "network_site_20220630_2.csv").write_text("".join(lines[:20] + lines[25:]), "utf-8")
    shutil.copy(inbox / "kiosk" / "kiosk_20220630.csv", inbox / "kiosk" / opens)
    settled, may_commit, settle = threading.Event(), threading.Event(), Settling.finish

    def pause(settling: Settling) -> set[period.Period]:
        moved = settle(settling)
        if settling.contract.source == "network_site":
            settled.set()
            assert may_commit.wait(60)
        return moved

    def other_night() -> None:
        load("kiosk", warehouse)
        for half_year in night.stale_periods():
            night.compute(half_year)

    monkeypatch.setattr(Settling, "finish", pause)
    threads = [threading.Thread(target=load, args=("network_site", warehouse)), threading.Thread(target=other_night)]
    threads[0].start()
    assert settled.wait(60)
    threads[1].start()
    for _ in range(300):
        if is_waiting(warehouse) or not threads[1].is_alive():
            break
        time.sleep(0.1)
    may_commit.set()
    for thread in threads:
        thread.join(60)
    for half_year in night.stale_periods():
        night.compute(half_year)
    found = night.audit()
    assert found.observations > 200 and not found.differences, [d.line for d in found.differences]


@pytest.mark.parametrize("work", ["load", "compute", "audit"])
def test_a_migration_beside_work(warehouse: Settings, work: str) -> None:
    """A migration takes tables and views one after the other, and so does the work: each waits for the other, whole."""
    demo.write(Path(warehouse.inbox), 1, sources=("kiosk",))
    load("kiosk", warehouse)
    for half_year in night.stale_periods():
        night.compute(half_year)
    # Changes nothing, and yet every declaration is applied again.
    with warehouse_module.transaction(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "update lineage.declaration set fingerprint = 'another' where name = 'warehouse' or name like 'view %'"
        )
    faults: list[BaseException] = []

    def migrate() -> None:
        try:
            assert warehouse_module.migrate(warehouse)
        except BaseException as error:
            faults.append(error)

    migrating = threading.Thread(target=migrate)
    with warehouse_module.transaction(warehouse) as connection, connection.cursor() as cursor:
        if work == "load":
            lock.hold_source(cursor, "kiosk")
        elif work == "compute":
            computation.lock(cursor, period.parse("2022-S1"))
        with lock.declarations_held(connection) if work == "audit" else nullcontext():
            cursor.execute("select count(*) from core.kiosk")
            migrating.start()
            for _ in range(300):
                if is_waiting(warehouse) or not migrating.is_alive():
                    break
                time.sleep(0.1)
            assert migrating.is_alive(), "the migration did not wait"
            # What the work reads and writes next is what a migration that had begun would hold.
            cursor.execute(
                "select count(*) from mart.indicator_row where period = '2022-S1' and indicator_code = 'kiosks'"
            )
            if work != "audit":
                cursor.execute("update indicators.observation set computed_at = now() where superseded_at is null")
                cursor.execute("select count(*) from core.kiosk_resolved")
    migrating.join(120)
    assert not faults and not migrating.is_alive()
    for half_year in night.stale_periods():
        night.compute(half_year)
    assert not night.audit().differences
