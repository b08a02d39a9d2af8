"""The how-tos are true: a new source is one file, and so is its indicator (docs/how-to/).

On real PostgreSQL, in a warehouse that the project's own sources have made: what a bureau with a running
Halfyear does when it adds a source.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from halfyear import contract, period
from halfyear import settings as settings_module
from halfyear import warehouse as warehouse_module
from halfyear.errors import ContractError
from halfyear.indicators import figure, trace
from halfyear.scheduling import night
from halfyear.settings import Settings

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = ROOT / "docs" / "how-to" / "examples"
SOURCE = "training_session"
CONTRACT = Path("expectations") / "sources" / f"{SOURCE}.yaml"
INDICATOR = Path("sql") / "indicators" / "training_sessions.sql"
#: What docs/how-to/add-an-indicator.md makes of it when a second indicator counts the same sessions.
SHARED = EXAMPLES / "shared"
#: Prints the ids of the DAGs that Airflow finds.
DAG_IDS = f"""
from airflow.dag_processing.dagbag import DagBag
bag = DagBag({str(ROOT / "dags")!r})
assert not bag.import_errors, bag.import_errors
print("dags:", *bag.dags)
"""
#: The line that docs/how-to/add-an-indicator.md adds for a domain that no table has yet.
DOMAIN = "training_session: {zh: 业务培训, en: Training sessions}\n"


@pytest.fixture
def project(warehouse: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """A copy of the project's declarations over a migrated warehouse, and the example export in its inbox."""
    folder = tmp_path / "project"
    for name in ("expectations", "sql"):
        shutil.copytree(ROOT / name, folder / name)
    inbox = Path(warehouse.inbox)
    shutil.copytree(EXAMPLES / "inbox", inbox, dirs_exist_ok=True)
    for export in inbox.rglob("*.csv"):
        arrived = datetime(2022, 7, 1, 1, 0, tzinfo=UTC).timestamp()
        os.utime(export, (arrived, arrived))
    monkeypatch.setenv("HALFYEAR_PROJECT", str(folder))
    yield settings_module.load()
    contract.load_all.cache_clear()


def add(project: Settings, *files: Path, examples: Path = EXAMPLES) -> None:
    for file in files:
        shutil.copy(examples / file, project.project / file)
    contract.load_all.cache_clear()


def ingest(project: Settings) -> list[night.Outcome]:
    received = night.look(SOURCE, project)
    return [night.load_delivery(delivery_id, project) for delivery_id in received.pending]


def rows(project: Settings, query: str) -> list[tuple[Any, ...]]:
    with warehouse_module.transaction(project) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()


def test_a_new_source_is_one_file(project: Settings) -> None:
    before = {path.relative_to(project.project) for path in project.project.rglob("*") if path.is_file()}
    add(project, CONTRACT)
    added = {path.relative_to(project.project) for path in project.project.rglob("*") if path.is_file()} - before
    assert added == {CONTRACT}

    assert warehouse_module.migrate(project)
    first, second = ingest(project)

    assert (first.verdict, first.rows_read, first.rows_loaded, first.periods) == ("loaded", 2, 2, ("2021-S2",))
    assert second.verdict == "loaded_with_quarantine"
    account = (second.rows_read, second.rows_loaded, second.rows_quarantined, second.rows_skipped)
    assert account == (9, 8, 1, 0)
    # The second file brings a session of December.
    assert second.periods == ("2021-S2", "2022-S1")
    assert ingest(project) == []
    assert night.look(SOURCE, project).known == 2

    assert rows(
        project,
        "select known.partition, session_no, to_char(started_at, 'YYYY-MM-DD HH24:MI'), terminals, attendees, "
        "resolved_body_code is null, row_number from core.training_session_resolved "
        "inner join (select record_key, known_at, tableoid::regclass::text as partition from core.training_session) as known "
        "using (record_key, known_at) where upper_inf(known_at) order by session_no",
    ) == [
        ("core.training_session_2021_s2", "SP2021-0398", "2021-12-16 09:00", 40, 655, False, 2),
        ("core.training_session_2021_s2", "SP2021-0405", "2021-12-23 10:00", 17, 81, False, 3),
        ("core.training_session_2021_s2", "SP2021-0412", "2021-12-30 15:00", 28, 164, False, 2),
        ("core.training_session_2022_s1", "SP2022-0001", "2022-01-05 09:30", 31, 210, False, 3),
        ("core.training_session_2022_s1", "SP2022-0017", "2022-02-18 14:30", 12, 57, False, 4),
        ("core.training_session_2022_s1", "SP2022-0033", "2022-03-11 09:00", 46, 1203, False, 5),
        ("core.training_session_2022_s1", "SP2022-0058", "2022-04-26 20:00", 33, 141, False, 6),
        ("core.training_session_2022_s1", "SP2022-0090", "2022-06-14 15:00", 5, None, True, 8),
        ("core.training_session_2022_s1", "SP2022-0097", "2022-06-21 09:00", 0, 0, False, 9),
        ("core.training_session_2022_s1", "SP2022-0104", "2022-06-30 23:30", 18, 77, False, 10),
    ]
    assert rows(
        project, "select row_number, record_key, column_name, rule, masked_value from quarantine.rejected_row"
    ) == [(7, "SP2022-0071", "ended_at", "ended_after_start", "2022-05-19 09:00:00+08")]


def test_its_dag_and_dictionary_page_come_by_themselves(project: Settings, tmp_path: Path) -> None:
    from halfyear.terminal import documentation

    add(project, CONTRACT)
    listed = subprocess.run(
        [sys.executable, "-c", DAG_IDS],
        env={**os.environ, "AIRFLOW_HOME": str(tmp_path / "airflow")},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "ingest__training_session" in listed.stdout.split()

    documentation.write(project, only_check=False)
    page = (project.project / "docs" / "dictionary" / f"{SOURCE}.md").read_text("utf-8")
    assert "one row per session" in page
    assert "`ended_after_start`" in page


@pytest.mark.parametrize("page, role", [("read-the-warehouse.md", "reader"), ("a-night-failed.md", "loader")])
def test_the_questions_of_the_how_tos_have_answers(warehouse: Settings, page: str, role: warehouse_module.Role) -> None:
    """Every SQL block runs as the role that the page speaks of."""
    text = (ROOT / "docs" / "how-to" / page).read_text("utf-8")
    questions = [
        q for block in re.findall(r"^```sql\n(.*?)^```", text, re.DOTALL | re.MULTILINE) for q in block.split(";")
    ]
    asked = [question for question in questions if question.strip()]
    assert asked
    with warehouse_module.transaction(warehouse, role) as connection, connection.cursor() as cursor:
        for question in asked:
            cursor.execute(question)


def figures(project: Settings, code: str) -> dict[str, str]:
    """What is printed of an indicator, by half-year."""
    with warehouse_module.transaction(project) as connection:
        return {
            half_year: next(
                row["printed"]
                for row in figure.figures(connection, period.parse(half_year))
                if row["indicator_code"] == code
            )
            for half_year in ("2021-S2", "2022-S1")
        }


def test_an_indicator_is_one_file_and_a_second_one_shares_its_population(project: Settings) -> None:
    add(project, CONTRACT, INDICATOR)
    with (project.expectations / "indicators" / "domains.yaml").open("a", encoding="utf-8") as stream:
        stream.write(DOMAIN)
    assert warehouse_module.migrate(project)
    ingest(project)
    # The other sources delivered nothing: their figures are null, and computed all the same.
    for code in night.stale_periods():
        night.compute(code)

    assert figures(project, "training_sessions") == {"2021-S2": "3场", "2022-S1": "6场"}
    with warehouse_module.transaction(project) as connection:
        summary = trace.trace_summary(connection, "training_sessions", "", period.parse("2022-S1"))
    assert (summary.counted, summary.left_out) == (6, {"nobody_there": 1})
    assert rows(
        project,
        "select body_name, training_sessions from mart.training_session where period = '2022-S1' order by 2 desc, 1",
    )[0] == ("全市", 6)

    shared = sorted(path.relative_to(SHARED) for path in SHARED.rglob("*.sql"))
    assert len(shared) == 3 and INDICATOR in shared
    add(project, *shared, examples=SHARED)
    assert warehouse_module.migrate(project)
    for code in night.stale_periods():
        night.compute(code)

    assert figures(project, "training_sessions") == {"2021-S2": "3场", "2022-S1": "6场"}
    # Of the six sessions one does not say how many attended.
    assert figures(project, "training_average_attendance") == {"2021-S2": "300.0人/场", "2022-S1": "337.6人/场"}
    with warehouse_module.transaction(project) as connection:
        summary = trace.trace_summary(connection, "training_average_attendance", "", period.parse("2022-S1"))
    assert (summary.counted, summary.left_out) == (5, {"nobody_there": 1, "not_said": 1})


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("as left_out_because", "is_counted as left_out_because", "accounts_opened_town.sql.*does not run.*syntax"),
        ("body_kind <>", "body_kynd <>", "accounts_opened_town.sql.*does not run.*body_kynd"),
        ("select\n    *,", "select\n    count(*),", "accounts_opened_town.sql.*does not run"),
        ("from persons_with_account", "from persons", "accounts_opened_town.sql.*does not run.*persons"),
    ],
)
def test_a_select_that_does_not_run_is_found_before_the_night(project: Settings, old: str, new: str, says: str) -> None:
    path = project.sql / "indicators" / "accounts_opened_town.sql"
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new), "utf-8")
    with pytest.raises(ContractError, match=says):
        warehouse_module.migrate(project)


@pytest.mark.timeout(900)
@pytest.mark.long
def test_the_tests_pass_with_a_source_and_an_indicator_more(tmp_path: Path) -> None:
    """What knows all sources, domains or indicators learns of new ones by itself: no file of tests is touched for them."""
    copy = tmp_path / "copy"
    ignored = shutil.ignore_patterns(
        ".git", ".venv*", ".halfyear", ".*_cache", ".hypothesis", "*.egg-info", "__pycache__", "build"
    )
    shutil.copytree(ROOT, copy, ignore=ignored)
    for file in (CONTRACT, INDICATOR):
        shutil.copy(EXAMPLES / file, copy / file)
    with (copy / "expectations" / "indicators" / "domains.yaml").open("a", encoding="utf-8") as stream:
        stream.write(DOMAIN)
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("HALFYEAR_", "PYTEST_"))}
    environment |= {
        "PYTHONPATH": os.pathsep.join([str(copy / "plugins"), str(copy / "demo")]),
        "HALFYEAR_PROJECT": str(copy),
    }
    for arguments in (
        ["-c", "from halfyear.terminal.command import main; main()", "docs"],
        ["-m", "pytest", "-x", "-p", "no:cacheprovider", "tests/declarations", "tests/dags"],
    ):
        done = subprocess.run([sys.executable, *arguments], cwd=copy, env=environment, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]


def test_a_definition_that_goes_and_comes_back_is_due(project: Settings) -> None:
    add(project, CONTRACT, INDICATOR)
    with (project.expectations / "indicators" / "domains.yaml").open("a", encoding="utf-8") as stream:
        stream.write(DOMAIN)
    warehouse_module.migrate(project)
    first, second = night.look(SOURCE, project).pending
    night.load_delivery(first, project)
    for code in night.stale_periods():
        night.compute(code)
    # Its rows change, nobody computes, and it is away for a moment.
    night.load_delivery(second, project)
    path = project.project / INDICATOR
    text = path.read_text("utf-8")
    path.unlink()
    warehouse_module.migrate(project)
    path.write_text(text, "utf-8")
    warehouse_module.migrate(project)
    for code in night.stale_periods():
        night.compute(code)
    assert figures(project, "training_sessions") == {"2021-S2": "3场", "2022-S1": "6场"}


def test_a_select_that_fails_on_a_row_keeps_no_other_from_being_computed(project: Settings) -> None:
    add(project, CONTRACT, INDICATOR)
    with (project.expectations / "indicators" / "domains.yaml").open("a", encoding="utf-8") as stream:
        stream.write(DOMAIN)
    text = (project.project / INDICATOR).read_text("utf-8")
    odd = project.project / INDICATOR.with_name("training_sessions.well_attended.sql")
    odd.write_text(text.replace("terminals = 0", "body_name::integer = attendees"), "utf-8")
    warehouse_module.migrate(project)
    ingest(project)
    for code in night.stale_periods():
        with pytest.raises(
            ContractError, match=r"training_sessions\.well_attended\.sql \(InvalidTextRepresentation"
        ) as error:
            night.compute(code)
        assert "局" not in str(error.value)
    assert figures(project, "training_sessions") == {"2021-S2": "3场", "2022-S1": "6场"}
    assert set(rows(project, "select indicator_code, reading from indicators.due")) == {
        ("training_sessions", "well_attended")
    }


def test_a_condition_is_asked_of_rows_in_its_window_only(project: Settings) -> None:
    """An indicator that fails on a row of another half-year does not fail where that row is not read."""
    add(project, CONTRACT, INDICATOR)
    with (project.expectations / "indicators" / "domains.yaml").open("a", encoding="utf-8") as stream:
        stream.write(DOMAIN)
    text = (project.project / INDICATOR).read_text("utf-8")
    # By its end no session of another half-year is looked at; by its beginning each is.
    ends = text.replace("reads: started_at", "reads: ended_at")
    fails = "case when started_at < timestamptz '2022-01-01 00:00+08' then 1 / (terminals - terminals) end = 1"
    (project.project / INDICATOR.with_name("training_sessions.by_end.sql")).write_text(ends, "utf-8")
    (project.project / INDICATOR.with_name("training_sessions.odd.sql")).write_text(
        text.replace("terminals = 0", fails), "utf-8"
    )
    warehouse_module.migrate(project)
    ingest(project)
    assert night.compute("2022-S1") > 0
    with pytest.raises(ContractError, match=r"training_sessions\.odd\.sql \(DivisionByZero"):
        night.compute("2021-S2")
    assert figures(project, "training_sessions") == {"2021-S2": "3场", "2022-S1": "6场"}
