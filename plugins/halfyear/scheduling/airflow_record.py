"""Airflow's own record of a run that asks a person: who triggered it, what was asked, and who answered what.

It is read from Airflow's REST API, by a user who may only read. Airflow writes it, from the account that is logged in, and
takes no second answer to a question. An XCom is no record: whoever may edit it can put any name there.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit

import httpx

from halfyear.errors import InfrastructureFault, UsageError
from halfyear.scheduling import airflow_service
from halfyear.settings import Settings

#: The preparer of a run that nobody triggered.
SCHEDULE: Final = "airflow"
#: Ways to trigger a run for which a person has to log in to Airflow.
_LOGGED_IN: Final = ("ui", "rest_api")
_SECONDS: Final = 60


@dataclass(frozen=True)
class Run:
    """A run of a DAG, named by ``reference`` as DAG/run, and the user who triggered it, or `SCHEDULE`."""

    reference: str
    triggered_by: str


@dataclass(frozen=True)
class Answer:
    """A question as a person saw it, and the answer; None and empty while there is none."""

    title: str
    text: str
    chosen: tuple[str, ...]
    answered_by: str | None
    answered_at: datetime | None


def run(settings: Settings, dag_id: str, run_id: str) -> Run:
    """The run, as Airflow recorded it. Raises UsageError where it was triggered without a login to Airflow."""
    found = _ask(settings, f"dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}")
    how, user = found["triggered_by"], found["triggering_user_name"]
    if how == "timetable":
        user = SCHEDULE
    elif how not in _LOGGED_IN or not user:
        raise UsageError(
            f"{dag_id}/{run_id}: 不是由登录用户触发（{how}），不知编制人 / was not triggered by a user who logged in ({how}), so that "
            "nobody knows the preparer; trigger it on the page of Airflow"
        )
    return Run(f"{dag_id}/{run_id}", user)


def answer(settings: Settings, dag_id: str, run_id: str, task_id: str) -> Answer:
    """What a task asked in a run, and who answered."""
    found = _ask(
        settings,
        f"dags/{quote(dag_id, safe='')}/dagRuns/{quote(run_id, safe='')}/taskInstances/{quote(task_id, safe='')}/-1/hitlDetails",
    )
    responded_at = found["responded_at"]
    return Answer(
        title=found["subject"],
        text=found["body"] or "",
        chosen=tuple(found["chosen_options"] or ()),
        answered_by=(found["responded_by_user"] or {}).get("name"),
        answered_at=datetime.fromisoformat(responded_at) if responded_at else None,
    )


def _ask(settings: Settings, path: str) -> Mapping[str, Any]:
    """Raises InfrastructureFault when Airflow does not answer, which never quotes the URL: it may hold a password."""
    url, user, password = _login(settings)
    try:
        # Never through a proxy of the environment.
        with httpx.Client(base_url=url, timeout=_SECONDS, trust_env=False) as client:
            token = client.post("/auth/token", json={"username": user, "password": password})
            token.raise_for_status()
            found = client.get(
                f"/api/v2/{path}", headers={"Authorization": f"Bearer {token.json()['access_token']}"}
            ).raise_for_status()
            kept: Mapping[str, Any] = found.json()
            return kept
    except httpx.HTTPStatusError as error:
        said = f"HTTP {error.response.status_code}"
    except httpx.HTTPError as error:
        said = type(error).__name__
    raise InfrastructureFault(
        f"无法读取 Airflow 的记录 / the record of Airflow cannot be read: {path.partition('/')[0]}: {said}; user {user}"
    )


def _login(settings: Settings) -> tuple[str, str, str]:
    """Where Airflow is, and the user and password of who reads its records."""
    if settings.airflow is not None:
        parts = urlsplit(settings.airflow)
        host = parts.netloc.rpartition("@")[2]
        return f"{parts.scheme}://{host}", unquote(parts.username or ""), unquote(parts.password or "")
    state = airflow_service.airflow_state(settings)
    if state.url is None or state.reader_password is None:
        raise InfrastructureFault(
            "HALFYEAR_AIRFLOW 未设置，本机也没有 Airflow / is not set, and this home has no Airflow; run: halfyear up"
        )
    return state.url, airflow_service.READER, state.reader_password
