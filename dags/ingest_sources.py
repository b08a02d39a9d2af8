"""Airflow DAGs that ingest: a nightly ``ingest__<source>`` for every contract in expectations/sources/."""

from __future__ import annotations

from itertools import chain
from typing import Any

from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, Asset, CronTriggerTimetable, get_parsing_context, task
from airflow.sdk.exceptions import AirflowSkipException

from halfyear import contract, settings
from halfyear.scheduling import asset
from halfyear.scheduling.retries import NOT_BEFORE_ITS_HOUR, TASK_DEFAULTS

#: The half-years that have to be computed; compute_indicators waits for it.
DUE = Asset(asset.DUE)


@task
def receive(source: str) -> list[list[int]]:
    """Inbox to landing; the deliveries to load, in chunks that may be loaded side by side."""
    from halfyear.scheduling import night

    return night.receive(source)


@task
def load(source: str, delivery_ids: list[int]) -> list[str]:
    """Landing to core; the half-years that changed. Verdicts are in the log and in lineage.delivery."""
    from halfyear.scheduling import night

    return night.load(source, delivery_ids)


@task(outlets=[DUE], trigger_rule="none_skipped")
def request_computation(source: str, outlet_events: Any) -> None:
    """Tell compute_indicators what is due, once for a night: the source that ends last speaks for all."""
    from halfyear.scheduling import night

    add_partitions(outlet_events[DUE], night.announce(source))


def add_partitions(events: Any, periods: list[str]) -> None:
    """Send an asset event for each half-year; a task that ends well without any would send one without a key."""
    if not periods:
        raise AirflowSkipException("no half-year to announce")
    events.add_partitions(periods)


def ingest(source: str, schedule: str, title: str) -> DAG:
    """The DAG of one source; its outlet carries one partition per half-year that its loads changed."""
    core = Asset(asset.core(source))

    @task(outlets=[core], trigger_rule="none_skipped")
    def announce(touched: Any, outlet_events: Any) -> None:
        """Say which half-years of this source changed, for any DAG that waits for it."""
        add_partitions(outlet_events[core], sorted(set(chain.from_iterable(touched))))

    with DAG(
        f"ingest__{source}",
        description=title,
        schedule=CronTriggerTimetable(schedule, timezone=settings.LOCAL_ZONE_NAME, run_immediately=NOT_BEFORE_ITS_HOUR),
        catchup=False,
        max_active_runs=1,
        default_args=TASK_DEFAULTS,
        tags=["ingest"],
    ) as dag:
        loaded = load.partial(source=source).expand(delivery_ids=receive(source))
        announce(loaded)
        # The others' changes are announced although a load failed, but the run is red on its account. Where nothing
        # arrived the load is skipped, and what comes after it too: no process is started for that.
        loaded >> [request_computation(source), EmptyOperator(task_id="all_loaded")]
    return dag


# A task needs its own DAG only.
_wanted = get_parsing_context().dag_id
for _contract in contract.load_all(settings.load().expectations).values():
    if _wanted in (None, f"ingest__{_contract.source}"):
        ingest(_contract.source, _contract.schedule, f"{_contract.title_zh} · {_contract.title_en}")
