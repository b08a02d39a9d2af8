"""File formats: what a file may be, and whether it is whole."""

from __future__ import annotations

import io
from pathlib import Path

#: The extensions of exports.
FORMATS = ("csv", "xlsx", "jsonl", "parquet")


def unfinished(path: Path, file_format: str) -> bool:
    """The file lacks its end: it may still be in the making. ``path`` is a Path or anything that opens like one.

    A workbook without its central directory, a Parquet file without its trailing magic, text without a final line
    break, 0 bytes. Content of another kind counts as finished: it is refused for what it is. Raises OSError.
    """
    with path.open("rb") as file:
        head = file.read(4)
        size = file.seek(0, io.SEEK_END)
        tail_at = max(0, size - 65_557)  # the end record and the longest comment
        if size == 0:
            return True
        if file_format == "xlsx":
            file.seek(tail_at)
            return head[:2] == b"PK"[:size] and b"PK\x05\x06" not in file.read()
        file.seek(max(0, size - 4))
        tail = file.read()
    if file_format == "parquet":
        return head == b"PAR1"[:size] and (size < 12 or tail != b"PAR1")
    return not tail.endswith((b"\n", b"\r"))
