"""Indicators: questions about rows, read from ``sql/indicators/<code>.sql``, and their answers per half-year.

A file is a YAML header in the leading comment and one ``select`` that returns the rows that count, and those
left out with the reason. This module aggregates them: the one place for value, rounding, printed form, null
or zero, the row of the whole city, and the comparisons of a past state. The trace runs the same select
without aggregating.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import logging
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import MAX_PREC, ROUND_HALF_UP, Context, Decimal, Inexact
from pathlib import Path
from typing import Any, Literal

import yaml
from psycopg2.extensions import AsIs
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import RealDictCursor
from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from halfyear import partial_sum
from halfyear import period as periods
from halfyear.contract import Title, read_yaml
from halfyear.errors import ContractError, UsageError
from halfyear.partial_sum import BodySum, Pair, Question, State
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE

log = logging.getLogger(__name__)

#: The columns of every indicator's select, in this order.
COLUMNS = (
    "body_code",
    "in_numerator",
    "in_denominator",
    "quantity",
    "excluded_because",
    "source",
    "record_key",
    "load_id",
    "row_number",
)
#: The bound parameters of a select and their types.
PARAMETERS = {"first_day": "date", "last_day": "date", "next_day": "date", "as_known": "timestamptz"}
#: The body name of the row for the whole city.
CITY = "全市"
#: What a null value prints.
DASH = "—"

_HEADER = re.compile(r"\s*/\*(?P<header>.*?)\*/(?P<select>.*)\Z", re.DOTALL)
_FILE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?\Z")
# What is not a parameter comes first: texts, quoted names, comments and casts.
_TOKEN = re.compile(r"'(?:[^']|'')*'|\"[^\"]*\"|--[^\n]*|/\*.*?\*/|::|:(?P<name>[a-z_]+)", re.DOTALL)
_COMMENT = re.compile(r"('(?:[^']|'')*')|--[^\n]*|/\*.*?\*/", re.DOTALL)
_LOCK = 8_150_003
# The names of tables and views, and the reviewed lists and what else a select may read that is decided within a record.
_NAME = re.compile(r"\b(?:core|lineage|indicators|mart|quarantine|staging)\.\w+")
_LISTS = frozenset(
    {f"core.{name}" for name in ("body", "body_alias", "body_name", "body_part", "body_region", "county")}
    | {f"core.{name}" for name in ("county_elsewhere", "region", "region_spelling", "spanning_group", "value_set")}
    | {"lineage.standing"}
)
# Quotients keep 30 digits; whole numbers and terminating fractions are exact.
_DIGITS = Context(prec=30)
# Sums keep every digit that PostgreSQL's numeric may have.
_EXACT = Context(prec=MAX_PREC, traps=[Inexact])


Basis = Literal["stock", "flow"]


class _Header(BaseModel):
    """The YAML header of an indicator file.

    ``basis``: from when on the value is known: ``stock`` = a snapshot on or before the last day, ``flow`` =
    a delivery in the period or later; stocks and flows are their own. Where sources differ, it names each one's. ``scale``: value = numerator
    (/ denominator) × scale. ``template``: the printed form. ``without_rows``: what a covered period without
    any row is; ``null`` where a zero has to be reported. ``excluded``: the reasons of ``excluded_because``.
    ``decided_within``: ``record_key``, or the ``periodGroup`` of the source, when whether and how a row counts depends
    on no row but those with the same one; then a load costs what it changed. Without it all rows are asked again.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name_zh: str
    name_en: str
    domain: str
    unit: str
    kind: Literal["stock", "flow", "ratio", "average"]
    basis: Basis | dict[str, Basis] | None = None
    decimals: int = Field(ge=0, le=12)
    scale: Decimal = Field(default=Decimal(1), gt=0)
    template: str = "{value}{unit}"
    without_rows: Literal["zero", "null"] = "zero"
    sources: tuple[str, ...] = Field(min_length=1)
    decided_within: str | None = None
    published_no: str | None = None
    section: str | None = None
    published: bool
    description_zh: str
    description_en: str
    excluded: dict[str, Title] = {}

    @model_validator(mode="after")
    def _coherent(self) -> _Header:
        if isinstance(self.basis, dict):
            if set(self.basis) != set(self.sources):
                raise ValueError("basis: names each of the sources and no other")
        elif (self.basis is None) == (self.kind in ("ratio", "average")):
            raise ValueError("basis: ratios and averages say stock or flow; stocks and flows are their own")
        if "{value}" not in self.template or set(re.findall(r"\{(\w*)\}", self.template)) - {"value", "unit"}:
            raise ValueError("template: holds {value} and may hold {unit}")
        if self.decided_within is not None and len(self.sources) > 1:
            raise ValueError("decided_within: only where there is one source")
        return self

    @property
    def bases(self) -> tuple[str, ...]:
        """The basis of each source, in the order of the sources."""
        given = self.basis if isinstance(self.basis, dict) else {}
        own = self.kind if self.basis is None else self.basis
        return tuple(given.get(source) or str(own) for source in self.sources)


@dataclass(frozen=True)
class Definition:
    """One reading of one indicator; ``reading`` is empty for ``<code>.sql``. ``bases`` has one for each source."""

    code: str
    reading: str
    name_zh: str
    name_en: str
    domain: str
    domain_zh: str
    domain_en: str
    unit: str
    kind: str
    bases: tuple[str, ...]
    decimals: int
    scale: Decimal
    template: str
    without_rows: str
    sources: tuple[str, ...]
    decided_within: str | None
    published_no: str | None
    section: str | None
    is_published: bool
    description_zh: str
    description_en: str
    excluded: Mapping[str, Mapping[str, str]]
    sort_order: int
    sql: str

    @property
    def hash(self) -> str:
        """SHA-256 over all that moves the number: the select without comments and spacing, and the arithmetic."""
        select = " ".join(_COMMENT.sub(lambda m: m[1] or " ", self.sql).split())
        facts = [select, self.unit, self.kind, str(self.decimals), str(self.scale.normalize())]
        facts += [self.template, self.without_rows, *self.sources, *self.bases]
        return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()

    @property
    def pair(self) -> Pair:
        """Its code and reading."""
        return Pair(self.code, self.reading)

    @property
    def has_denominator(self) -> bool:
        return self.kind in ("ratio", "average")

    def bind(self, replace: Callable[[str], str], escape_percent: bool = False) -> str:
        """The select with each ``:parameter`` replaced by ``replace(name)``."""

        def token(match: re.Match[str]) -> str:
            name = match["name"]
            return "\0" + replace(name) + "\0" if name in PARAMETERS else match[0]

        parts = _TOKEN.sub(token, self.sql).split("\0")
        if escape_percent:
            parts[::2] = [part.replace("%", "%%") for part in parts[::2]]
        return "".join(parts)

    @property
    def query(self) -> str:
        """The select for psycopg2: ``%(name)s`` parameters, typed; every other % doubled."""
        return self.bind(lambda name: f"cast(%({name})s as {PARAMETERS[name]})", escape_percent=True)

    def value(self, numerator: Decimal | None, denominator: Decimal | None) -> Decimal | None:
        """The exact value: unit conversion, per cent × 100; null over zero."""
        if numerator is None:
            return None
        if not self.has_denominator:
            return _plain(numerator * self.scale)
        if not denominator:
            return None
        return _plain(_DIGITS.divide(numerator * self.scale, denominator))

    def shown(self, value: Decimal) -> Decimal:
        """The value rounded half up to the decimals of the definition."""
        return _rounded(value, self.decimals)

    def printed(self, value: Decimal | None) -> str:
        """The value as it is printed, with trailing zeros and unit; — for null."""
        if value is None:
            return DASH
        return self.template.format(value=f"{self.shown(value):f}", unit=self.unit)


@dataclass(frozen=True)
class Observation:
    """One computed value; ``body_code`` None is the whole city."""

    body_code: str | None
    numerator: Decimal | None
    denominator: Decimal | None
    value: Decimal | None
    printed: str


def _plain(value: Decimal) -> Decimal:
    """Without trailing zeros and exponent, so that 5 and 5.0 are one value."""
    value = value.normalize()
    return value.quantize(Decimal(1)) if value == value.to_integral_value() else value


def _rounded(value: Decimal, decimals: int) -> Decimal:
    rounded = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return abs(rounded) if rounded == 0 else rounded


# ---------------------------------------------------------------- files


def load(path: Path, domains: Mapping[str, Title]) -> Definition:
    """Read one indicator file.

    Raises ContractError with the file, the key and what is wrong with it.
    """
    if not _FILE.match(path.stem):
        raise ContractError(
            f"{path.name}: 应为 <代码>.sql 或 <代码>.<口径>.sql / is named <code>.sql or <code>.<reading>.sql"
        )
    code, _, reading = path.stem.partition(".")
    match = _HEADER.match(path.read_text("utf-8"))
    if not match:
        raise ContractError(f"{path.name}: 开头应为 /* YAML */ 注释 / opens with a /* YAML */ comment")
    try:
        header = _Header.model_validate(read_yaml(match["header"]))
    except yaml.YAMLError as error:
        raise ContractError(f"{path.name}: 表头不是合法的 YAML / the header is not valid YAML: {error}") from None
    except ValidationError as error:
        lines = [f"{'.'.join(map(str, e['loc'])) or 'header'}: {e['msg']}" for e in error.errors()]
        raise ContractError(f"{path.name}: 表头不符合格式 / the header breaks its schema: {'; '.join(lines)}") from None
    if header.domain not in domains:
        raise ContractError(
            f"{path.name}: domain: {header.domain} 不在 expectations/indicators/domains.yaml 中 / is not named there"
        )
    select = match["select"].strip().removesuffix(";").rstrip() + "\n"
    unknown = {m["name"] for m in _TOKEN.finditer(select) if m["name"]} - PARAMETERS.keys()
    if unknown:
        raise ContractError(f"{path.name}: 未知参数 / unknown parameter :{', :'.join(sorted(unknown))}")
    if header.decided_within is not None:
        source = f"core.{header.sources[0]}"
        others = (
            set(_NAME.findall(_COMMENT.sub(lambda m: m[1] or " ", select))) - _LISTS - {source, f"{source}_resolved"}
        )
        if others:
            raise ContractError(
                f"{path.name}: decided_within: 只能读取 {source} 和审定的清单 / reads {', '.join(sorted(others))} "
                f"besides {source} and the reviewed lists"
            )
    fields = header.model_dump(exclude={"published", "basis", "excluded"})
    title = domains[header.domain]
    return Definition(
        code=code,
        reading=reading,
        bases=header.bases,
        is_published=header.published,
        excluded={name: {"zh": text.zh, "en": text.en} for name, text in header.excluded.items()},
        domain_zh=title.zh,
        domain_en=title.en,
        sort_order=0,
        sql=select,
        **fields,
    )


def load_domains(sql: Path) -> dict[str, Title]:
    """The domains of indicators, in the order of the tables, from ``expectations/indicators/domains.yaml``."""
    path = sql.parent / "expectations" / "indicators" / "domains.yaml"
    try:
        return {name: Title.model_validate(title) for name, title in read_yaml(path.read_text("utf-8")).items()}
    except (yaml.YAMLError, ValidationError) as error:
        raise ContractError(f"{path.name}: {' '.join(str(error).split())}") from None


def load_all(sql: Path) -> dict[tuple[str, str], Definition]:
    """Every definition under ``sql/indicators``, by code and reading, in the order of the tables.

    Raises ContractError for a bad file and for an indicator of which not exactly one reading is published.
    """
    domains = load_domains(sql)
    found = [load(path, domains) for path in sorted((sql / "indicators").glob("*.sql"))]
    for code in {d.code for d in found}:
        published = [d for d in found if d.code == code and d.is_published]
        if len(published) != 1:
            raise ContractError(
                f"{code}: 应恰有一个口径 published: true / exactly one reading is published: true, not {len(published)}"
            )
    order = list(domains)

    def place(definition: Definition) -> tuple[int, float, str, str, str]:
        base = next(d for d in found if d.code == definition.code and d.is_published)
        number = re.match(r"(\d+)(.*)", base.published_no or "")
        figure = float(number[1]) if number else float("inf")
        return order.index(definition.domain), figure, number[2] if number else "", definition.code, definition.reading

    return {
        (d.code, d.reading): Definition(**{**vars(d), "sort_order": position})
        for position, d in enumerate(sorted(found, key=place), start=1)
    }


def json_schema() -> dict[str, Any]:
    """The JSON Schema of an indicator file's header, for editors and for the tests."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **_Header.model_json_schema()}


# ---------------------------------------------------------------- warehouse

_FIELDS = {
    "indicator_code": "code",
    "reading": "reading",
    "name_zh": "name_zh",
    "name_en": "name_en",
    "domain": "domain",
    "domain_zh": "domain_zh",
    "domain_en": "domain_en",
    "unit": "unit",
    "kind": "kind",
    "bases": "bases",
    "decimals": "decimals",
    "scale": "scale",
    "template": "template",
    "without_rows": "without_rows",
    "sources": "sources",
    "decided_within": "decided_within",
    "published_no": "published_no",
    "section": "section",
    "description_zh": "description_zh",
    "description_en": "description_en",
    "excluded": "excluded",
    "is_published": "is_published",
    "sort_order": "sort_order",
    "sql_text": "sql",
}


def sync(connection: Connection, definitions: Mapping[tuple[str, str], Definition]) -> int:
    """Bring ``indicators.definition`` to the files, within the caller's transaction; the number of changes.

    A changed hash makes every open period of the definition due by itself (``indicators.due``).
    """
    columns = [*_FIELDS, "definition_hash"]
    rows = [
        (
            *(
                json.dumps(v, ensure_ascii=False) if c == "excluded" else list(v) if isinstance(v, tuple) else v
                for c, v in ((column, getattr(d, field)) for column, field in _FIELDS.items())
            ),
            d.hash,
        )
        for d in definitions.values()
    ]
    sets = ", ".join(f"{c} = excluded.{c}" for c in columns[2:])
    with connection.cursor() as cursor:
        cursor.execute(
            "delete from indicators.definition where not (indicator_code, reading) in "
            "(select * from unnest(%s::text[], %s::text[]))",
            ([code for code, _ in definitions], [reading for _, reading in definitions]),
        )
        changes = cursor.rowcount
        # Which reading is published may move between two rows that are both kept.
        cursor.execute("update indicators.definition set is_published = false where is_published")
        for row in rows:
            cursor.execute(
                f"insert into indicators.definition as d ({', '.join(columns)}) "
                f"values ({', '.join(['%s'] * len(columns))}) on conflict (indicator_code, reading) do update "
                f"set {sets}, changed_at = case when d.definition_hash = excluded.definition_hash "
                "then d.changed_at else clock_timestamp() end "
                "returning (old.definition_hash is distinct from new.definition_hash)::integer",
                row,
            )
            changed = cursor.fetchone()
            changes += changed[0] if changed else 0
        cursor.execute(
            "delete from indicators.stale as s where not exists (select from indicators.definition as d "
            "where d.indicator_code = s.indicator_code and d.reading = s.reading)"
        )
    return changes


def definitions(connection: Connection) -> dict[tuple[str, str], Definition]:
    """The definitions as the warehouse holds them, in the order of the tables."""
    with connection.cursor() as cursor:
        cursor.execute(f"select {', '.join(_FIELDS)} from indicators.definition order by sort_order")
        rows = cursor.fetchall()
    found = (dict(zip(_FIELDS.values(), row, strict=True)) for row in rows)
    return {
        (d["code"], d["reading"]): Definition(**{**d, "sources": tuple(d["sources"]), "bases": tuple(d["bases"])})
        for d in found
    }


def definition(connection: Connection, code: str, reading: str = "") -> Definition:
    """The definition of a code and reading; UsageError, with what comes near, when there is none."""
    known = definitions(connection)
    try:
        return known[code, reading]
    except KeyError:
        names = [".".join(filter(None, key)) for key in known]
        wanted = ".".join(filter(None, (code, reading)))
        near = ", ".join(difflib.get_close_matches(wanted, names, 3)) or "halfyear indicators PERIOD"
        raise UsageError(f"{wanted}: 没有这个指标，可用 / no such indicator; see: {near}") from None


def _parameters(period: Period, as_known: datetime | None) -> dict[str, Any]:
    if as_known is not None and as_known.tzinfo is None:
        as_known = as_known.replace(tzinfo=LOCAL_ZONE)
    return {
        "first_day": period.first_day,
        "last_day": period.last_day,
        "next_day": period.next_day,
        "as_known": AsIs("'infinity'") if as_known is None else as_known,
    }


_COVERED = """
select named.number, coalesce(bool_and(exists (
    select from lineage.standing as s
    where s.source = named.source and s.known_at @> cast(%(as_known)s as timestamptz)
        and case named.basis when 'stock' then s.snapshot_date <= %(last_day)s else s.snapshot_date >= %(first_day)s end
)), false) from unnest(%(numbers)s, %(sources)s, %(bases)s) as named (number, source, basis) group by named.number
"""


def _covered(cursor: Cursor, definitions: Sequence[Definition], parameters: Mapping[str, Any]) -> set[Pair]:
    """The definitions of which anything is known in the period."""
    named = [
        (number, source, basis)
        for number, each in enumerate(definitions)
        for source, basis in zip(each.sources, each.bases, strict=True)
    ]
    numbers, sources, bases = (list(column) for column in zip(*named, strict=True))
    cursor.execute(_COVERED, {**parameters, "numbers": numbers, "sources": sources, "bases": bases})
    return {definitions[number].pair for number, is_covered in cursor if is_covered}


def _wholes(cursor: Cursor) -> dict[str | None, list[str]]:
    """The bodies that a body is part of: itself, and for a village its town."""
    found: dict[str | None, list[str]] = {}
    cursor.execute("select part_code, body_code from core.body_part")
    for part, body in cursor:
        found.setdefault(part, []).append(body)
    return found


def _observations(
    definition: Definition, is_covered: bool, sums: Iterable[BodySum], wholes: Mapping[str | None, Sequence[str]]
) -> list[Observation]:
    """The observations of a definition from its sums by body: the city, then every body with rows.

    A body's figure has the rows of the bodies that are part of it: a town's has those of its villages.
    """
    nothing = (0, Decimal(0), Decimal(0))
    totals: dict[str | None, tuple[int, Decimal, Decimal]] = {None: nothing}
    for body, rows, numerator, denominator in sums:
        for whole in (None, *wholes.get(body, ())):
            count, above, below = totals.get(whole, nothing)
            totals[whole] = (count + rows, _EXACT.add(above, numerator), _EXACT.add(below, denominator))
    observations: list[Observation] = []
    for whole, (count, above, below) in sorted(totals.items(), key=lambda item: item[0] or ""):
        known = is_covered and (count > 0 or definition.without_rows == "zero")
        total = _plain(above) if known else None
        over = _plain(below) if known and definition.has_denominator else None
        value = definition.value(total, over)
        observations.append(Observation(whole, total, over, value, definition.printed(value)))
    return observations


def observe(
    connection: Connection, definition: Definition, period: Period, as_known: datetime | None = None
) -> list[Observation]:
    """What a definition gives for a half-year from the rows known at an instant (None: now): city, then bodies."""
    parameters = _parameters(period, as_known)
    with connection.cursor() as cursor:
        cursor.execute(
            f"select body_code, {partial_sum.TOTALS} from (\n{definition.query}) as contribution group by body_code",
            parameters,
        )
        sums = cursor.fetchall()
        is_covered = definition.pair in _covered(cursor, [definition], parameters)
        return _observations(definition, is_covered, sums, _wholes(cursor))


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
        cursor.execute("select pg_advisory_xact_lock(%s, 0)", (_LOCK,))
        cursor.execute(
            "select exists (select from lineage.delivery where verdict is null and source <> %s "
            "and received_at > clock_timestamp() - interval '30 minutes')",
            (source,),
        )
        if cursor.fetchone() == (True,):
            return []
        cursor.execute(
            "with due as (select period, coalesce(max(stale_id), 0) as newest_mark "
            "from (select distinct period from indicators.due) as periods "
            "left join indicators.stale using (period) group by period) "
            "insert into indicators.announcement as told (period, newest_mark, announced_at) "
            "select period, newest_mark, clock_timestamp() from due "
            "on conflict (period) do update set newest_mark = excluded.newest_mark, announced_at = excluded.announced_at "
            "where told.newest_mark < excluded.newest_mark "
            "or told.announced_at < clock_timestamp() - interval '1 hour' returning period"
        )
        return sorted(periods.parse(row[0]) for row in cursor)


def lock(cursor: Cursor, period: Period) -> None:
    """One computation of a half-year at a time, until the transaction ends."""
    cursor.execute("select pg_advisory_xact_lock(%s, %s)", (_LOCK, period.year * 2 + period.semester))


def compute(connection: Connection, period: Period) -> int:
    """Compute what is due in a half-year and commit; the number of (indicator, reading) pairs computed.

    Safe to run twice at once: a lock per period, and the marks that are served leave in the same transaction,
    while a mark that arrives meanwhile stays for the next run. Values that did not move are not rewritten.
    """
    code = str(period)
    with connection, connection.cursor() as cursor:
        lock(cursor, period)
        # Every statement below sees at least what was committed when the marks were taken.
        cursor.execute(
            "delete from indicators.stale where period = %s returning indicator_code, reading, reason", (code,)
        )
        reasons: dict[Pair, set[str]] = {}
        for indicator_code, reading, reason in cursor:
            reasons.setdefault(Pair(indicator_code, reading), set()).add(reason)
        cursor.execute("select indicator_code, reading from indicators.due where period = %s", (code,))
        pairs = {Pair(*row) for row in cursor} | reasons.keys()
        if not pairs:
            return 0
        cursor.execute("select exists (select from lineage.open_period where period = %s)", (code,))
        is_open = cursor.fetchone() == (True,)
        known = definitions(connection) if is_open else {}
        gone = sum(_withdraw(cursor, code, pair) for pair in sorted(pairs) if pair not in known)
        wanted = [known[pair] for pair in sorted(pairs) if pair in known]
        by_loads = {pair for pair, given in reasons.items() if given <= partial_sum.MARKS_OF_LOADS}
        _sum(cursor, period, wanted, by_loads)
        if wanted:
            covered = _covered(cursor, wanted, _parameters(period, None))
            sums = partial_sum.by_body(cursor, code, [each.pair for each in wanted])
            wholes = _wholes(cursor)
            _write(
                cursor,
                code,
                [(each, _observations(each, each.pair in covered, sums.get(each.pair, ()), wholes)) for each in wanted],
            )
    return gone + len(wanted)


def _sum(cursor: Cursor, period: Period, wanted: Sequence[Definition], by_loads: Collection[Pair]) -> None:
    """Bring the partial sums of definitions to what is known: by what changed, or from all rows.

    By what changed only where a definition allows it (``decided_within``) and nothing but loads marked it.
    """
    code = str(period)
    declared = partial_sum.declarations(cursor)
    states = partial_sum.states(cursor, code)
    fingerprints = {each.pair: f"{declared} {each.hash}" for each in wanted if each.decided_within is not None}
    # What is known later is for the next time, even if it is committed before this transaction is.
    through = {
        source: instant
        for source in sorted({source for each in wanted for source in each.sources})
        if (instant := partial_sum.newest_instant(cursor, source)) is not None
    }
    reached: dict[Pair, tuple[str, State]] = {}
    for source, instant in through.items():
        last = partial_sum.all_changed_at(cursor, source, instant)
        since = [
            (each, states[each.pair].through)
            for each in wanted
            if each.decided_within is not None
            and each.sources == (source,)
            and each.pair in by_loads
            and each.pair in states
            and states[each.pair].fingerprint == fingerprints[each.pair]
            and (last is None or last <= states[each.pair].through)
        ]
        for pair in _move(cursor, period, source, since, instant):
            reached[pair] = (source, State(instant, fingerprints[pair]))
    for each in wanted:
        if each.pair in reached:
            continue
        own = each.sources[0] if each.decided_within is not None else None
        given = {"period": code, "code": each.code, "reading": each.reading, "source": own}
        now = partial_sum.replace(cursor, each.query, {**_parameters(period, None), **given})
        if own is not None and now is not None:
            reached[each.pair] = (own, State(now, fingerprints[each.pair]))
    partial_sum.remember(cursor, code, reached)
    partial_sum.trim(cursor, through)


def _move(
    cursor: Cursor, period: Period, source: str, since: Sequence[tuple[Definition, datetime]], through: datetime
) -> set[Pair]:
    """Move the sums of definitions of one source by what changed; those that have arrived at ``through``."""
    if not since:
        return set()
    # The group of a source, when any of them needs it, has all that the others need.
    group = min((str(each.decided_within) for each, _ in since), key=lambda column: column == partial_sum.RECORD)
    selects = [each.sql for each, _ in since]
    earliest = min(instant for _, instant in since)
    changed = partial_sum.lay_changed_rows(cursor, source, group, selects, earliest, through)
    if changed is None:
        return set()
    arrived = {each.pair for each, _ in since}
    if changed.table is None:
        return arrived
    asked = [
        Question(each.pair, instant, replace(each, sql=partial_sum.asked_of(source, each.sql, changed.table)).query)
        for each, instant in since
    ]
    wrong = partial_sum.move(cursor, str(period), asked, _parameters(period, through))
    for pair in sorted(wrong):
        log.warning("%s %s: the partial sums did not agree with what changed and are made anew", *pair)
    return arrived - wrong


def _withdraw(cursor: Cursor, period: str, pair: Pair) -> int:
    """Supersede the observations of a period or definition that is gone; 1 when there were any."""
    cursor.execute(
        "update indicators.observation set superseded_at = now() "
        "where period = %s and indicator_code = %s and reading = %s and superseded_at is null",
        (period, *pair),
    )
    gone = cursor.rowcount > 0
    partial_sum.forget(cursor, period, pair)
    return int(gone)


def _write(cursor: Cursor, period: str, observed: Iterable[tuple[Definition, Sequence[Observation]]]) -> None:
    """Supersede the observations of definitions that moved and add what they are now."""
    wanted = {
        (each.code, each.reading, o.body_code): (o.numerator, o.denominator, o.value, o.printed, definition_hash)
        for each, observations in observed
        for definition_hash in (each.hash,)
        for o in observations
    }
    pairs = sorted({key[:2] for key in wanted})
    cursor.execute(
        "select observation_id, indicator_code, reading, body_code, numerator, denominator, value, printed, "
        "definition_hash from indicators.observation where period = %s and superseded_at is null "
        "and (indicator_code, reading) in (select * from unnest(%s::text[], %s::text[]))",
        (period, [code for code, _ in pairs], [reading for _, reading in pairs]),
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


# ---------------------------------------------------------------- answers

#: The columns of ``mart.indicator``, which every answer has.
FIGURE_COLUMNS = (
    "period",
    "indicator_code",
    "name_zh",
    "name_en",
    "domain",
    "unit",
    "kind",
    "body_code",
    "body_name",
    "numerator",
    "denominator",
    "value",
    "printed",
    "previous_value",
    "change_on_previous",
    "year_ago_value",
    "change_on_year",
    "status",
    "vintage",
    "computed_at",
)


def figures(
    connection: Connection, period: Period, body: str | None = None, as_known: datetime | None = None
) -> list[dict[str, Any]]:
    """The rows of ``mart.indicator`` for a half-year and one body (None: the whole city), in the order of the tables.

    With ``as_known`` they are computed from the rows known at that instant, by today's definitions, the
    periods compared with as well; status is then ``as_known`` and ``computed_at`` the instant.
    """
    if as_known is None:
        with connection.cursor(cursor_factory=RealDictCursor) as cursor:
            cursor.execute(
                f"select {', '.join(f'i.{c}' for c in FIGURE_COLUMNS)} from mart.indicator as i "
                "left join mart.definition as d on d.indicator_code = i.indicator_code and d.is_published "
                "where i.period = %s and i.body_code is not distinct from %s order by d.sort_order",
                (str(period), body),
            )
            return [dict(row) for row in cursor]
    if as_known.tzinfo is None:
        as_known = as_known.replace(tzinfo=LOCAL_ZONE)
    with connection.cursor() as cursor:
        cursor.execute("select name from core.body where code = %s", (body,))
        name = cursor.fetchone()
    body_name = CITY if body is None else name[0] if name else None
    rows = []
    for d in definitions(connection).values():
        if not d.is_published:
            continue
        then, before, year_ago = (
            next((o for o in observe(connection, d, p, as_known) if o.body_code == body), None)
            for p in (period, period.previous, period.year_ago)
        )
        if then is None:
            continue
        earlier = [o.value if o else None for o in (before, year_ago)]
        changes = [_change(d, then.value, value) for value in earlier]
        row = (
            str(period), d.code, d.name_zh, d.name_en, d.domain, d.unit, d.kind, body, body_name,
            then.numerator, then.denominator, then.value, then.printed,
            earlier[0], changes[0], earlier[1], changes[1], "as_known", None, as_known,
        )  # fmt: skip
        rows.append(dict(zip(FIGURE_COLUMNS, row, strict=True)))
    return rows


def _change(definition: Definition, value: Decimal | None, earlier: Decimal | None) -> Decimal | None:
    """环比 or 同比 of the values shown; the same as in sql/mart/indicator.sql, which a test holds."""
    if value is None or earlier is None:
        return None
    now, then = definition.shown(value), definition.shown(earlier)
    if then == 0:
        return None
    return now - then if definition.kind == "ratio" else _plain(_rounded((now - then) * 100 / then, 12))


_OF_BODY = "%(body)s is null or c.body_code in (select part_code from core.body_part where body_code = %(body)s)"
#: The columns of a traced row.
TRACE_COLUMNS = ("period", "indicator_code", "reading", *COLUMNS, "file_name", "snapshot_date")


def trace(
    connection: Connection,
    code: str,
    reading: str,
    period: Period,
    body: str | None = None,
    as_known: datetime | None = None,
) -> Iterator[dict[str, Any]]:
    """The rows behind a number: counted first, then those in the denominator only, then those left out.

    ``body`` None is the whole city. Rows stream from the server; each says its file, snapshot date and row.
    Raises UsageError for an unknown indicator.
    """
    wanted = definition(connection, code, reading)
    return _trace(connection, wanted, period, body, as_known)


def _trace(
    connection: Connection, wanted: Definition, period: Period, body: str | None, as_known: datetime | None
) -> Iterator[dict[str, Any]]:
    with connection.cursor(name="halfyear_trace") as cursor:
        cursor.itersize = 2000
        cursor.execute(
            f"with contribution as (\n{wanted.query})\n"
            f"select {', '.join(f'c.{column}' for column in COLUMNS)}, d.file_name, d.snapshot_date\n"
            "from contribution as c\n"
            "left join lineage.load as l on l.load_id = c.load_id\n"
            "left join lineage.delivery as d on d.delivery_id = l.delivery_id\n"
            f"where {_OF_BODY}\n"
            "order by c.in_numerator desc, c.in_denominator desc, c.excluded_because, c.source, d.snapshot_date,\n"
            "    d.file_name, c.row_number, c.record_key",
            {**_parameters(period, as_known), "body": body},
        )
        for row in cursor:
            yield dict(zip(TRACE_COLUMNS, (str(period), wanted.code, wanted.reading, *row), strict=True))


@dataclass(frozen=True)
class TraceSummary:
    """How many records a number counts, has in its denominator only, and leaves out by reason."""

    definition: Definition
    observation: Observation | None
    counted: int
    in_denominator_only: int
    left_out: Mapping[str, int]


def trace_summary(
    connection: Connection,
    code: str,
    reading: str,
    period: Period,
    body: str | None = None,
    as_known: datetime | None = None,
) -> TraceSummary:
    """The account of a trace: records counted, in the denominator only, and left out by reason."""
    wanted = definition(connection, code, reading)
    with connection.cursor() as cursor:
        cursor.execute(
            f"with contribution as (\n{wanted.query}),\n"
            "record as (\n"
            "    select source, record_key, bool_or(in_numerator) as counted, bool_or(in_denominator) as over,\n"
            "        min(excluded_because) as reason\n"
            f"    from contribution as c where {_OF_BODY} group by source, record_key)\n"
            "select case when counted then 'counted' when over then 'over' else 'left out' end,\n"
            "    case when not counted and not over then reason end, count(*)\n"
            "from record group by 1, 2 order by 3 desc, 2",
            {**_parameters(period, as_known), "body": body},
        )
        rows = cursor.fetchall()
    found = next((o for o in observe(connection, wanted, period, as_known) if o.body_code == body), None)
    return TraceSummary(
        definition=wanted,
        observation=found,
        counted=sum(count for what, _, count in rows if what == "counted"),
        in_denominator_only=sum(count for what, _, count in rows if what == "over"),
        left_out={reason or "": count for what, reason, count in rows if what == "left out"},
    )
