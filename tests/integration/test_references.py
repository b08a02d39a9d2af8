"""What rows name and nobody knows: the judgement that is kept is that of the rows, after every way of running a night."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

import halfyear_demo as demo
from halfyear import contract
from halfyear import settings as settings_module
from halfyear import warehouse as warehouse_module
from halfyear.mart import bodies, reference
from halfyear.scheduling import night
from halfyear.settings import Settings
from halfyear.terminal import command

#: Persons whose bodies are named, machines, and what was done at them.
SOURCES = ("account_activation", "kiosk", "kiosk_transaction")
UNKNOWN_BODY = "市重点项目攻坚专班"
UNKNOWN_KIOSK = "YZZ44128999999"
KEPT = {
    "mart.unknown_body": "source, body_code, body_name",
    "mart.unknown_reference": "source, column_name, refers_to, value",
}


def query(settings: Settings, text: str) -> list[tuple[Any, ...]]:
    with warehouse_module.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute(text)
        return cursor.fetchall()


def kept(settings: Settings, view: str) -> list[tuple[Any, ...]]:
    return query(settings, f"select {KEPT[view]}, rows, first_load_id, newest_load_id from {view} order by 1, 2, 3, 4")


def of_the_rows(settings: Settings, view: str) -> list[tuple[Any, ...]]:
    """The same, asked of the rows of today."""
    return query(
        settings,
        f"select {KEPT[view]}, count(*), min(load_id), max(load_id) from {view}_row group by {KEPT[view]} "
        "order by 1, 2, 3, 4",
    )


def assert_current(settings: Settings) -> None:
    for view in KEPT:
        assert kept(settings, view) == of_the_rows(settings, view)
    assert query(settings, "select source from mart.reference_judgement where not is_current") == []


def outdated(settings: Settings) -> list[str]:
    return [
        row[0] for row in query(settings, "select source from mart.reference_judgement where not is_current order by 1")
    ]


def ingest(*sources: str) -> str:
    chosen = [part for source in sources for part in ("--source", source)]
    done = CliRunner().invoke(command.main, ["ingest", *chosen], env={"COLUMNS": "1000"}, catch_exceptions=False)
    assert done.exit_code in (0, 1), done.output
    return done.output


@pytest.fixture
def delivered(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A project of its own, and the exports of three sources for one half-year in its inbox."""
    project = tmp_path / "project"
    shutil.copytree(warehouse.expectations, project / "expectations")
    shutil.copytree(warehouse.sql, project / "sql")
    demo.write(Path(warehouse.inbox), periods=1, sources=SOURCES)
    monkeypatch.setenv("HALFYEAR_PROJECT", str(project))
    yield settings_module.load()
    contract.load_all.cache_clear()


def redeliver_kiosks(settings: Settings) -> None:
    """The list of machines once more, with the one that it had left out."""
    (path,) = (Path(settings.inbox) / "kiosk").glob("kiosk_20220630.csv")
    lines = path.read_text("gb18030").splitlines()
    known = lines[1].split(",")[0]
    again = path.with_name("kiosk_20220630_2.csv")
    again.write_text("\n".join([*lines, lines[1].replace(known, UNKNOWN_KIOSK), ""]), "gb18030")
    os.utime(again, (path.stat().st_mtime,) * 2)


@pytest.mark.timeout(600)
def test_what_is_kept_is_what_the_rows_say(delivered: Settings) -> None:
    printed = ingest(*SOURCES)
    assert UNKNOWN_BODY in printed and UNKNOWN_KIOSK in printed
    assert_current(delivered)
    assert [row[3] for row in kept(delivered, "mart.unknown_reference")] == [UNKNOWN_KIOSK]
    assert UNKNOWN_BODY in [row[2] for row in kept(delivered, "mart.unknown_body")]
    with warehouse_module.transaction(delivered) as connection:
        assert UNKNOWN_BODY in [each.name for each in bodies.unknown(connection)]
        assert reference.judge(connection) == ()

    # Rows of one source settle what rows of another refer to.
    redeliver_kiosks(delivered)
    (pending,) = night.look("kiosk", delivered).pending
    night.load_delivery(pending, delivered)
    assert outdated(delivered) == ["kiosk", "kiosk_transaction"]
    assert len(kept(delivered, "mart.unknown_reference")) == 1
    night.announce("kiosk")
    assert_current(delivered)
    assert kept(delivered, "mart.unknown_reference") == []

    # A line in the list of aliases, and a night in which nothing arrives.
    judged = "select max(judged_at) from mart.reference_judgement"
    before = query(delivered, judged)
    with (delivered.expectations / "core" / "body_alias.csv").open("a", encoding="utf-8") as stream:
        (line,) = query(delivered, "select code from core.body order by code limit 1")
        stream.write(f"{UNKNOWN_BODY},{line[0]},2019-01-01,tests\n")
    assert warehouse_module.migrate(delivered)
    assert set(SOURCES) <= set(outdated(delivered))
    assert UNKNOWN_BODY not in ingest("kiosk")
    assert_current(delivered)
    assert UNKNOWN_BODY not in [row[2] for row in kept(delivered, "mart.unknown_body")]
    assert query(delivered, judged) > before


def test_a_night_of_single_steps_ends_with_a_judgement(delivered: Settings) -> None:
    """As the scheduler runs them: one load after the other, then the computation of each half-year."""
    for source in SOURCES:
        for delivery_id in night.look(source, delivered).pending:
            night.load_delivery(delivery_id, delivered)
    assert set(SOURCES) <= set(outdated(delivered)) and kept(delivered, "mart.unknown_body") == []
    night.compute("2022-S1")
    assert_current(delivered)
    assert kept(delivered, "mart.unknown_body") and kept(delivered, "mart.unknown_reference")


def test_two_judgements_at_once_are_one(delivered: Settings) -> None:
    for delivery_id in night.look("account_activation", delivered).pending:
        night.load_delivery(delivery_id, delivered)
    with ThreadPoolExecutor(4) as together:
        judged = list(together.map(lambda _: night.judge_references(), range(4)))
    assert sum("account_activation" in sources for sources in judged) == 1
    assert_current(delivered)
