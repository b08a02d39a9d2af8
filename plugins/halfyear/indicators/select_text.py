"""Selects as texts: what is a parameter in them, what they name and give, and how named selects are put before another."""

from __future__ import annotations

import re
from collections.abc import Callable

#: The bound parameters of a select and their types; ``begins_at`` and ``ends_at`` are the half-year's bounds as instants.
PARAMETERS = {
    "first_day": "date",
    "last_day": "date",
    "next_day": "date",
    "begins_at": "timestamptz",
    "ends_at": "timestamptz",
    "as_known": "timestamptz",
}

# What is not a parameter comes first: texts, quoted names, comments and casts.
TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|::|:(?P<name>[a-z_]+)", re.DOTALL)
_COMMENT = re.compile(r"('(?:[^']|'')*')|--[^\n]*|/\*.*?\*/", re.DOTALL)
# A select that looks at no row but its own: each of these words would look at others, or give more or fewer rows.
_OTHER_ROWS = re.compile(
    r"\b(select|from|where|over|distinct|group|having|union|intersect|except|join|limit|offset|fetch|window|unnest|"
    r"generate_\w+|\w+_to_table|regexp_matches|jsonb?_\w+)\b",
    re.IGNORECASE,
)


def without_comments(select: str) -> str:
    """A select without its comments; texts in quotes stay."""
    return _COMMENT.sub(lambda match: match[1] or " ", select)


def is_row_wise(select: str, base: str) -> bool:
    """Whether a select, value sets not yet expanded, is ``select *, <expressions> from <base>`` of one row each."""
    match = re.fullmatch(rf"select\s+\*(,.*)?\s+from\s+{base}\s*", without_comments(select), re.DOTALL)
    texts_and_fields = r"'(?:[^']|'')*'|extract\(\w+ from"
    return match is not None and not _OTHER_ROWS.search(re.sub(texts_and_fields, "", match[1] or ""))


def gives(select: str, column: str) -> bool:
    """Whether a select gives a column this name, by ``as``."""
    return re.search(rf'\bas\s+(?:{column}\b|"{column}")', without_texts(select), re.IGNORECASE) is not None


def without_texts(select: str) -> str:
    """A select without its comments and the texts in quotes."""
    return re.sub(r"'(?:[^']|'')*'", "''", without_comments(select))


def spaced_once(sql: str) -> str:
    """A select without its comments, each blank outside texts once: what it says, however it is written."""
    parts = re.split(r"('(?:[^']|'')*')", without_comments(sql))
    parts[::2] = [re.sub(r"\s+", " ", part) for part in parts[::2]]
    return "".join(parts).strip()


def bind(sql: str, replace: Callable[[str], str], escape_percent: bool = False) -> str:
    """A select with each ``:parameter`` replaced by ``replace(name)``; texts, comments and casts stay as they are."""

    def token(match: re.Match[str]) -> str:
        name = match["name"]
        return "\0" + replace(name) + "\0" if name in PARAMETERS else match[0]

    parts = TOKEN.sub(token, sql).split("\0")
    if escape_percent:
        parts[::2] = [part.replace("%", "%%") for part in parts[::2]]
    return "".join(parts)


def query(sql: str) -> str:
    """A select for psycopg2: ``%(name)s`` parameters, typed; every other % doubled."""
    return bind(sql, lambda name: f"cast(%({name})s as {PARAMETERS[name]})", escape_percent=True)


def relations_text(relations: tuple[tuple[str, str], ...]) -> str:
    """Named selects as they stand behind ``with``."""
    return ",\n\n".join(f"{name} as (\n{_indented(text)})" for name, text in relations)


def on_top(relations: tuple[tuple[str, str], ...], select: str) -> str:
    """A select with named selects before it; it may name some itself."""
    if select.startswith("with "):
        return f"with {relations_text(relations)},\n\n{select.removeprefix('with ')}"
    return f"with {relations_text(relations)}\n\n{select}"


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" if line else "\n" for line in text.rstrip().split("\n"))
