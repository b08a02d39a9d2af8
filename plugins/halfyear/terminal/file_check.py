"""The verdict on one file, row by row, with nothing loaded: what `halfyear check` prints.

The file goes through the same reading, staging and checks as in a night, in a staging table that is dropped.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from upath import UPath

from halfyear import contract as contracts
from halfyear import staging, warehouse
from halfyear.contract import Contract
from halfyear.core.verdict import refusal as refuse
from halfyear.errors import FileRefused, Finding, UsageError
from halfyear.file_format import FORMATS
from halfyear.landing import inbox
from halfyear.settings import LOCAL_ZONE, Settings
from halfyear.staging import quarantine, validation
from halfyear.terminal import account, console


@dataclass(frozen=True)
class FileVerdict:
    """What a night would say of the file; ``findings`` are those of the file first, then row by row."""

    file_name: str
    verdict: str
    findings: tuple[Finding, ...]
    rows_read: int = 0
    rows_loaded: int = 0
    rows_quarantined: int = 0
    rows_skipped: int = 0
    values_nulled: int = 0

    @property
    def is_clean(self) -> bool:
        return self.verdict == "loaded"


def check(file: Path, source: str | None, settings: Settings) -> FileVerdict:
    """Judge ``file`` by the contract of ``source``, or of the source that its name begins with.

    Raises UsageError when no source can be told.
    """
    from halfyear.warehouse import embedded

    contract = _contract(file, source, settings)
    was_running = settings.warehouse is not None or embedded.server_url(settings) is not None
    if not was_running:
        embedded.start_server(settings)
    try:
        # The contract may be a draft: a warehouse that exists is left as it is.
        if not warehouse.is_migrated(settings):
            warehouse.migrate(settings, lambda line: None)
        return _check(file, contract, source is not None, settings)
    finally:
        if not was_running:
            embedded.stop_server(settings)


def show(verdict: FileVerdict, limit: int) -> None:
    """Print the verdict: one line per finding, then the account of the rows."""
    shown = verdict.findings[: limit or None]
    for finding in shown:
        console.say(finding.line(verdict.file_name))
    if len(shown) < len(verdict.findings):
        more = len(verdict.findings) - len(shown)
        console.say(f"未列出的 not listed: {more}; 列出全部 / to list all: --limit 0")
    console.say(
        account.line(
            verdict.file_name,
            verdict.verdict,
            read=verdict.rows_read,
            loaded=verdict.rows_loaded,
            quarantined=verdict.rows_quarantined,
            skipped=verdict.rows_skipped,
            nulled=verdict.values_nulled,
        )
    )


def _contract(file: Path, source: str | None, settings: Settings) -> Contract:
    known = contracts.load_all(settings.expectations)
    if source is None:
        fitting = [name for name in known if file.name.startswith(f"{name}_")]
        if not fitting:
            raise UsageError(
                f"{file.name}: 无法从文件名判断来源 / the name tells no source; say --source, one of {', '.join(known)}"
            )
        source = max(fitting, key=len)
    if source not in known:
        raise UsageError(f"{source}: 没有这个来源 / there is no such source; known are {', '.join(known)}")
    return known[source]


def _check(file: Path, contract: Contract, is_given: bool, settings: Settings) -> FileVerdict:
    stat = file.stat()
    modified = datetime.fromtimestamp(stat.st_mtime, LOCAL_ZONE)
    arrival = inbox.named(contract.source, UPath(file), stat.st_size, modified)
    if arrival.fault is not None and not (is_given and arrival.snapshot_date is None):
        return FileVerdict(file.name, "refused", (arrival.fault,))
    # A file of another name, judged by a given contract, speaks for the day on which it was written.
    day = arrival.snapshot_date or modified.date()
    form = file.suffix[1:] if file.suffix[1:] in FORMATS else None
    with warehouse.transaction(settings) as connection:
        with connection.cursor() as cursor:
            cursor.execute("select nextval('lineage.load_id')")
            row = cursor.fetchone()
        assert row is not None
        load_id = int(row[0])
        staging.hold(connection, load_id)
        connection.commit()
        tables: list[str] = []
        try:
            staged = staging.stage(connection, file, contract, day, load_id, settings, form)
            connection.commit()
            tables = [staged.table, staged.rejected_table]
            results = (
                validation.run(connection, warehouse.sqlalchemy_url(settings), "staging", staged.table, contract, day)
                if staged.summary.rows_accepted
                else []
            )
            # Written and rolled back: the same statements as in a night say which rows these are.
            with connection.cursor() as cursor:
                kept = quarantine.move_rejected(cursor, contract, staged, results)
                cursor.execute(
                    "select row_number, column_name, rule, reason_zh, reason_en, masked_value, false as row_loads "
                    "from quarantine.rejected_row where load_id = %(load_id)s union all "
                    "select row_number, column_name, rule, reason_zh, reason_en, masked_value, true "
                    "from quarantine.rejected_value where load_id = %(load_id)s order by row_number, column_name, rule",
                    {"load_id": load_id},
                )
                rows = cursor.fetchall()
            connection.rollback()
        except FileRefused as error:
            connection.rollback()
            return FileVerdict(file.name, "refused", (error.finding,))
        finally:
            connection.rollback()
            with connection.cursor() as cursor:
                staging.drop(cursor, *tables)
            connection.commit()
    summary = staged.summary
    read, skipped = summary.rows_read, summary.rows_skipped + staged.rows_duplicate
    loaded = read - skipped - kept.rows
    refusal = refuse(contract, results, read - skipped, loaded)
    remedies = {r.rule: (r.remedy_zh, r.remedy_en) for r in results}
    findings = [*([refusal] if refusal else []), *summary.findings]
    findings += [
        Finding(
            r.rule,
            "info",
            f"{r.description_zh}；不符合的行：{r.unexpected_count}",
            f"{r.description_en}; rows where it is not so: {r.unexpected_count}",
            column=_header(contract, r.column),
            count=r.unexpected_count,
        )
        for r in results
        if not r.success and r.severity == "info"
    ]
    default = ("请在来源系统更正后重新导出", "correct it in the source system and export again")
    findings += [
        Finding(
            rule,
            "info" if row_loads else "warning",
            f"{zh}；按空值装载" if row_loads else zh,
            f"{en}; it loads as null" if row_loads else en,
            *remedies.get(rule, default),
            sheet=summary.sheet,
            row=number,
            column=_header(contract, column),
            value=value,
        )
        for number, column, rule, zh, en, value, row_loads in rows
    ]
    if refusal:
        loaded, skipped = 0, skipped + loaded
    verdict = "refused" if refusal else "loaded_with_quarantine" if kept.rows else "loaded"
    return FileVerdict(file.name, verdict, tuple(findings), read, loaded, kept.rows, skipped, kept.values)


def _header(contract: Contract, column: str | None) -> str | None:
    """The header that a person knows the column by, with the field's name."""
    for field in contract.properties:
        if column in (field.name, field.column):
            return f"{field.business_name} ({field.name})"
    return column
