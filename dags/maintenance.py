"""Airflow DAGs that keep house: ``maintenance`` drops what killed loads left, asks for what nobody asked to compute, and
audits every figure."""

from __future__ import annotations

from typing import Any

from airflow.sdk import DAG, Asset, CronTriggerTimetable, task
from airflow.sdk.exceptions import AirflowSkipException

from halfyear import settings
from halfyear.scheduling import asset
from halfyear.scheduling.retries import NOT_BEFORE_ITS_HOUR, TASK_DEFAULTS

DUE = Asset(asset.DUE)


@task
def sweep() -> None:
    """Drop the staging tables of loads that died."""
    from halfyear.scheduling import night

    night.sweep()


@task(outlets=[DUE])
def request_computation(outlet_events: Any) -> None:
    """Tell compute_indicators what is due though nothing arrived: after a change of definitions or a killed run."""
    from halfyear.scheduling import night

    periods = night.announce("")
    if not periods:
        raise AirflowSkipException("no half-year is due")
    outlet_events[DUE].add_partitions(periods)


@task
def audit() -> None:
    """Compare every figure, sealed or not, with what its rows give; a difference turns the run red."""
    from halfyear.scheduling import night

    night.refuse_differences()


with DAG(
    "maintenance",
    description="维护 · Housekeeping",
    schedule=CronTriggerTimetable("0 5 * * *", timezone=settings.LOCAL_ZONE_NAME, run_immediately=NOT_BEFORE_ITS_HOUR),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["maintenance"],
):
    sweep()
    request_computation()
    audit()
