"""Contracts: what each source promises, read from ``expectations/sources/<source>.yaml``.

A contract is one file of facts: the header row, the types, the key, the mode, who may see what, and the
rules in Great Expectations' own form. Staging and core tables, comments, obvious rules, the DAG, the data
dictionary and the handling of personal data derive from it. Keys use the words of the Open Data Contract
Standard (ODCS 3) where it has them: ``id``, ``version``, ``status``, ``description``, ``slaProperties``,
``properties`` with ``businessName``, ``logicalType``, ``required``, ``primaryKey``, ``classification``,
and ``quality``. Unknown keys are errors.

In one module: a contract is one model, and each of its parts is validated beside the others.

Light to import: no pandas, no Great Expectations, no database; DAG files read contracts.
"""

from __future__ import annotations

import difflib
import functools
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError, model_validator

from halfyear.declared import Strict
from halfyear.delivery_plan import Sla
from halfyear.errors import ContractError

#: GB/T 36344-2018, the six dimensions of data quality.
DIMENSIONS = {
    "normative": "规范性",
    "completeness": "完整性",
    "accuracy": "准确性",
    "consistency": "一致性",
    "timeliness": "时效性",
    "accessibility": "可访问性",
}
Dimension = Literal["normative", "completeness", "accuracy", "consistency", "timeliness", "accessibility"]
Severity = Literal["critical", "warning", "info"]
LogicalType = Literal["string", "integer", "number", "boolean", "date", "timestamp"]
Format = Literal[
    "name",  # a name or short text: stripped only
    "code",  # NFKC-normalised, stripped, upper-cased
    "enumeration",  # one of `values`
    "unified_social_credit_code",  # GB 32100
    "resident_id",  # GB 11643
    "mobile",
    "region_code",  # GB/T 2260 and below: 6, 9 or 12 digits
    "free_text",
    "percent",  # 35%, 0.35 and 35 are the same share
    "month",  # stored as its first day
]

#: The columns by which a row finds its body; ``core.<source>_resolved`` reads them.
BODY_COLUMNS = frozenset({"body_code", "body_name", "region_code"})
#: What a region code looks like, to PostgreSQL.
REGION_CODE_FORM = "^([0-9]{6}|[0-9]{9}|[0-9]{12})$"

_POSTGRES_TYPE = {
    "string": "text",
    "integer": "bigint",
    "number": "numeric",
    "boolean": "boolean",
    "date": "date",
    "timestamp": "timestamptz",
}
_NAME = re.compile(r"[a-z][a-z0-9_]*\Z")


class Title(Strict):
    """A title for people, in Chinese and English."""

    zh: str
    en: str


class Relationship(Strict):
    """A reference to a record of another source: ``to`` is ``<source>.<property>``, the key there.

    Which file came first does not matter: it is judged when figures are read, against every accepted snapshot, and
    what nobody names is a finding in ``mart.unknown_reference``, never a reason to reject a row.
    """

    to: str = Field(pattern=r"^[a-z][a-z0-9_]*\.[a-z][a-z0-9_]*$")


class Property(Strict):
    """One column of the export and of the core table.

    ``business_name`` is the header cell, ``aliases`` other headers seen for it. ``values`` maps each stored
    label to the other spellings (codes) that stand for it. ``header_units`` maps a unit written in the
    header's brackets to the factor into the stored unit. ``identifies_person``: shown as a token wherever a
    record is named, though it is stored. ``null_when_invalid``: a value that cannot be read, or that breaks a rule of
    this column alone, loads as null and is reported; the row is not quarantined for it.
    """

    name: str
    business_name: str
    aliases: tuple[str, ...] = ()
    description: str = ""
    logical_type: LogicalType = "string"
    format: Format | None = None
    required: bool = False
    primary_key: bool = False
    classification: Literal["personal"] | None = None
    identifies_person: bool = False
    values: dict[str, tuple[str, ...]] | None = None
    unit: str | None = None
    header_units: dict[str, float] | None = None
    minimum: float | None = None
    allow_offset: bool = False
    allow_future: bool = False
    null_when_invalid: bool = False
    relationships: tuple[Relationship, ...] = Field(default=(), max_length=1)

    @model_validator(mode="after")
    def _coherent(self) -> Property:
        if not _NAME.match(self.name):
            raise ValueError(f"{self.name}: a field name is lower_snake_case")
        if (self.format == "enumeration") != (self.values is not None):
            raise ValueError(f"{self.name}: `values` and `format: enumeration` go together")
        if self.primary_key and self.is_dropped:
            raise ValueError(f"{self.name}: a dropped column cannot be part of the key")
        if self.format == "free_text" and self.classification != "personal":
            raise ValueError(f"{self.name}: free text is personal; say `classification: personal`")
        if self.null_when_invalid and self.is_required:
            raise ValueError(f"{self.name}: nullWhenInvalid: a required column is never null")
        if self.null_when_invalid and self.column in BODY_COLUMNS:
            raise ValueError(f"{self.name}: nullWhenInvalid: the body of a row is resolved by this column")
        return self

    @property
    def is_required(self) -> bool:
        return self.required or self.primary_key

    @property
    def is_personal(self) -> bool:
        return self.classification == "personal"

    @property
    def is_dropped(self) -> bool:
        """Free text about persons never reaches the warehouse."""
        return self.format == "free_text"

    @property
    def column(self) -> str:
        """The column of the staging and core tables."""
        return f"{self.name}_token" if self.is_personal else self.name

    @property
    def postgres_type(self) -> str:
        return "text" if self.is_personal else _POSTGRES_TYPE[self.logical_type]

    @property
    def headers(self) -> tuple[str, ...]:
        return (self.business_name, *self.aliases)


class Rule(Strict):
    """A Great Expectations rule, in GX's own ``type`` and ``kwargs``, passed through untranslated.

    ``column`` is the column that a finding points at, where the kwargs name none. A breach of ``critical`` refuses the
    file; of ``warning`` the row is quarantined, or its value loads as null where the column says ``nullWhenInvalid``;
    ``info`` records it and the row loads. A duty that a body has not done is ``info``, never a fault of the row.
    """

    rule: str
    type: str
    kwargs: dict[str, Any] = Field(default_factory=dict)
    column: str | None = None
    severity: Severity = "warning"
    dimension: Dimension
    description: Title
    remedy: Title | None = None

    @model_validator(mode="after")
    def _named(self) -> Rule:
        if not _NAME.match(self.rule):
            raise ValueError(f"{self.rule}: a rule name is lower_snake_case")
        return self

    @property
    def words(self) -> set[str]:
        """Every word of its column and kwargs, among them the columns that it reads."""
        return set(re.findall(r"\w+", f"{self.column or ''} {json.dumps(self.kwargs, default=str)}"))


class Thresholds(Strict):
    """Beyond these shares of rows a file is refused."""

    max_rejected_share: float = 0.2
    min_share_of_previous: float = 0.5


class Server(Strict):
    """The inbox: an Airflow connection, or none for ``HALFYEAR_INBOX``, and the path below it."""

    connection: str | None = None
    path: str | None = None


class Contract(Strict):
    """One source. ``source`` (``id`` in the file) names folder, DAG, tables and pages alike.

    ``period_property`` places an event in its half-year; where it is not required, events without it are kept and in
    no half-year. ``period_group``: events alike in this property move each other's figures, as a second rating
    replaces the first, so a change of one makes the half-years of all of them due. It is part of the key.
    """

    id: str
    version: str
    status: Literal["draft", "active", "deprecated"] = "active"
    name: Title
    description: str
    domain: str
    grain: str
    mode: Literal["register", "events"]
    format: Literal["csv", "xlsx", "jsonl", "parquet"]
    encoding: str | None = None
    period_property: str | None = None
    period_group: str | None = None
    server: Server = Server()
    sla_properties: Sla
    thresholds: Thresholds = Thresholds()
    control_total: Literal["refuse", "warn"] = "refuse"
    properties: tuple[Property, ...]
    quality: tuple[Rule, ...] = ()

    @model_validator(mode="after")
    def _coherent(self) -> Contract:
        if not _NAME.match(self.id):
            raise ValueError("id: a source name is lower_snake_case")
        if not self.grain.startswith("one row per "):
            raise ValueError('grain: is written as "one row per ..."')
        if not self.key:
            raise ValueError("properties: no column has `primaryKey: true`")
        names = [p.name for p in self.properties]
        rules = [r.rule for r in self.quality]
        headers = [_folded(h) for p in self.properties for h in p.headers]
        for what, items in (("property", names), ("rule", rules), ("header", headers)):
            twice = sorted({i for i in items if items.count(i) > 1})
            if twice:
                raise ValueError(f"{what} named twice: {', '.join(twice)}")
        reserved = {"valid_at", "known_at", "load_id", "row_number", "record_key"} & set(names)
        if reserved:
            raise ValueError(f"reserved column name: {', '.join(sorted(reserved))}")
        if self.mode == "events":
            when = next((p for p in self.properties if p.name == self.period_property), None)
            if when is None or when.logical_type not in ("date", "timestamp"):
                raise ValueError("periodProperty: events name the date or time that places a row")
        if self.period_group is not None and (
            self.mode != "events" or self.period_group not in {p.name for p in self.key}
        ):
            raise ValueError("periodGroup: names a property of the key of a source of events")
        if self.sla_properties.allows_silence and self.mode != "events":
            raise ValueError("slaProperties.allowsSilence: only events can have nothing to report")
        if self.sla_properties.keeps_bodies and not has_body(self):
            raise ValueError("slaProperties.keepsBodies: no row of this source names a body")
        for field in self.properties:
            if field.null_when_invalid:
                self._refuse_doubtful_null(field)
        return self

    def _refuse_doubtful_null(self, field: Property) -> None:
        """A null must decide nothing: not the half-year, and not what a rule says of another column.

        A rule that names two columns finds that they contradict each other and not which of them is wrong.
        """
        if field.name == self.period_property:
            raise ValueError(f"{field.name}: nullWhenInvalid: the half-year of a row is read from this column")
        for rule in self.quality:
            named = {p.column for p in self.properties if p.column in rule.words}
            if rule.severity != "info" and field.column in named and len(named) > 1:
                raise ValueError(f"{field.name}: nullWhenInvalid: rule {rule.rule} weighs it against another column")

    @property
    def source(self) -> str:
        return self.id

    @property
    def title_zh(self) -> str:
        return self.name.zh

    @property
    def title_en(self) -> str:
        return self.name.en

    @property
    def schedule(self) -> str:
        return self.sla_properties.frequency

    @property
    def key(self) -> tuple[Property, ...]:
        return tuple(p for p in self.properties if p.primary_key)

    @property
    def columns(self) -> tuple[Property, ...]:
        """The properties that reach the warehouse, in order."""
        return tuple(p for p in self.properties if not p.is_dropped)

    @property
    def fingerprint(self) -> str:
        """SHA-256 over the whole contract: what a load says it was loaded under."""
        text = json.dumps(self.model_dump(mode="json"), ensure_ascii=False, sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()

    def named(self, name: str) -> Property:
        """The property called ``name``; KeyError when there is none."""
        return next(p for p in self.properties if p.name == name)


def _folded(header: str) -> str:
    from unicodedata import normalize

    return "".join(normalize("NFKC", header).split()).lower()


# libyaml reads the contracts of all sources ten times faster, and DAG files read them all every half minute.
_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _UniqueKeys(_Loader):  # type: ignore[misc]
    """YAML in which a key that stands twice is an error: the second would silently replace the first."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen: set[Any] = set()
        for key_node, _ in node.value:
            key = self.construct_object(key_node, deep=True)
            if key in seen:
                raise yaml.constructor.ConstructorError(None, None, f"key {key} stands twice", key_node.start_mark)
            seen.add(key)
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def place(path: Path) -> str:
    """A file of the declarations as people open it: from the project on, as ``sql/indicators/kiosks_in_service.sql``."""
    roots = [number for number, part in enumerate(path.parts) if part in ("sql", "expectations")]
    return "/".join(path.parts[roots[-1] :]) if roots else path.name


def meant(name: str, known: Iterable[str]) -> str:
    """What to add to a message about an unknown name: the known one that comes nearest; empty where none does."""
    near = difflib.get_close_matches(name, list(known), 1)
    return f"; 是否指 / did you mean: {near[0]}" if near else ""


def faults(error: ValidationError, known: Iterable[str], text: str = "", first_line: int = 1) -> str:
    """What breaks a schema: of each key its line in ``text``, which begins at ``first_line``, and what was meant by it."""
    said = []
    for each in error.errors():
        key = next((part for part in reversed(each["loc"]) if isinstance(part, str)), "")
        found = re.search(rf"^[ {{-]*{re.escape(key)} *:", text, re.MULTILINE) if key else None
        line = f"行 line {first_line + text.count(chr(10), 0, found.start())}: " if found else ""
        near = meant(key, known) if each["type"] == "extra_forbidden" else ""
        said.append(f"{line}{'.'.join(map(str, each['loc'])) or '-'}: {each['msg']}{near}")
    return "; ".join(said)


def read_yaml(text: str) -> Any:
    """The value of a YAML text; yaml.YAMLError when it is none, or when a key stands twice in it."""
    return yaml.load(text, _UniqueKeys)


def load(path: Path) -> Contract:
    """Read one contract file.

    Raises ContractError with the file, the key and what is wrong with it.
    """
    try:
        contract = Contract.model_validate(read_yaml(path.read_text("utf-8")))
    except yaml.YAMLError as error:
        raise ContractError(f"{place(path)}: 不是合法的 YAML / not valid YAML: {error}") from None
    except ValidationError as error:
        known = [field.alias or name for name, field in Contract.model_fields.items()]
        raise ContractError(
            f"{place(path)}: 合同不符合格式 / the contract breaks its schema: "
            f"{faults(error, known, path.read_text('utf-8'))}"
        ) from None
    if contract.id != path.stem:
        raise ContractError(f"{place(path)}: id 应与文件名一致 / id is {contract.id}; it must be the file's name")
    return contract


@functools.lru_cache(maxsize=4)
def load_all(expectations: Path) -> dict[str, Contract]:
    """Every contract under ``expectations/sources``, by source name.

    Raises ContractError for a bad one, and for a relationship to what is not the key of another source.
    """
    found = {path.stem: load(path) for path in sorted((expectations / "sources").glob("*.yaml"))}
    for contract, field, to in relationships(found):
        target, name = to.split(".")
        if target not in found or [p.name for p in found[target].key] != [name]:
            raise ContractError(
                f"{contract.source}.yaml: {field.name}: relationships: {to} 不是任何来源的主键 / is not the key of a source"
            )
    return found


def has_body(contract: Contract) -> bool:
    """Whether rows of the source name a body, so that ``core.<source>_resolved`` exists."""
    return bool(BODY_COLUMNS & {p.column for p in contract.columns})


def relationships(contracts: Mapping[str, Contract]) -> Iterator[tuple[Contract, Property, str]]:
    """Every reference between sources: the contract and property that refer, and ``<source>.<property>``."""
    for contract in contracts.values():
        for field in contract.columns:
            for relationship in field.relationships:
                yield contract, field, relationship.to


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a contract file, for editors and for the tests."""
    schema = Contract.model_json_schema(by_alias=True)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
