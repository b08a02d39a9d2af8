"""Airflow DAGs that keep house: ``maintenance``, weekly, drops what killed loads left in staging."""

from __future__ import annotations

from airflow.sdk import DAG, CronTriggerTimetable, task

from halfyear import settings
from halfyear.retries import NOT_BEFORE_ITS_HOUR, TASK_DEFAULTS


@task
def sweep() -> None:
    """Drop the staging tables of loads that died."""
    from halfyear import night

    night.sweep()


with DAG(
    "maintenance",
    description="维护 · Housekeeping",
    schedule=CronTriggerTimetable(
        "0 5 * * SUN", timezone=settings.LOCAL_ZONE_NAME, run_immediately=NOT_BEFORE_ITS_HOUR
    ),
    catchup=False,
    max_active_runs=1,
    default_args=TASK_DEFAULTS,
    tags=["maintenance"],
):
    sweep()
