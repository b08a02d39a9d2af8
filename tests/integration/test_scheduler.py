"""The night through the real Airflow scheduler: up, two half-years of exports, a run, a run with nothing new, down."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote
from urllib.request import Request, urlopen

import psutil
import psycopg2
import pytest
from selenium import webdriver
from selenium.common.exceptions import TimeoutException
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from halfyear import period, warehouse
from halfyear import settings as settings_module
from halfyear.errors import UsageError
from halfyear.publishing import vintage
from halfyear.scheduling import airflow_service, night, scheduler_run
from halfyear.scheduling.scheduler_run import NightSummary
from halfyear.settings import Settings
from halfyear.warehouse import embedded

pytestmark = [pytest.mark.scheduler, pytest.mark.timeout(900)]

PROJECT = Path(__file__).resolve().parents[2]
HALFYEAR = Path(sys.executable).parent / "halfyear"
SOURCES = sorted(path.stem for path in (PROJECT / "expectations" / "sources").glob("*.yaml"))
#: The sources that deliver in this test; of the others the night finds nothing.
DELIVERED = ["account_activation", "catalogue_unit", "cloud_migration", "data_catalogue"]
PERIODS = {"2021-S2", "2022-S1"}


def halfyear(*arguments: str, code: int = 0) -> str:
    done = subprocess.run([HALFYEAR, *arguments], capture_output=True, text=True, timeout=600)
    assert done.returncode == code, done.stdout + done.stderr
    return done.stdout


def query(url: str | None, statement: str) -> list[tuple[Any, ...]]:
    assert url is not None
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


def processes_of(folder: Path) -> list[str]:
    """Every process that was given the folder, by argument, environment or working directory."""
    found = []
    for process in psutil.process_iter():
        try:
            marks = [*process.cmdline(), *process.environ().values(), process.cwd()]
        except psutil.Error:
            continue
        if process.pid != os.getpid() and any(str(folder) in mark for mark in marks):
            found.append(" ".join(process.cmdline()))
    return found


@pytest.fixture(scope="module")
def up() -> Iterator[Settings]:
    """A home of its own where `halfyear up` was run; stopped at the end whatever happened."""
    home = Path(tempfile.mkdtemp(prefix="halfyear-test-"))
    project = home / "project"
    shutil.copytree(PROJECT / "expectations", project / "expectations")
    for name in ("dags", "plugins", "sql"):
        (project / name).symlink_to(PROJECT / name)
    for path in (project / "expectations" / "sources").glob("*.yaml"):
        # The night of the contracts must not begin during the test.
        text, count = re.subn(r'(frequency: )"[^"]*"', r'\1"0 0 1 1 *"', path.read_text("utf-8"))
        assert count == 1
        path.write_text(text, "utf-8")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALFYEAR_HOME", str(home))
        patch.setenv("HALFYEAR_PROJECT", str(project))
        settings = settings_module.load()
        halfyear("up")
        yield settings
        airflow_service.stop_airflow(settings)
        embedded.stop_server(settings)
    shutil.rmtree(home)


@pytest.fixture(scope="module")
def first_night(up: Settings) -> NightSummary:
    halfyear("demo", "--periods", "2", *(f"--source={source}" for source in DELIVERED))
    return scheduler_run.run_night(up)


def dag_runs(settings: Settings, dag_id: str) -> list[tuple[Any, ...]]:
    return query(
        embedded.server_url(settings, embedded.METADATA),
        "select run_type, state, partition_key, partition_date at time zone 'Asia/Shanghai' "
        f"from dag_run where dag_id = '{dag_id}' order by id",
    )


def test_up_prints_where_to_log_in(up: Settings) -> None:
    state = airflow_service.airflow_state(up)
    assert state.running
    assert state.password
    printed = halfyear("up")
    assert str(state.url) in printed
    assert state.password in printed
    for name in ("passwords.json", "secrets.json", "airflow.cfg"):
        assert stat.S_IMODE((up.home / "airflow" / name).stat().st_mode) == 0o600


def test_green_ingest_runs(up: Settings, first_night: NightSummary) -> None:
    assert first_night.succeeded, first_night
    assert sorted(run.dag_id for run in first_night.ingest) == [f"ingest__{source}" for source in SOURCES]
    for source in SOURCES:
        # And no other: nothing runs by itself when the DAGs are seen first.
        assert [(kind, state) for kind, state, *_ in dag_runs(up, f"ingest__{source}")] == [("manual", "success")]


def test_one_partition_per_touched_half_year(up: Settings, first_night: NightSummary) -> None:
    runs = dag_runs(up, "compute_indicators")
    assert sorted(key for _, _, key, _ in runs) == first_night.periods
    assert set(first_night.periods) >= PERIODS
    assert {(kind, state) for kind, state, *_ in runs} == {("asset_triggered", "success")}
    for _, _, key, first_instant in runs:
        assert f"{first_instant:%Y-%m-%d %H:%M}" == f"{key[:4]}-{'01' if key.endswith('S1') else '07'}-01 00:00"
    assert len(first_night.compute) == len(runs)


@pytest.fixture
def browser() -> Iterator[webdriver.Chrome]:
    """Debian's Chromium, without a window and without talking to anybody but the page."""
    options = webdriver.ChromeOptions()
    for argument in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-quic",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--lang=en",
        "--window-size=1500,1000",
    ):
        options.add_argument(argument)
    options.binary_location = shutil.which("chromium") or "chromium"
    # Without our settings, by which `down` is asked afterwards whether a process of ours is left.
    environment = {name: value for name, value in os.environ.items() if not name.startswith("HALFYEAR_")}
    with webdriver.Chrome(options, webdriver.ChromeService(shutil.which("chromedriver"), env=environment)) as opened:
        yield opened


def shown(browser: webdriver.Chrome, url: str, expected: str) -> str:
    """The text of a page, once it has what is expected."""
    browser.get(url)
    try:
        WebDriverWait(browser, 60).until(
            lambda page: expected in page.find_element(By.TAG_NAME, "body").text,
        )
    except TimeoutException:
        pytest.fail(f"{url} does not show {expected}: {browser.find_element(By.TAG_NAME, 'body').text}")
    return browser.find_element(By.TAG_NAME, "body").text


def log_in(browser: webdriver.Chrome, url: str | None, user: str, password: str | None) -> None:
    assert url and password
    browser.get(url)
    WebDriverWait(browser, 60).until(lambda page: page.find_elements(By.NAME, "username"))
    browser.find_element(By.NAME, "username").send_keys(user)
    browser.find_element(By.NAME, "password").send_keys(password)
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    WebDriverWait(browser, 60).until(lambda page: "/auth/login" not in page.current_url)


def test_the_page_shows_it(up: Settings, first_night: NightSummary, browser: webdriver.Chrome) -> None:
    """As a person sees it: log in, the DAGs, a green run of each source, and one green run per half-year."""
    state = airflow_service.airflow_state(up)
    log_in(browser, state.url, state.user, state.password)
    shown(browser, f"{state.url}/dags", "maintenance")
    for source in DELIVERED:
        page = shown(browser, f"{state.url}/dags/ingest__{source}/runs", "1 Dag Run")
        assert "Success" in page and "Failed" not in page
    count = len(first_night.periods)
    page = shown(browser, f"{state.url}/dags/compute_indicators/runs", f"{count} Dag Runs")
    assert page.count("Success") == count


def test_the_tables_are_filled(up: Settings, first_night: NightSummary) -> None:
    filled = query(embedded.server_url(up), "select period, count(value) from mart.indicator group by period")
    assert {period for period, count in filled if count} >= PERIODS
    assert night.stale_periods() == []


class Publishing:
    """A run of a DAG that publishes, triggered by the first user over the API."""

    def __init__(self, settings: Settings, dag_id: str = "publish_period", **conf: Any) -> None:
        self.state = airflow_service.airflow_state(settings)
        login = {"username": self.state.user, "password": self.state.password}
        self._token = self._send("/auth/token", login)["access_token"]
        made = self._send(f"/api/v2/dags/{dag_id}/dagRuns", {"logical_date": None, "conf": conf})
        self.path = f"/dags/{dag_id}/dagRuns/{quote(made['dag_run_id'], safe='')}"
        run = self.path.rpartition("/")[2]
        self.page = f"{self.state.url}/dags/{dag_id}/runs/{run}/tasks/approve/required_actions"

    def _send(self, path: str, body: Any = None, method: str | None = None) -> Any:
        headers = {"Content-Type": "application/json"}
        if hasattr(self, "_token"):
            headers["Authorization"] = f"Bearer {self._token}"
        data = None if body is None else json.dumps(body).encode()
        with urlopen(Request(f"{self.state.url}{path}", data, headers, method=method), timeout=30) as answer:
            return json.load(answer)

    def tasks(self) -> dict[str, str]:
        answer = self._send(f"/api/v2{self.path}/taskInstances")
        return {each["task_id"]: each["state"] for each in answer["task_instances"]}

    def wait(self, **states: str) -> None:
        """Until the tasks have these states."""
        end = time.monotonic() + 120
        while not states.items() <= (found := self.tasks()).items():
            if time.monotonic() > end:
                pytest.fail(f"{found}\n{self._log_of_prepare()}")
            time.sleep(1)

    def change_xcom(self, task: str, value: Any) -> None:
        """Put another value where a task left its result, as any editor of XCom may."""
        self._send(
            f"/api/v2{self.path}/taskInstances/{task}/xcomEntries/return_value",
            {"value": value, "map_index": -1},
            "PATCH",
        )

    def clear(self, *tasks: str) -> None:
        dag_id, run_id = self.path.split("/")[2], unquote(self.path.split("/")[4])
        self._send(
            f"/api/v2/dags/{dag_id}/clearTaskInstances",
            {"dry_run": False, "dag_run_id": run_id, "task_ids": list(tasks), "only_failed": False},
        )

    def mark(self, task: str, state: str) -> None:
        self._send(f"/api/v2{self.path}/taskInstances/{task}", {"new_state": state}, "PATCH")

    def answer_by_api(self, option: str) -> None:
        self.wait_for_question()
        self._send(
            f"/api/v2{self.path}/taskInstances/approve/-1/hitlDetails", {"chosen_options": [option], "params_input": {}},
            "PATCH",
        )  # fmt: skip

    def _log_of_prepare(self) -> str:
        lines = self._send(f"/api/v2{self.path}/taskInstances/prepare/logs/1")["content"]
        return "\n".join(f"{each['event']} {each.get('error_detail', '')}" for each in lines)

    def wait_for_question(self) -> None:
        """Until a person is asked, and Airflow has heard that the process that asked has ended.

        An answer before that, which no person gives, may be taken for a task that was killed.
        """
        self.wait(approve="awaiting_input")
        time.sleep(5)

    def answer(self, browser: webdriver.Chrome, option: str, expected: str) -> str:
        """Press Approve or Reject on the page of the required action; what the page says."""
        self.wait_for_question()
        said = shown(browser, self.page, expected)
        button = browser.find_element(By.CSS_SELECTOR, f"[data-testid=hitl-option-{option}]")
        browser.execute_script("arguments[0].scrollIntoView()", button)
        button.click()
        return said


@pytest.mark.long
def test_one_person_alone_seals_nothing(up: Settings, first_night: NightSummary) -> None:
    """The admin, who may change whatever passes between the tasks, is still one person."""
    with warehouse.transaction(up) as connection:
        names = [point.name for point in vintage.open_points(connection, period.parse("2022-S1"))]
    alone = Publishing(up, period="2022-S1", exceptions=names)
    alone.answer_by_api("Approve")
    alone.wait(approve="success", seal="failed")
    # Somebody else's name where the answer was left, and where the proposal was.
    said = {"chosen_options": ["Approve"], "responded_at": "2022-07-10T09:00:00+08:00"}
    alone.change_xcom("approve", {**said, "responded_by_user": {"id": "局长", "name": "局长"}})
    alone.change_xcom("prepare", {"title": "x", "text": "x", "request": {"prepared_by": "科员"}})
    alone.clear("seal")
    time.sleep(5)
    alone.wait(seal="failed")
    # A question that nobody answered, marked as if somebody had.
    unanswered = Publishing(up, period="2022-S1", exceptions=names)
    unanswered.wait_for_question()
    unanswered.mark("approve", "success")
    unanswered.wait(approve="success", seal="failed")
    assert query(embedded.server_url(up), "select count(*) from mart.vintage") == [(0,)]


def test_a_person_seals_a_half_year_in_the_browser(
    up: Settings, first_night: NightSummary, browser: webdriver.Chrome
) -> None:
    """Nothing is sealed by the preparer, nor when it is rejected; the approver seals; again is a green no-op."""
    vintages = "select period, vintage, prepared_by, approved_by, proof from mart.vintage"
    with warehouse.transaction(up) as connection:
        points = vintage.open_points(connection, period.parse("2022-S1"))
    names = [point.name for point in points]
    assert "kiosk" in names and "account_activation" not in names
    incomplete = Publishing(up, period="2022-S1", exceptions=names[1:])
    incomplete.wait(prepare="failed", approve="upstream_failed", seal="upstream_failed")

    state = incomplete.state
    log_in(browser, state.url, state.user, state.password)
    by_preparer = Publishing(up, period="2022-S1", exceptions=names)
    by_preparer.answer(browser, "Approve", "8043名")
    by_preparer.wait(approve="success", seal="failed")
    browser.delete_all_cookies()
    log_in(browser, state.url, state.approver, state.approver_password)
    rejected = Publishing(up, period="2022-S1", exceptions=names)
    rejected.answer(browser, "Reject", "8043名")
    rejected.wait(approve="success", seal="skipped")
    expired = Publishing(up, period="2022-S1", exceptions=names)
    expired.wait_for_question()
    with closing(psycopg2.connect(embedded.server_url(up, embedded.METADATA) or "")) as metadata:
        metadata.autocommit = True
        # As if the two weeks were over.
        metadata.cursor().execute(
            "update task_instance set trigger_timeout = now() - interval '1 minute' where state = 'awaiting_input'"
        )
    expired.wait(approve="failed", seal="upstream_failed")
    assert query(embedded.server_url(up), vintages) == []

    approved = Publishing(up, period="2022-S1", exceptions=names, note="首次发布")
    said = approved.answer(browser, "Approve", "8043名")
    assert "首次发布" in said and "kiosk: 完整性" in said and state.user in said
    approved.wait(approve="success", seal="success")
    assert query(embedded.server_url(up), vintages) == [("2022-S1", 1, state.user, state.approver, "airflow")]
    Publishing(up, period="2022-S1").wait(prepare="skipped", approve="skipped", seal="skipped")
    assert "版次 vintages 1," in halfyear("verify")

    # A unit is late to say that it has nothing to catalogue: the seal stays, and the restatement is asked for as well.
    folder = Path(up.inbox) / "catalogue_unit"
    was = (folder / "catalogue_unit_20220630.csv").read_bytes()
    (folder / "catalogue_unit_20220630_2.csv").write_bytes(
        was.replace(",是,".encode("gb18030"), ",否,".encode("gb18030"), 1)
    )
    assert scheduler_run.run_night(up, ["catalogue_unit"]).succeeded
    printed = (
        "select vintage, printed from mart.indicator where period = '2022-S1' and indicator_code = 'catalogue_units'"
        " and body_code is null"
    )
    assert query(embedded.server_url(up), printed) == [(1, "32个")]
    unexplained = Publishing(up, "restate_period", period="2022-S1", exceptions=names, note="更正")
    unexplained.wait(prepare="failed", approve="upstream_failed", seal="upstream_failed")
    reason = "corrected_source"
    restated = Publishing(up, "restate_period", period="2022-S1", exceptions=names, note="更正", reason=reason)
    assert "32个" in restated.answer(browser, "Approve", "31个")
    restated.wait(approve="success", seal="success")
    assert query(embedded.server_url(up), printed) == [(2, "31个")]
    assert "版次 vintages 2," in halfyear("verify")


def test_a_second_night_has_nothing_to_do(up: Settings, first_night: NightSummary) -> None:
    ledger = "select count(*), max(load_id), max(finished_at) from lineage.load"
    before = query(embedded.server_url(up), ledger)
    summary = scheduler_run.run_night(up)
    assert summary.succeeded, summary
    assert (len(summary.ingest), summary.compute, summary.periods) == (len(SOURCES), [], [])
    assert query(embedded.server_url(up), ledger) == before


def test_a_half_year_that_nobody_announced_is_computed(up: Settings, first_night: NightSummary) -> None:
    """As after a kill between the commit of a load and its announcement."""
    halfyear("demo", "--periods", "3", "--source=catalogue_unit")
    for chunk in night.receive("catalogue_unit"):
        night.load("catalogue_unit", chunk)
    lost = night.stale_periods()
    assert lost
    summary = scheduler_run.run_night(up, ["catalogue_unit"])
    assert summary.succeeded, summary
    assert [run.dag_id for run in summary.ingest] == ["ingest__catalogue_unit"]
    assert sorted(str(run.partition_key) for run in summary.compute) == lost == summary.periods
    assert night.stale_periods() == []


def test_a_source_that_does_not_exist_is_named(up: Settings) -> None:
    with pytest.raises(UsageError, match="no_such_source"):
        scheduler_run.run_night(up, ["no_such_source"])


def test_down_leaves_nothing_and_up_again_is_quick(up: Settings, first_night: NightSummary) -> None:
    halfyear("down")
    assert processes_of(up.home) == []
    left = {path.name for path in (up.home / "airflow").iterdir()}
    assert left == {"airflow.cfg", "logs", "migrated", "passwords.json", "port", "secrets.json"}
    assert not (up.home / "postgres" / "postmaster.pid").exists()
    assert list((up.home / "postgres").glob(".s.*")) == []
    assert not (up.home / "work").exists() or list((up.home / "work").iterdir()) == []
    assert halfyear("down").strip().endswith("nothing was running")
