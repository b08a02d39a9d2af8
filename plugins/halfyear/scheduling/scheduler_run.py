"""``halfyear run``: one night through the real Airflow scheduler, for what is in the inbox now.

The ingest DAGs are triggered over Airflow's REST API, the half-years that they announce are followed to the
runs of ``compute_indicators`` that their asset events create, and half-years that are still stale after that
(a process was killed between loading and announcing, say) get a run of their own.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import httpx
import tenacity

from halfyear import contract
from halfyear.errors import InfrastructureFault, UsageError
from halfyear.scheduling import airflow_service, asset
from halfyear.settings import Settings

COMPUTE: Final = "compute_indicators"

_PARSE_SECONDS: Final = 120
_EVENT_SECONDS: Final = 60
_POLL_SECONDS: Final = 1.0
#: How long the API may be silent: a busy machine answers late.
_SILENCE_SECONDS: Final = 60
_PAGE: Final = 100


@dataclass(frozen=True)
class Run:
    """One DAG run, as last seen; ``state`` is queued, running, retrying, success or failed.

    ``retrying`` is Airflow's running with a task that waits for its next try after an infrastructure fault.
    """

    dag_id: str
    run_id: str
    partition_key: str | None
    state: str
    seconds: float | None

    @property
    def finished(self) -> bool:
        return self.state in ("success", "failed")


@dataclass(frozen=True)
class Failure:
    """A failed task of the night and the log that says why."""

    dag_id: str
    run_id: str
    task_id: str
    log: Path


@dataclass(frozen=True)
class NightSummary:
    """What a night did: its runs in the order of their start, the touched half-years, and what went wrong.

    ``stale`` are the half-years that no run of this night brought up to date; empty after a good night.
    """

    started_at: datetime
    seconds: float
    ingest: list[Run]
    compute: list[Run]
    periods: list[str]
    stale: list[str]
    failures: list[Failure]

    @property
    def succeeded(self) -> bool:
        return not self.failures and not self.stale and all(r.state == "success" for r in self.ingest + self.compute)


def run_night(
    settings: Settings,
    sources: list[str] | None = None,
    progress: Callable[[Run], None] | None = None,
    say: Callable[[str], None] | None = None,
    timeout: float = 4 * 3600,
) -> NightSummary:
    """Run the night of ``sources`` (default: all) and wait until every run that it caused has ended.

    ``progress`` is called whenever a run changes its state, ``say`` with one line per step. Airflow is started
    if it is not up. Failed runs are in the summary; InfrastructureFault is raised when Airflow itself cannot
    be reached or does not react, and names the log.
    """
    say = say or (lambda line: None)
    known = contract.load_all(settings.expectations)
    for source in sources or []:
        if source not in known:
            raise UsageError(f"{source}: 没有这个来源 / there is no such source; known are {', '.join(known)}")
    airflow_service.start_airflow(settings, say)
    began = time.monotonic()
    night = _Night(settings, progress or (lambda run: None), say, began + timeout)
    dag_ids = [f"ingest__{source}" for source in sources or known]
    night.wait_for_dags([*dag_ids, COMPUTE])

    started_at = datetime.now(UTC)
    say(f"开始夜间处理，来源 / running the night, sources: {len(dag_ids)}")
    triggered = [night.trigger(dag_id) for dag_id in dag_ids]
    ingest = night.wait_for_runs(triggered)
    computing, periods = night.runs_of_events(ingest)
    compute = night.wait_for_runs(computing)

    failed = {run.partition_key for run in compute if run.state == "failed"}
    lost = [period for period in _stale_periods() if period not in failed]
    if lost:
        say(f"计算无人通知的半年期 / computing what no ingest run announced: {', '.join(lost)}")
        compute += night.wait_for_runs([night.trigger(COMPUTE, period) for period in lost])
    return NightSummary(
        started_at=started_at,
        seconds=time.monotonic() - began,
        ingest=ingest,
        compute=compute,
        periods=sorted({*periods, *lost}),
        stale=_stale_periods(),
        failures=night.failures(ingest + compute),
    )


def _stale_periods() -> list[str]:
    from halfyear.scheduling import night

    return night.stale_periods()


def _may_pass(error: BaseException) -> bool:
    """Whether a fault may pass: no answer, a fault of the server, a token that has expired."""
    if isinstance(error, httpx.HTTPStatusError):
        return error.response.is_server_error or error.response.status_code == httpx.codes.UNAUTHORIZED
    return isinstance(error, httpx.TransportError)


_patiently = tenacity.retry(
    retry=tenacity.retry_if_exception(_may_pass),
    stop=tenacity.stop_after_delay(_SILENCE_SECONDS),
    wait=tenacity.wait_fixed(_POLL_SECONDS),
    reraise=True,
)


class _Night:
    """The REST conversation of one night."""

    def __init__(
        self, settings: Settings, progress: Callable[[Run], None], say: Callable[[str], None], end: float
    ) -> None:
        self._settings = settings
        self._state = airflow_service.airflow_state(settings)
        self._progress = progress
        self._say = say
        self._awaited: set[str] = set()
        self._end = end
        # Never through a proxy: the API is on this machine.
        self._client = httpx.Client(base_url=self._state.url or "", timeout=30, trust_env=False)

    def wait_for_dags(self, dag_ids: Iterable[str]) -> None:
        """Wait until Airflow has read the DAG files; UsageError when one cannot be imported or is paused."""
        end = time.monotonic() + _PARSE_SECONDS
        for dag_id in dag_ids:
            while (dag := self._request("GET", f"/dags/{dag_id}", missing=True)) is None or dag["is_stale"]:
                for error in self._request("GET", "/importErrors")["import_errors"]:
                    reason = error["stack_trace"].strip().splitlines()[-1]
                    raise UsageError(f"{error['filename']}: Airflow 无法导入 / Airflow cannot import it: {reason}")
                if time.monotonic() > end:
                    raise InfrastructureFault(
                        f"{_PARSE_SECONDS} 秒后 Airflow 仍没有 DAG {dag_id}，日志在 / Airflow does not know the DAG {dag_id} after "
                        f"{_PARSE_SECONDS} seconds; see {self._state.log_folder / 'dag-processor.log'}"
                    )
                time.sleep(_POLL_SECONDS)
            if dag["is_paused"]:
                page = f"{self._state.url}/dags/{dag_id}"
                raise UsageError(f"{dag_id} 已在 Airflow 中暂停，请先恢复 / is paused in Airflow; unpause it: {page}")

    def trigger(self, dag_id: str, partition_key: str | None = None) -> Run:
        """Start a run of a DAG."""
        # Airflow names a run after the time by itself, and two triggers in one instant would collide.
        stamp = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f")
        body = {
            "dag_run_id": f"night__{stamp}" + (f"__{partition_key}" if partition_key else ""),
            "logical_date": None,
            "partition_key": partition_key,
            "note": "halfyear run",
        }
        run = _run(self._request("POST", f"/dags/{dag_id}/dagRuns", body))
        self._progress(run)
        return run

    def wait_for_runs(self, runs: list[Run]) -> list[Run]:
        """Follow runs to their end; the runs as they ended, in the same order."""
        began = datetime.now(UTC) - timedelta(minutes=5)
        seen = {(run.dag_id, run.run_id): run for run in runs}
        while open_runs := [run for run in seen.values() if not run.finished]:
            time.sleep(_POLL_SECONDS)
            answers = self._runs_since(began)
            for run in open_runs:
                now = answers.get((run.dag_id, run.run_id)) or self._look(run)
                if now.state != run.state:
                    self._progress(now)
                if now.state == "queued" and now.dag_id != COMPUTE:
                    self._make_way(now)
                seen[now.dag_id, now.run_id] = now
            self._watch(f"未结束的运行 runs that have not ended: {', '.join(run.dag_id for run in open_runs)}")
        return list(seen.values())

    def runs_of_events(self, ingest: list[Run]) -> tuple[list[Run], list[str]]:
        """The runs of compute_indicators that the asset events of these runs created, and the half-years announced."""
        end = time.monotonic() + _EVENT_SECONDS
        found: dict[tuple[str, str], Run] = {}
        periods: set[str] = set()
        for run in ingest:
            query = {"source_dag_id": run.dag_id, "source_run_id": run.run_id}
            while True:
                events = [e for e in self._pages("/assets/events", query, "asset_events") if e["uri"] == asset.DUE]
                keys = {event["partition_key"] for event in events if event["partition_key"]}
                created = {
                    (dag_run["dag_id"], dag_run["run_id"])
                    for event in events
                    for dag_run in event["created_dagruns"]
                    if dag_run["dag_id"] == COMPUTE
                }
                waiting = [e["partition_key"] for e in events if e["partition_key"] and not e["created_dagruns"]]
                if not waiting:
                    break
                if time.monotonic() > end:
                    # Airflow merges events for one key into one run and may name it with one of them only; what
                    # nobody computed shows as stale afterwards.
                    said = ", ".join(sorted(waiting))
                    self._say(f"Airflow 未给出 {COMPUTE} 的运行 / Airflow names no run of {COMPUTE} for {said}")
                    break
                time.sleep(_POLL_SECONDS)
            periods |= keys
            for dag_id, run_id in sorted(created):
                if (dag_id, run_id) not in found:
                    found[dag_id, run_id] = self._look(Run(dag_id, run_id, None, "queued", None))
                    self._progress(found[dag_id, run_id])
        return list(found.values()), sorted(periods)

    def failures(self, runs: Iterable[Run]) -> list[Failure]:
        """The failed tasks of failed runs, with the log of the last try."""
        found = []
        for run in runs:
            if run.state != "failed":
                continue
            for task in self._tasks(run, "failed"):
                folder = self._state.log_folder / f"dag_id={run.dag_id}" / f"run_id={run.run_id}"
                folder /= f"task_id={task['task_id']}"
                if task["map_index"] >= 0:
                    folder /= f"map_index={task['map_index']}"
                log = folder / f"attempt={task['try_number']}.log"
                found.append(Failure(run.dag_id, run.run_id, task["task_id"], log))
        return found

    def _make_way(self, run: Run) -> None:
        """See what keeps a queued run of an ingest DAG, which has one active run at a time, from starting.

        An earlier run that waits for a retry, after the database was away or the machine went down, is ended:
        the new one does its work now. What it had loaded is in the ledger.
        """
        for found in self._pages(f"/dags/{run.dag_id}/dagRuns", {"state": "running"}, "dag_runs"):
            earlier = self._look(_run(found))
            if earlier.state == "retrying":
                self._say(
                    f"{run.dag_id}: 结束等待重试的上次运行 / ending the earlier run, which waits for a retry: {earlier.run_id}"
                )
                self._request("PATCH", _path(earlier), {"state": "failed", "note": f"replaced by {run.run_id}"})
            elif earlier.run_id not in self._awaited:
                self._awaited.add(earlier.run_id)
                self._say(f"{run.dag_id}: 等待上次运行 / waiting for the earlier run {earlier.run_id}")

    def _look(self, run: Run) -> Run:
        """The run as it is now."""
        now = _run(self._request("GET", _path(run)))
        if now.state == "running" and self._tasks(now, "up_for_retry"):
            return replace(now, state="retrying")
        return now

    def _runs_since(self, instant: datetime) -> dict[tuple[str, str], Run]:
        """Every run that changed since then, in two requests: one for each of twenty runs keeps the api-server busy."""
        changed = self._pages("/dags/~/dagRuns", {"updated_at_gte": instant.isoformat()}, "dag_runs")
        waiting = self._pages("/dags/~/dagRuns/~/taskInstances", {"state": "up_for_retry"}, "task_instances")
        retrying = {(task["dag_id"], task["dag_run_id"]) for task in waiting}
        found = {(run.dag_id, run.run_id): run for run in map(_run, changed)}
        return {
            key: replace(run, state="retrying") if run.state == "running" and key in retrying else run
            for key, run in found.items()
        }

    def _tasks(self, run: Run, state: str) -> list[dict[str, Any]]:
        return self._pages(f"{_path(run)}/taskInstances", {"state": state}, "task_instances")

    def _watch(self, what: str) -> None:
        """Raise when waiting has become pointless."""
        state = airflow_service.airflow_state(self._settings)
        if not state.running:
            logs = ", ".join(str(state.log_folder / f"{name}.log") for name in state.missing)
            names = ", ".join(state.missing)
            raise InfrastructureFault(
                f"夜间 Airflow 进程退出，日志在 / Airflow's {names} ended during the night; see {logs}"
            )
        if time.monotonic() > self._end:
            raise InfrastructureFault(
                f"夜间处理超时，日志在 / the night takes too long: {what}; see {state.log_folder}"
            )

    def _pages(self, path: str, query: dict[str, str], field: str) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = []
        while True:
            page = self._request("GET", path, query={**query, "limit": _PAGE, "offset": len(items)})
            items += page[field]
            if len(items) >= page["total_entries"] or not page[field]:
                return items

    def _request(
        self, method: str, path: str, body: Any = None, query: dict[str, Any] | None = None, missing: bool = False
    ) -> Any:
        """One request to the API, repeated while Airflow does not answer; with ``missing``, 404 is None."""
        try:
            return self._send(method, f"/api/v2{path}", body, query)
        except httpx.HTTPStatusError as error:
            status = error.response.status_code
            if status == 404 and missing:
                return None
            if status == 409 and method == "POST":
                # A repeated trigger whose first answer was lost; the run is there.
                return self._request("GET", f"{path}/{quote(body['dag_run_id'], safe='')}")
            detail = error.response.text[:300]
            raise InfrastructureFault(
                f"Airflow 拒绝请求 / Airflow refuses {method} {path} ({status}): {detail}"
            ) from None
        except httpx.TransportError as error:
            raise InfrastructureFault(
                f"Airflow 没有应答，日志在 / Airflow does not answer at {self._state.url} ({error}); "
                f"see {self._state.log_folder / 'api-server.log'}"
            ) from None

    @_patiently
    def _send(self, method: str, path: str, body: Any, query: dict[str, Any] | None) -> Any:
        if "Authorization" not in self._client.headers:
            credentials = {"username": self._state.user, "password": self._state.password}
            answer = self._client.post("/auth/token", json=credentials)
            if answer.status_code == httpx.codes.UNAUTHORIZED:
                raise InfrastructureFault(
                    f"Airflow 拒绝密码 / Airflow refuses the password of {self._state.user} at {self._state.url}"
                )
            token = answer.raise_for_status().json()["access_token"]
            self._client.headers["Authorization"] = f"Bearer {token}"
        answer = self._client.request(method, path, json=body, params=query)
        if answer.status_code == httpx.codes.UNAUTHORIZED:  # the token has expired: the next try gets another one
            del self._client.headers["Authorization"]
        return answer.raise_for_status().json()


def _path(run: Run) -> str:
    return f"/dags/{run.dag_id}/dagRuns/{quote(run.run_id, safe='')}"


def _run(answer: dict[str, Any]) -> Run:
    return Run(
        dag_id=answer["dag_id"],
        run_id=answer["dag_run_id"],
        partition_key=answer["partition_key"],
        state=answer["state"],
        seconds=answer["duration"],
    )
