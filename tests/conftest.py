"""One embedded PostgreSQL for the test run, and an empty migrated warehouse for every test that asks for one."""

from __future__ import annotations

import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from hypothesis import HealthCheck
from hypothesis import settings as hypothesis_settings

from halfyear import settings as settings_module
from halfyear.settings import Settings
from halfyear.warehouse import embedded

# What a busy machine is slow at is no fault of a test.
hypothesis_settings.register_profile("busy", deadline=None, suppress_health_check=[HealthCheck.too_slow])
hypothesis_settings.load_profile("busy")

_TEMPLATE = "halfyear_template"
_counter = itertools.count(1)


def pytest_configure(config: pytest.Config) -> None:
    # Importing Airflow writes its configuration to AIRFLOW_HOME, which must not be the developer's.
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="halfyear-test-airflow-")
    for name in [name for name in os.environ if name.startswith(("HALFYEAR_", "AIRFLOW__", "AIRFLOW_CONN_"))]:
        del os.environ[name]


@pytest.hookimpl(tryfirst=True)  # before pytest-xdist reads the marks
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """A file stays in one process, with what its tests share; and so do all that begin with the demo night."""
    for item in items:
        shared = {"demo_night", "exports"} & set(getattr(item, "fixturenames", ()))
        item.add_marker(pytest.mark.xdist_group("demo night" if shared else item.path.name))


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_node_collection_finished(node: Any, ids: list[str]) -> None:
    """Stop at once where groups are not kept together: each process would load the demo night."""
    if node.config.option.dist == "loadgroup" and not all("@" in each for each in ids):
        raise pytest.UsageError("pytest-xdist does not group tests with this version of pytest")


def pytest_unconfigure(config: pytest.Config) -> None:
    shutil.rmtree(os.environ["AIRFLOW_HOME"], ignore_errors=True)


@pytest.fixture(scope="session")
def home() -> Iterator[Path]:
    """A HALFYEAR_HOME for the test run, with a path that is short enough for the socket."""
    folder = Path(tempfile.mkdtemp(prefix="halfyear-test-"))
    yield folder
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def settings(home: Path) -> Iterator[Settings]:
    """The settings of a home whose embedded server runs until the end of the test run."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HALFYEAR_HOME", str(home))
        made = settings_module.load()
    embedded.start_server(made)
    yield made
    embedded.stop_server(made)


@pytest.fixture(scope="session")
def template(settings: Settings) -> str:
    """The name of a migrated, empty database, from which that of each test is copied."""
    from halfyear import warehouse

    _on_server(settings, f"create database {_TEMPLATE}")
    warehouse.migrate(replace(settings, warehouse=embedded.server_url(settings, _TEMPLATE)))
    return _TEMPLATE


@pytest.fixture
def warehouse(settings: Settings, template: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """An empty migrated warehouse of one test, with a home and an inbox of its own; HALFYEAR_* say the same."""
    database = f"test_{os.getpid()}_{next(_counter)}"
    _on_server(settings, f"create database {database} template {template}")
    (tmp_path / "inbox").mkdir()
    _become(monkeypatch, settings, database, tmp_path, tmp_path / "inbox")
    yield settings_module.load()
    # Whatever connection a failed test left open goes with the database.
    _on_server(settings, f"drop database {database} with (force)")


@pytest.fixture(scope="session")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The demo exports of all sources and four half-years, as an inbox."""
    import halfyear_demo as demo

    folder = tmp_path_factory.mktemp("exports")
    demo.write(folder)
    return folder


@dataclass(frozen=True)
class DemoNight:
    """The demo exports, loaded and computed: a database to copy, the landed bytes, what became of each file."""

    database: str
    landing: Path
    outcomes: Mapping[str, Any]


@pytest.fixture(scope="session")
def demo_night(settings: Settings, template: str, exports: Path, tmp_path_factory: pytest.TempPathFactory) -> DemoNight:
    """One night of all demo exports, three minutes long; whoever changes it takes the copy of `loaded` instead."""
    from halfyear import contract
    from halfyear.scheduling import night

    home = tmp_path_factory.mktemp("demo-night")
    database = "halfyear_demo_night"
    _on_server(settings, f"create database {database} template {template}")
    with pytest.MonkeyPatch.context() as patch:
        _become(patch, settings, database, home, exports)
        own = settings_module.load()
        outcomes = {}
        for source in contract.load_all(own.expectations):
            for delivery_id in night.look(source, own).pending:
                outcome = night.load_delivery(delivery_id, own)
                outcomes[outcome.file_name] = outcome
        for period in night.stale_periods():
            night.compute(period)
    return DemoNight(database, home / "landing", outcomes)


@pytest.fixture
def loaded(
    settings: Settings, demo_night: DemoNight, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Settings]:
    """A warehouse of one test after the demo night, with a home and an empty inbox of its own."""
    database = f"test_{os.getpid()}_{next(_counter)}"
    _on_server(settings, f"create database {database} template {demo_night.database}")
    (tmp_path / "inbox").mkdir()
    # Landed bytes are never changed.
    shutil.copytree(demo_night.landing, tmp_path / "landing", copy_function=os.link)
    _become(monkeypatch, settings, database, tmp_path, tmp_path / "inbox")
    yield settings_module.load()
    _on_server(settings, f"drop database {database} with (force)")


def _become(patch: pytest.MonkeyPatch, settings: Settings, database: str, home: Path, inbox: Path) -> None:
    url = embedded.server_url(settings, database)
    assert url is not None
    patch.setenv("HALFYEAR_HOME", str(home))
    patch.setenv("HALFYEAR_INBOX", str(inbox))
    patch.setenv("HALFYEAR_WAREHOUSE", url)
    # One account runs the tests; those of two persons take it away.
    patch.setenv("HALFYEAR_DECLARED_NAMES", "allow")
    patch.setenv("HALFYEAR_TOKEN_KEY", "a key of the tests, sixty-four characters long, as it should be.")


def _on_server(settings: Settings, statement: str) -> None:
    url = embedded.server_url(settings, "postgres")
    assert url is not None
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True
        cursor.execute(statement)
