"""Encodings: the whole file is strict UTF-8, or else strict GB18030; never line by line, never with replacement.

GB18030 decodes nearly anything, so UTF-8 is tried first on every byte; a file that is UTF-8 except in a few places
is damaged UTF-8, not GB18030. Python's table is GB18030-2000: the editions of 2005 and 2022 moved 1 and 18 two-byte
codes out of the private use area, which ``MOVED`` does afterwards.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path

from halfyear.errors import FileRefused
from halfyear.reading.fault import refusal
from halfyear.reading.value import DAMAGE

_CHUNK = 1 << 20
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
    """How to decode a file, and what to look for in its lines."""

    name: str
    has_bom: bool
    has_damage: bool
    has_moved: bool

    @property
    def label(self) -> str:
        return f"{self.name}-sig" if self.has_bom and self.name == "utf-8" else self.name


def examine(path: Path, allow_gb18030: bool) -> Encoding:
    """Decode the whole file once; raise FileRefused, naming the line, when it is neither encoding."""
    try:
        return _decode(path, "utf-8")
    except UnicodeDecodeError:
        pass
    line, offset, share = _first_fault(path, "utf-8")
    with path.open("rb") as file:
        has_bom = file.read(3) == codecs.BOM_UTF8
    if not allow_gb18030 or has_bom or share > 0.6:
        raise _undecodable("UTF-8", line, offset)
    try:
        return _decode(path, "gb18030")
    except UnicodeDecodeError:
        line, offset, _ = _first_fault(path, "gb18030")
        raise _undecodable("UTF-8 / GB18030", line, offset) from None


def _undecodable(names: str, line: int, offset: int) -> FileRefused:
    return refusal(
        "undecodable",
        f"无法按 {names} 解码，第 {offset} 字节起有错",
        f"cannot be decoded as {names}, from byte {offset} on",
        "请以 UTF-8 或 GB18030 重新导出",
        "export it again as UTF-8 or GB18030",
        row=line,
    )


def _decode(path: Path, name: str) -> Encoding:
    decoder = codecs.getincrementaldecoder(name)("strict")
    has_bom = has_damage = has_moved = False
    with path.open("rb") as file:
        is_first = True
        while True:
            block = file.read(_CHUNK)
            text = decoder.decode(block, final=not block)
            if is_first and text:
                has_bom = text[0] == "\ufeff"
                text = text[1:] if has_bom else text
                is_first = False
            has_damage = has_damage or DAMAGE.search(text) is not None
            has_moved = has_moved or (name == "gb18030" and _MOVED.search(text) is not None)
            if not block:
                return Encoding(name, has_bom, has_damage, has_moved)


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
