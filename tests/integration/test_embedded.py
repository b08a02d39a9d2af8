"""The embedded PostgreSQL, really started: side by side, at the same time, killed, stopped without a trace."""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psutil
import psycopg2
import pytest

from halfyear import settings as settings_module
from halfyear.settings import Settings
from halfyear.warehouse import embedded

Make = Callable[..., Settings]


@pytest.fixture
def make() -> Iterator[Make]:
    """Makes homes; what a failed test left running in them is stopped."""
    made: list[Settings] = []

    def home(prefix: str = "halfyear-test-") -> Settings:
        settings = replace(settings_module.load(), home=Path(tempfile.mkdtemp(prefix=prefix)))
        made.append(settings)
        return settings

    yield home
    for settings in made:
        embedded.stop_server(settings)
        shutil.rmtree(settings.home)


def ask(url: str, query: str) -> Any:
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute(query)
        return cursor.fetchall()[0][0]


def processes(settings: Settings) -> list[psutil.Process]:
    """Every process of the server of a home: the postmaster by its folder, the others by the title they carry."""
    data = settings.home.resolve() / "postgres"
    cluster = ask_cluster(data)
    found = []
    for process in psutil.process_iter():
        try:
            arguments = process.cmdline()
        except psutil.Error:
            continue
        if str(data) in arguments or any(cluster in argument for argument in arguments):
            found.append(process)
    return found


def ask_cluster(data: Path) -> str:
    line = next(x for x in (data / "halfyear.conf").read_text().splitlines() if x.startswith("cluster_name"))
    return line.split("'")[1]


def postmaster(settings: Settings) -> int:
    return int((settings.home / "postgres" / "postmaster.pid").read_text().splitlines()[0])


def kill(settings: Settings) -> None:
    server = psutil.Process(postmaster(settings))
    server.kill()
    server.wait(10)


def shared_memory(settings: Settings) -> set[str]:
    """The shared memory of a running server: POSIX segments by path, the System V segment by number."""
    maps = psutil.Process(postmaster(settings)).memory_maps()
    lines = (settings.home / "postgres" / "postmaster.pid").read_text().splitlines()
    return {m.path for m in maps if m.path.startswith("/dev/shm/")} | {lines[6].split()[1]}


def present_shared_memory() -> set[str]:
    numbers = {line.split()[1] for line in Path("/proc/sysvipc/shm").read_text().splitlines()[1:]}
    return numbers | {str(path) for path in Path("/dev/shm").iterdir()}


def test_start_makes_both_databases_and_is_idempotent(make: Make) -> None:
    settings = make()
    assert embedded.server_url(settings) is None
    url = embedded.start_server(settings)
    assert embedded.start_server(settings) == url == embedded.server_url(settings)
    assert ask(url, "select current_database()") == "halfyear"
    assert ask(str(embedded.server_url(settings, embedded.METADATA)), "select current_database()") == "airflow"
    assert ask(url, "select current_setting('server_version_num')::int >= 180000")
    assert ask(url, "select current_setting('timezone')") == "Asia/Shanghai"
    assert ask(url, "select current_setting('fsync')") == "on"
    assert ask(url, "select '三' < '二'"), "the built-in C.UTF-8 sorts by code point, on every machine"


def test_nobody_else_reaches_it(make: Make) -> None:
    settings = make()
    url = embedded.start_server(settings)
    folder = Path(url.partition("?host=")[2])
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert ask(url, "select current_setting('listen_addresses')") == ""


def test_errors_do_not_reach_the_log(make: Make) -> None:
    settings = make()
    url = embedded.start_server(settings)
    with pytest.raises(psycopg2.Error):
        ask(url, "select '440106199001011234'::date")
    embedded.stop_server(settings)
    logs = "".join(path.read_text() for path in (settings.home / "postgres" / "log").iterdir())
    assert "ready to accept connections" in logs
    assert "440106199001011234" not in logs


def test_homes_side_by_side(make: Make) -> None:
    first, second = make(), make()
    urls = {embedded.start_server(first), embedded.start_server(second)}
    assert len(urls) == 2
    embedded.stop_server(first)
    assert embedded.server_url(first) is None
    assert ask(str(embedded.server_url(second)), "select 1") == 1


def test_many_starts_at_once_make_one_server(make: Make) -> None:
    settings = make()
    code = "from halfyear import settings; from halfyear.warehouse import embedded; print(embedded.start_server(settings.load()))"
    environment = os.environ | {"HALFYEAR_HOME": str(settings.home)}
    started = [
        subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
        for _ in range(4)
    ]
    answers = {process.communicate(timeout=120)[0].strip() for process in started}
    assert [process.returncode for process in started] == [0, 0, 0, 0]
    assert answers == {embedded.server_url(settings)}
    # It outlives those that started it.
    assert ask(answers.pop(), "select 1") == 1


def test_a_killed_server_is_recovered(make: Make) -> None:
    settings = make()
    url = embedded.start_server(settings)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        cursor.execute("create table kept as select 7 as n")
        connection.commit()
        kill(settings)
    assert embedded.server_url(settings) is None
    assert ask(embedded.start_server(settings), "select n from kept") == 7


def test_a_query_that_outlives_its_killed_server_does_not_stop_the_next_start(make: Make) -> None:
    settings = make()
    url = embedded.start_server(settings)
    with closing(psycopg2.connect(url)) as connection, connection.cursor() as cursor:
        connection.autocommit = True  # within a transaction pg_stat_activity stands still
        # A loop without waiting notices the death of the postmaster only when it ends.
        busy = "do $$ begin loop perform 1; end loop; end $$"
        script = f"import psycopg2; psycopg2.connect({url!r}).cursor().execute({busy!r})"
        client = subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.DEVNULL)
        deadline = time.monotonic() + 20
        while True:
            cursor.execute("select count(*) from pg_stat_activity where state = 'active' and query like 'do %'")
            if cursor.fetchall()[0][0]:
                break
            assert time.monotonic() < deadline
            time.sleep(0.05)
    kill(settings)
    assert ask(embedded.start_server(settings), "select 1") == 1
    client.wait(timeout=20)


def test_a_number_that_was_handed_out_anew_does_not_stop_the_next_start(make: Make) -> None:
    """After a restart of a container, the number in the pid file is often that of somebody else."""
    settings = make()
    embedded.start_server(settings)
    kill(settings)
    path = settings.home / "postgres" / "postmaster.pid"
    path.write_text("\n".join([str(os.getpid()), *path.read_text().split("\n")[1:]]))
    assert embedded.server_url(settings) is None
    assert ask(embedded.start_server(settings), "select 1") == 1


@pytest.mark.parametrize("killed", [False, True])
@pytest.mark.parametrize("prefix", ["halfyear-test-", f"halfyear-test-{'x' * 90}-"])
def test_stop_leaves_nothing(make: Make, prefix: str, killed: bool) -> None:
    settings = make(prefix)
    url = embedded.start_server(settings)
    folder = Path(url.partition("?host=")[2])
    assert len(os.fsencode(folder / ".s.PGSQL.5432")) <= 107
    memory = shared_memory(settings)
    assert len(memory) >= 2
    assert memory <= present_shared_memory()
    if killed:
        kill(settings)
    assert embedded.stop_server(settings)
    assert not embedded.stop_server(settings)
    assert processes(settings) == []
    data = settings.home / "postgres"
    assert [path.name for path in data.glob("*.pid")] + [path.name for path in data.glob(".s.*")] == []
    assert not memory & present_shared_memory()
    assert folder == data or not folder.exists()


def test_stop_without_a_home_does_nothing(tmp_path: Path) -> None:
    settings = replace(settings_module.load(), home=tmp_path / "none")
    assert embedded.server_url(settings) is None
    assert not embedded.stop_server(settings)
    assert not settings.home.exists()
