"""What the reader needs to know of a contract, as plain values that travel to the child process as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from halfyear.settings import LOCAL_ZONE_NAME

if TYPE_CHECKING:
    from halfyear.contract import Contract, Property


@dataclass(frozen=True)
class Column:
    """One property of the contract; ``headers`` starts with the one that messages show."""

    name: str
    column: str
    headers: tuple[str, ...]
    logical_type: str = "string"
    format: str | None = None
    is_required: bool = False
    is_key: bool = False
    is_personal: bool = False
    is_dropped: bool = False
    identifies_person: bool = False
    allow_offset: bool = False
    null_when_invalid: bool = False
    unit: str | None = None
    header_units: tuple[tuple[str, str], ...] = ()
    values: tuple[tuple[str, tuple[str, ...]], ...] = ()

    @property
    def header(self) -> str:
        return self.headers[0]

    @property
    def is_masked(self) -> bool:
        """Its values are never shown, neither in a finding nor beside a rejected row."""
        return self.is_personal or self.identifies_person

    @property
    def is_summed(self) -> bool:
        """A control total speaks for it: a number that is not a share."""
        return self.logical_type in ("integer", "number") and self.format != "percent" and not self.is_personal

    @property
    def arrow_type(self) -> pa.DataType:
        return pa.string() if self.is_personal else _ARROW_TYPE[self.logical_type]


_ARROW_TYPE: dict[str, pa.DataType] = {
    "string": pa.string(),
    "integer": pa.int64(),
    "number": pa.decimal128(38, 10),
    "boolean": pa.bool_(),
    "date": pa.date32(),
    "timestamp": pa.timestamp("us", tz=LOCAL_ZONE_NAME),
}


@dataclass(frozen=True)
class Plan:
    """How to read one source: its columns, dropped ones too, and what a file of it may do."""

    source: str
    mode: str
    control_total: str
    columns: tuple[Column, ...]

    @property
    def key(self) -> tuple[Column, ...]:
        return tuple(c for c in self.columns if c.is_key)

    @property
    def has_persons(self) -> bool:
        """Whether a row of this source may tell of a person."""
        return any(c.is_masked for c in self.columns)

    @property
    def schema(self) -> pa.Schema:
        """``row_number``, ``record_key``, then the columns that reach the warehouse, in order."""
        fields = [pa.field("row_number", pa.int64()), pa.field("record_key", pa.string())]
        fields += [pa.field(c.column, c.arrow_type) for c in self.columns if not c.is_dropped]
        return pa.schema(fields)

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def plan_of(contract: Contract) -> Plan:
    """The reading plan of a contract."""
    columns = tuple(_column(p) for p in contract.properties)
    return Plan(contract.source, contract.mode, contract.control_total, columns)


def arrow_schema(contract: Contract) -> pa.Schema:
    """The schema of the batches that ``Reading.batches`` yields for a contract."""
    return plan_of(contract).schema


def from_json(text: str) -> Plan:
    """The plan that ``Plan.as_json`` wrote."""
    facts = json.loads(text)
    return Plan(**{**facts, "columns": tuple(Column(**_tuples(c)) for c in facts["columns"])})


def _tuples(facts: dict[str, Any]) -> dict[str, Any]:
    return {
        **facts,
        "headers": tuple(facts["headers"]),
        "header_units": tuple((unit, factor) for unit, factor in facts["header_units"]),
        "values": tuple((label, tuple(spellings)) for label, spellings in facts["values"]),
    }


def _column(prop: Property) -> Column:
    return Column(
        name=prop.name,
        column=prop.column,
        headers=prop.headers,
        logical_type=prop.logical_type,
        format=prop.format,
        is_required=prop.is_required,
        is_key=prop.primary_key,
        is_personal=prop.is_personal,
        is_dropped=prop.is_dropped,
        identifies_person=prop.identifies_person,
        allow_offset=prop.allow_offset,
        null_when_invalid=prop.null_when_invalid,
        unit=prop.unit,
        header_units=tuple((unit, str(factor)) for unit, factor in (prop.header_units or {}).items()),
        values=tuple((prop.values or {}).items()),
    )
