"""What can go wrong, in the words of the person who has to mend it.

Two kinds: faults of data, which are findings and verdicts and are never retried, and faults of the
infrastructure, which are. No message quotes a value of a personal column or a PostgreSQL ``DETAIL``.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Finding:
    """One thing wrong with a file, sheet, row or column, and what to do next.

    ``severity`` is ``critical`` (the file is refused), ``warning`` (the row is quarantined, or, without a
    row, a remark on the file) or ``info`` (with a row: the row loads, with null in this column). ``row`` is the number that a person sees in the file. ``value``
    is masked for personal columns.
    """

    rule: str
    severity: str
    reason_zh: str
    reason_en: str
    remedy_zh: str = ""
    remedy_en: str = ""
    sheet: str | None = None
    row: int | None = None
    column: str | None = None
    value: str | None = None
    dimension: str = "normative"
    count: int = 1

    def line(self, file_name: str) -> str:
        """The finding on one line: file, sheet, row, column, rule, reason and remedy in both languages."""
        where = [file_name]
        if self.sheet:
            where.append(f"工作表 sheet {self.sheet}")
        if self.row is not None:
            where.append(f"行 row {self.row}")
        if self.column:
            where.append(f"列 column {self.column}")
        shown = f" [{self.value}]" if self.value else ""
        remedy = f" → {self.remedy_zh} / {self.remedy_en}" if self.remedy_zh or self.remedy_en else ""
        text = f"{', '.join(where)}: {self.rule}{shown}: {self.reason_zh} / {self.reason_en}{remedy}"
        return " ".join(text.split())

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


class HalfyearError(Exception):
    """Any error that Halfyear explains itself; printed as one line, without a traceback."""

    exit_code = 2


class UsageError(HalfyearError):
    """A command or declaration that cannot be carried out as written."""


class ContractError(UsageError):
    """A file under ``expectations/`` or ``sql/indicators/`` that breaks its own schema."""


class InfrastructureFault(HalfyearError):
    """The database, the inbox or the scheduler could not be reached or failed; worth a retry."""

    exit_code = 3


class FiguresDiffer(HalfyearError):
    """Stored figures that their rows do not give; the message has a line for each of the first."""

    exit_code = 1

    def __init__(self, lines: list[str]) -> None:
        super().__init__(
            f"与其行不符的指标值 / figures that are not what their rows give: {len(lines)}: "
            f"{'; '.join(lines[:10])}{'; …' if len(lines) > 10 else ''}; run: halfyear audit"
        )


class FileRefused(HalfyearError):
    """A file that cannot be used at all; carries the critical finding."""

    exit_code = 1

    def __init__(self, finding: Finding) -> None:
        super().__init__(f"{finding.rule}: {finding.reason_zh} / {finding.reason_en}")
        self.finding = finding
