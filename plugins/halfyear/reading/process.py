"""The parent's side of reading: start the child, take its batches, explain its death.

Rejected cells and the outcome travel in files without a name below ``work``: nothing is left behind, whoever is
killed. Time counts only while the parent waits for the child, so a slow database is never blamed on a file.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import select
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING

import pyarrow as pa

from halfyear.errors import FileRefused, Finding, InfrastructureFault
from halfyear.file_format import FORMATS
from halfyear.reading import content, result
from halfyear.reading.child import END, LENGTH, NO_ROOM, PROGRAM, READY
from halfyear.reading.fault import refusal
from halfyear.reading.plan import plan_of
from halfyear.reading.result import RejectedCell, Summary

if TYPE_CHECKING:
    from halfyear.contract import Contract
    from halfyear.settings import Settings

_PACKAGES = Path(__file__).resolve().parents[2]
_BLOCK = 1 << 20


class Parser:
    """A child process that imports what it needs and then waits for its one task; use it in a ``with`` statement.

    Raises InfrastructureFault when there is no room below ``work`` or no process can be started.
    """

    def __init__(self, settings: Settings) -> None:
        try:
            settings.work.mkdir(parents=True, exist_ok=True)
            with contextlib.ExitStack() as stack:
                self.rejected = stack.enter_context(_nameless(settings.work))
                self.outcome = stack.enter_context(_nameless(settings.work))
                errors = stack.enter_context(_nameless(settings.work))
                self.child = subprocess.Popen(
                    [sys.executable, "-P", "-c", PROGRAM, str(os.getpid())],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=errors,
                    pass_fds=(self.rejected.fileno(), self.outcome.fileno()),
                    env=_environment(),
                    bufsize=0,
                )
                self._files = stack.pop_all()
        except OSError as error:
            raise InfrastructureFault(
                f"{settings.work}: 解析进程无法启动 / the parser cannot be started: {error.strerror or type(error).__name__}"
            ) from None
        assert self.child.stdout is not None
        self.pipe = self.child.stdout.fileno()
        if hasattr(fcntl, "F_SETPIPE_SZ"):  # what one write of a batch may need; the usual 64 KiB stop the child often
            with contextlib.suppress(OSError):
                fcntl.fcntl(self.pipe, fcntl.F_SETPIPE_SZ, _BLOCK)

    def begin(self, task: dict[str, object]) -> None:
        """Hand over the task."""
        assert self.child.stdin is not None
        files = {"rejected_fd": self.rejected.fileno(), "outcome_fd": self.outcome.fileno()}
        with contextlib.suppress(BrokenPipeError):  # a child that is dead already is explained when it is read
            self.child.stdin.write(json.dumps(task | files).encode())
            self.child.stdin.close()

    def __enter__(self) -> Parser:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill the child if it still runs and give everything back; may be called twice."""
        if self.child.poll() is None:
            self.child.kill()
        self.child.wait()
        for stream in (self.child.stdin, self.child.stdout):
            if stream is not None:
                with contextlib.suppress(OSError):
                    stream.close()
        self._files.close()


def open_file(
    path: Path,
    contract: Contract,
    settings: Settings,
    token_key: bytes,
    *,
    file_format: str | None = None,
    parser: Parser | None = None,
) -> Reading:
    """Start reading a file against a contract; use the result in a ``with`` statement, in one thread.

    ``file_format`` (csv, xlsx, jsonl, parquet) is the extension that the file was delivered with; without it the
    extension of ``path`` counts, and the bytes decide where that says nothing (landing keeps bytes without a name).
    ``parser`` is a process that was started before it was known what to read; it is closed with the result. Raises
    InfrastructureFault when the path cannot be read or no process be started; faults of the file come later.
    """
    try:
        with path.open("rb"):
            pass
        known = file_format or path.suffix.removeprefix(".").lower()
        chosen = known if known in FORMATS else content.sniff(path)
    except OSError as error:
        raise InfrastructureFault(
            f"{path.name}: 无法读取 / cannot be read: {error.strerror or type(error).__name__}"
        ) from None
    return Reading(path, contract, settings, token_key, chosen, parser or Parser(settings))


class Reading:
    """One file being read. Take all of ``batches()`` first, then ``summary`` and ``rejected()``."""

    def __init__(
        self, path: Path, contract: Contract, settings: Settings, token_key: bytes, file_format: str, parser: Parser
    ) -> None:
        self._parser = parser
        self._path = path
        self._settings = settings
        self._summary: Summary | None = None
        self._seconds_left = float(settings.parser_seconds)
        self._is_ready = False
        try:
            plan = plan_of(contract)
            self._schema = plan.schema
            parser.begin(
                {
                    "path": str(path),
                    "format": file_format,
                    "plan": plan.as_json(),
                    "key": token_key.hex(),
                    "memory_mb": settings.parser_memory_mb,
                    "seconds": settings.parser_seconds,
                }
            )
        except BaseException:
            parser.close()
            raise

    def __enter__(self) -> Reading:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Kill the child if it still runs and give everything back; may be called twice."""
        self._parser.close()

    def batches(self) -> Iterator[pa.RecordBatch]:
        """The accepted rows. Raises FileRefused, also after some batches: what was staged is then void."""
        while self._summary is None:
            (size,) = LENGTH.unpack(self._read(LENGTH.size))
            if size == READY:
                self._is_ready = True
            elif size == END:
                self._parser.child.wait()
                if not self._is_ready:
                    raise self._death()
                self._finish()
            else:
                yield pa.ipc.read_record_batch(pa.py_buffer(self._read(size)), self._schema)

    @property
    def summary(self) -> Summary:
        """The account of the file; there when ``batches`` is through."""
        if self._summary is None:
            raise RuntimeError("take all batches first: the summary is known at the end of the file")
        return self._summary

    def rejected(self) -> Iterator[RejectedCell]:
        """The cells that could not be read, by row; there when ``batches`` is through or the file was refused."""
        self._parser.rejected.seek(0)
        for line in self._parser.rejected:
            yield result.rejected_cell(line.decode())

    def _read(self, size: int) -> bytearray:
        """Exactly ``size`` bytes from the child; raises what explains its death when they do not come."""
        buffer = bytearray(size)
        view = memoryview(buffer)
        poll = select.poll()
        poll.register(self._parser.pipe, select.POLLIN)
        done = 0
        while done < size:
            before = time.monotonic()
            is_there = poll.poll(max(0.0, self._seconds_left) * 1000)
            self._seconds_left -= time.monotonic() - before
            if not is_there:
                self._parser.child.kill()
                self._parser.child.wait()
                raise self._limit("time")
            count = os.readv(self._parser.pipe, [view[done : done + _BLOCK]])
            if not count:
                raise self._death()
            done += count
        return buffer

    def _finish(self) -> None:
        self._parser.outcome.seek(0)
        outcome = json.loads(self._parser.outcome.read())
        if "summary" in outcome:
            self._summary = result.summary(outcome["summary"])
        elif "refused" in outcome:
            raise FileRefused(Finding(**outcome["refused"]))
        elif "limit" in outcome:
            raise self._limit(outcome["limit"])
        elif "unreadable" in outcome:
            raise InfrastructureFault(f"{self._path.name}: 无法读取 / cannot be read: {outcome['unreadable']}")
        elif "memory" in outcome["broken"].lower():
            raise self._limit("memory")
        else:
            raise refusal(
                "parser_failed",
                f"解析程序出错：{outcome['broken']}",
                f"the parser failed: {outcome['broken']}",
                "请将该文件交给维护人员",
                "hand the file to the maintainers",
            )

    def _death(self) -> Exception:
        """Why a child ended without an answer: it reached a limit, or another process killed it."""
        code = self._parser.child.wait()
        if not self._is_ready:
            return InfrastructureFault(
                f"{self._path.name}: 解析进程无法启动（退出码 {code}）/ the parser could not start (exit code {code}); "
                f"HALFYEAR_PARSER_MEMORY_MB={self._settings.parser_memory_mb}"
            )
        if code == -signal.SIGXCPU:
            return self._limit("time")
        if code == NO_ROOM:
            return InfrastructureFault(
                f"{self._path.name}: 无法写入 {self._settings.work} / no room below {self._settings.work}"
            )
        if code in (-signal.SIGKILL, -signal.SIGTERM, -signal.SIGHUP):
            return InfrastructureFault(
                f"{self._path.name}: 解析进程被外部终止 / the parser was killed from outside; the file is tried again"
            )
        return self._limit("memory")

    def _limit(self, what: str) -> FileRefused:
        memory, seconds = self._settings.parser_memory_mb, self._settings.parser_seconds
        if what == "time":
            zh = f"解析超过 {seconds} 秒仍未完成"
            en = f"parsing took more than {seconds} seconds"
            setting = "HALFYEAR_PARSER_SECONDS"
        else:
            zh = f"解析所需内存超过 {memory} MB，或文件使解析程序崩溃"
            en = f"parsing needs more than {memory} MB of memory, or the file crashes the parser"
            setting = "HALFYEAR_PARSER_MEMORY_MB"
        return refusal(
            "parser_limit",
            zh,
            en,
            f"请检查文件，或改用 CSV，或调高 {setting}",
            f"check the file, deliver CSV, or raise {setting}",
        )


def _nameless(folder: Path) -> IO[bytes]:
    """A file that exists only as long as somebody holds it open."""
    return tempfile.TemporaryFile(dir=folder)


def _environment() -> dict[str, str]:
    """The child needs the way to its packages and modest allocators, and no secret of ours."""
    kept = {name: os.environ[name] for name in ("PATH", "LANG", "LD_LIBRARY_PATH", "TMPDIR") if name in os.environ}
    return {
        **kept,
        "PYTHONPATH": str(_PACKAGES),
        "PYTHONDONTWRITEBYTECODE": "1",
        "ARROW_DEFAULT_MEMORY_POOL": "system",
        "MALLOC_ARENA_MAX": "2",
        "OPENBLAS_NUM_THREADS": "1",
        "OMP_NUM_THREADS": "1",
    }
