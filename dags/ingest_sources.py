"""Airflow DAGs that ingest: a nightly ``ingest__<source>`` for every contract in expectations/sources/."""

from __future__ import annotations

from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, CronTriggerTimetable, task
from airflow.sdk.exceptions import AirflowSkipException

from halfyear import contract, settings
from halfyear.retries import TASK_DEFAULTS


@task
def receive(source: str) -> list[list[int]]:
    """Inbox to landing; the deliveries to load, in chunks that may be loaded side by side."""
    from halfyear import night

    return night.receive(source)


@task
def load(source: str, delivery_ids: list[int]) -> list[str]:
    """Landing to core; the half-years that changed. Verdicts are in the log and in lineage.delivery."""
    from halfyear import night

    return night.load(source, delivery_ids)


def ingest(source: str, schedule: str, title: str) -> DAG:
    """The DAG of one source; its outlet carries one partition per half-year that is due."""
    core = Asset(f"halfyear://core/{source}")

    @task(outlets=[core], trigger_rule="all_done")
    def announce(outlet_events: Any) -> None:
        """Tell compute_indicators which half-years changed; the last source of a night to end tells it for all."""
        from halfyear import night

        periods = night.announce(source)
        if not periods:
            # A task that ends well without a partition would send an event without one.
            raise AirflowSkipException("no half-year to announce")
        outlet_events[core].add_partitions(periods)

    with DAG(
        f"ingest__{source}",
        description=title,
        schedule=CronTriggerTimetable(schedule, timezone=settings.LOCAL_ZONE_NAME),
        catchup=False,
        max_active_runs=1,
        default_args=TASK_DEFAULTS,
        tags=["ingest"],
    ) as dag:
        loaded = load.partial(source=source).expand(delivery_ids=receive(source))
        # What the others changed is announced although a load failed, but the run is red on its account.
        loaded >> [announce(), EmptyOperator(task_id="all_loaded")]
    return dag


for _contract in contract.load_all(settings.load().expectations).values():
    ingest(_contract.source, _contract.schedule, f"{_contract.title_zh} · {_contract.title_en}")
