"""Ledger: the schema ``lineage`` and the quarantine, written at every arrival: deliveries, loads, checks, what became of them.

Nothing is deleted from it but the load of a file that is read again, because its contract was what was wrong.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from halfyear.contract import Contract
from halfyear.core.verdict import refusal as refuse
from halfyear.errors import Finding, UsageError
from halfyear.landing.inbox import Arrival
from halfyear.statement_file import statement

if TYPE_CHECKING:
    from halfyear.staging import Staged
    from halfyear.staging.validation import CheckResult


@dataclass(frozen=True)
class Delivery:
    """One delivery: a file of a source by its name and bytes; ``verdict`` None until it is judged."""

    delivery_id: int
    source: str
    snapshot_date: date
    file_name: str
    sha256: str
    verdict: str | None
    format: str


@dataclass(frozen=True)
class Outcome:
    """What became of one delivery: its verdict, the account of its rows, and the half-years that it touched."""

    delivery_id: int
    source: str
    file_name: str
    verdict: str
    rows_read: int
    rows_loaded: int
    rows_quarantined: int
    rows_skipped: int
    values_nulled: int
    reason_zh: str | None
    reason_en: str | None
    periods: tuple[str, ...]
    is_new: bool

    @property
    def line(self) -> str:
        """One line for logs and terminals."""
        account = (
            f"read {self.rows_read} = loaded {self.rows_loaded} + quarantined {self.rows_quarantined} "
            f"+ skipped {self.rows_skipped}"
        )
        if self.values_nulled:
            account += f"; values loaded as null: {self.values_nulled}"
        reason = f" — {self.reason_zh} / {self.reason_en}" if self.reason_zh else ""
        return f"{self.file_name}: {self.verdict}: {account}{reason}"


# ---------------------------------------------------------------- deliveries


def known_files(cursor: Cursor, source: str) -> set[tuple[str, int, datetime]]:
    """The files of a source that are in the ledger: name, size and time. One that came before its day is looked at again."""
    cursor.execute(
        "select file_name, bytes, modified_at from lineage.delivery "
        "where source = %s and rule is distinct from 'snapshot_date_in_future'",
        (source,),
    )
    return set(cursor.fetchall())


def enter_delivery(cursor: Cursor, contract: Contract, arrival: Arrival, sha256: str | None) -> bool:
    """Enter an arrival, whose bytes landing keeps under their hash; whether it is a new delivery."""
    source, fault = contract.source, arrival.fault
    if sha256 and not fault:
        # Its day has come: what was refused for a date after today is a delivery now.
        cursor.execute(
            "update lineage.delivery set verdict = null, rule = null, reason_zh = null, reason_en = null, "
            "snapshot_date = %s, sequence = %s where source = %s and file_name = %s and sha256 = %s "
            "and rule = 'snapshot_date_in_future'",
            (arrival.snapshot_date, arrival.sequence, source, arrival.file_name, sha256),
        )
    verdict = "ignored" if arrival.ignored else "refused" if fault else None
    allowed = timedelta(days=contract.sla_properties.latency_days)
    is_late = bool(arrival.snapshot_date and arrival.modified_at.date() - arrival.snapshot_date > allowed)
    cursor.execute(
        statement(__file__, "enter_delivery"),
        {
            "source": source,
            # A date in the future is no date of a delivery: the row must never be judged.
            "snapshot_date": None if fault else arrival.snapshot_date,
            "sequence": None if fault else arrival.sequence,
            "file_name": arrival.file_name,
            "sha256": sha256,
            "bytes": arrival.bytes,
            "modified_at": arrival.modified_at,
            "is_late": is_late,
            "verdict": verdict,
            "rule": fault.rule if fault else None,
            "reason_zh": f"{fault.reason_zh}；{fault.remedy_zh}" if fault else None,
            "reason_en": f"{fault.reason_en}; {fault.remedy_en}" if fault else None,
        },
    )
    row = cursor.fetchone()
    return bool(row and row[0])


def reopen(cursor: Cursor, contract: Contract) -> None:
    """Files that were refused under another contract are read again: the contract may have been what was wrong."""
    cursor.execute(
        "select load.load_id, delivery.snapshot_date, delivery.sha256 from lineage.load as load "
        "inner join lineage.delivery as delivery using (delivery_id) "
        "where delivery.source = %s and load.state = 'refused' and load.contract_fingerprint <> %s",
        (contract.source, contract.fingerprint),
    )
    for load_id, snapshot_date, sha256 in cursor.fetchall():
        for table in (
            "lineage.check_result", "quarantine.rejected_row", "quarantine.rejected_value", "lineage.load"
        ):  # fmt: skip
            cursor.execute(f"delete from {table} where load_id = %s", (load_id,))
        cursor.execute(
            "update lineage.delivery set verdict = null, rule = null, reason_zh = null, reason_en = null "
            "where source = %s and snapshot_date = %s and sha256 = %s",
            (contract.source, snapshot_date, sha256),
        )


def pending(cursor: Cursor, source: str) -> tuple[int, ...]:
    """The deliveries of a source that have no verdict yet, by day and number."""
    cursor.execute(
        "select delivery_id from lineage.delivery where source = %s and verdict is null "
        "order by snapshot_date, sequence, delivery_id",
        (source,),
    )
    return tuple(row[0] for row in cursor)


def delivery(connection: Connection, delivery_id: int) -> Delivery:
    """The delivery with a number; UsageError when there is none."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select delivery_id, source, snapshot_date, file_name, sha256, verdict, "
            "substring(file_name from '[^.]+$') from lineage.delivery where delivery_id = %s",
            (delivery_id,),
        )
        row = cursor.fetchone()
    if row is None:
        raise UsageError(
            f"{delivery_id}: 没有这个报送编号 / there is no delivery with this number; see: halfyear status"
        )
    return Delivery(*row)


def accept(cursor: Cursor, accepted: Delivery, reason: str, accepted_by: str) -> None:
    """Enter an operator's override of the rule that a register snapshot may not shrink.

    Raises UsageError when the delivery was refused for something else, or not at all.
    """
    cursor.execute("select verdict, rule from lineage.delivery where delivery_id = %s", (accepted.delivery_id,))
    verdict, rule = cursor.fetchone() or (None, None)
    if (verdict, rule) != ("refused", "fewer_rows_than_before"):
        raise UsageError(
            f"{accepted.file_name}: 只有因行数骤减被拒收的快照可以放行，此文件为 {verdict} ({rule}) / only a snapshot "
            f"refused for having fewer rows can be accepted; this one is {verdict} ({rule})"
        )
    if not reason.strip():
        raise UsageError("请说明理由 / a reason is needed: --reason")
    cursor.execute(
        "insert into lineage.acceptance (delivery_id, reason, accepted_by) values (%s, %s, %s)",
        (accepted.delivery_id, reason, accepted_by),
    )


# ---------------------------------------------------------------- loads


def next_load(cursor: Cursor) -> tuple[int, datetime]:
    """A new number for a load, and the instant."""
    cursor.execute("select nextval('lineage.load_id'), clock_timestamp()")
    row = cursor.fetchone()
    assert row is not None
    return row[0], row[1]


def load_of_same_bytes(connection: Connection, wanted: Delivery) -> int | None:
    """The load of the bytes of a delivery, which may have come by another name."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select load.load_id from lineage.load as load inner join lineage.delivery as delivery using (delivery_id) "
            "where delivery.source = %(source)s and delivery.snapshot_date = %(snapshot_date)s "
            "and delivery.sha256 = %(sha256)s",
            vars(wanted),
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


def delivery_of_load(connection: Connection, load_id: int) -> Delivery:
    """The delivery whose bytes a load has read."""
    with connection.cursor() as cursor:
        cursor.execute("select delivery_id from lineage.load where load_id = %s", (load_id,))
        row = cursor.fetchone()
    assert row is not None
    return delivery(connection, row[0])


def enter_load(
    cursor: Cursor,
    contract: Contract,
    delivery: Delivery,
    load_id: int,
    started_at: datetime,
    staged: Staged | None,
    results: Sequence[CheckResult],
    refusal: Finding | None,
    code_version: str,
) -> None:
    """Write what is known of one load: its account, its checks and its quarantined rows."""
    from halfyear.staging import quarantine

    read = passed = quarantined = skipped = nulled = 0
    summary = staged.summary if staged else None
    if staged is not None:
        kept = quarantine.move_rejected(cursor, contract, staged, results)
        quarantined, nulled = kept.rows, kept.values
        read = staged.summary.rows_read
        skipped = staged.summary.rows_skipped + staged.rows_duplicate
        passed = read - skipped - quarantined
        refusal = refuse(contract, results, read - skipped, passed)
        if refusal is not None:
            skipped, passed = skipped + passed, 0
    cursor.execute(
        "insert into lineage.load (load_id, delivery_id, contract_version, contract_fingerprint, code_version, rows_read, "
        "rows_passed, rows_loaded, rows_quarantined, rows_skipped, state, rule, reason_zh, reason_en, sheet, encoding, "
        "unknown_columns, started_at, values_nulled) "
        "values (%s, %s, %s, %s, %s, %s, %s, 0, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            load_id,
            delivery.delivery_id,
            contract.version,
            contract.fingerprint,
            code_version,
            read,
            passed,
            quarantined,
            skipped + passed,
            "refused" if refusal else "checked",
            refusal.rule if refusal else None,
            "；".join(filter(None, (refusal.reason_zh, refusal.remedy_zh))) if refusal else None,
            "; ".join(filter(None, (refusal.reason_en, refusal.remedy_en))) if refusal else None,
            summary.sheet if summary else None,
            summary.encoding if summary else None,
            list(summary.unknown_columns) if summary else [],
            started_at,
            nulled,
        ),
    )
    findings = [*(summary.findings if summary else ()), *([refusal] if refusal else [])]
    rows: list[tuple[object, ...]] = [
        (load_id, f.rule, None, f.column, f.severity, f.dimension, False, read, f.count, f.reason_zh, f.reason_en)
        for f in findings
    ]
    rows += [
        (
            load_id,
            r.rule,
            r.expectation_type,
            r.column,
            r.severity,
            r.dimension,
            r.success,
            r.element_count,
            r.unexpected_count,
            r.description_zh,
            r.description_en,
        )
        for r in results
    ]
    execute_values(
        cursor,
        "insert into lineage.check_result (load_id, rule, expectation_type, column_name, severity, dimension, success, "
        "element_count, unexpected_count, description_zh, description_en) values %s",
        rows,
    )
    # What the reader could not use broke no rule of the contract.
    cursor.execute(
        "insert into lineage.check_result (load_id, rule, column_name, severity, dimension, success, element_count, "
        "unexpected_count, description_zh, description_en) "
        "select load_id, rule, column_name, 'warning', 'normative', false, %(read)s, count(*), min(reason_zh), "
        "min(reason_en) from quarantine.rejected_value where load_id = %(load_id)s and rule <> all(%(rules)s) "
        "group by load_id, rule, column_name",
        {"read": read, "load_id": load_id, "rules": [r.rule for r in results]},
    )


def outcome(connection: Connection, delivery_id: int, touched: tuple[str, ...], is_new: bool) -> Outcome:
    """What became of a delivery, with the half-years that it touched."""
    with connection.cursor() as cursor:
        cursor.execute(statement(__file__, "outcome"), {"delivery_id": delivery_id})
        row = cursor.fetchone()
    assert row is not None
    source, file_name, verdict, read, loaded, quarantined, skipped, nulled, zh, en = row
    return Outcome(
        delivery_id, source, file_name, verdict, read, loaded, quarantined, skipped, nulled, zh, en, touched, is_new
    )
