"""The child process that parses: ``PROGRAM``, started by ``process`` and by nothing else.

It imports what it needs while its parent does other things, reads its task from standard input, limits its own memory
and time, and writes batches to standard output, each behind its length in eight bytes; length 0 ends them. Rejected
cells and the outcome go to open files that it inherits. A file that makes the parser crash takes this process with it
and nothing else.
"""

from __future__ import annotations

import contextlib
import errno
import gc
import importlib
import json
import os
import resource
import signal
import struct
import sys
from collections.abc import Generator
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from halfyear.reading.personal import die_with

if TYPE_CHECKING:
    import pyarrow as pa

    from halfyear.reading.plan import Plan
    from halfyear.reading.result import Summary
    from halfyear.reading.rows import Reject

#: What Python is given to do, with the process that gives it. pyarrow imports numpy and pandas where there are any: a
#: third of the start and 200 MB for nothing that is used here.
PROGRAM = "import sys; sys.modules.update(numpy=None, pandas=None); from halfyear.reading.child import main; main()"
LENGTH = struct.Struct(">q")
#: Sent once everything is imported: what happens after it is the file's doing.
READY = -1
END = 0
#: From so many bytes on a file is worth a second process.
LARGE = 16 << 20
#: The exit code of a child that cannot write below ``work``.
NO_ROOM = 75


def read(
    path: Path, file_format: str, plan: Plan, token_key: bytes, reject: Reject
) -> Generator[pa.RecordBatch, None, Summary]:
    """Read one file in this process: yields batches, hands over rejected cells, returns the summary.

    Raises FileRefused for a fault of the file and OSError when it cannot be read.
    """
    from halfyear.reading import content, rows

    content.check(path, file_format)
    if file_format == "csv":
        from halfyear.reading.csv_file import open_table
    elif file_format == "xlsx":
        from halfyear.reading.xlsx_file import open_table
    elif file_format == "jsonl":
        from halfyear.reading.jsonl_file import open_table
    else:
        from halfyear.reading.parquet_file import open_table
    is_large = path.stat().st_size >= LARGE
    return (yield from rows.read_rows(open_table(path, plan), plan, token_key, reject, is_large))


_FIRST_ROOM = 8 << 20
#: New objects until Python looks for cycles: the rows of a workbook are lists, a hundred thousand of them, and no cycle.
_FEW_COLLECTIONS = 200_000
#: Rows that are handed over at once; the parent holds a few such portions.
_ROWS = 10_000


def main() -> None:
    """Do the one task that standard input holds; the argument is the process that gives it."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the parent's to handle
    die_with(int(sys.argv[1]))
    gc.set_threshold(_FEW_COLLECTIONS)
    importlib.import_module("halfyear.reading.rows")
    given = sys.stdin.buffer.read()
    if not given:  # there is nothing to read after all
        os._exit(0)
    task: dict[str, Any] = json.loads(given)
    _limit(task["memory_mb"], task["seconds"])
    try:
        _carry_out(task)
    except OSError:  # no room for the rejected cells or the outcome
        os._exit(NO_ROOM)
    os._exit(0)


def _carry_out(task: dict[str, Any]) -> None:
    outcome: dict[str, Any]
    with (
        os.fdopen(task["rejected_fd"], "w", encoding="utf-8") as rejected,
        os.fdopen(task["outcome_fd"], "w") as written,
    ):
        try:
            outcome = _work(task, rejected, sys.stdout.buffer)
        except MemoryError:
            outcome = {"limit": "memory"}
        json.dump(outcome, written)
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.buffer.write(LENGTH.pack(END))
        sys.stdout.buffer.flush()


def _work(task: dict[str, Any], rejected: Any, output: BinaryIO) -> dict[str, Any]:
    import pyarrow as pa

    from halfyear.errors import FileRefused
    from halfyear.reading import plan

    importlib.import_module(f"halfyear.reading.{task['format']}_file")
    pa.set_cpu_count(1)
    bytearray(_FIRST_ROOM)  # a limit that leaves no room to begin is no fault of the file
    output.write(LENGTH.pack(READY))
    output.flush()
    layout = plan.from_json(task["plan"])

    def reject(cell: Any) -> None:
        rejected.write(cell.as_json() + "\n")

    try:
        batches = read(Path(task["path"]), task["format"], layout, bytes.fromhex(task["key"]), reject)
        while True:
            try:
                batch = next(batches)
            except StopIteration as end:
                summary: Summary = end.value
                rejected.flush()
                return {"summary": summary.as_json()}
            for first in range(0, batch.num_rows, _ROWS):
                payload = batch.slice(first, _ROWS).serialize()
                output.write(LENGTH.pack(payload.size))
                output.write(payload)
            output.flush()
    except FileRefused as refused:
        rejected.flush()
        return {"refused": refused.finding.as_dict()}
    except BrokenPipeError:
        os._exit(0)
    except OSError as error:
        if error.errno == errno.ENOMEM:
            return {"limit": "memory"}
        return {"unreadable": error.strerror or type(error).__name__}
    except MemoryError:
        return {"limit": "memory"}
    except BaseException as error:  # also the panics of Rust code
        return {"broken": _place(error)}


def _place(error: BaseException) -> str:
    """The kind of an unexpected error and where it arose: never its message, which may quote a value."""
    name = type(error).__name__
    if "memory" in name.lower():
        return name
    trace = error.__traceback__
    place = ""
    while trace is not None:
        code = trace.tb_frame.f_code
        place = f" ({Path(code.co_filename).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return name + place


def _limit(memory_mb: int, seconds: int) -> None:
    """Bound address space and processor time, and leave no core dump: it would hold personal data."""
    for what, soft, hard in (
        (resource.RLIMIT_AS, memory_mb << 20, memory_mb << 20),
        (resource.RLIMIT_CPU, seconds, seconds + 5),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, most = resource.getrlimit(what)
        if most != resource.RLIM_INFINITY:
            soft, hard = min(soft, most), min(hard, most)
        resource.setrlimit(what, (soft, hard))
