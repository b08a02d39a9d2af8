"""Scan: the statement that asks for the sums of all indicators that are taken from the same rows.

Each population is asked once, and all its indicators, readings and bodies are taken from that one scan; populations that
look at one row at a time share the pass over their source.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

import psycopg2
from psycopg2.extensions import AsIs
from psycopg2.extensions import cursor as Cursor

from halfyear import period as periods
from halfyear.contract import place
from halfyear.errors import ContractError
from halfyear.indicators.definition import COLUMNS, Definition, Parts
from halfyear.indicators.select_text import on_top, query, relations_text, without_comments
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE

_TOTALS = """count(*) as rows,
    coalesce(sum(quantity) filter (where in_numerator), 0)::numeric as numerator,
    coalesce(sum(quantity) filter (where in_denominator), 0)::numeric as denominator"""


def parameters(period: Period, as_known: datetime | None) -> dict[str, Any]:
    """The bound parameters of a select for a half-year, as known at an instant (None: now)."""
    if as_known is not None and as_known.tzinfo is None:
        as_known = as_known.replace(tzinfo=LOCAL_ZONE)
    return {
        "first_day": period.first_day,
        "last_day": period.last_day,
        "next_day": period.next_day,
        "begins_at": datetime.combine(period.first_day, time(), LOCAL_ZONE),
        "ends_at": datetime.combine(period.next_day, time(), LOCAL_ZONE),
        "as_known": AsIs("'infinity'") if as_known is None else as_known,
    }


def together(definitions: Sequence[Definition]) -> list[list[Definition]]:
    """The definitions that are taken from one scan, together.

    Those of one population are, and where none of them looks at other rows, those of all populations and readings of one
    source.
    """
    by_base: dict[object, list[Definition]] = {}
    for each in definitions:
        by_base.setdefault(each.parts.relations if each.parts else each.pair, []).append(each)
    found: dict[object, list[Definition]] = {}
    for base, members in by_base.items():
        first = members[0].parts
        is_one_row = first is not None and all(each.parts and each.parts.is_row_wise for each in members)
        found.setdefault(first.laid.rows if first and first.laid and is_one_row else base, []).extend(members)
    return list(found.values())


def check(cursor: Cursor, definitions: Sequence[Definition], sql: Path) -> None:
    """Plan every select and every shared scan, so that a file that does not run is found before the night.

    ``sql`` is the folder of their files. Raises ContractError with the file, its line where that is known, and what
    PostgreSQL says of it; the transaction is then to be rolled back.
    """
    values = parameters(periods.of(date.today()), None)
    for each in definitions:
        try:
            names = _columns(cursor, each.name, each.sql, values)
        except _Refused as refused:
            raise ContractError(f"{_blamed(each, refused, sql)}: {refused.says}") from None
        if names != COLUMNS:
            raise ContractError(
                f"sql/indicators/{each.name}.sql: 应返回这些列 / should return the columns {', '.join(COLUMNS)}, "
                f"not {', '.join(names)}"
            )
        if each.parts:
            _check_added(cursor, each.name, each.parts, values)
    for group in together(definitions):
        _columns(cursor, group[0].name, scan(group), values)


def _check_added(cursor: Cursor, name: str, parts: Parts, values: Mapping[str, Any]) -> None:
    """See that every column that an indicator adds is read, by the package or by the select itself.

    A misspelled ``left_out_because`` would leave nothing out, without a word.
    """
    base = on_top(parts.relations, f"select *\nfrom {parts.base}\n")
    added = on_top((*parts.relations, ("judged", parts.select)), "select *\nfrom judged\n")
    present = set(_columns(cursor, name, base, values))
    if meant := sorted({"excluded_because", "left_out_because", "is_counted"} & present - {*parts.reads}):
        raise ContractError(
            f"sql/indicators/{name}.sql: {parts.base}: 这些列有特定含义，应由查询以 as 给出 / the rows have a column "
            f"{', '.join(meant)}, which decides what counts; a population gives excluded_because, and an indicator the "
            "others, in its own select and by as"
        )
    select = without_comments(parts.select)
    unread = [
        each
        for each in _columns(cursor, name, added, values)
        if each not in present | {*parts.reads} and len(re.findall(rf"\b{re.escape(each)}\b", select)) < 2
    ]
    if unread:
        raise ContractError(
            f"sql/indicators/{name}.sql: 没有人读取这些列 / nobody reads the column {', '.join(unread)}; what an indicator "
            f"adds is left_out_because, is_counted, and what its header names in quantity and over"
        )


def _columns(cursor: Cursor, name: str, text: str, values: Mapping[str, Any]) -> tuple[str, ...]:
    try:
        cursor.execute(f"select * from (\n{query(text)}) as c limit 0", values)
    except psycopg2.Error as error:
        hint = f"; {' '.join(error.diag.message_hint.split())}" if error.diag.message_hint else ""
        says = f"查询无法执行 / the select does not run: {error.diag.message_primary}{hint}"
        before = (cursor.query or b"").decode()[: max(int(error.diag.statement_position or 1) - 1, 0)]
        number = before.count("\n") - 1
        lines = query(text).splitlines()
        raise _Refused(name, says, lines[number].strip() if 0 <= number < len(lines) else "") from None
    return tuple(column.name for column in cursor.description or ())


class _Refused(ContractError):
    """A select that PostgreSQL refuses, and the line of it at which PostgreSQL stopped."""

    def __init__(self, name: str, says: str, line: str) -> None:
        super().__init__(f"sql/indicators/{name}.sql: {says}")
        self.says, self.line = says, line


def _blamed(definition: Definition, refused: _Refused, sql: Path) -> str:
    """The file of an indicator or of a population that it reads in which a refused line stands once, with its number."""
    own = sql / "indicators" / f"{definition.name}.sql"
    names = [name for name, _ in definition.parts.relations] if definition.parts else []
    for path in (own, *(sql / "populations" / f"{name}.sql" for name in names)):
        if path.is_file():
            lines = [line.strip() for line in path.read_text("utf-8").splitlines()]
            if refused.line and lines.count(refused.line) == 1:
                return f"{place(path)}: 行 line {lines.index(refused.line) + 1}"
    return place(own)


def scan(together: Sequence[Definition]) -> str:
    """The statement that asks for the sums of definitions that are taken from one scan.

    Its rows are: place of the definition, body, load, number of rows, numerator, denominator. What looks at one row at a
    time is summed in one pass; what looks at others reads the population again, which is then kept.
    """
    parts = [each.parts for each in together if each.parts]
    if not parts:
        (only,) = together
        return f"select 0, body_code, load_id, {_TOTALS}\nfrom (\n{only.sql}) as contribution\ngroup by body_code, load_id\n"
    relations = parts[0].relations
    if parts[0].laid and all(each.is_row_wise for each in parts):
        return _pass(
            _rows(parts),
            [
                _Asked(place, relations[0][0], (*each.relations[1:], ("", each.select)), each)
                for place, each in enumerate(parts)
            ],
        )
    branches = [
        f"select {place}, body_code, load_id, {_TOTALS}\nfrom (\n"
        f"{on_top((('judged', each.select),), each.final)}) as contribution\n"
        "group by body_code, load_id\n"
        for place, each in enumerate(parts)
        if not each.is_row_wise
    ]
    row_wise = [
        _Asked(place, each.base, (("", each.select),), each) for place, each in enumerate(parts) if each.is_row_wise
    ]
    if row_wise:
        branches.append(_pass(f"select *\nfrom {parts[0].base}\n", row_wise))
    *before, (name, population) = relations
    kept = [relations_text(tuple(before))] if before else []
    kept.append(f"{name} as {'materialized ' if len(branches) > 1 else ''}(\n{population})")
    return f"with {', '.join(kept)}\n" + "union all\n".join(branches)


@dataclass(frozen=True)
class _Asked:
    """A definition in a pass over rows that are called ``base``: what is asked of each row, one after the other."""

    place: int
    base: str
    steps: tuple[tuple[str, str], ...]
    parts: Parts


def _rows(parts: Sequence[Parts]) -> str:
    """The rows of a source in all its readings that are asked for, each row once."""
    laid = list({each.laid.window: each.laid for each in parts if each.laid}.values())
    own = next((each for each in laid if each.elsewhere), None)
    if own is None or len(laid) == 1:
        windows = " or ".join(f"({each.window.format(row='t')})" for each in laid)
        return f"{laid[0].rows} and ({windows})\n"
    # In two parts, so that the partitions of other half-years are read only by the other times of their rows.
    others = " or ".join(f"({each.window.format(row='t')})" for each in laid if each is not own)
    return f"{own.select}union all\n{own.rows} and {own.elsewhere.format(row='t')} and ({others})\n"


def _pass(rows: str, asked: Sequence[_Asked]) -> str:
    """One pass over rows: each select is asked of one row, and the planner takes it as expressions of that row."""
    windows = list(dict.fromkeys(each.parts.laid.window for each in asked if each.parts.laid))
    is_read = {window: window.format(row="base") if len(windows) > 1 else "true" for window in windows}
    asides: dict[str, str] = {}
    sums, values = "", []
    for each in asked:
        row, base = "base", each.base
        for name, select in each.steps:
            if re.sub(r"\s+", " ", without_comments(select)).strip() != f"select * from {base}":
                of_one = re.sub(rf"\bfrom\s+{base}\s*\Z", f"from (select {row}.*) as {base}", without_comments(select))
                row = asides.setdefault(of_one, f"row_{len(asides)}")
            base = name
        window = is_read[each.parts.laid.window] if each.parts.laid else "true"
        for what, quantity, condition in (
            ("rows", "1", "true"),
            ("numerator", each.parts.quantity, each.parts.in_numerator),
            ("denominator", each.parts.over, each.parts.in_denominator),
        ):
            sums += f",\n    {_sum(quantity.format(row=row), condition.format(row=row), window)} as {what}_{each.place}"
        values.append(f"({each.place}, rows_{each.place}, numerator_{each.place}, denominator_{each.place})")
    laterals = "".join(f"cross join lateral (\n{select}\n) as {row}\n" for select, row in asides.items())
    return (
        "select figure.place, summed.body_code, summed.load_id, figure.rows, figure.numerator, figure.denominator\n"
        f"from (\nselect base.resolved_body_code as body_code, base.load_id{sums}\nfrom (\n{rows}) as base\n"
        f"{laterals}group by base.resolved_body_code, base.load_id\n) as summed\n"
        f"cross join lateral (values {', '.join(values)}) as figure (place, rows, numerator, denominator)\n"
        "where figure.rows > 0\n"
    )


def _sum(quantity: str, condition: str, window: str) -> str:
    if condition == "false":
        return "0::numeric"
    # The condition is evaluated only for rows in the window: it may fail on other rows.
    inside = (
        condition if window == "true" else window if condition == "true" else f"case when {window} then {condition} end"
    )
    filtered = "" if inside == "true" else f" filter (where {inside})"
    return f"count(*){filtered}" if quantity == "1" else f"coalesce(sum({quantity}){filtered}, 0)::numeric"
