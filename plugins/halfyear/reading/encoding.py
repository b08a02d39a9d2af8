"""Encodings: the whole file is strict UTF-8, or else strict GB18030; never line by line, never with replacement.

GB18030 decodes nearly anything, so UTF-8 is tried first on every byte; a file that is UTF-8 except in a few places
is damaged UTF-8, not GB18030. Python's table is GB18030-2000: the editions of 2005 and 2022 moved 1 and 18 two-byte
codes out of the private use area, which ``MOVED`` does afterwards.
"""

from __future__ import annotations

import codecs
import os
import re
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa

from halfyear.errors import FileRefused
from halfyear.reading.fault import refusal

_CHUNK = 1 << 20
#: From so many bytes on a file is examined in two threads.
_LARGE = 16 << 20
#: From where Python's table puts them to where GB18030-2022 (and 2005, for ḿ) does.
MOVED = {
    0xE78D: 0xFE10,
    0xE78E: 0xFE12,
    0xE78F: 0xFE11,
    **{0xE790 + i: 0xFE13 + i for i in range(7)},
    0xE7C7: 0x1E3F,
    0xE81E: 0x9FB4,
    0xE826: 0x9FB5,
    0xE82B: 0x9FB6,
    0xE82C: 0x9FB7,
    0xE832: 0x9FB8,
    0xE843: 0x9FB9,
    0xE854: 0x9FBA,
    0xE864: 0x9FBB,
}
_MOVED = re.compile("[" + "".join(map(chr, MOVED)) + "]")
_THREE_BYTES = re.compile(rb"[\xe0-\xef][\x80-\xbf][\x80-\xbf]")
_NOT_ASCII = re.compile(rb"[\x80-\xff]")


@dataclass(frozen=True)
class Encoding:
    """How to decode a file."""

    name: str
    has_bom: bool

    @property
    def label(self) -> str:
        return f"{self.name}-sig" if self.has_bom and self.name == "utf-8" else self.name


def examine(path: Path, allow_gb18030: bool) -> Encoding:
    """Read every byte as UTF-8; what is not UTF-8 is GB18030 where that is allowed, and ``decoded`` finds out.

    Raises FileRefused, naming the line, when the file can be neither.
    """
    with path.open("rb") as file:
        has_bom = file.read(3) == codecs.BOM_UTF8
    if _is_utf8(path):
        return Encoding("utf-8", has_bom)
    line, offset, share = _first_fault(path, "utf-8")
    if not allow_gb18030 or has_bom or share > 0.6:
        raise _undecodable("UTF-8", line, offset)
    return Encoding("gb18030", has_bom=False)


def decoded(path: Path, found: Encoding, size: int) -> Iterator[bytes]:
    """The file as UTF-8 in parts of about ``size`` bytes, without the BOM at its start.

    Raises FileRefused, naming the line, where GB18030 turns out not to be that; UTF-8 was examined before.
    """
    decoder = codecs.getincrementaldecoder("gb18030")("strict")
    is_first = True
    with path.open("rb") as file:
        while block := file.read(size):
            if found.name == "gb18030":
                block = _as_utf8(path, decoder, block)
            yield block.removeprefix(codecs.BOM_UTF8) if is_first else block
            is_first = False
    if found.name == "gb18030":
        yield _as_utf8(path, decoder, b"")


def _as_utf8(path: Path, decoder: codecs.IncrementalDecoder, block: bytes) -> bytes:
    try:
        text = decoder.decode(block, final=not block)
    except UnicodeDecodeError:
        line, offset, _ = _first_fault(path, "gb18030")
        raise _undecodable("UTF-8 / GB18030", line, offset) from None
    plain = text.encode()
    # The first byte of all that has moved; the pattern alone is slow.
    return text.translate(MOVED).encode() if b"\xee" in plain and _MOVED.search(text) else plain


def _undecodable(names: str, line: int, offset: int) -> FileRefused:
    return refusal(
        "undecodable",
        f"无法按 {names} 解码，第 {offset} 字节起有错",
        f"cannot be decoded as {names}, from byte {offset} on",
        "请以 UTF-8 或 GB18030 重新导出",
        "export it again as UTF-8 or GB18030",
        row=line,
    )


def _is_utf8(path: Path) -> bool:
    """Whether every byte of the file is valid UTF-8, asked of Arrow, which is five times as fast as decoding.

    A large file is asked in two threads: nothing can be parsed before its encoding is known.
    """
    with path.open("rb") as file:
        number, size = file.fileno(), os.fstat(file.fileno()).st_size

        def is_valid(start: int) -> bool:
            return _is_valid(_characters(os.pread(number, _CHUNK + 3, start), start == 0))

        starts = range(0, size, _CHUNK)
        if size < _LARGE:
            return all(map(is_valid, starts))
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(2) as threads:
            try:
                return all(threads.map(is_valid, starts))
            finally:
                threads.shutdown(cancel_futures=True)


def _characters(block: bytes, is_first: bool) -> memoryview:
    """The characters that begin in a chunk; the block has as many bytes more as the last one may need."""
    begin, end = 0, min(len(block), _CHUNK)
    while not is_first and begin < 3 and _continues(block, begin):
        begin += 1
    while _continues(block, end):
        end += 1
    return memoryview(block)[begin:end]


def _continues(block: bytes, place: int) -> bool:
    return place < len(block) and 0x80 <= block[place] < 0xC0


def _is_valid(block: memoryview) -> bool:
    offsets = pa.py_buffer(struct.pack("=ii", 0, len(block)))
    try:
        pa.StringArray.from_buffers(1, offsets, pa.py_buffer(block)).validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _first_fault(path: Path, name: str) -> tuple[int, int, float]:
    """Line and byte (1-based) of the first fault, and which share of the block's foreign bytes is valid UTF-8."""
    decoder = codecs.getincrementaldecoder(name)("strict")
    lines = done = 0
    with path.open("rb") as file:
        while True:
            block = file.read(_CHUNK)
            kept = decoder.getstate()[0]
            try:
                decoder.decode(block, final=not block)
            except UnicodeDecodeError as error:
                before = (kept + block)[: error.start]
                sample = kept + block
                foreign = len(_NOT_ASCII.findall(sample))
                valid = 3 * len(_THREE_BYTES.findall(sample))
                return lines + _breaks(before) + 1, done - len(kept) + error.start + 1, valid / max(1, foreign)
            lines += _breaks(block)
            done += len(block)


def _breaks(block: bytes) -> int:
    return block.count(b"\n") or block.count(b"\r")
