"""Definitions: what an indicator adds to its population, read from ``sql/indicators/<code>.sql``.

A file is a YAML header in the leading comment and, where the population alone is not the answer, one ``select`` of its
rows. This module composes both to the select of nine columns that returns the rows that count, and those left out with
the reason. Hash, trace, seal and mart see that one text.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, Inexact
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

from pydantic import BaseModel, ConfigDict, Field, model_validator

from halfyear.contract import Contract, Title, meant, place
from halfyear.errors import ContractError
from halfyear.indicators import population
from halfyear.indicators.population import Base, Declarations, Laid
from halfyear.indicators.select_text import bind, gives, is_row_wise, on_top, query, spaced_once, without_texts

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
MOST_DECIMALS = 12
#: What a null value prints.
DASH = "—"
#: The body name of the row for the whole city.
CITY = "全市"

_FILE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)?\Z")
# Quotients keep 30 digits; whole numbers and terminating fractions are exact.
# A quotient has 28 digits, of 30 that are computed: seals hold such values, and are computed anew to the last digit.
_DIGITS, _QUOTIENT = Context(prec=30), Context(prec=28)
# Sums keep every digit that PostgreSQL's numeric may have.
EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])
_ROUNDED = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)

Kind = Literal["stock", "flow", "ratio", "average"]
Column = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$")]


class Pair(NamedTuple):
    """One reading of one indicator."""

    code: str
    reading: str

    @property
    def name(self) -> str:
        """The code with its reading, as people write it: ``cloud_systems_migrated.flow``."""
        return ".".join(filter(None, self))


class IndicatorHeader(BaseModel):
    """The YAML header of an indicator file.

    ``of``: the population, or a source as ``reads`` reads it, that the select adds to; without it the select gives the
    nine columns itself. ``reads``: a reading besides those of the population, or instead of one. ``kind``: stock or flow
    follow from the reading, ratios and averages are said. ``quantity``: the column that a row adds, where a row does not
    count one; ``over``: the column, or 1, that it adds to the denominator where that is not the same. ``scale``: value =
    numerator (/ denominator) × scale; 100 for per cent. ``template``: the printed form. ``published``: whether this
    reading is the published one, as the one without a name is. ``part_of``: the code of the whole of which it is a part; tables
    show it below that. ``excluded``: the reasons of ``left_out_because``.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    of: str | None = None
    reads: dict[str, str] | str = {}
    name_zh: str
    name_en: str
    domain: str | None = None
    unit: str
    kind: Kind | None = None
    decimals: int = Field(default=0, ge=0, le=MOST_DECIMALS)
    scale: Decimal | None = Field(default=None, gt=0)
    template: str = "{value}{unit}"
    quantity: Column | None = None
    over: Column | Literal[1] | None = None
    without_rows: Literal["zero", "null"] | None = None
    published_no: str | None = None
    section: str | None = None
    published: bool | None = None
    part_of: str | None = None
    description_zh: str
    description_en: str
    excluded: dict[str, Title] = {}

    @model_validator(mode="after")
    def _coherent(self) -> IndicatorHeader:
        if "{value}" not in self.template or set(re.findall(r"\{(\w*)\}", self.template)) - {"value", "unit"}:
            raise ValueError("template: holds {value} and may hold {unit}")
        if self.of is None and (self.quantity or self.over):
            raise ValueError("quantity, over: only with of; a select without it gives the nine columns itself")
        if self.over is not None and self.kind not in ("ratio", "average"):
            raise ValueError("over: only ratios and averages have a denominator")
        return self


@dataclass(frozen=True)
class Parts:
    """A composed select in parts, so that all indicators of one base are computed in one scan of it.

    ``relations`` and ``laid`` are those of the base, ``select`` what the indicator adds, and ``final`` makes nine columns of
    that. Where ``is_row_wise``, ``select`` looks at one row at a time and may be asked beside others; the other texts are SQL
    of a row called ``{row}``: whether it counts above and below the line, and what it adds there. ``reads`` names the columns
    that these texts and ``final`` read of what the indicator adds.
    """

    relations: tuple[tuple[str, str], ...]
    laid: Laid | None
    select: str
    final: str
    is_row_wise: bool
    in_numerator: str
    in_denominator: str
    quantity: str
    over: str
    reads: tuple[str, ...] = ()

    @property
    def base(self) -> str:
        """The name of the base."""
        return self.relations[-1][0]


@dataclass(frozen=True)
class Definition:
    """One reading of one indicator; ``reading`` is empty for ``<code>.sql``.

    ``readings`` has how each of ``sources`` is read; the rows are those of the first one. ``sql`` is the select of nine
    columns, ``parts`` what it was composed of; None where the file gives the nine columns itself.
    """

    code: str
    reading: str
    name_zh: str
    name_en: str
    domain: str
    domain_zh: str
    domain_en: str
    unit: str
    kind: str
    decimals: int
    scale: Decimal
    template: str
    without_rows: str
    population: str | None
    sources: tuple[str, ...]
    readings: tuple[str, ...]
    published_no: str | None
    section: str | None
    is_published: bool
    description_zh: str
    description_en: str
    excluded: Mapping[str, Mapping[str, str]]
    part_of: str | None
    sort_order: int
    sql: str
    parts: Parts | None

    @property
    def hash(self) -> str:
        """SHA-256 over all that moves the number: the select without comments and spacing, and the arithmetic."""
        select = spaced_once(self.sql)
        facts = [select, self.unit, self.kind, str(self.decimals), str(self.scale.normalize())]
        facts += [self.template, self.without_rows, *self.sources, *self.readings]
        return hashlib.sha256(json.dumps(facts, ensure_ascii=False).encode()).hexdigest()

    @property
    def pair(self) -> Pair:
        """Its code and reading."""
        return Pair(self.code, self.reading)

    @property
    def name(self) -> str:
        """Its code with its reading, as people write it."""
        return self.pair.name

    @property
    def has_denominator(self) -> bool:
        return self.kind in ("ratio", "average")

    def bind(self, replace: Callable[[str], str]) -> str:
        """The select with each ``:parameter`` replaced by ``replace(name)``."""
        return bind(self.sql, replace)

    @property
    def query(self) -> str:
        """The select for psycopg2: ``%(name)s`` parameters, typed; every other % doubled."""
        return query(self.sql)

    def value(self, numerator: Decimal | None, denominator: Decimal | None) -> Decimal | None:
        """The exact value: unit conversion, per cent × 100; null over zero."""
        if numerator is None:
            return None
        if not self.has_denominator:
            return plain(EXACT.multiply(numerator, self.scale))
        if not denominator:
            return None
        return plain(_QUOTIENT.plus(_DIGITS.divide(EXACT.multiply(numerator, self.scale), denominator)))

    def shown(self, value: Decimal) -> Decimal:
        """The value as it is printed, see `shown`."""
        return shown(value, self.decimals, self.unit)

    def printed(self, value: Decimal | None) -> str:
        """The value as it is printed, with trailing zeros and unit; — for null."""
        if value is None:
            return DASH
        return self.template.format(value=f"{self.shown(value):f}", unit=self.unit)


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros and exponent, so that 5 and 5.0 are one value."""
    value = value.normalize(EXACT)
    return value.quantize(Decimal(1), context=EXACT) if value == value.to_integral_value() else value


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Half up, and never minus zero."""
    found = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP, context=_ROUNDED)
    return abs(found) if found == 0 else found


def shown(value: Decimal, decimals: int, unit: str) -> Decimal:
    """The value rounded half up to its decimals; 0 and 100% stand for exact values only.

    Where the decimals would give one of these for another value, it gets two decimals, or more until it is told apart.
    """
    bounds = (0, 100) if unit == "%" else (0,)
    for places in (decimals, *range(max(decimals + 1, 2), MOST_DECIMALS + 1)):
        found = rounded(value, places)
        if found == value or found not in bounds:
            return found
    return found


def change_shown(change: Decimal, decimals: int) -> Decimal:
    """The size of a 环比 or 同比 as it is printed: at the decimals of the figure, 0 and 100 for exact values only."""
    return shown(abs(change), decimals, "%")


def printed_change(change: Decimal | None, kind: str, decimals: int) -> str:
    """A 环比 or 同比 with sign and unit: per cent, of a ratio 百分点; — for null."""
    if change is None:
        return DASH
    sign = "+" if change > 0 else "-" if change < 0 else ""
    return f"{sign}{change_shown(change, decimals):f}{'百分点' if kind == 'ratio' else '%'}"


def digits(value: Decimal) -> int:
    """How many decimals a rounded value is written with."""
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0


# ---------------------------------------------------------------- composing


def compose(base: Base, select: str, header: IndicatorHeader, is_one_row: bool) -> Parts:
    """The select of nine columns of what an indicator adds to its base, in parts."""
    reasons = [
        f"{{row}}.{name}"
        for name, is_given in (
            ("excluded_because", base.has_reason),
            ("left_out_because", gives(select, "left_out_because")),
        )
        if is_given
    ]
    reason = f"coalesce({', '.join(reasons)})" if len(reasons) > 1 else reasons[0] if reasons else "null::text"
    is_in = f"{reason} is null" if reasons else "true"
    quantity = f"coalesce({{row}}.{header.quantity}, 0)" if header.quantity else "1"
    over = quantity if header.over is None else "1" if header.over == 1 else f"coalesce({{row}}.{header.over}, 0)"
    parts = Parts(
        relations=base.relations,
        laid=base.laid,
        select=select,
        final="",
        is_row_wise=is_one_row,
        in_numerator=f"{is_in} and {{row}}.is_counted is true" if gives(select, "is_counted") else is_in,
        in_denominator=is_in if header.kind in ("ratio", "average") else "false",
        quantity=quantity,
        over=over,
        reads=tuple(
            column
            for column, is_read in (
                ("excluded_because", base.has_reason),
                ("left_out_because", gives(select, "left_out_because")),
                ("is_counted", gives(select, "is_counted")),
                (header.quantity, True),
                (header.over, True),
            )
            if is_read and isinstance(column, str)
        ),
    )
    return replace(parts, final=_final(parts, reason, next(iter(base.reads)), has_two=header.over is not None))


def _final(parts: Parts, reason: str, source: str, has_two: bool) -> str:
    """With ``has_two`` a record is returned twice: with what it adds above the line, and with what it adds below."""

    def of(text: str) -> str:
        return text.format(row="judged")

    above, below, quantity = of(parts.in_numerator), of(parts.in_denominator), of(parts.quantity)
    tail = "judged"
    if has_two:
        tail += f"\ncross join (values (true), (false)) as part (is_above)\nwhere not part.is_above or ({above})"
        above, below = "part.is_above", f"not part.is_above and {below}"
        quantity = f"case when part.is_above then {quantity} else {of(parts.over)} end"
    return (
        f"select\n    judged.resolved_body_code as body_code,\n    {above} as in_numerator,\n"
        f"    {below} as in_denominator,\n    {quantity} as quantity,\n    {of(reason)} as excluded_because,\n"
        f"    '{source}' as source,\n    judged.record_key,\n    judged.load_id,\n    judged.row_number\nfrom {tail}\n"
    )


# ---------------------------------------------------------------- files


def load(path: Path, declared: Declarations) -> Definition:
    """Read one indicator file.

    Raises ContractError with the file, the key and what is wrong with it.
    """
    if not _FILE.match(path.stem):
        raise ContractError(
            f"{place(path)}: 应为 <代码>.sql 或 <代码>.<口径>.sql / is named <code>.sql or <code>.<reading>.sql"
        )
    code, _, reading = path.stem.partition(".")
    header, select = population.read_file(path, IndicatorHeader)
    population.check_reasons(select, header.excluded, place(path), "left_out_because" if header.of else None)
    reads = {header.of or "": header.reads} if isinstance(header.reads, str) else header.reads
    base = declared.base(header.of, reads, place(path))
    written = select or (f"select *\nfrom {base.name}\n" if header.of else "")
    select = declared.expand(written, base.reads, place(path))
    parts: Parts | None
    if header.of is not None:
        parts = compose(base, select, header, is_row_wise(written, base.name))
        sql = on_top((*parts.relations, ("judged", parts.select)), parts.final)
    elif select:
        parts, sql = None, on_top(base.relations, select)
    else:
        raise ContractError(f"{place(path)}: 没有查询 / has no select: name a population in of, or write one")
    contract = declared.contracts[next(iter(base.reads))]
    domain = header.domain or contract.domain
    if domain not in declared.domains:
        raise ContractError(
            f"{place(path)}: domain: {domain} 不在 expectations/indicators/domains.yaml 中 / is not named there"
            f"{meant(domain, declared.domains)}"
        )
    return Definition(
        code=code,
        reading=reading,
        domain=domain,
        domain_zh=declared.domains[domain].zh,
        domain_en=declared.domains[domain].en,
        kind=header.kind or population.basis(next(iter(base.reads.values()))),
        scale=header.scale or Decimal(100 if header.unit == "%" else 1),
        without_rows=header.without_rows or base.without_rows,
        population=header.of if header.of in declared.populations else None,
        sources=tuple(base.reads),
        readings=tuple(base.reads.values()),
        is_published=not reading if header.published is None else header.published,
        excluded={
            name: {"zh": text.zh, "en": text.en} for name, text in {**base.excluded, **header.excluded}.items()
        },
        sort_order=0,
        sql=sql,
        parts=parts,
        **header.model_dump(
            include={
                "name_zh", "name_en", "unit", "decimals", "template", "published_no", "section", "description_zh",
                "description_en", "part_of",
            }
        ),
    )  # fmt: skip


def load_all(sql: Path) -> dict[tuple[str, str], Definition]:
    """Every definition under ``sql/indicators``, by code and reading, in the order of the tables.

    Raises ContractError for a bad file, for an indicator of which not exactly one reading is published, and for one that
    names a column whose bad values load as null.
    """
    declared = population.load_declarations(sql)
    found = [load(path, declared) for path in sorted((sql / "indicators").glob("*.sql"))]
    for definition in found:
        _refuse_nulled(definition, declared.contracts)
    for code in {d.code for d in found}:
        published = [d for d in found if d.code == code and d.is_published]
        if len(published) != 1:
            raise ContractError(
                f"sql/indicators/{code}.sql: 应恰有一个口径 published: true / exactly one reading is published: true, not {len(published)}"
            )
    by_code = {d.code: d for d in found if d.is_published}
    for each in found:
        whole = by_code.get(each.part_of or each.code)
        if whole is None or (whole.domain, whole.unit) != (each.domain, each.unit) or whole.part_of:
            raise ContractError(
                f"sql/indicators/{each.name}.sql: part_of: {each.part_of}: 应为同一领域、同一单位的指标，且本身不是其中项 / "
                "should be an indicator of the same domain and unit that is no part itself"
            )
    order = list(declared.domains)

    def number(code: str) -> tuple[float, str, str]:
        of_report = re.match(r"(\d+)(.*)", by_code[code].published_no or "")
        return (float(of_report[1]), of_report[2], code) if of_report else (float("inf"), "", code)

    def place(definition: Definition) -> tuple[Any, ...]:
        whole = definition.part_of or definition.code
        is_part = definition.part_of is not None
        return order.index(definition.domain), number(whole), is_part, number(definition.code), definition.reading

    return {d.pair: replace(d, sort_order=position) for position, d in enumerate(sorted(found, key=place), start=1)}


def _refuse_nulled(definition: Definition, contracts: Mapping[str, Contract]) -> None:
    """Null means something to a figure (not graded, not replied to), so a value that could not be read must not be one."""
    words = set(re.findall(r"\w+", without_texts(definition.sql)))
    for contract in (contracts[source] for source in definition.sources):
        read = sorted(p.name for p in contract.columns if p.null_when_invalid and p.column in words)
        if read:
            raise ContractError(
                f"{contract.source}.yaml: {read[0]}: nullWhenInvalid: 指标 {definition.name} 读取该列，不能按空值装载 / the "
                f"indicator {definition.name} reads this column, so its bad values must not load as null"
            )


def json_schema() -> dict[str, Any]:
    """The JSON Schema of an indicator file's header, for editors and for the tests."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **IndicatorHeader.model_json_schema()}
