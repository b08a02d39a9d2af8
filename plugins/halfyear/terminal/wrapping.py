"""Sentences in lines of so many cells of a terminal: Chinese between any two characters, anything else between words."""

from __future__ import annotations

import re

# The characters between which a line may end without a space; what closes stays with what it closes, what opens likewise.
_WIDE = "\u2e80-\u2fff\u3003-\u3007\u3021-\u9fff\uf900-\ufaff"
_OPENING = "（《「『“"
_CLOSING = "，。；：、！？）》」』”"
_UNIT = re.compile(
    rf"\s*(?:[{_OPENING}]*(?:[{_WIDE}]|[^\s{_WIDE}{_OPENING}{_CLOSING}]+)[{_CLOSING}]*(?:(?<=[{_WIDE}{_CLOSING}])[,;:.)\]]+)?|\S)"
)


def wrapped(text: str, width: int, indent: str = "") -> list[str]:
    """The lines of a text, all but the first behind ``indent``; a word that is wider than ``width`` is left whole."""
    from rich.cells import cell_len

    lines = [""]
    room = width
    for unit in _UNIT.findall(text.strip()):
        needed = cell_len(unit)
        if needed > room and lines[-1]:
            lines.append(indent + unit.lstrip())
            room = width - cell_len(lines[-1])
        else:
            lines[-1] += unit
            room -= needed
    return lines
