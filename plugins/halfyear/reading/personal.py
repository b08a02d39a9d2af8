"""Personal columns of a large file, read by a process beside the parser, which reads the others meanwhile.

Tokens are a third of the work of reading, and Python does one thing at a time. The second process is forked from the
parser and inherits its limits; what it dies of, the parser dies of too, and it dies with the parser. Personal values
pass between these two and reach nobody else.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, NoReturn

if TYPE_CHECKING:
    from multiprocessing.connection import Connection

    from halfyear.reading.column import ColumnReader, Found
    from halfyear.reading.table import Cells


class PersonalColumns:
    """The process; use it in a ``with`` statement. ``begin`` and ``found`` are called in turn."""

    def __init__(self, readers: Sequence[ColumnReader]) -> None:
        from multiprocessing import Pipe  # 20 ms that small files do not need

        self._connection, theirs = Pipe()
        parser = os.getpid()
        self._process = os.fork()
        if not self._process:
            self._connection.close()
            _serve(theirs, readers, parser)
        theirs.close()

    def begin(self, columns: Sequence[Cells]) -> None:
        """Hand over the cells of some rows: a column for each reader."""
        try:
            self._connection.send([_compact(cells) for cells in columns])
        except OSError:
            self._follow()

    def found(self) -> list[Found]:
        """What the readers made of the cells that were handed over last; raises what they raised."""
        try:
            answer = self._connection.recv()
        except (EOFError, OSError):
            self._follow()
        if isinstance(answer, BaseException):
            raise answer
        found: list[Found] = answer
        return found

    def __enter__(self) -> PersonalColumns:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._connection.close()
        os.waitpid(self._process, 0)

    def _follow(self) -> NoReturn:
        """Die of what the process died of, so that the parser's parent has one death to explain."""
        _, status = os.waitpid(self._process, 0)
        code = os.waitstatus_to_exitcode(status)
        if code < 0:
            os.kill(os.getpid(), -code)
        os._exit(code or 1)


def die_with(parent: int) -> None:
    """Be killed when the parent's thread ends, however it ends."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG
    if os.getppid() != parent:
        os._exit(0)


def _serve(connection: Connection, readers: Sequence[ColumnReader], parser: int) -> None:
    """The life of the process. It holds nothing open that the parser has open, or its parent would wait for both."""
    try:
        die_with(parser)
        os.closerange(0, connection.fileno())
        os.closerange(connection.fileno() + 1, os.sysconf("SC_OPEN_MAX"))
        while True:
            columns = connection.recv()
            try:
                answer: object = [reader.read(cells) for reader, cells in zip(readers, columns, strict=True)]
            except Exception as error:
                answer = error
            connection.send(answer)
    except (EOFError, OSError):  # the parser is through
        os._exit(0)
    finally:
        os._exit(1)


def _compact(cells: Cells) -> Cells:
    """A slice without the rest of its array, which would be pickled with it."""
    import pyarrow as pa

    return pa.concat_arrays([cells, cells[:0]]) if isinstance(cells, pa.Array) and cells.offset else cells
