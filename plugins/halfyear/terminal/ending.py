"""How a command ends when it does not end well: one line in both languages, an exit code, never a traceback."""

from __future__ import annotations

import io
import os
import stat
import sys
from typing import Any, NoReturn

import click

from halfyear.errors import HalfyearError, InfrastructureFault

#: The exit code of a command that Ctrl-C ended: 128 and the number of the signal, as of every program.
INTERRUPTED = 130
_USAGE = 2
_INFRASTRUCTURE = InfrastructureFault.exit_code
_WRONG_USAGE = {
    click.MissingParameter: "缺少参数",
    click.NoSuchOption: "没有这个选项",
    click.NoSuchCommand: "没有这个命令",
    click.BadParameter: "参数值不对",
}


def failed(line: str, exit_code: int) -> NoReturn:
    """Say what went wrong, on one line of standard error, and end."""
    click.echo(f"halfyear: {' '.join(line.split())}", err=True)
    sys.exit(exit_code)


def explained(error: BaseException) -> tuple[str, int] | None:
    """What to say of an error and the exit code; None for one that only a maintainer can explain."""
    if isinstance(error, HalfyearError):
        return str(error), error.exit_code
    if isinstance(error, click.UsageError):
        zh = next((zh for kind, zh in _WRONG_USAGE.items() if isinstance(error, kind)), "命令写法不对")
        path = error.ctx.command_path if error.ctx else "halfyear"
        return f"{zh} / {error.format_message().rstrip('.')}; 用法见 see: {path} --help", _USAGE
    if isinstance(error, (click.Abort, KeyboardInterrupt)):
        return "已中断 / interrupted", INTERRUPTED
    if isinstance(error, OSError):
        what = f"{error.filename}: " if error.filename else ""
        said = error.strerror or type(error).__name__
        return (
            f"{what}无法读写，请检查路径和权限 / cannot be read or written: {said}; check path and permissions",
            _INFRASTRUCTURE,
        )
    if type(error).__module__.startswith("psycopg2"):
        primary = str(error).strip().splitlines()[:1] if "Operational" in type(error).__name__ else []
        said = ": ".join([type(error).__name__, *primary])
        return (
            f"数据仓库出错，请运行 halfyear doctor / the warehouse failed; run: halfyear doctor: {said}",
            _INFRASTRUCTURE,
        )
    return None


class _Patient(io.FileIO):
    """A pipe whose reader may leave, as ``head`` does when it has seen enough: what is written after that is dropped."""

    def write(self, data: Any, /) -> int:
        try:
            return super().write(data)
        except BrokenPipeError:
            return len(data)


def outlive_readers() -> None:
    """Let standard output and error outlive their readers, so that the command ends with its own exit code."""
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        try:
            number = stream.fileno()
            is_pipe = stat.S_ISFIFO(os.fstat(number).st_mode)
        except (OSError, ValueError, AttributeError):  # closed, or no file at all
            continue
        if is_pipe:
            stream.flush()
            buffer = io.BufferedWriter(_Patient(number, "w", closefd=False))
            patient = io.TextIOWrapper(
                buffer, encoding=stream.encoding, errors=stream.errors, line_buffering=name == "stderr"
            )
            setattr(sys, name, patient)
