"""Airflow sees exactly the DAGs that we mean, reads them fast, and scans nothing of the package."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pendulum
import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, Asset, TriggerRule
from airflow.serialization.encoders import coerce_to_core_timetable
from airflow.timetables.base import DagRunInfo, TimeRestriction
from airflow.utils.file import find_path_from_directory, might_contain_dag

from halfyear import contract, period
from halfyear.errors import InfrastructureFault, UsageError

PROJECT = Path(__file__).resolve().parents[2]
DAGS = PROJECT / "dags"
PLUGINS = PROJECT / "plugins"
SOURCES = sorted(contract.load_all(PROJECT / "expectations"))
#: Importing any of these would make every parse and every task slow; Great Expectations alone takes 6 s.
HEAVY = {"pandas", "great_expectations", "pyarrow", "python_calamine", "openpyxl", "psycopg2", "numpy"}


@pytest.fixture(scope="module")
def dags() -> dict[str, DAG]:
    bag = DagBag(DAGS, load_op_links=False)
    assert bag.import_errors == {}
    return {str(dag_id): dag for dag_id, dag in bag.dags.items()}


def run_python(code: str) -> Any:
    environment = os.environ | {
        "PYTHONPATH": str(PLUGINS),
        "AIRFLOW__CORE__PLUGINS_FOLDER": str(PLUGINS),
        "AIRFLOW__CORE__DAGS_FOLDER": str(DAGS),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_exactly_these_dags(dags: dict[str, DAG]) -> None:
    others = ["compute_indicators", "maintenance", "publish_period", "replay", "restate_period"]
    assert sorted(dags) == sorted([*(f"ingest__{source}" for source in SOURCES), *others])


@pytest.mark.parametrize("path", sorted(DAGS.glob("*.py")), ids=lambda path: path.name)
def test_airflow_does_not_skip_the_file(path: Path) -> None:
    """A file without the words is passed over silently."""
    assert might_contain_dag(str(path), safe_mode=True)
    assert "Airflow DAGs" in path.read_text().splitlines()[0]


def test_dag_files_are_read_in_under_a_second_without_heavy_modules() -> None:
    seconds, modules = run_python(
        "import json, runpy, sys, time\n"
        "import airflow.sdk, airflow.providers.standard.operators.empty\n"  # the dag-processor has them loaded
        "began = time.process_time()\n"
        f"for path in {sorted(map(str, DAGS.glob('*.py')))!r}: runpy.run_path(path)\n"
        "print(json.dumps([time.process_time() - began, sorted({m.partition('.')[0] for m in sys.modules})]))\n"
    )
    assert seconds < 1
    assert not HEAVY & set(modules)


@pytest.mark.parametrize("source", SOURCES)
def test_ingest(dags: dict[str, DAG], source: str) -> None:
    dag = dags[f"ingest__{source}"]
    schedule: Any = dag.timetable
    assert schedule.expression == contract.load_all(PROJECT / "expectations")[source].schedule
    assert str(schedule.timezone) == "Asia/Shanghai"
    assert not dag.catchup
    assert dag.max_active_runs == 1
    assert {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks} == {
        "receive": ["load"],
        "load": ["all_loaded", "announce", "request_computation"],
        "announce": [],
        "request_computation": [],
        "all_loaded": [],
    }
    outlets = {task.task_id: list(task.outlets) for task in dag.tasks if task.outlets}
    assert outlets == {
        "announce": [Asset(f"halfyear://core/{source}")],
        "request_computation": [Asset("halfyear://indicators/due")],
    }


def test_what_other_loads_changed_is_announced_although_one_failed(dags: dict[str, DAG]) -> None:
    for source in SOURCES:
        for task_id in ("announce", "request_computation"):
            assert dags[f"ingest__{source}"].get_task(task_id).trigger_rule == TriggerRule.NONE_SKIPPED
        # ... and the run is red: a leaf that needs every load.
        assert dags[f"ingest__{source}"].get_task("all_loaded").trigger_rule == TriggerRule.ALL_SUCCESS


def test_compute_indicators_waits_for_what_is_due(dags: dict[str, DAG]) -> None:
    timetable: Any = dags["compute_indicators"].timetable
    assert timetable.asset_condition == Asset("halfyear://indicators/due")
    assert timetable.default_partition_mapper.to_downstream("2022-S1") == "2022-S1"


def test_maintenance_is_nightly(dags: dict[str, DAG]) -> None:
    timetable: Any = dags["maintenance"].timetable
    assert (timetable.expression, str(timetable.timezone)) == ("0 5 * * *", "Asia/Shanghai")
    assert dags["maintenance"].get_task("request_computation").outlets == [Asset("halfyear://indicators/due")]
    assert sorted(dags["maintenance"].task_ids) == ["audit", "request_computation", "sweep"]


def test_replay_is_started_by_hand_and_changes_nothing_unasked(dags: dict[str, DAG]) -> None:
    dag = dags["replay"]
    assert dag.timetable.can_be_scheduled is False and dag.max_active_runs == 1
    assert dag.params.dump() == {"sources": [], "since": None, "dry_run": True, "accept_refusals": False}
    assert {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks} == {
        "replay": ["request_computation"],
        "request_computation": [],
    }
    assert dag.get_task("request_computation").outlets == [Asset("halfyear://indicators/due")]


@pytest.mark.parametrize("name", ["publish_period", "restate_period"])
def test_a_person_approves_before_anything_is_sealed(dags: dict[str, DAG], name: str) -> None:
    dag = dags[name]
    assert {task.task_id: sorted(task.downstream_task_ids) for task in dag.tasks} == {
        "prepare": ["approve"],
        "approve": ["seal"],
        "seal": [],
    }
    approve: Any = dag.get_task("approve")
    assert approve.options == ["Approve", "Reject"]
    # Nobody's silence is a consent.
    assert approve.defaults is None
    assert approve.response_timeout.days == 14


def test_a_half_year_is_published_ten_days_after_its_end(dags: dict[str, DAG]) -> None:
    timetable: Any = dags["publish_period"].timetable
    assert (timetable.expression, str(timetable.timezone)) == ("0 9 10 1,7 *", "Asia/Shanghai")
    for run_on, half_year in (("2022-07-10T09:00", "2022-S1"), ("2022-01-10T09:00", "2021-S2")):
        # The whole of a scheduled run: the night before, the next run is the one of this day, with the half-year's key.
        ran_last = pendulum.parse(run_on, tz="Asia/Shanghai").subtract(months=6)  # type: ignore[union-attr]
        last = DagRunInfo.exact(ran_last)
        scheduled = coerce_to_core_timetable(timetable).next_dagrun_info_v2(
            last_dagrun_info=last, restriction=TimeRestriction(None, None, catchup=True)
        )
        assert scheduled is not None
        assert scheduled.run_after.in_timezone("Asia/Shanghai").isoformat()[:16] == run_on
        assert str(period.containing(str(scheduled.partition_key))) == half_year
    assert not dags["restate_period"].timetable.can_be_scheduled


def test_a_task_builds_its_own_dag_only(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("_AIRFLOW_PARSING_CONTEXT_DAG_ID", "ingest__kiosk")
    bag = DagBag(DAGS / "ingest_sources.py", load_op_links=False)
    assert list(bag.dags) == ["ingest__kiosk"]


def test_faults_of_the_infrastructure_are_retried_for_half_an_hour_and_nothing_else_is(dags: dict[str, DAG]) -> None:
    for dag in dags.values():
        for task in dag.tasks:
            waits = [min(task.retry_delay * 2**n, task.max_retry_delay) for n in range(task.retries)]
            assert sum(wait.total_seconds() for wait in waits) >= 30 * 60
            assert task.retry_exponential_backoff == 2
            policy = task.retry_policy
            assert policy.evaluate(InfrastructureFault("away"), 1, 5).action.value == "default"
            assert policy.evaluate(UsageError("wrong"), 1, 5).action.value == "fail"
            assert policy.evaluate(KeyError("bug"), 1, 5).action.value == "fail"


def test_the_plugin_scanner_executes_one_file_of_ours() -> None:
    found = {Path(path).relative_to(PLUGINS) for path in find_path_from_directory(str(PLUGINS), ".airflowignore")}
    assert {path for path in found if path.suffix == ".py"} == {Path("halfyear_plugin.py")}


def test_no_module_of_the_package_is_loaded_under_its_bare_name() -> None:
    """Airflow puts what it scans into sys.modules under the bare name: a types.py would replace the standard one."""
    modules, errors, mappers, windows = run_python(
        "import json, sys\n"
        "from airflow import plugins_manager\n"
        "_, errors = plugins_manager._get_plugins()\n"
        "mappers = sorted(plugins_manager.get_partition_mapper_plugins())\n"
        "windows = sorted(plugins_manager.get_windows_plugins())\n"
        "files = {n: getattr(m, '__file__', None) or '' for n, m in list(sys.modules.items())}\n"
        "print(json.dumps([files, errors, mappers, windows]))\n"
    )
    assert errors == {}
    assert mappers == ["halfyear.scheduling.half_year_partition.StartOfHalfYearMapper"]
    assert windows == []
    package = str(PLUGINS / "halfyear") + os.sep
    assert [
        name for name, file in modules.items() if file.startswith(package) and name.split(".")[0] != "halfyear"
    ] == []
