"""Airflow DAGs that judge again: ``replay``, by hand, after a contract was mended or to rebuild an empty warehouse."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Asset, Param, task
from airflow.sdk.exceptions import AirflowSkipException

from halfyear.scheduling import asset
from halfyear.scheduling.retries import TASK_DEFAULTS

DUE = Asset(asset.DUE)


@task
def replay(params: Any) -> bool:
    """Judge again, from landing, what an older contract has judged; whether figures may have moved."""
    from halfyear.scheduling import replay as replays

    return replays.run(params["sources"], params["since"], params["dry_run"], params["accept_refusals"])


@task(outlets=[DUE])
def request_computation(has_changed: bool, outlet_events: Any) -> None:
    """Tell compute_indicators what is due."""
    from halfyear.scheduling import night

    periods = night.announce("") if has_changed else []
    if not periods:
        raise AirflowSkipException("no half-year is due")
    outlet_events[DUE].add_partitions(periods)


with DAG(
    "replay",
    description="重放 · Judge again what an older contract has judged",
    schedule=None,
    params={
        "sources": Param([], type="array", items={"type": "string"}, title="来源 Sources", description="None: all"),
        "since": Param(None, type=["null", "string"], format="date", title="自此日起 Only files of this day or later"),
        "dry_run": Param(True, type="boolean", title="只说明 Only say in the log what would change"),
        "accept_refusals": Param(
            False, type="boolean", title="有效报送因此被拒收也执行 Even where standing files are refused"
        ),
    },
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["maintenance"],
):
    request_computation(replay())
