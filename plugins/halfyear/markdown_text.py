"""Markdown: texts and tables of the pages, notes and reports that Halfyear writes (GitHub Flavored Markdown)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

_SPECIAL = re.compile(r"([\\`*<>|\[\]#])")


def escaped(text: object) -> str:
    """A text on one line that begins no markup and ends no cell of a table."""
    return _SPECIAL.sub(r"\\\1", " ".join(str(text).splitlines()))


def cell(markup: str) -> str:
    """Markup on one line, in which a bar ends no cell of a table."""
    return " ".join(markup.split()).replace("|", "\\|")


def table(heading: Iterable[str], rows: Iterable[Iterable[str]], align: Sequence[str] = ()) -> str:
    """A table of cells that are escaped already; ``align`` has the rule below each heading, ``---`` where there is none."""
    head = list(heading)
    lines = [head, align or ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
