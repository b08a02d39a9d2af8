"""Airflow DAGs that compute: ``compute_indicators``, once per half-year that changed, as its partition key."""

from __future__ import annotations

from airflow.sdk import DAG, Asset, PartitionedAssetTimetable, task

from halfyear import settings
from halfyear.scheduling import asset
from halfyear.scheduling.half_year_partition import StartOfHalfYearMapper
from halfyear.scheduling.retries import TASK_DEFAULTS


@task
def compute(partition_key: str | None = None) -> int:
    """Compute what is stale in the half-year; the number of (indicator, period) pairs that were."""
    from halfyear.scheduling import night

    if partition_key is None:
        raise ValueError("the half-year is the partition key of the run: trigger it with one, such as 2022-S1")
    return night.compute(partition_key)


with DAG(
    "compute_indicators",
    description="半年度指标 · Semiannual indicators",
    schedule=PartitionedAssetTimetable(
        assets=Asset(asset.DUE),
        default_partition_mapper=StartOfHalfYearMapper(timezone=settings.LOCAL_ZONE_NAME),
    ),
    max_active_runs=4,
    default_args=TASK_DEFAULTS,
    tags=["indicators"],
):
    compute()
