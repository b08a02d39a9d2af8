"""A command that does not end well: one line in both languages, the documented exit code, no traceback."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from pathlib import Path

import psycopg2
import pytest
from click.testing import CliRunner

from halfyear import settings as settings_module
from halfyear.errors import InfrastructureFault, UsageError
from halfyear.scheduling import airflow_service
from halfyear.terminal import ending
from halfyear.terminal.command import main
from halfyear.warehouse import embedded

BOTH = re.compile(r"[\u4e00-\u9fff].* / .*[A-Za-z]{2}")
#: What speaks to people, by the name of what is called.
SPEAKERS = {"ContractError", "InfrastructureFault", "UsageError", "echo", "failed", "progress", "say"}
PACKAGE = Path(ending.__file__).parents[1]
PROGRAM = [sys.executable, "-c", "from halfyear.terminal.command import main; main()"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ([], None),
        (["trace", "2022-S1"], "缺少参数 / Missing argument 'CODE'"),
        (["tracing"], "没有这个命令 / No such command 'tracing'"),
        (["trace", "--all"], "没有这个选项 / No such option '--all'"),
        (["demo", "--periods", "9"], "参数值不对 / Invalid value for '--periods'"),
        (["accept", "17"], "缺少参数 / Missing option '--reason'"),
        (["status", "now"], "命令写法不对 / Got unexpected extra argument (now)"),
    ],
)
def test_a_command_that_cannot_be_understood(arguments: list[str], said: str | None) -> None:
    done = CliRunner().invoke(main, arguments, catch_exceptions=False)
    assert done.exit_code == 2
    if said:
        (line,) = done.stderr.splitlines()
        assert line.startswith(f"halfyear: {said}") and line.endswith("--help")


@pytest.mark.parametrize(
    ("error", "exit_code"),
    [
        (UsageError("写错 / wrong"), 2),
        (InfrastructureFault("断开 / gone"), 3),
        (PermissionError(13, "Permission denied", "/home/postgres/postmaster.pid"), 3),
        (NotADirectoryError(20, "Not a directory", "/file/home"), 3),
        (psycopg2.OperationalError("server closed the connection\nDETAIL: of a row"), 3),
        (psycopg2.errors.UniqueViolation("duplicate key\nDETAIL: Key (name)=(张三)"), 3),
        (KeyboardInterrupt(), 130),
    ],
)
def test_every_error_that_is_foreseen_says_what_it_is(error: BaseException, exit_code: int) -> None:
    found = ending.explained(error)
    assert found is not None and found[1] == exit_code and BOTH.search(found[0])
    assert "DETAIL" not in found[0] and "张三" not in found[0]


def test_a_fault_of_ours_keeps_its_traceback() -> None:
    assert ending.explained(KeyError("x")) is None


@pytest.mark.parametrize("command", ["status", "ingest", "up", "down", "doctor", "migrate", "demo", "audit"])
def test_a_home_that_is_a_file(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    home = tmp_path / "home"
    home.write_text("")
    monkeypatch.setenv("HALFYEAR_HOME", str(home))
    done = CliRunner().invoke(main, [command], catch_exceptions=False)
    assert (done.exit_code, done.stderr) == (
        2,
        f"halfyear: HALFYEAR_HOME={home}: 是文件，不是文件夹，请改设为文件夹 / is a file; set HALFYEAR_HOME to a folder\n",
    )


@pytest.mark.parametrize("damage", ["half of it", "a file"])
def test_a_data_folder_that_is_half_there(damage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFYEAR_HOME", str(tmp_path))
    data = tmp_path / "postgres"
    if damage == "a file":
        data.write_text("")
    else:
        (data / "base").mkdir(parents=True)
    settings = settings_module.load()
    with pytest.raises(InfrastructureFault, match=r"PG_VERSION.*restore it from the backup"):
        embedded.start_server(settings)
    assert embedded.server_url(settings) is None and not embedded.stop_server(settings)
    assert data.exists() and not (tmp_path / "postgres.new").exists()


@pytest.mark.parametrize("name", ["processes.json", "passwords.json"])
@pytest.mark.parametrize("content", ["{", "[]", "\x00"])
def test_a_damaged_file_of_airflow(name: str, content: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HALFYEAR_HOME", str(tmp_path))
    (tmp_path / "airflow").mkdir()
    (tmp_path / "airflow" / name).write_text(content)
    with pytest.raises(InfrastructureFault, match=rf"{name}: 文件已损坏.*remove it and run: halfyear up"):
        airflow_service.airflow_state(settings_module.load())


def test_a_reader_that_leaves_is_no_error(tmp_path: Path) -> None:
    """As `halfyear --help | head -1`, with both streams in the pipe: the command ends with its own exit code, in silence."""
    home = tmp_path / "home"
    home.write_text("")
    for arguments, exit_code in ((["--help"], 0), (["status"], 2)):
        reader, writer = os.pipe()
        os.close(reader)
        environment = os.environ | {"HALFYEAR_HOME": str(home)}
        with (tmp_path / "errors").open("w+") as errors:
            done = subprocess.run([*PROGRAM, *arguments], stdout=writer, stderr=errors, env=environment, timeout=60)
            errors.seek(0)
            said = errors.read()
        both = subprocess.run([*PROGRAM, *arguments], stdout=writer, stderr=writer, env=environment, timeout=60)
        os.close(writer)
        assert (done.returncode, both.returncode) == (exit_code, exit_code)
        assert "Traceback" not in said and "BrokenPipe" not in said


def spoken(path: Path) -> list[str]:
    """The words that a module says to people, as far as they are written in it: two English words in a row, at least."""
    found = []
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        name = getattr(call.func, "id", None) or getattr(call.func, "attr", None)
        parts = [p.value for p in ast.walk(call.args[0]) if isinstance(p, ast.Constant) and isinstance(p.value, str)]
        if name in SPEAKERS and re.search(r"[a-z]{3,} [a-z]{2,}", "".join(parts)):
            found.append("".join(parts))
    return found


def test_every_message_is_in_both_languages() -> None:
    said = {path: spoken(path) for path in PACKAGE.rglob("*.py")}
    assert sum(map(len, said.values())) > 100
    for path, messages in said.items():
        assert [message for message in messages if not re.search(r"[\u4e00-\u9fff]", message)] == [], path
