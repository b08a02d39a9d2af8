"""Airflow DAGs that publish: ``publish_period`` seals a half-year once a person approved it, ``restate_period`` again."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from airflow.providers.standard.operators.hitl import ApprovalOperator
from airflow.sdk import DAG, CronPartitionTimetable, Param, task
from airflow.sdk.exceptions import AirflowSkipException

from halfyear import settings
from halfyear.scheduling.retries import NOT_BEFORE_ITS_HOUR, TASK_DEFAULTS

#: An approval that nobody gave in this time has expired: the run fails, and nothing is sealed.
APPROVAL_EXPIRES = timedelta(days=14)
PERIOD = Param(None, type=["null", "string"], title="半年期 Half-year", description="2022-S1")
NOTE = Param("", type="string", title="说明 Note")
EXCEPTIONS = Param(
    [], type="array", items={"type": "string"}, title="例外 Exceptions",
    description="Sources, anomalies, identities and draft figures that are open and sealed nevertheless: NAME, or of an "
    "anomaly NAME=SENTENCE with its explanation 异动说明",
)  # fmt: skip


@task
def prepare(is_restatement: bool, params: Any, dag_run: Any) -> dict[str, str]:
    """Compute what is due, look for open points, and write down what would be sealed."""
    from halfyear.scheduling import publication_steps

    proposed = publication_steps.prepare_run(
        {**params, "period": params["period"] or dag_run.partition_key}, is_restatement, dag_run.dag_id, dag_run.run_id
    )
    if proposed is None:
        raise AirflowSkipException("the half-year is sealed already and nothing moved since")
    return proposed


@task
def seal(dag_run: Any) -> str:
    """Seal what was approved, by Airflow's record of the answer and no XCom, as long as it is still what was shown."""
    from halfyear.scheduling import publication_steps

    return publication_steps.seal_run(dag_run.dag_id, dag_run.run_id)


def sealing(dag_id: str, title: str, schedule: Any, is_restatement: bool, params: dict[str, Param]) -> None:
    """The DAG of a publication or a restatement: prepare, ask a person, seal."""
    with DAG(
        dag_id,
        description=title,
        schedule=schedule,
        params=params,
        catchup=False,
        max_active_runs=4,
        default_args=TASK_DEFAULTS,
        tags=["publish"],
    ):
        prepared = prepare(is_restatement)
        approve = ApprovalOperator(
            task_id="approve",
            subject="{{ ti.xcom_pull(task_ids='prepare')['title'] }}",
            body="{{ ti.xcom_pull(task_ids='prepare')['text'] }}",
            response_timeout=APPROVAL_EXPIRES,
        )
        prepared >> approve >> seal()


sealing(
    "publish_period",
    "封存半年期 · Publish a half-year",
    # The partition is the date of the run before: of 10 January it is 10 July, which lies in the half-year that is over.
    CronPartitionTimetable(
        "0 9 10 1,7 *", timezone=settings.LOCAL_ZONE_NAME, run_offset=-1, run_immediately=NOT_BEFORE_ITS_HOUR
    ),
    is_restatement=False,
    params={"period": PERIOD, "note": NOTE, "exceptions": EXCEPTIONS},
)
sealing(
    "restate_period",
    "重述半年期 · Restate a half-year",
    None,
    is_restatement=True,
    params={
        "period": PERIOD,
        "reason": Param(None, type=["null", "string"], title="原因 Reason for all figures that changed"),
        "reasons": Param({}, type="object", title="逐项原因 Reasons by indicator code"),
        "note": NOTE,
        "exceptions": EXCEPTIONS,
    },
)
