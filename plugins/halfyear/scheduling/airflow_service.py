"""The three Airflow processes of this machine: dag-processor, scheduler and api-server with the web page.

``airflow standalone`` is not used: it leaves its children behind when it is terminated. Each process is
started in a session of its own instead. Whatever it starts (executor workers, running tasks, parsers) moves
between process groups, but stays in that session, so stopping the session leaves nothing, even when its
first process was killed. No triggerer runs, since no task of Halfyear waits in one.

Everything that Airflow keeps is below ``<home>/airflow``, and its metadata are in the embedded PostgreSQL.
``AIRFLOW_HOME=<home>/airflow airflow ...`` works from the command line while Halfyear is up.

In one module: configuration, metadata and processes are made together, and undone together when one of them fails.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from configparser import RawConfigParser
from contextlib import suppress
from dataclasses import dataclass, fields
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

import httpx
import psutil
import psycopg2

from halfyear.errors import InfrastructureFault
from halfyear.settings import LOCAL_ZONE_NAME, Settings
from halfyear.warehouse import embedded

USER: Final = "admin"
#: Who approves what the user prepared: the seal of a half-year needs two people.
APPROVER: Final = "approver"
#: Who reads at the seal what Airflow recorded of run and answer; may do nothing else.
READER: Final = "record-reader"
#: How many tasks run at once, unless AIRFLOW__CORE__PARALLELISM says otherwise; Airflow's own default keeps
#: 32 idle workers.
PARALLELISM: Final = 4

_PREFERRED_PORT: Final = 8080
_START_SECONDS: Final = 180
_STOP_SECONDS: Final = 10

#: The processes in the order of their start. Task logs are read from the folder, not served on a port.
_PROCESSES: Final = {
    "api-server": ["airflow", "api-server"],
    "dag-processor": ["airflow", "dag-processor"],
    "scheduler": ["halfyear.scheduling.preloaded_airflow", "scheduler", "--skip-serve-logs"],
}


class _PortTaken(Exception):
    """Somebody else listens on the chosen port."""


@dataclass(frozen=True)
class AirflowState:
    """What is known about the Airflow of a home.

    ``running`` means that all three processes are alive; ``missing`` names those that are not. ``url``,
    ``user`` and ``password`` open the web page and the REST API and are None before the first start.
    """

    running: bool
    processes: dict[str, int]
    missing: list[str]
    url: str | None
    user: str
    password: str | None
    approver: str
    approver_password: str | None
    reader_password: str | None
    password_file: Path
    log_folder: Path


def start_airflow(settings: Settings, progress: Callable[[str], None] | None = None) -> AirflowState:
    """Start what does not run of Airflow and wait until it works; the embedded server is started too.

    ``progress`` is called with one line per step. Raises InfrastructureFault with the place of the log
    when a process ends or does not answer in three minutes.
    """
    say = progress or (lambda line: None)
    embedded.start_server(settings)
    home = _home(settings)
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with embedded.exclusive(home):
        before = airflow_state(settings)
        if before.running:
            _wait_until_healthy(settings)
            return before
        if before.processes:
            say(f"Airflow 缺进程，先停止其余 / Airflow runs without its {', '.join(before.missing)}: stopping the rest")
        _stop_sessions(settings)
        _write_secrets(home)
        while True:
            _write_configuration(settings, _choose_port(home))
            if _needs_migration(settings):
                say("建立 Airflow 元数据表 / creating Airflow's metadata tables")
                _migrate(settings)
            say("启动 starting Airflow: api-server, dag-processor, scheduler")
            _start_sessions(settings)
            try:
                _wait_until_healthy(settings)
                break
            except _PortTaken as taken:
                say(f"端口 {taken} 已被占用，另选一个 / port {taken} was taken in the meantime: choosing another one")
                _stop_sessions(settings)
    return airflow_state(settings)


def airflow_state(settings: Settings) -> AirflowState:
    """Look at the processes, without asking Airflow."""
    home = _home(settings)
    alive = {name: session.pid for name, session in _sessions(home).items() if session.leader_lives()}
    missing = [name for name in _PROCESSES if name not in alive]
    port = _read(home / "port")
    password_file = home / "passwords.json"
    passwords = _read_json(password_file)
    return AirflowState(
        running=not missing,
        processes=alive,
        missing=missing,
        url=f"http://127.0.0.1:{port}" if port else None,
        user=USER,
        password=passwords.get(USER),
        approver=APPROVER,
        approver_password=passwords.get(APPROVER),
        reader_password=passwords.get(READER),
        password_file=password_file,
        log_folder=home / "logs",
    )


def stop_airflow(settings: Settings) -> bool:
    """Stop every process of this home's Airflow, running tasks too; return whether there was any.

    A task that is interrupted is found by the next scheduler, and run again.
    """
    home = _home(settings)
    if not home.is_dir():
        return False
    with embedded.exclusive(home):
        return _stop_sessions(settings)


def airflow_environment(settings: Settings) -> dict[str, str]:
    """The environment in which an ``airflow`` command belongs to this home."""
    keep = {"AIRFLOW__CORE__PARALLELISM"}
    ours = {f"AIRFLOW__{section}__{option}".upper() for section, option, _ in _options(settings, port=0)} - keep
    environment = {name: value for name, value in os.environ.items() if name not in ours}
    # The settings of the command, not its environment: a path that was relative or a default there must mean
    # the same in every task.
    for field in fields(settings):
        name, value = f"HALFYEAR_{field.name.upper()}", getattr(settings, field.name)
        environment.pop(name, None)
        if value is not None:
            environment[name] = str(value)
    environment |= {"AIRFLOW_HOME": str(_home(settings)), "PYTHONUNBUFFERED": "1"}
    warehouse = settings.warehouse or embedded.server_url(settings)
    if warehouse is not None:
        environment["AIRFLOW_CONN_HALFYEAR_WAREHOUSE"] = warehouse
    # Tasks talk to the api-server of this machine, never through a proxy.
    for name in ("NO_PROXY", "no_proxy"):
        environment[name] = ",".join(filter(None, [environment.get(name), "127.0.0.1", "localhost"]))
    return environment


def _home(settings: Settings) -> Path:
    return settings.home.resolve() / "airflow"


def _read(path: Path) -> str | None:
    try:
        return path.read_text().strip()
    except (FileNotFoundError, NotADirectoryError):
        return None


def _read_json(path: Path) -> dict[str, Any]:
    """The object that a file of this home holds; empty when there is none. Raises InfrastructureFault for a damaged one."""
    try:
        found = json.loads(_read(path) or "{}")
    except ValueError:
        found = None
    if not isinstance(found, dict):
        raise InfrastructureFault(
            f"{path}: 文件已损坏，请删除后运行 halfyear up / the file is damaged; remove it and run: halfyear up"
        )
    return found


def _write_private(path: Path, text: str) -> None:
    """Write a file that only its owner may read; it is complete or absent."""
    fresh = path.with_name(f"{path.name}.new")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(text)
    fresh.rename(path)


# -- configuration --------------------------------------------------------------------------------------


def _write_secrets(home: Path) -> None:
    """Secrets of this home, made once: the password of the web page, and the keys that sign and encrypt."""
    passwords = _read_json(home / "passwords.json")
    if missing := {USER, APPROVER, READER} - passwords.keys():
        made = passwords | {user: secrets.token_urlsafe(12) for user in sorted(missing)}
        _write_private(home / "passwords.json", json.dumps(made) + "\n")
    if not (home / "secrets.json").exists():
        made = {
            "fernet_key": base64.urlsafe_b64encode(secrets.token_bytes(32)).decode(),
            "jwt_secret": secrets.token_urlsafe(64),
            "secret_key": secrets.token_urlsafe(32),
        }
        _write_private(home / "secrets.json", json.dumps(made) + "\n")


def _choose_port(home: Path) -> int:
    """The remembered port if it is free, else 8080 if that is free, else any; remembered."""
    remembered = _read(home / "port")
    for wanted in (int(remembered) if remembered and remembered.isdecimal() else _PREFERRED_PORT, _PREFERRED_PORT, 0):
        with socket.socket() as probe, suppress(OSError):
            # As the api-server does: a port in TIME_WAIT is free.
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(("127.0.0.1", wanted))
            port = int(probe.getsockname()[1])
            _write_private(home / "port", f"{port}\n")
            return port
    raise InfrastructureFault("127.0.0.1 上没有可供 Airflow 使用的端口 / no free TCP port on 127.0.0.1 for Airflow")


def _options(settings: Settings, port: int) -> list[tuple[str, str, str]]:
    """Section, option and value of ``airflow.cfg``, as far as they differ from Airflow's defaults."""
    home = _home(settings)
    keys: dict[str, str] = _read_json(home / "secrets.json")
    url = f"http://127.0.0.1:{port}"
    metadata = embedded.server_url(settings, embedded.METADATA) or ""
    socket_folder = metadata.partition("?host=")[2]
    return [
        ("core", "dags_folder", str(settings.project / "dags")),
        ("core", "plugins_folder", str(settings.project / "plugins")),
        ("core", "load_examples", "False"),
        ("core", "executor", "LocalExecutor"),
        ("core", "parallelism", str(PARALLELISM)),
        ("core", "default_timezone", LOCAL_ZONE_NAME),
        ("core", "dags_are_paused_at_creation", "False"),
        ("core", "hostname_callable", "socket.gethostname"),
        ("core", "fernet_key", keys.get("fernet_key", "")),
        ("core", "simple_auth_manager_users", f"{USER}:admin,{APPROVER}:op,{READER}:viewer"),
        ("core", "simple_auth_manager_passwords_file", str(home / "passwords.json")),
        ("core", "execution_api_server_url", f"{url}/execution/"),
        (
            "database",
            "sql_alchemy_conn",
            f"postgresql+psycopg2://{embedded.SUPERUSER}@localhost/{embedded.METADATA}?host={socket_folder}",
        ),
        (
            "database",
            "sql_alchemy_conn_async",
            f"postgresql+asyncpg://{embedded.SUPERUSER}@localhost/{embedded.METADATA}?host={socket_folder}",
        ),
        ("api", "host", "127.0.0.1"),
        ("api", "port", str(port)),
        ("api", "base_url", url),
        ("api", "workers", "1"),
        ("api", "secret_key", keys.get("secret_key", "")),
        ("api", "instance_name", "Halfyear"),
        ("api_auth", "jwt_secret", keys.get("jwt_secret", "")),
        # Logs may quote names of files and bodies: for the owner's eyes.
        ("logging", "base_log_folder", str(home / "logs")),
        ("logging", "dag_processor_child_process_log_directory", str(home / "logs" / "dag_processor")),
        ("logging", "file_task_handler_new_folder_permissions", "0o700"),
        ("logging", "file_task_handler_new_file_permissions", "0o600"),
        ("logging", "colored_console_log", "False"),
        # A new contract shows up as a DAG within seconds; one parser is enough for a handful of files.
        ("dag_processor", "refresh_interval", "10"),
        ("dag_processor", "min_file_process_interval", "15"),
        ("dag_processor", "parsing_processes", "1"),
        # A task whose process died with the machine is run again after this many seconds.
        ("scheduler", "task_instance_heartbeat_timeout", "90"),
    ]


def _write_configuration(settings: Settings, port: int) -> None:
    configuration = RawConfigParser()
    for section, option, value in _options(settings, port):
        if not configuration.has_section(section):
            configuration.add_section(section)
        # Airflow interpolates the values of its file.
        configuration.set(section, option, value.replace("%", "%%"))
    home = _home(settings)
    path = home / "airflow.cfg"
    _write_private(path, "")
    with path.open("w") as file:
        file.write(
            "# Written by halfyear up at every start; changes belong in plugins/halfyear/scheduling/airflow_service.py.\n"
        )
        configuration.write(file)


# -- metadata -------------------------------------------------------------------------------------------


def _needs_migration(settings: Settings) -> bool:
    """True for a new database and after an upgrade of Airflow."""
    if _read(_home(settings) / "migrated") != version("apache-airflow"):
        return True
    url = embedded.server_url(settings, embedded.METADATA)
    if url is None:
        raise InfrastructureFault(
            "启动 Airflow 时内置 PostgreSQL 停止了，请再运行 / the embedded PostgreSQL was stopped while Airflow was being started; "
            "run again: halfyear up"
        )
    connection = psycopg2.connect(url)
    try:
        with connection.cursor() as cursor:
            cursor.execute("select to_regclass('public.alembic_version') is null")
            return bool(cursor.fetchall()[0][0])
    finally:
        connection.close()


def _migrate(settings: Settings) -> None:
    home = _home(settings)
    log = home / "logs" / "migration.log"
    log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with log.open("w") as output:
        done = subprocess.run(
            [sys.executable, "-m", "airflow", "db", "migrate"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd=home,
            env=airflow_environment(settings),
            check=False,
        )
    if done.returncode:
        raise InfrastructureFault(
            f"无法建立 Airflow 元数据表，日志在 / Airflow's metadata tables could not be created; the log is {log}"
        )
    _write_private(home / "migrated", version("apache-airflow") + "\n")


# -- processes ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Session:
    """A Unix session, named by the number of its first process and told from a later one by that one's start."""

    pid: int
    started: str

    def leader_lives(self) -> bool:
        with suppress(psutil.NoSuchProcess):
            return _started(self.pid) == self.started and psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE
        return False

    def members(self) -> list[psutil.Process]:
        """The living processes of the session; none when its number was handed out anew."""
        if _started(self.pid) not in (self.started, None):
            return []
        found = []
        for process in psutil.process_iter():
            with suppress(ProcessLookupError, PermissionError, psutil.NoSuchProcess):
                if os.getsid(process.pid) == self.pid and process.status() != psutil.STATUS_ZOMBIE:
                    found.append(process)
        return found


def _started(pid: int) -> str | None:
    """When a process started, as a mark that no other process with its number has; None when there is none."""
    try:
        # Clock ticks since boot: psutil's time of day moves with every correction of the clock.
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[19]
    except (FileNotFoundError, ProcessLookupError):
        if Path("/proc/self").exists():
            return None
    with suppress(psutil.NoSuchProcess):
        return str(psutil.Process(pid).create_time())
    return None


def _sessions(home: Path) -> dict[str, _Session]:
    recorded = _read_json(home / "processes.json")
    return {name: _Session(**fields) for name, fields in recorded.items()}


def _start_sessions(settings: Settings) -> None:
    home = _home(settings)
    environment = airflow_environment(settings)
    recorded: dict[str, dict[str, int | str | None]] = {}
    for name, arguments in _PROCESSES.items():
        log = home / "logs" / f"{name}.log"
        log.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        if log.exists():
            log.replace(log.with_suffix(".log.1"))
        with log.open("w") as output:
            process = subprocess.Popen(
                [sys.executable, "-m", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                cwd=home,
                env=environment,
                start_new_session=True,
            )
        recorded[name] = {"pid": process.pid, "started": _started(process.pid)}
        # After each one: whatever happens to this command, `halfyear down` knows what to stop.
        _write_private(home / "processes.json", json.dumps(recorded) + "\n")


def _stop_sessions(settings: Settings) -> bool:
    home = _home(settings)
    sessions = list(_sessions(home).values())
    found = False
    for number, seconds in ((signal.SIGTERM, _STOP_SECONDS), (signal.SIGKILL, 5.0)):
        end = time.monotonic() + seconds
        members = [process for session in sessions for process in session.members()]
        for process in members:
            found = True
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        # Looked at again and again: a member may start another one while it is being stopped.
        while members and time.monotonic() < end:
            psutil.wait_procs(members, timeout=0.2)
            members = [process for session in sessions for process in session.members()]
        if not members:
            break
    else:
        pids = ", ".join(str(process.pid) for process in members)
        raise InfrastructureFault(f"Airflow 无法停止，进程 / Airflow does not stop: processes {pids}")
    (home / "processes.json").unlink(missing_ok=True)
    for pid_file in home.glob("airflow-*.pid"):
        pid_file.unlink()
    return found


def _wait_until_healthy(settings: Settings) -> None:
    end = time.monotonic() + _START_SECONDS
    api_server = _sessions(_home(settings))["api-server"]
    port = int(_read(_home(settings) / "port") or 0)
    while True:
        state = airflow_state(settings)
        listening = _listeners(port)
        if listening and "api-server" in state.missing:
            raise _PortTaken(port)
        if not state.running:
            logs = ", ".join(str(state.log_folder / f"{name}.log") for name in state.missing)
            names = ", ".join(state.missing)
            raise InfrastructureFault(f"Airflow 进程已退出，日志在 / Airflow's {names} ended; see {logs}")
        # The answer of a neighbour on the same port would be taken for ours.
        ours = listening & {process.pid for process in api_server.members()}
        health = _health(f"{state.url}/api/v2/monitor/health") if ours else {}
        sick = [name for name in ("metadatabase", "scheduler", "dag_processor") if health.get(name) != "healthy"]
        if not sick:
            return
        if time.monotonic() > end:
            raise InfrastructureFault(
                f"Airflow {_START_SECONDS} 秒后仍未就绪，日志在 / Airflow is not ready after {_START_SECONDS} seconds "
                f"({', '.join(sick)}); see {state.log_folder}"
            )
        time.sleep(0.5)


def _listeners(port: int) -> set[int]:
    """The processes that listen on a local port; 0 stands for one that cannot be known (yet)."""
    return {
        connection.pid or 0
        for connection in psutil.net_connections("tcp")
        if connection.status == psutil.CONN_LISTEN and connection.laddr[1:] == (port,)
    }


def _health(url: str) -> dict[str, str | None]:
    try:
        # Never through a proxy: the API is on this machine.
        answer: dict[str, dict[str, str | None]] = httpx.get(url, timeout=10, trust_env=False).raise_for_status().json()
    except (httpx.HTTPError, ValueError):
        return {}
    return {name: part.get("status") for name, part in answer.items()}
