"""Populations 统计总体: who or what is counted, said once in ``sql/populations/<name>.sql``.

A population (the word of GSIM and of every statistics law): which rows are on the list, which of several stands for a person,
a case or a ticket, why rows are left out, and on which days its sources are read. A file is a YAML header and one ``select``;
indicators (`halfyear.indicators.definition`) add to it what only they say.

The header's ``reads`` gives each source its reading, and the package lays the rows of that reading under its name. So the days
that a select reads are those that its header declares, and what a change of a source makes due follows from them.

In one module: a reading is named, laid out and made due by the same few words.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from halfyear import contract as contracts
from halfyear.contract import Contract, Title, faults, meant, place, read_yaml
from halfyear.errors import ContractError
from halfyear.indicators.select_text import PARAMETERS, TOKEN, gives, is_row_wise, without_comments, without_texts

#: A register as it held on the last day of the half-year, or on the last day of the year before.
LAST_DAY, YEAR_END_BEFORE = "last_day", "year_end_before"
#: Every version of a register; the rows of whole groups (``periodGroup`` of a contract), in whichever half-year they lie.
HISTORY, GROUP = "history", "group"
_DAY = {
    LAST_DAY: ":last_day",
    YEAR_END_BEFORE: "(date_trunc('year', (:first_day)::timestamp)::date - 1)",
    HISTORY: ":last_day",
}

_HEADER = re.compile(r"\s*/\*(?P<header>.*?)\*/(?P<select>.*)\Z", re.DOTALL)
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")
_REASON = re.compile(r"\b(?i:then|else)\s+'([a-z]\w*)'")
# A table is named with its schema in any of these spellings.
_TABLE = re.compile(r'"?\b(core|lineage|mart|staging|quarantine|indicators|landing)\b"?\s*\.\s*"?(\w+)', re.IGNORECASE)
_Header = TypeVar("_Header", bound=BaseModel)


class PopulationHeader(BaseModel):
    """The YAML header of a population file.

    ``reads``: each source and its reading: ``last_day`` or ``year_end_before`` (a register as it held then), the name
    of a date or time (events in the half-year by it), ``history`` (every version of a register) or ``group`` (the
    select reads ``core`` itself, whole groups of events). ``of``: another population that the select reads instead.
    ``excluded``: the reasons of ``excluded_because``. ``without_rows``: what a covered half-year without any row is;
    ``null`` where a zero has to be reported.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name_zh: str
    name_en: str
    grain: str = Field(pattern="^one row per ")
    of: str | None = None
    reads: dict[str, str] = {}
    without_rows: Literal["zero", "null"] = "zero"
    excluded: dict[str, Title] = {}


@dataclass(frozen=True)
class Laid:
    """The rows of a source in one reading: ``rows`` of all half-years, and the ``window`` of those that are read.

    ``window`` is SQL of a row called ``{row}``. ``elsewhere`` says the same of the rows of other partitions than those of
    the half-year, where the window is that of the partitions; else it is empty.
    """

    rows: str
    window: str
    elsewhere: str

    @property
    def select(self) -> str:
        """The select of the rows that are read."""
        return f"{self.rows} and {self.window.format(row='t')}\n"


@dataclass(frozen=True)
class Base:
    """What an indicator's select reads from: a population, or a source as it is read.

    ``relations`` are the named selects, those that others read first; the last one bears ``name``. ``excluded`` are the
    reasons that it gives in ``excluded_because``. ``laid`` are the rows of its only source, where every population on the
    way looks at one row at a time; else None.
    """

    name: str
    reads: Mapping[str, str]
    relations: tuple[tuple[str, str], ...]
    laid: Laid | None
    excluded: Mapping[str, Title]
    without_rows: str

    @property
    def has_reason(self) -> bool:
        """Whether its rows have a column ``excluded_because``, from whichever select; ``migrate`` asks PostgreSQL too."""
        return any(gives(select, "excluded_because") for _, select in self.relations) or bool(self.excluded)


@dataclass(frozen=True)
class Declarations:
    """What the files of populations and indicators may speak of."""

    contracts: Mapping[str, Contract]
    domains: Mapping[str, Title]
    value_sets: frozenset[str]
    populations: Mapping[str, tuple[PopulationHeader, str]]

    def base(self, name: str | None, reads: Mapping[str, str], file: str) -> Base:
        """The population or source called ``name``; ``reads`` adds to its readings or takes their place.

        Raises ContractError, with the name of the file that asks, for an unknown name or reading.
        """
        population = self.populations.get(name or "")
        if population is None:
            if name is not None and (name not in self.contracts or name not in reads):
                near = "of: 应为统计总体，或 reads 中的来源 / is a population, or a source named in reads"
                raise ContractError(f"{file}: {near}: {name}{meant(name, (*self.populations, *self.contracts))}")
            if name is not None:
                # What is counted are its rows: of several readings its own is the first, and its relation the last.
                reads = {name: reads[name], **reads}
            relations = self._relations(reads, file)
            if name is not None and reads[name] != GROUP:
                relations = (*relations[1:], relations[0])
            return Base(name or "", reads, relations, self._laid(reads), {}, "zero")
        header, select = population
        below = self.base(header.of, {**header.reads, **reads}, f"sql/populations/{name}.sql")
        own = (name or "", self.expand(select, below.reads, f"sql/populations/{name}.sql"))
        return Base(
            own[0],
            below.reads,
            (*below.relations, own),
            below.laid if is_row_wise(select, header.of or next(iter(header.reads))) else None,
            {**below.excluded, **header.excluded},
            header.without_rows if header.without_rows != "zero" else below.without_rows,
        )

    def _relations(self, reads: Mapping[str, str], file: str) -> tuple[tuple[str, str], ...]:
        unknown = sorted(reads.keys() - self.contracts.keys())
        if unknown or not reads:
            near = meant(unknown[0], self.contracts) if unknown else ""
            raise ContractError(
                f"{file}: reads: 没有这个来源 / there is no such source: {', '.join(unknown) or '-'}{near}"
            )
        for source, reading in reads.items():
            if not is_reading(self.contracts[source], reading):
                raise ContractError(
                    f"{file}: reads: {source}: {reading} 不是这个来源的读法 / is no reading of this source: a register is "
                    f"read on {LAST_DAY} or {YEAR_END_BEFORE} or in its {HISTORY}, events by one of their dates or by {GROUP}"
                    f"{meant(reading, _readings(self.contracts[source]))}"
                )
        return tuple(
            (source, lay(self.contracts[source], reading).select)
            for source, reading in reads.items()
            if reading != GROUP
        )

    def _laid(self, reads: Mapping[str, str]) -> Laid | None:
        ((source, reading), *others) = reads.items()
        return None if others or reading == GROUP else lay(self.contracts[source], reading)

    def expand(self, select: str, reads: Mapping[str, str], file: str) -> str:
        """A select with each ``:name`` of a value set as the array of its values on the day that is read.

        Raises ContractError for a name that is neither a parameter nor a value set, and for a table of core that is
        read beside what ``reads`` declares.
        """
        day = _DAY[YEAR_END_BEFORE if set(reads.values()) == {YEAR_END_BEFORE} else LAST_DAY]
        unknown = set()

        def token(match: re.Match[str]) -> str:
            name = match["name"]
            if name is None or name in PARAMETERS:
                return match[0]
            if name not in self.value_sets:
                unknown.add(name)
            return f"array(select value from core.value_set where value_set = '{name}' and valid_at @> {day})"

        expanded = TOKEN.sub(token, select)
        if unknown:
            raise ContractError(
                f"{file}: 未知参数，也不是 value_set.csv 中的值集 / unknown parameter, and no set of value_set.csv: "
                f":{', :'.join(sorted(unknown))}{meant(min(unknown), (*PARAMETERS, *self.value_sets))}"
            )
        named = [(schema.lower(), table.lower()) for schema, table in _TABLE.findall(without_texts(select))]
        # Which load of a group's events stands is asked where whole groups are read.
        allowed = {"lineage.standing"} if GROUP in reads.values() else set()
        elsewhere = sorted({f"{schema}.{table}" for schema, table in named if schema != "core"} - allowed)
        if elsewhere:
            raise ContractError(
                f"{file}: 只能读取来源和 core 中的名单 / reads the sources and the lists of core, not {', '.join(elsewhere)}"
            )
        tables = {table.removesuffix("_resolved") for _, table in named}
        tables |= {
            source
            for source in self.contracts
            for table in tables
            if re.fullmatch(rf"{source}_\d{{4}}_s[12]|{source}_undated", table)
        }
        beside = sorted(name for name in tables & self.contracts.keys() if reads.get(name) != GROUP)
        if beside:
            raise ContractError(
                f"{file}: 应通过 reads 读取 / is read by its name and a reading in reads, not as core.{', core.'.join(beside)}"
            )
        return expanded


# ---------------------------------------------------------------- files


def load_declarations(sql: Path) -> Declarations:
    """Everything that indicator files may speak of, below ``sql/populations`` and the ``expectations`` beside ``sql``.

    Raises ContractError for a bad file.
    """
    expectations = sql.parent / "expectations"
    populations = {path.stem: _load(path) for path in sorted((sql / "populations").glob("*.sql"))}
    declared = contracts.load_all(expectations)
    both = sorted(populations.keys() & declared.keys())
    if both:
        raise ContractError(f"sql/populations/{both[0]}.sql: 与来源重名 / bears the name of a source")
    found = Declarations(declared, load_domains(expectations), _value_sets(expectations), populations)
    for name in populations:
        _end(name, populations)
        found.base(name, {}, f"sql/populations/{name}.sql")
    return found


def _end(name: str, populations: Mapping[str, tuple[PopulationHeader, str]]) -> None:
    """Follow ``of`` down to the sources; ContractError where it comes back to a population."""
    way = [name]
    below = populations[name][0].of
    while below is not None and below in populations:
        way.append(below)
        if below in way[:-1]:
            raise ContractError(f"sql/populations/{name}.sql: of: 循环引用 / comes back to itself: {' of '.join(way)}")
        below = populations[below][0].of


def _load(path: Path) -> tuple[PopulationHeader, str]:
    header, select = read_file(path, PopulationHeader)
    if not _NAME.match(path.stem):
        raise ContractError(f"{place(path)}: 应为 <总体>.sql / is named <population>.sql")
    check_reasons(select, header.excluded, place(path), "excluded_because")
    if gives(select, "is_counted"):
        raise ContractError(f"{place(path)}: is_counted: 由指标给出 / is said by an indicator, not by a population")
    return header, select or "select *\nfrom " + str(header.of or next(iter(header.reads), "")) + "\n"


def read_file(path: Path, model: type[_Header]) -> tuple[_Header, str]:
    """The header of a file by its model, and its select without the closing semicolon; empty where there is none.

    Raises ContractError with the file, the key and what is wrong with it.
    """
    text = path.read_text("utf-8")
    match = _HEADER.match(text)
    if not match:
        raise ContractError(f"{place(path)}: 开头应为 /* YAML */ 注释 / opens with a /* YAML */ comment")
    try:
        header = model.model_validate(read_yaml(match["header"]))
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = f"行 line {text.count(chr(10), 0, match.start('header')) + mark.line + 1}: " if mark else ""
        said = " ".join(str(getattr(error, "problem", None) or error).split())
        raise ContractError(
            f"{place(path)}: {line}表头不是合法的 YAML / the header is not valid YAML: {said}"
        ) from None
    except ValidationError as error:
        first = text.count("\n", 0, match.start("header")) + 1
        raise ContractError(
            f"{place(path)}: 表头不符合格式 / the header breaks its schema: "
            f"{faults(error, model.model_fields, match['header'], first)}"
        ) from None
    select = match["select"].strip().removesuffix(";").rstrip()
    return header, select + "\n" if select else ""


def check_reasons(select: str, excluded: Mapping[str, Title], file: str, column: str | None) -> None:
    """Raises ContractError where the reasons that a select gives are not those that its header has texts for.

    ``column`` is where reasons are given: ``excluded_because`` in a population, ``left_out_because`` in what an indicator
    adds to it. A reason in a column of another name would leave nothing out; None: the select gives all columns itself.
    """
    used = set(_REASON.findall(without_comments(select)))
    if untold := sorted(used - excluded.keys()):
        raise ContractError(f"{file}: excluded: 缺少说明 / has no text for the reason: {', '.join(untold)}")
    if unused := sorted(excluded.keys() - used):
        raise ContractError(f"{file}: excluded: 查询未使用 / the select never gives the reason: {', '.join(unused)}")
    if column is not None:
        if excluded and not gives(select, column):
            raise ContractError(f"{file}: excluded: 查询应给出 {column} / the select gives no column {column}")
        for other in sorted({"excluded_because", "left_out_because"} - {column}):
            if gives(select, other):
                raise ContractError(f"{file}: {other}: 此处应为 {column} / is called {column} here")


def load_domains(expectations: Path) -> dict[str, Title]:
    """The domains of indicators, in the order of the tables, from ``expectations/indicators/domains.yaml``."""
    path = expectations / "indicators" / "domains.yaml"
    try:
        return {name: Title.model_validate(title) for name, title in read_yaml(path.read_text("utf-8")).items()}
    except (yaml.YAMLError, ValidationError) as error:
        raise ContractError(f"{place(path)}: {' '.join(str(error).split())}") from None


def _value_sets(expectations: Path) -> frozenset[str]:
    path = expectations / "core" / "value_set.csv"
    if not path.is_file():
        return frozenset()
    return frozenset(line.partition(",")[0] for line in path.read_text("utf-8-sig").splitlines()[1:])


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a population's header, for editors and for the tests."""
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **PopulationHeader.model_json_schema()}


# ---------------------------------------------------------------- readings


def is_reading(contract: Contract, reading: str) -> bool:
    """Whether a source has this reading."""
    return reading in _readings(contract)


def _readings(contract: Contract) -> tuple[str, ...]:
    """The readings that a source has."""
    if contract.mode == "register":
        return LAST_DAY, YEAR_END_BEFORE, HISTORY
    times = tuple(p.column for p in contract.columns if p.logical_type in ("date", "timestamp"))
    return times if contract.period_group is None else (*times, GROUP)


def basis(reading: str) -> str:
    """From when on something is known: ``stock`` from a snapshot on or before the day, ``flow`` from a delivery in the
    half-year or later (settled questions: figures)."""
    return "stock" if reading in (LAST_DAY, YEAR_END_BEFORE) else "flow"


def lay(contract: Contract, reading: str) -> Laid:
    """The rows of a source in one reading, each with ``resolved_body_code``."""
    if contract.mode == "register":
        day = _DAY[reading]
        window = "true" if reading == HISTORY else f"{{row}}.valid_at @> {day}"
        return Laid(f"{resolved(contract, day)}\nwhere t.known_at @> :as_known", window, "")
    rows = f"core.{contract.source}_resolved" if contracts.has_body(contract) else f"core.{contract.source}"
    body = "t.*" if contracts.has_body(contract) else "t.*, null::text as resolved_body_code"
    bounds = (
        (":first_day", ":next_day") if contract.named(reading).logical_type == "date" else (":begins_at", ":ends_at")
    )
    before, after = f"{{row}}.{reading} < {bounds[0]}", f"{{row}}.{reading} >= {bounds[1]}"
    return Laid(
        f"select {body}\nfrom {rows} as t\nwhere t.known_at @> :as_known",
        f"{{row}}.{reading} >= {bounds[0]} and {{row}}.{reading} < {bounds[1]}",
        f"({before} or {after} or {{row}}.{reading} is null)" if reading == contract.period_property else "",
    )


def resolved(contract: Contract, day: str) -> str:
    """The select of all rows of a source with ``resolved_body_code``, the body that they name on a day; up to its ``from``.

    The code decides where the list of bodies knows it, else the name on that day, else the region: the village or town
    of that region code, else the town around it. Else it is null. This is the one rule of resolution.
    """
    columns = {p.column for p in contract.columns}
    joins = ""
    found: list[str] = []

    def join(relation: str, key: str, given: str, more: str = "") -> None:
        nonlocal joins
        alias = relation.rpartition(" ")[2]
        if found:
            # A body that an earlier join has found is not looked up again: a join by null costs nothing.
            given = f"case when {' and '.join(f'{code} is null' for code in found)} then {given} end"
        joins += f"\nleft join {relation} on {given} = {alias}.{key}{more}"
        found.append(f"{alias}.code")

    if "body_code" in columns:
        join("core.body as by_code", "code", "t.body_code")
    if "body_name" in columns:
        join("core.body_name as by_name", "name", "t.body_name", f" and by_name.valid_at @> {day}")
    if "region_code" in columns:
        join("core.body_region as by_region", "region_code", "t.region_code")
        join("core.body_region as by_town", "region_code", "left(t.region_code, 9)")
    code = f"coalesce({', '.join(found)})" if len(found) > 1 else found[0] if found else "null::text"
    return f"select\n    t.*,\n    {code} as resolved_body_code\nfrom core.{contract.source} as t{joins}"


def own_day(contract: Contract) -> str:
    """The day on which a row itself holds: of an event its own, of a register the newest one of its version."""
    if contract.mode == "register":
        return "coalesce(upper(t.valid_at) - 1, 'infinity'::date)"
    if contract.named(contract.period_property or "").logical_type == "timestamp":
        return f"(t.{contract.period_property} at time zone 'Asia/Shanghai')::date"
    return f"t.{contract.period_property}"
