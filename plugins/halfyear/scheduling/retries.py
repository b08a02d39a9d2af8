"""When Airflow first runs a DAG, and when it tries a task again: after faults of the infrastructure only.

A fault of data is a verdict in the warehouse and no exception. Any other exception is a fault of the code
or of a declaration; trying it again would only hide it for an hour.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from airflow.sdk import ExceptionRetryPolicy, RetryAction, RetryRule

#: ``run_immediately`` of every nightly DAG: a new one waits for its first night. Airflow 3.3 takes False for "soon
#: after the hour, run at once"; a span of nothing is what keeps it from that.
NOT_BEFORE_ITS_HOUR: Final = timedelta(0)

#: ``default_args`` of every DAG. The waits are at least 2, 4, 8, 15 and 15 minutes (Airflow stretches each
#: by up to its own length, so that tasks do not return in step). A task whose process was killed, by the
#: system or with the machine, raises nothing and is tried again in the same rhythm.
TASK_DEFAULTS: Final[dict[str, Any]] = {
    "retries": 5,
    "retry_delay": timedelta(minutes=2),
    "retry_exponential_backoff": 2,
    "max_retry_delay": timedelta(minutes=15),
    "retry_policy": ExceptionRetryPolicy(
        rules=[RetryRule(exception="halfyear.errors.InfrastructureFault", action=RetryAction.DEFAULT)],
        default=RetryAction.FAIL,
    ),
}
