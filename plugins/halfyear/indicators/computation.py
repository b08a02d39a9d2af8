"""Computation: the figures of a half-year from its rows, whole, and what is due to be computed.

Each population is asked once, and all its indicators, readings and bodies are taken from that one scan; populations that
look at one row at a time share the pass over their source. Nothing is added up from night to night, so a figure depends
on nothing but the rows. This is the one place for null or zero, the
row of the whole city, and the villages of a town.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any

import psycopg2
from psycopg2.extensions import STATUS_READY, AsIs
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from halfyear import period as periods
from halfyear.core.lock import hold_declarations
from halfyear.errors import ContractError
from halfyear.indicators import definition as definitions_module
from halfyear.indicators import indicator, population
from halfyear.indicators.definition import COLUMNS, EXACT, Definition, Pair, Parts, plain
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE

_LOCK = 8_150_003
#: Memory for each sort or hash of a computation.
_WORK_MEM = "64MB"


@dataclass(frozen=True)
class Observation:
    """One computed value; ``body_code`` None is the whole city."""

    body_code: str | None
    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None
    printed: str


@dataclass(frozen=True)
class Computed:
    """What a definition gives for a half-year: the city and every body with rows, and the loads that the rows are of."""

    observations: tuple[Observation, ...]
    loads: tuple[int, ...]


@dataclass(frozen=True)
class _Sum:
    """What the rows of one body and one load add up to; ``body_code`` None: rows that no body is known for."""

    body_code: str | None
    load_id: int
    rows: int
    numerator: Decimal
    denominator: Decimal


# ---------------------------------------------------------------- questions


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


def observe(
    connection: Connection, definition: Definition, period: Period, as_known: datetime | None = None
) -> list[Observation]:
    """What one definition gives for a half-year from the rows known at an instant (None: now): city, then bodies.

    It runs the definition's own select, as the trace does, and shares no scan with others.
    """
    return list(observe_alone(connection, definition, period, as_known).observations)


def observe_alone(
    connection: Connection, definition: Definition, period: Period, as_known: datetime | None = None
) -> Computed:
    """As ``observe``, with the loads that the rows are of."""
    alone = replace(definition, parts=None)
    with connection.cursor() as cursor:
        return _computed(cursor, [alone], parameters(period, as_known))[definition.pair]


def observe_all(
    connection: Connection, definitions: Sequence[Definition], period: Period, as_known: datetime | None = None
) -> dict[Pair, Computed]:
    """What definitions give for a half-year from the rows known at an instant (None: now), each population asked once."""
    with connection.cursor() as cursor:
        return _computed(cursor, definitions, parameters(period, as_known))


def _computed(
    cursor: Cursor,
    definitions: Sequence[Definition],
    values: Mapping[str, Any],
    failed: dict[Pair, str] | None = None,
) -> dict[Pair, Computed]:
    """What definitions give; one whose select fails on a row is noted in ``failed``, or raised where that is None."""
    wholes = _wholes(cursor)
    covered = _covered(cursor, definitions, values)
    found: dict[Pair, Computed] = {}
    cursor.execute("select set_config('work_mem', %s, true)", (_WORK_MEM,))
    for together in _together(definitions):
        for pair, own in _sums(cursor, together, values, failed).items():
            each = next(each for each in together if each.pair == pair)
            observations = _observations(each, pair in covered, own, wholes)
            found[pair] = Computed(tuple(observations), tuple(sorted({row.load_id for row in own})))
    return found


def _sums(
    cursor: Cursor, together: Sequence[Definition], values: Mapping[str, Any], failed: dict[Pair, str] | None
) -> dict[Pair, list[_Sum]]:
    """The sums of definitions that share a scan; where it fails on a row, those of each alone."""
    sums: dict[Pair, list[_Sum]] = {each.pair: [] for each in together}
    cursor.execute("savepoint scan")
    try:
        cursor.execute(definitions_module.query(scan(together)), values)
        for position, *rest in cursor:
            sums[together[position].pair].append(_Sum(*rest))
        cursor.execute("release savepoint scan")
        return sums
    except psycopg2.DataError as error:
        # Its message may quote the row.
        code = f"{type(error).__name__}, SQLSTATE {error.pgcode}"
    cursor.execute("rollback to savepoint scan")
    if len(together) > 1:
        alone = [replace(each, parts=None) for each in together]
        return {pair: own for each in alone for pair, own in _sums(cursor, [each], values, failed).items()}
    (only,) = together
    if failed is None:
        raise ContractError(_failed({only.pair: code}))
    failed[only.pair] = code
    return {}


def _failed(failed: Mapping[Pair, str]) -> str:
    names = ", ".join(f"sql/indicators/{pair.name}.sql ({code})" for pair, code in sorted(failed.items()))
    return (
        f"查询在某一行上失败，请修改定义或更正该行 / the select fails on a row; mend the definition or the row: {names}"
    )


def _together(definitions: Sequence[Definition]) -> list[list[Definition]]:
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


def check(cursor: Cursor, definitions: Sequence[Definition]) -> None:
    """Plan every select and every shared scan, so that a file that does not run is found before the night.

    Raises ContractError with the file and what PostgreSQL says of it; the transaction is then to be rolled back.
    """
    values = parameters(periods.of(date.today()), None)
    for each in definitions:
        names = _columns(cursor, each.name, each.sql, values)
        if names != COLUMNS:
            raise ContractError(
                f"sql/indicators/{each.name}.sql: 应返回这些列 / should return the columns {', '.join(COLUMNS)}, "
                f"not {', '.join(names)}"
            )
        if each.parts:
            _check_added(cursor, each.name, each.parts, values)
    for together in _together(definitions):
        _columns(cursor, together[0].name, scan(together), values)


def _check_added(cursor: Cursor, name: str, parts: Parts, values: Mapping[str, Any]) -> None:
    """See that every column that an indicator adds is read, by the package or by the select itself.

    A misspelled ``left_out_because`` would leave nothing out, without a word.
    """
    base = definitions_module.on_top(parts.relations, f"select *\nfrom {parts.base}\n")
    added = definitions_module.on_top((*parts.relations, ("judged", parts.select)), "select *\nfrom judged\n")
    present = set(_columns(cursor, name, base, values))
    if meant := sorted({"excluded_because", "left_out_because", "is_counted"} & present - {*parts.reads}):
        raise ContractError(
            f"sql/indicators/{name}.sql: {parts.base}: 这些列有特定含义，应由查询以 as 给出 / the rows have a column "
            f"{', '.join(meant)}, which decides what counts; a population gives excluded_because, and an indicator the "
            "others, in its own select and by as"
        )
    select = population.without_comments(parts.select)
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
        cursor.execute(f"select * from (\n{definitions_module.query(text)}) as c limit 0", values)
    except psycopg2.Error as error:
        raise ContractError(
            f"sql/indicators/{name}.sql: 查询无法执行 / the select does not run: {error.diag.message_primary}"
        ) from None
    return tuple(column.name for column in cursor.description or ())


_TOTALS = """count(*) as rows,
    coalesce(sum(quantity) filter (where in_numerator), 0)::numeric as numerator,
    coalesce(sum(quantity) filter (where in_denominator), 0)::numeric as denominator"""


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
        f"{definitions_module.on_top((('judged', each.select),), each.final)}) as contribution\n"
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
    kept = [definitions_module.relations_text(tuple(before))] if before else []
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
    # In two parts, so that other half-years are looked at only for what their other times say.
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
            if re.sub(r"\s+", " ", population.without_comments(select)).strip() != f"select * from {base}":
                of_one = re.sub(
                    rf"\bfrom\s+{base}\s*\Z", f"from (select {row}.*) as {base}", population.without_comments(select)
                )
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
    # What a row says is asked only of rows in the window: a condition may fail on another one.
    inside = (
        condition if window == "true" else window if condition == "true" else f"case when {window} then {condition} end"
    )
    filtered = "" if inside == "true" else f" filter (where {inside})"
    return f"count(*){filtered}" if quantity == "1" else f"coalesce(sum({quantity}){filtered}, 0)::numeric"


def _covered(cursor: Cursor, definitions: Sequence[Definition], values: Mapping[str, Any]) -> set[Pair]:
    """The definitions of which anything is known in the period."""
    named = [
        (number, source, reading)
        for number, each in enumerate(definitions)
        for source, reading in zip(each.sources, each.readings, strict=True)
    ]
    if not named:
        return set()
    numbers, sources, readings = (list(column) for column in zip(*named, strict=True))
    cursor.execute(
        "select * from indicators.covered(%(numbers)s, %(sources)s, %(readings)s, %(first_day)s, %(as_known)s)",
        {**values, "numbers": numbers, "sources": sources, "readings": readings},
    )
    return {definitions[number].pair for (number,) in cursor}


def _wholes(cursor: Cursor) -> dict[str | None, list[str]]:
    """The bodies that a body is part of: itself, and for a village its town."""
    found: dict[str | None, list[str]] = {}
    cursor.execute("select part_code, body_code from core.body_part")
    for part, body in cursor:
        found.setdefault(part, []).append(body)
    return found


def _observations(
    definition: Definition, is_covered: bool, sums: Iterable[_Sum], wholes: Mapping[str | None, Sequence[str]]
) -> list[Observation]:
    """The observations of a definition from its sums: the city, then every body with rows.

    A body's figure has the rows of the bodies that are part of it: a town's has those of its villages.
    """
    nothing = (0, Decimal(0), Decimal(0))
    totals: dict[str | None, tuple[int, Decimal, Decimal]] = {None: nothing}
    for each in sums:
        for whole in (None, *wholes.get(each.body_code, ())):
            count, above, below = totals.get(whole, nothing)
            totals[whole] = (
                count + each.rows,
                EXACT.add(above, each.numerator),
                EXACT.add(below, each.denominator),
            )
    observations: list[Observation] = []
    for whole, (count, above, below) in sorted(totals.items(), key=lambda item: item[0] or ""):
        known = is_covered and (count > 0 or definition.without_rows == "zero")
        total = plain(above) if known else None
        over = plain(below) if known and definition.has_denominator else None
        value = definition.value(total, over)
        observations.append(Observation(whole, total, over, value, definition.printed(value)))
    return observations


# ---------------------------------------------------------------- what is due


def stale_periods(connection: Connection) -> list[Period]:
    """The half-years in which something is due, oldest first."""
    with connection.cursor() as cursor:
        cursor.execute("select distinct period from indicators.due order by period")
        return [periods.parse(row[0]) for row in cursor]


def claim_due(connection: Connection, source: str) -> list[Period]:
    """The due half-years that the scheduler should be told of now, each once; called when a source has loaded.

    Empty while another source still loads: the last one to end claims for all, so that a half-year is computed
    once for a night and not once for each source. A claim that nobody acted on is open again after an hour, and
    a source that has been waiting for half an hour keeps nobody back.
    """
    with connection.cursor() as cursor:
        hold_declarations(cursor)
        cursor.execute("select pg_advisory_xact_lock(%s, 0)", (_LOCK,))
        cursor.execute(
            "select exists (select from lineage.delivery where verdict is null and source <> %s "
            "and received_at > clock_timestamp() - interval '30 minutes')",
            (source,),
        )
        if cursor.fetchone() == (True,):
            return []
        cursor.execute("select * from indicators.claim_due()")
        return sorted(periods.parse(row[0]) for row in cursor)


def lock(cursor: Cursor, period: Period) -> None:
    """One computation of a half-year at a time, and no migration, until the transaction ends."""
    hold_declarations(cursor)
    cursor.execute("select pg_advisory_xact_lock(%s, %s)", (_LOCK, period.year * 2 + period.semester))


def compute(connection: Connection, period: Period, everything: bool = False) -> int:
    """Compute what is due in a half-year, or everything, and commit; the number of (indicator, reading) pairs computed.

    Safe to run twice at once: a lock per period, and the marks that are served leave in the same transaction, while a
    mark that arrives meanwhile stays for the next run. Marks are taken before any statement that reads rows is planned,
    so a load whose rows were not seen always leaves its mark. Values that did not move are not rewritten. An indicator
    whose select fails on a row stays due, and is named in a ContractError once the others are committed.
    """
    code = str(period)
    if connection.status != STATUS_READY:
        # A transaction that holds locks on tables may plan without a partition that was attached since.
        connection.commit()
    with connection, connection.cursor() as cursor:
        lock(cursor, period)
        cursor.execute("delete from indicators.stale where period = %s returning indicator_code, reading", (code,))
        pairs = {Pair(*row) for row in cursor}
        cursor.execute("select indicator_code, reading from indicators.due where period = %s", (code,))
        pairs |= {Pair(*row) for row in cursor}
        if not pairs and not everything:
            return 0
        cursor.execute("select exists (select from lineage.open_period where period = %s)", (code,))
        known = indicator.definitions(connection) if cursor.fetchone() == (True,) else {}
        if everything:
            pairs |= {each.pair for each in known.values()}
        gone = sum(_withdraw(cursor, code, pair) for pair in sorted(pairs) if pair not in known)
        wanted = [known[pair] for pair in sorted(pairs) if pair in known]
        failed: dict[Pair, str] = {}
        if wanted:
            computed = _computed(cursor, wanted, parameters(period, None), failed)
            wanted = [each for each in wanted if each.pair not in failed]
            _write(cursor, code, wanted, computed)
            for pair in failed:
                cursor.execute(
                    "insert into indicators.stale (period, indicator_code, reading, reason) "
                    "values (%s, %s, %s, 'select failed')",
                    (code, *pair),
                )
        if everything:
            cursor.execute("select indicators.bring_into_force(%s, null, null)", (code,))
    if failed:
        raise ContractError(f"{code}: {_failed(failed)}")
    return gone + len(wanted)


def _withdraw(cursor: Cursor, period: str, pair: Pair) -> int:
    """Supersede the observations of a period or definition that is gone; 1 when there were any."""
    cursor.execute(
        "update indicators.observation set superseded_at = now() "
        "where period = %s and indicator_code = %s and reading = %s and superseded_at is null",
        (period, *pair),
    )
    is_gone = cursor.rowcount > 0
    cursor.execute(
        "delete from lineage.observation_input where period = %s and indicator_code = %s and reading = %s",
        (period, *pair),
    )
    return int(is_gone)


def _write(cursor: Cursor, period: str, definitions: Sequence[Definition], computed: Mapping[Pair, Computed]) -> None:
    """Supersede the observations of definitions that moved, add what they are now, and keep the loads of their rows."""
    wanted = {
        (*each.pair, o.body_code): (o.numerator, o.denominator, o.value, o.printed, definition_hash)
        for each in definitions
        for definition_hash in (each.hash,)
        for o in computed[each.pair].observations
    }
    of_pairs = "(indicator_code, reading) in (select * from unnest(%s::text[], %s::text[]))"
    pairs = ([each.code for each in definitions], [each.reading for each in definitions])
    cursor.execute(
        "select observation_id, indicator_code, reading, body_code, numerator, denominator, value, printed, "
        f"definition_hash from indicators.observation where period = %s and superseded_at is null and {of_pairs}",
        (period, *pairs),
    )
    present = {tuple(row[1:4]): (row[0], tuple(row[4:])) for row in cursor}
    ended = [number for key, (number, row) in present.items() if wanted.get(key) != row]
    added = [(*key, *row) for key, row in wanted.items() if key not in present or present[key][1] != row]
    if ended:
        cursor.execute(
            "update indicators.observation set superseded_at = now() where observation_id = any(%s)", (ended,)
        )
    if added:
        cursor.execute(
            "insert into indicators.observation (period, indicator_code, reading, body_code, numerator, denominator, "
            "value, printed, definition_hash, computed_at) select %s, *, now() from unnest(%s::text[], %s::text[], "
            "%s::text[], %s::numeric[], %s::numeric[], %s::numeric[], %s::text[], %s::text[])",
            (period, *(list(column) for column in zip(*added, strict=True))),
        )
    inputs = {(*each.pair, load_id) for each in definitions for load_id in computed[each.pair].loads}
    cursor.execute(
        f"select indicator_code, reading, load_id from lineage.observation_input where period = %s and {of_pairs}",
        (period, *pairs),
    )
    before = set(cursor)
    if before - inputs:
        cursor.execute(
            "delete from lineage.observation_input where period = %s and (indicator_code, reading, load_id) in "
            "(select * from unnest(%s::text[], %s::text[], %s::bigint[]))",
            (period, *(list(column) for column in zip(*sorted(before - inputs), strict=True))),
        )
    if inputs - before:
        execute_values(
            cursor,
            "insert into lineage.observation_input (period, indicator_code, reading, load_id) values %s",
            [(period, *row) for row in sorted(inputs - before)],
        )
