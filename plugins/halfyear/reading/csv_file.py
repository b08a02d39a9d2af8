"""CSV: comma-separated records after RFC 4180, with CRLF, LF or CR, streamed.

A quote inside an unquoted field is text. Text after a closing quote makes the row bad. A quote that is never
closed swallows the rows after it, so it refuses the file and names the line where it opens.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TextIO

from halfyear.errors import FileRefused
from halfyear.reading import encoding, header
from halfyear.reading.fault import CELL_TOO_LONG, DAMAGED_TEXT, LONGEST_CELL, TEXT_AFTER_QUOTE, Bad, refusal
from halfyear.reading.plan import Plan
from halfyear.reading.table import Row, Table
from halfyear.reading.value import DAMAGE

#: A record of more characters is not kept: either it is bad or a quote was never closed.
_LONGEST_RECORD = 8_000_000


def open_table(path: Path, plan: Plan) -> Table:
    """Find encoding and header; the rows stream from there."""
    found = encoding.examine(path, allow_gb18030=True)
    records = _Records(path, found)
    rows = iter(records)
    first: list[Row] = []
    matcher = header.Matcher(plan)
    for row in rows:
        first.append(row)
        located = header.locate([row[1] or ()], matcher)
        if located:
            records.width = located[1].named_width
            return Table(located[1], rows, encoding=found.label, header_row=row[0])
        if row[0] >= header.SEARCHED_ROWS:
            break
    header.refuse([(number, cells or ()) for number, cells, _ in first], matcher, encoding=found.label)
    raise AssertionError("a header that is refused raises")


class _Records:
    """The records of a file: line where each starts, fields, and what is wrong with it."""

    def __init__(self, path: Path, found: encoding.Encoding) -> None:
        self.width = 0
        self._path = path
        self._encoding = found

    def __iter__(self) -> Iterator[Row]:
        with self._path.open("r", encoding=self._encoding.name, errors="strict", newline="") as stream:
            if self._encoding.has_bom:
                stream.read(1)
            yield from self._records(stream)

    def _records(self, stream: TextIO) -> Iterator[Row]:
        has_moved, has_damage = self._encoding.has_moved, self._encoding.has_damage
        number = 0
        fields: list[str] | None
        for line in stream:
            number += 1
            if '"' not in line:
                if has_moved:
                    line = line.translate(encoding.MOVED)
                fields = line.rstrip("\r\n").split(",")
                bad = DAMAGED_TEXT if has_damage and DAMAGE.search(line) else None
                if len(line) > LONGEST_CELL and max(map(len, fields)) > LONGEST_CELL:
                    bad = CELL_TOO_LONG
                yield number, fields, bad
                continue
            start = number
            fields = []
            bad = None
            pieces: list[str] = []
            for part in self._quoted(line, start, stream, pieces):
                if isinstance(part, Bad):
                    bad, fields = part, None if part is TEXT_AFTER_QUOTE else fields
                elif isinstance(part, int):
                    number += part
                elif fields is not None:
                    fields.append(part.translate(encoding.MOVED) if has_moved else part)
            if bad is None and fields and has_damage and any(DAMAGE.search(f) for f in fields):
                bad = DAMAGED_TEXT
            if bad is None and fields and max(map(len, fields)) > LONGEST_CELL:
                bad = CELL_TOO_LONG
            if number > start:
                self._check_swallowed(start, fields, pieces)
            yield start, fields, bad

    def _quoted(self, line: str, start: int, stream: TextIO, pieces: list[str]) -> Iterator[str | int | Bad]:
        """Take a record with quotes apart; yields its fields, the lines that it took besides the first, its fault.

        ``pieces`` receives the lines that lie wholly inside a quoted field.
        """
        at = 0
        while True:
            if not line.startswith('"', at):
                comma = line.find(",", at)
                if comma < 0:
                    yield line[at:].rstrip("\r\n")
                    return
                yield line[at:comma]
                at = comma + 1
                continue
            opened, lines, kept, is_long = start, 0, 0, False
            value: list[str] = []
            at += 1
            while True:
                end = _closing(line, at)
                part = line[at:] if end < 0 else line[at:end]
                kept += len(part)
                if kept > _LONGEST_RECORD:
                    is_long = True
                    value.clear()
                else:
                    value.append(part)
                if end >= 0:
                    break
                if lines and len(pieces) < 10_000:
                    pieces.append(line)
                line = next(stream, "")
                at = 0
                if not line:
                    raise _unclosed(opened)
                lines += 1
            if lines:
                start += lines
                yield lines
            if is_long:
                yield CELL_TOO_LONG
            yield "".join(value).replace('""', '"')
            at = end + 1
            if line.startswith(",", at):
                at += 1
            elif not line[at:].strip("\r\n"):
                return
            elif lines:
                raise _unclosed(opened)
            else:
                yield TEXT_AFTER_QUOTE
                return

    def _check_swallowed(self, start: int, fields: list[str] | None, pieces: list[str]) -> None:
        """A record that has other fields than the header, and whole rows inside a quoted one, swallowed them."""
        if self.width < 3 or fields is None or len(fields) == self.width:
            return
        if any(piece.count(",") == self.width - 1 for piece in pieces):
            raise _unclosed(start)


def _closing(line: str, at: int) -> int:
    """Where the quote is that closes a field, -1 when it stays open; doubled quotes are text."""
    while True:
        at = line.find('"', at)
        if at < 0 or not line.startswith('""', at):
            return at
        at += 2


def _unclosed(line: int) -> FileRefused:
    return refusal(
        "unclosed_quote",
        f"第 {line} 行打开的引号没有正确关闭，其后的行被吞入同一单元格",
        f"the quote that opens in line {line} is not closed properly and swallows the lines after it",
        "请更正该行的引号后重新导出",
        "mend the quotes of that line and export it again",
        row=line,
    )
