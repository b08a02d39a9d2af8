"""The template of the half-year report: a text that a person edits, with slots for figures.

It is ``expectations/report/half_year_report.md``; ``docs/how-to/report.md`` says what may stand in it.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from halfyear.errors import ContractError, UsageError
from halfyear.indicators.definition import Definition
from halfyear.publishing.report.annex import ANNEXES
from halfyear.settings import Settings

#: Slots that are filled with a fact about the half-year or its report instead of a figure.
FACTS = ("period", "previous_period", "year_ago_period", "first_day", "last_day", "date")
_BLOCKS = ("table", "chart", "annex")
_HEADING = re.compile(r"(#{1,4}) +(\S.*)\Z")
_SLOT = re.compile(r"\{([^{}\n]*)\}")
_CHOICE = re.compile(r"\[([a-z0-9_.]+)=0[:：]([^|\[\]]*)\|([^|\[\]]*)\]", re.DOTALL)
_COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Slot:
    """``{name}`` or ``{name:change}`` in a sentence; ``line`` is that of the file."""

    name: str
    change: bool
    line: int


@dataclass(frozen=True)
class Choice:
    """``[name=0：zero|other]`` in a sentence: what is said where the figure is exactly zero, and what is said otherwise."""

    name: str
    zero: tuple[str | Slot, ...]
    other: tuple[str | Slot, ...]
    line: int


@dataclass(frozen=True)
class Part:
    """One block of the template: its kind, what it is made of, and the line on which it begins.

    ``pieces`` are texts and slots, for headings, paragraphs and the lines of a signature; ``argument`` is what
    a table, chart or annex is of, ``caption`` what a person wants written over it.
    """

    kind: Literal["heading", "paragraph", "signature", "table", "chart", "annex", "page"]
    line: int
    pieces: tuple[str | Slot | Choice, ...] = ()
    argument: str = ""
    caption: str = ""
    level: int = 0

    @property
    def slots(self) -> list[Slot]:
        """Every slot of it, those of both sides of a choice too, and the figure that a choice asks for."""
        found: list[Slot] = []
        for piece in self.pieces:
            if isinstance(piece, Choice):
                found.append(Slot(piece.name, False, piece.line))
                found += [each for each in (*piece.zero, *piece.other) if isinstance(each, Slot)]
            elif isinstance(piece, Slot):
                found.append(piece)
        return found


@dataclass(frozen=True)
class Template:
    """The parts of a template in their order; ``name`` is the file's."""

    name: str
    parts: tuple[Part, ...]


def path(settings: Settings) -> Path:
    """The template of the checkout."""
    return settings.expectations / "report" / "half_year_report.md"


def parse(text: str, name: str, definitions: Mapping[str, Definition]) -> Template:
    """Read a template. ``definitions`` are the published ones by code.

    Raises ContractError with file and line of every slot that nothing is known of.
    """
    problems: list[str] = []
    domains = {d.domain for d in definitions.values()}

    def wrong(line: int, slot: str, known: Sequence[str], zh: str, en: str) -> None:
        near = difflib.get_close_matches(slot.partition(":")[2] or slot, known, 1)
        hint = f"; {near[0]}?" if near else ""
        problems.append(f"{name} line {line}: {{{slot}}}: {zh} / {en}{hint}")

    def pieces(line: int, content: str) -> tuple[str | Slot, ...]:
        found: list[str | Slot] = []
        for number, piece in enumerate(_SLOT.split(content)):
            if number % 2 == 0:
                if "{" in piece or "}" in piece:
                    problems.append(f"{name} line {line}: 花括号不成对 / a brace without its other half")
                if piece:
                    found.append(piece)
                continue
            code, colon, what = piece.partition(":")
            if _is_block(piece):
                wrong(line, piece, (), "须独占一行", "stands on a line of its own")
            elif code not in definitions and (code not in FACTS or colon):
                wrong(line, piece, [*definitions, *FACTS], "没有这个指标代码", "no indicator has this code")
            elif colon and what != "change":
                wrong(line, piece, (), "冒号后只能是 change", "after the colon only change may stand")
            else:
                found.append(Slot(code, bool(colon), line))
        return tuple(found)

    def paragraph(lines: Sequence[tuple[int, str]]) -> tuple[str | Slot | Choice, ...]:
        """The pieces of the lines of a paragraph; a choice may go over several lines."""
        found: list[str | Slot | Choice] = []
        waiting: list[tuple[int, str]] = []
        for line, content in lines:
            waiting.append((line, content))
            text = "".join(each for _, each in waiting)
            if text.count("[") > text.count("]"):
                continue
            first = waiting[0][0]
            waiting.clear()
            if first == line and not _CHOICE.search(text):
                found += pieces(line, text)
                continue
            for place, piece in enumerate(_CHOICE.split(text)):
                match place % 4:
                    case 0:
                        found += pieces(line, piece)
                    case 1:
                        code = piece
                        if code not in definitions:
                            wrong(line, code, list(definitions), "没有这个指标代码", "no indicator has this code")
                    case 2:
                        zero = pieces(line, piece)
                    case _:
                        found.append(Choice(code, zero, pieces(line, piece), line))
        for line, content in waiting:
            problems.append(f"{name} line {line}: 方括号不成对 / a bracket without its other half")
            found += pieces(line, content)
        return tuple(found)

    def block(line: int, slot: str) -> Part:
        kind, _, argument = slot.partition(":")
        argument, _, caption = argument.strip().partition(" ")
        names = argument.split(",")
        if kind == "annex":
            if argument not in ANNEXES:
                wrong(line, slot, ANNEXES, "没有这个附件", "there is no such annex")
        elif argument not in domains:
            for each in names:
                if each not in definitions:
                    wrong(line, f"{kind}:{each}", [*definitions, *domains], "没有这个指标代码或领域",
                          "no indicator and no domain has this name")  # fmt: skip
            if kind == "chart" and len({definitions[n].unit for n in names if n in definitions}) > 1:
                wrong(line, slot, (), "一张图只能有一种单位", "a chart has one unit")
        return Part(kind, line, argument=argument, caption=caption.strip())  # type: ignore[arg-type]

    parts: list[Part] = []
    sentence: list[tuple[int, str]] = []

    def close() -> None:
        """A paragraph ends; its lines are joined without a space, as Chinese is."""
        if sentence:
            parts.append(Part("paragraph", sentence[0][0], paragraph(sentence)))
            sentence.clear()

    without_comments = _COMMENT.sub(lambda comment: "\n" * comment[0].count("\n"), text)
    for line, content in enumerate(map(str.strip, without_comments.splitlines()), start=1):
        heading = _HEADING.match(content)
        alone = _SLOT.fullmatch(content)
        if content and not (heading or content.startswith(">") or (alone and _is_block(alone[1]))):
            sentence.append((line, content))
            continue
        close()
        if heading:
            parts.append(Part("heading", line, pieces(line, heading[2]), level=len(heading[1])))
        elif content.startswith(">"):
            parts.append(Part("signature", line, pieces(line, content[1:].strip())))
        elif alone:
            parts.append(Part("page", line) if alone[1] == "page" else block(line, alone[1]))
    close()
    if problems:
        raise ContractError("; ".join(dict.fromkeys(problems)))
    return Template(name, tuple(parts))


def _is_block(slot: str) -> bool:
    return slot == "page" or (":" in slot and slot.partition(":")[0] in _BLOCKS)


def load(settings: Settings, definitions: Mapping[str, Definition]) -> Template:
    """Read the template of the checkout; UsageError when it is not there."""
    file = path(settings)
    try:
        text = file.read_text("utf-8-sig")
    except FileNotFoundError:
        raise UsageError(f"{file}: 没有报告模板 / there is no template of the report") from None
    except UnicodeDecodeError:
        raise ContractError(f"{file.name}: 应为 UTF-8 编码 / must be encoded in UTF-8") from None
    return parse(text, file.name, definitions)
