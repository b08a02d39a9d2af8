"""A trace on the terminal: the account of a number first, then its rows in groups, each with file and line."""

from __future__ import annotations

import itertools
import sys
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection

from halfyear.indicators import trace
from halfyear.indicators.definition import CITY, DASH, Definition
from halfyear.indicators.trace import TraceSummary
from halfyear.mart import bodies, serialisation
from halfyear.mart.spreadsheet import csv_cell
from halfyear.period import Period
from halfyear.publishing import vintage
from halfyear.publishing.vintage import SealedFigure
from halfyear.settings import LOCAL_ZONE
from halfyear.terminal import console

Row = Mapping[str, Any]

#: Rows that are laid out together; a trace of a hundred thousand appears while it is read.
_PORTION = 1000


def write(
    connection: Connection,
    period: Period,
    code: str,
    reading: str = "",
    body: str | None = None,
    as_known: datetime | None = None,
    form: str = "table",
    limit: int = 0,
) -> None:
    """Print the rows behind a number as they come from the server; ``limit`` 0 lists all of them.

    ``code`` may carry the reading, as in ``cloud_systems_migrated.flow``. Raises UsageError for an unknown
    indicator or body.
    """
    if not reading:
        code, _, reading = code.partition(".")
    place = bodies.body_code(connection, body)
    rows: Iterator[Row] = trace.trace(connection, code, reading, period, place, as_known)
    if body is None:
        rows = itertools.chain(rows, trace.quarantined(connection, code, reading, period, as_known))
    if form == "table":
        summary = trace.trace_summary(connection, code, reading, period, place, as_known)
        sealed = vintage.sealed_figure(connection, period, code, reading, place)
        show(summary, rows, period, place, limit, _standing(summary, sealed, period, as_known))
        return
    for text in serialisation.trace_text(itertools.islice(rows, limit or None), form):
        sys.stdout.write(text)


def show(
    summary: TraceSummary,
    rows: Iterable[Row],
    period: Period,
    body: str | None = None,
    limit: int = 0,
    standing: Iterable[str] = (),
) -> None:
    """Print a trace; ``limit`` 0 lists all rows, otherwise what is not listed is counted.

    ``standing`` says, below the number, whether it is provisional, sealed, or as known at an instant.
    """
    _account(summary, period, body, standing)
    left = iter(rows)
    listed = itertools.islice(left, limit) if limit else left
    for heading, members in itertools.groupby(listed, key=lambda row: _heading(summary.definition, row)):
        console.say("")
        console.say(heading, "bold")
        _rows(members)
    more = sum(1 for _ in left)
    if more:
        console.say("")
        console.say(f"未列出的行 rows not listed: {more}; 列出全部 / to list them all: --limit 0")


def _standing(
    summary: TraceSummary, sealed: SealedFigure | None, period: Period, as_known: datetime | None
) -> Iterator[str]:
    """Which figure the shown one is, and how it and its rows differ from the sealed one."""
    d, o = summary.definition, summary.observation
    if as_known is not None:
        is_seal = sealed is not None and sealed.sealed_at == as_known
        seal = f"第 {sealed.vintage} 版封存时 the seal v{sealed.vintage}, " if is_seal and sealed else ""
        yield f"按当时所知的行 / from the rows known at: {seal}{as_known.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M:%S}"
        return
    if sealed is None:
        yield "暂定，按现在所知的行，未封存 / provisional, from the rows known now; not sealed"
        return
    held = (sealed.printed, sealed.numerator, sealed.denominator)
    if (o.printed, o.numerator, o.denominator) == held if o else sealed.numerator is None:
        yield f"与封存的第 {sealed.vintage} 版相同 / the same as in the seal v{sealed.vintage}"
        return
    over = "" if sealed.denominator is None else f" = {sealed.numerator:f} / {sealed.denominator:f}"
    yield (
        f"暂定，按现在所知的行；公布的是第 {sealed.vintage} 版封存值 / provisional, from the rows known now; published is the sealed "
        f"value v{sealed.vintage}: {sealed.printed}{over}"
    )
    yield (
        f"封存后的行 rows since the seal: 增加 added {sealed.added}, 减少 removed {sealed.removed}; 见 see: halfyear restate "
        f"{period}; 封存时的行 / rows at the seal: halfyear trace {period} {d.name} --as-known v{sealed.vintage}"
    )


def _account(summary: TraceSummary, period: Period, body: str | None, standing: Iterable[str]) -> None:
    d, o = summary.definition, summary.observation
    name = ".".join(filter(None, (d.code, d.reading)))
    console.say(f"{period} {name} {d.name_zh} {d.name_en} {body or CITY}", "bold")
    console.say(d.description_zh)
    console.say(d.description_en)
    console.say("")
    number = o.printed if o else DASH
    if o and o.denominator is not None:
        number += f" = {o.numerator:f} / {o.denominator:f}"
    console.say(number, "bold")
    for line in standing:
        console.say(line)
    laid = console.table(("记录 records", ""))
    laid.show_header = False
    laid.columns[0].justify, laid.columns[0].no_wrap = "right", True
    for count, what in _counts(summary):
        laid.add_row(str(count), what)
    console.show(laid)


def _counts(summary: TraceSummary) -> Iterator[tuple[int, str]]:
    yield summary.counted, "计入 counted"
    if summary.definition.has_denominator:
        yield summary.in_denominator_only, "只在分母 in the denominator only"
    for reason, count in summary.left_out.items():
        yield count, f"剔除 left out: {_reason(summary.definition, reason)}"


def _reason(definition: Definition, reason: str | None) -> str:
    text = definition.excluded.get(reason or "")
    return f"{reason}: {text['zh']} / {text['en']}" if text else str(reason)


def _heading(definition: Definition, row: Row) -> str:
    if row["in_numerator"]:
        return "计入 Counted"
    if row["in_denominator"]:
        return "只在分母 In the denominator only"
    if str(row["excluded_because"]).startswith(trace.QUARANTINE):
        return f"隔离，未装载 In quarantine, not loaded: {str(row['excluded_because']).partition(': ')[2]}"
    return f"剔除 Left out: {_reason(definition, row['excluded_because'])}"


def _rows(rows: Iterator[Row]) -> None:
    for number in itertools.count():
        portion = list(itertools.islice(rows, _PORTION))
        if not portion:
            return
        laid = console.table(("来自\nfrom", "数量\nvalue", "单位\nbody", "记录\nrecord"))
        laid.show_header = number == 0
        laid.columns[1].justify = "right"
        for column in laid.columns[:3]:
            column.no_wrap = True
        for row in portion:
            counts = row["in_numerator"] or row["in_denominator"]
            quantity = csv_cell(row["quantity"]) if counts else ""
            laid.add_row(
                f"{row['file_name']}:{row['row_number']}", quantity, row["body_code"] or DASH, row["record_key"]
            )
        console.show(laid)
