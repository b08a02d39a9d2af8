"""What reading a file tells besides its rows: the rejected cells and the account of the file."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

from halfyear.errors import Finding


@dataclass(frozen=True)
class RejectedCell:
    """One reason why a row cannot be used; a row may have several.

    ``column`` is None when the whole row is meant. ``record_key`` is None when the key cannot be read. ``value``
    is ``***`` for columns that are or name a person, and cut to 60 characters otherwise. ``row_loads``: the row is
    accepted, with null in this column.
    """

    row_number: int
    record_key: str | None
    column: str | None
    rule: str
    reason_zh: str
    reason_en: str
    value: str | None
    row_loads: bool = False

    def as_json(self) -> str:
        return json.dumps(list(asdict(self).values()), ensure_ascii=False)


@dataclass(frozen=True)
class Summary:
    """The account of one file: ``rows_read = rows_accepted + rows_rejected + rows_skipped``.

    ``findings`` are remarks on the file (warning and info); a critical one refuses it and is raised instead.
    """

    rows_read: int
    rows_accepted: int
    rows_rejected: int
    rows_skipped: int
    sheet: str | None
    encoding: str | None
    header_row: int | None
    unknown_columns: tuple[str, ...]
    missing_columns: tuple[str, ...]
    hidden_sheets: tuple[str, ...]
    findings: tuple[Finding, ...]

    def as_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)


def rejected_cell(line: str) -> RejectedCell:
    """The cell that ``RejectedCell.as_json`` wrote."""
    return RejectedCell(*json.loads(line))


def summary(text: str) -> Summary:
    """The summary that ``Summary.as_json`` wrote."""
    facts = json.loads(text)
    for name in ("unknown_columns", "missing_columns", "hidden_sheets"):
        facts[name] = tuple(facts[name])
    return Summary(**{**facts, "findings": tuple(Finding(**f) for f in facts["findings"])})
