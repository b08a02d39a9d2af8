"""CSV: comma-separated records after RFC 4180, with CRLF, LF or CR, streamed.

A quote inside an unquoted field is text. Text after a closing quote makes the row bad. A quote that is never
closed swallows the rows after it, so it refuses the file and names the line where it opens.

Lines are taken apart by Arrow, a block at a time. One by one are read the records whose quotes are out of order or hold
a line break, and all of a block in which something is unusual (CR alone, NUL, U+FFFD). The rows of a block are counted
twice: as lines, and as what Arrow made of them.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import csv as arrow_csv

from halfyear.errors import FileRefused
from halfyear.reading import encoding, header
from halfyear.reading.fault import CELL_TOO_LONG, DAMAGED_TEXT, LONGEST_CELL, TEXT_AFTER_QUOTE, Bad, refusal
from halfyear.reading.plan import Plan
from halfyear.reading.table import Block, Row, Table
from halfyear.reading.value import DAMAGE

#: A record of more characters is not kept: either it is bad or a quote was never closed.
_LONGEST_RECORD = 8_000_000
_BLOCK = 6 << 20
#: What Arrow parses at once; larger pieces leave the processor's cache.
_PIECE = 1 << 20
#: More lines of a block than this with another number of fields, and it is read line by line.
_MOST_ODD = 1000
_BREAK = re.compile(rb"\r\n|\r|\n")


def open_table(path: Path, plan: Plan) -> Table:
    """Find encoding and header; the rows stream from there."""
    found = encoding.examine(path, allow_gb18030=True)
    records = _Records(path, found)
    first: list[Row] = []
    matcher = header.Matcher(plan)
    for row in records.one_by_one():
        first.append(row)
        located = header.locate([row[1] or ()], matcher)
        if located:
            records.header = located[1]
            return Table(located[1], records.in_blocks(), encoding=found.label, header_row=row[0])
        if row[0] >= header.SEARCHED_ROWS:
            break
    header.refuse([(number, cells or ()) for number, cells, _ in first], matcher, encoding=found.label)
    raise AssertionError("a header that is refused raises")


class _Lines:
    """The lines of a file in UTF-8: ``block`` holds whole ones, of which those before ``at`` are taken."""

    def __init__(self, path: Path, found: encoding.Encoding) -> None:
        self.block = b""
        self.at = 0
        #: How many lines of the file are taken.
        self.number = 0
        #: Something in the block has to be looked at line by line.
        self.is_odd = False
        self.has_damage = False
        self._has_lone_cr = False
        self._parts = encoding.decoded(path, found, _BLOCK)
        self._rest = b""
        self._is_last = False

    def fill(self) -> bool:
        """See to it that a line is there; False at the end of the file."""
        while self.at == len(self.block):
            if self._is_last:
                return False
            part = next(self._parts, None)
            self._is_last = part is None
            data = self._rest + part if part else self._rest
            end = len(data) if part is None else data.rfind(b"\n") + 1 or data.rfind(b"\r", 0, -1) + 1
            self.block, self._rest, self.at = data[:end], data[end:], 0
            self._look()
        return True

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        if not self.fill():
            raise StopIteration
        if self._has_lone_cr:
            found = _BREAK.search(self.block, self.at)
            end = found.end() if found else len(self.block)
        else:
            end = self.block.find(b"\n", self.at) + 1 or len(self.block)
        line = self.block[self.at : end].decode()
        self.at = end
        self.number += 1
        return line

    def take_until(self, end: int) -> range:
        """Pass over the whole lines that end at ``end``; the numbers that they have."""
        first = self.number + 1
        lines = self.block[self.at : end]
        self.number += len(lines) - len(lines.replace(b"\n", b""))  # three times as fast as count
        if lines and lines[-1] != 10:  # the last line of the file may lack its break
            self.number += 1
        self.at = end
        return range(first, self.number + 1)

    def _look(self) -> None:
        block = self.block
        self._has_lone_cr = b"\r" in block and block.count(b"\r") != block.count(b"\r\n")
        self.has_damage = b"\0" in block or (
            b"\xef" in block and (b"\xef\xbf\xbd" in block or b"\xef\xbb\xbf" in block)
        )
        self.is_odd = self._has_lone_cr or self.has_damage


class _Records:
    """The records of a file: line where each starts, fields, and what is wrong with it."""

    def __init__(self, path: Path, found: encoding.Encoding) -> None:
        #: Set when it is found; rows in blocks are those below it.
        self.header = header.Header([], 0, 0, [], [], [], [])
        self._lines = _Lines(path, found)

    def one_by_one(self) -> Iterator[Row]:
        for line in self._lines:
            yield self._record(line)

    def in_blocks(self) -> Iterator[Row | Block]:
        """The rows below the header."""
        lines = self._lines
        while lines.fill():
            if lines.is_odd:
                yield self._record(next(lines))
            else:
                yield from self._block()

    def _block(self) -> Iterator[Row | Block]:
        """What is left of a block: its usual lines as columns, its other records among them where they stand."""
        lines = self._lines
        block, start = lines.block, lines.at
        text: list[memoryview] = []
        numbers: list[range] = []
        odd: list[Row] = []

        def take(end: int) -> None:
            if end > lines.at:
                text.append(memoryview(block)[lines.at : end])
                numbers.append(lines.take_until(end))

        quoted = _quoted_lines(block, start)
        if quoted and self._are_usual([block[first:end] for first, end in quoted]):
            quoted = []
        for first, end in quoted:
            if first < lines.at:  # a part of a record that was read with its first line
                continue
            if not self._are_usual([block[first:end]]):
                take(first)
                odd.append(self._record(next(lines)))
                if lines.block is not block:  # a quoted field went on into the next one
                    break
        else:
            take(len(block))
        yield from self._parsed(text[0] if len(text) == 1 else b"".join(text), numbers, odd)

    def _are_usual(self, lines: list[bytes]) -> bool:
        """Whether each line is a whole record after RFC 4180 with as many fields as the header.

        Such records are the same to Python's csv module and to Arrow.
        """
        try:
            widths = list(map(len, csv.reader([line.decode() for line in lines], strict=True)))
        except csv.Error:
            return False
        return widths == [self.header.width] * len(lines)

    def _parsed(self, text: bytes | memoryview, numbered: list[range], odd: list[Row]) -> Iterator[Row | Block]:
        """Take lines apart. Those of another width join the ``odd`` rows, which stand where they belong."""
        count = sum(map(len, numbered))
        if not count:
            yield from odd
            return
        misfits: list[tuple[int, str]] = []

        def misfit(row: arrow_csv.InvalidRow) -> str:
            misfits.append((row.number - 1, row.text))
            return "skip"

        names = [str(place) for place in range(self.header.width)]
        try:
            table = arrow_csv.read_csv(
                pa.BufferReader(pa.py_buffer(text)),
                read_options=arrow_csv.ReadOptions(column_names=names, use_threads=False, block_size=_PIECE),
                parse_options=arrow_csv.ParseOptions(ignore_empty_lines=False, invalid_row_handler=misfit),
                convert_options=arrow_csv.ConvertOptions(
                    column_types=dict.fromkeys(names, pa.string()),
                    check_utf8=False,
                    strings_can_be_null=True,
                    null_values=[""],
                ),
            )
            pieces = chain.from_iterable(column.chunks for column in table.columns)
            is_usual = len(misfits) <= _MOST_ODD and not any(map(_has_long_cell, pieces))
        except pa.ArrowInvalid:  # a line longer than a piece
            is_usual = False
        if not is_usual:
            lines = zip(chain.from_iterable(numbered), bytes(text).split(b"\n"), strict=False)
            rows = [*odd, *(self._whole(number, line.decode()) for number, line in lines)]
            yield from sorted(rows, key=lambda row: row[0])
            return
        if table.num_rows + len(misfits) != count:
            raise AssertionError(f"{table.num_rows} rows and {len(misfits)} others in {count} lines")
        numbers = pa.concat_arrays([pa.arange(each.start, each.stop) for each in numbered])
        if misfits:
            places = pa.array([place for place, _ in misfits])
            misfit_numbers = numbers.take(places).to_pylist()
            odd += [self._whole(number, line) for number, (_, line) in zip(misfit_numbers, misfits, strict=True)]
            numbers = numbers.filter(pc.invert(pc.is_in(numbers, value_set=numbers.take(places))))
        block = Block(numbers, [_combined(column) for column in table.columns])
        yield from block.with_rows(sorted(odd, key=lambda row: row[0])) if odd else (block,)

    def _record(self, line: str) -> Row:
        """The record that begins with ``line``; further lines of it are taken from the file."""
        number = self._lines.number
        has_damage = self._lines.has_damage
        if '"' not in line:
            return self._whole(number, line)
        fields: list[str] | None = []
        bad: Bad | None = None
        pieces: list[str] = []
        for part in self._quoted(line, pieces):
            if isinstance(part, Bad):
                bad, fields = part, None if part is TEXT_AFTER_QUOTE else fields
            elif fields is not None:
                fields.append(part)
        has_damage = has_damage or self._lines.has_damage
        if bad is None and fields and has_damage and any(DAMAGE.search(f) for f in fields):
            bad = DAMAGED_TEXT
        if bad is None and fields and max(map(len, fields)) > LONGEST_CELL:
            bad = CELL_TOO_LONG
        if self._lines.number > number:
            self._check_swallowed(number, fields, pieces)
        return number, fields, bad

    def _whole(self, number: int, line: str) -> Row:
        """The record of one line that is usual or has no quotes."""
        fields = next(csv.reader((line,), strict=True)) if '"' in line else line.rstrip("\r\n").split(",")
        bad = DAMAGED_TEXT if self._lines.has_damage and DAMAGE.search(line) else None
        if len(line) > LONGEST_CELL and max(map(len, fields)) > LONGEST_CELL:
            bad = CELL_TOO_LONG
        return number, fields, bad

    def _quoted(self, line: str, pieces: list[str]) -> Iterator[str | Bad]:
        """Take a record with quotes apart; yields its fields and its fault.

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
            opened, lines, kept, is_long = self._lines.number, 0, 0, False
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
                line = next(self._lines, "")
                at = 0
                if not line:
                    raise _unclosed(opened)
                lines += 1
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
        width = self.header.named_width
        if width < 3 or fields is None or len(fields) == width:
            return
        if any(piece.count(",") == width - 1 for piece in pieces):
            raise _unclosed(start)


def _has_long_cell(cells: pa.Array) -> bool:
    """Whether a cell has more bytes than any may have characters; where all together have fewer, none is asked."""
    data = cells.buffers()[2]
    return data is not None and data.size > LONGEST_CELL and pc.max(pc.binary_length(cells)).as_py() > LONGEST_CELL


def _combined(column: pa.ChunkedArray) -> pa.Array:
    found = column.combine_chunks()
    return pa.concat_arrays(found.chunks) if isinstance(found, pa.ChunkedArray) else found


def _quoted_lines(block: bytes, start: int) -> list[tuple[int, int]]:
    """Where the lines from ``start`` on begin and end that hold a quote."""
    found = []
    while (quote := block.find(b'"', start)) >= 0:
        start = max(block.rfind(b"\n", start, quote) + 1, start)
        end = block.find(b"\n", quote) + 1 or len(block)
        found.append((start, end))
        start = end
    return found


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
