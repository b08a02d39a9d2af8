"""A night of one source, from inbox to indicators: receive, load, compute. Airflow's tasks and ``halfyear ingest`` call these.

Each step can be killed and repeated at any point. What a step did is in the ledger; a step with nothing to do ends
at once. Faults of data are verdicts in the ledger, never exceptions; only InfrastructureFault is worth a retry.
"""

from __future__ import annotations

import functools
import logging
import os
import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import TYPE_CHECKING, Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import execute_values

from halfyear import contract as contracts
from halfyear import landing, warehouse
from halfyear import period as periods
from halfyear import settings as settings_module
from halfyear.contract import Contract
from halfyear.errors import FiguresDiffer, FileRefused, Finding, InfrastructureFault, UsageError
from halfyear.landing import inbox
from halfyear.settings import Settings

if TYPE_CHECKING:
    from halfyear.indicators.audit import Audit
    from halfyear.publishing.proposal import Proposal, Request
    from halfyear.publishing.vintage import Vintage
    from halfyear.staging import Staged
    from halfyear.staging.validation import CheckResult

log = logging.getLogger(__name__)

#: Deliveries that one task loads one after the other; a backlog is spread over the workers in such portions.
CHUNK = 16


@dataclass(frozen=True)
class Received:
    """What a look into the inbox of a source found, by file name."""

    source: str
    new: tuple[str, ...]
    waiting: tuple[str, ...]
    refused: tuple[str, ...]
    unreadable: tuple[str, ...]
    known: int
    pending: tuple[int, ...]


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
        reason = f" — {self.reason_zh} / {self.reason_en}" if self.reason_zh else ""
        return f"{self.file_name}: {self.verdict}: {account}{reason}"


def receive(source: str) -> list[list[int]]:
    """Take in what lies in the inbox of ``source``; returns its deliveries that have no verdict yet, in portions."""
    received = look(source, settings_module.load())
    pending = list(received.pending)
    if received.unreadable and not pending:
        # Tried again, and red in the end; but never before what can be read is loaded.
        raise InfrastructureFault(f"无法读取 / cannot be read: {'; '.join(received.unreadable)}")
    return [pending[i : i + CHUNK] for i in range(0, len(pending), CHUNK)]


def load(source: str, delivery_ids: list[int]) -> list[str]:
    """Load deliveries one by one; returns the half-years whose figures may have moved."""
    settings = settings_module.load()
    touched: set[str] = set()
    for delivery_id in delivery_ids:
        outcome = load_delivery(delivery_id, settings)
        log.info("%s", outcome.line)
        # A run that died after its commit told nobody what it had touched; the marks in the warehouse remain.
        touched.update(outcome.periods if outcome.is_new else stale_periods())
    return sorted(touched)


def announce(source: str) -> list[str]:
    """The half-years that compute_indicators has to be told of, now that ``source`` has loaded; each is told once.

    What its rows and those of others name and nobody knows is judged before.
    """
    from halfyear.indicators import computation

    judge_references()
    with warehouse.transaction(settings_module.load()) as connection:
        return [str(p) for p in computation.claim_due(connection, source)]


def compute(period: str, everything: bool = False) -> int:
    """Compute what is stale in a half-year, or everything, and see whether its figures agree with each other.

    Returns how many (indicator, reading) pairs were computed. Figures that disagree are findings, in
    ``mart.identity``: they are kept and logged, never an error. So are bodies and references that nobody knows.
    """
    from halfyear.indicators import computation, identity

    settings = settings_module.load()
    half = periods.parse(period)
    with warehouse.transaction(settings) as connection:
        computed = computation.compute(connection, half, everything)
        if computed:
            url = warehouse.sqlalchemy_url(settings)
            for result in identity.check(connection, url, settings.expectations, half):
                if not result.success:
                    log.warning("%s: %s: %s / %s", period, result.rule, result.description_zh, result.description_en)
    judge_references()
    return computed


def judge_references() -> tuple[str, ...]:
    """Judge what rows name and nobody knows, of each source that changed or of which the lists did; these sources."""
    from halfyear.mart import reference

    with warehouse.transaction(settings_module.load()) as connection:
        return reference.judge(connection)


def audit(period: str | None = None) -> Audit:
    """Compare every observation of a half-year (None: of all), sealed or not, with what its rows give."""
    from halfyear.indicators import audit as audits

    wanted = None if period is None else [periods.parse(period)]
    with warehouse.transaction(settings_module.load()) as connection:
        return audits.audit(connection, wanted, log.info)


def refuse_differences() -> None:
    """Audit all half-years and raise FiguresDiffer, with a line for each figure, when one is not what its rows give."""
    found = audit()
    if found.differences:
        raise FiguresDiffer([difference.line for difference in found.differences])
    log.info("%s observations computed anew, no difference", found.observations)


def computed_periods() -> list[str]:
    """The half-years that are computed: from the first to the newest accepted snapshot."""
    with warehouse.transaction(settings_module.load()) as connection, connection.cursor() as cursor:
        cursor.execute("select period from lineage.open_period order by period")
        return [row[0] for row in cursor]


def stale_periods() -> list[str]:
    """The half-years that have something stale."""
    from halfyear.indicators import computation

    with warehouse.transaction(settings_module.load()) as connection:
        return [str(p) for p in computation.stale_periods(connection)]


def propose(request: Request) -> Proposal | None:
    """Compute a half-year anew, whole, then say what would be sealed; None when that is sealed already.

    Raises UsageError for open points without a name and figures without a reason.
    """
    from halfyear.publishing import proposal

    for attempt in range(3):
        compute(str(request.period), everything=True)
        try:
            with warehouse.transaction(settings_module.load()) as connection:
                return proposal.propose(connection, request)
        except proposal.StillDue:  # a load came between
            if attempt == 2:
                raise
    raise AssertionError


def seal(request: Request, digest: str, approved_by: str, approved_at: datetime | None = None) -> Vintage:
    """Seal what was proposed under this digest; a repeated call gives the vintage that is there."""
    from halfyear.publishing import seal as seal_module

    with warehouse.transaction(settings_module.load()) as connection:
        return seal_module.seal(
            connection, request, digest, approved_by=approved_by, approved_at=approved_at, code_version=code_version()
        )


def prepare(asked: Mapping[str, Any], prepared_by: str, is_restatement: bool) -> dict[str, Any] | None:
    """What an approver is asked, as plain values: title and text to read, the request and its digest to seal it by.

    ``asked`` has the parameters of the DAG; its period is a half-year, or a day in it. None when it is sealed already
    and did not move.
    """
    from halfyear.publishing import publication
    from halfyear.publishing.proposal import Request

    request = Request(
        period=periods.containing(asked["period"] or ""),
        prepared_by=prepared_by,
        is_restatement=is_restatement,
        exceptions=tuple(asked.get("exceptions") or ()),
        note=asked.get("note") or "",
        reason=asked.get("reason") or None,
        reasons=asked.get("reasons") or {},
    )
    proposal = propose(request)
    if proposal is None:
        return None
    return {
        "title": publication.title(proposal),
        "text": publication.text(proposal),
        "digest": proposal.digest,
        "request": {**vars(request), "period": str(request.period), "exceptions": list(request.exceptions)},
    }


def seal_prepared(prepared: Mapping[str, Any], approved_by: str, approved_at: datetime) -> str:
    """Seal what `prepare` gave and a person approved; the hash of the vintage."""
    from halfyear.publishing import publication
    from halfyear.publishing.proposal import Request

    given = dict(prepared["request"])
    request = Request(**{**given, "period": periods.parse(given["period"]), "exceptions": tuple(given["exceptions"])})
    sealed = seal(request, prepared["digest"], approved_by, approved_at)
    log.info("%s", publication.sealed_line(sealed))
    return sealed.hash


def sweep() -> list[str]:
    """Drop the staging tables and half copies of runs that died; returns the names of the tables."""
    from halfyear import staging

    settings = settings_module.load()
    landing.sweep(settings)
    with warehouse.transaction(settings) as connection:
        return staging.sweep(connection)


def look(source: str, settings: Settings) -> Received:
    """Land the new files of a source and enter them in the ledger.

    Files that are known by name, size and time are passed over without reading them.
    """
    contract = _contract(source, settings)
    ready, waiting = inbox.scan(contract, settings)
    new: list[str] = []
    refused: list[str] = []
    unreadable: list[str] = []
    known = 0
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select file_name, bytes, modified_at from lineage.delivery "
            "where source = %s and rule is distinct from 'snapshot_date_in_future'",
            (source,),
        )
        seen = {(name, size, modified) for name, size, modified in cursor.fetchall()}
        for arrival in ready:
            if (arrival.file_name, arrival.bytes, arrival.modified_at) in seen:
                known += 1
                continue
            fault = arrival.fault
            if arrival.unreadable:
                unreadable.append(f"{arrival.file_name}: {arrival.unreadable}")
                continue
            try:
                landed = None if arrival.ignored else landing.keep(arrival, settings)
            except InfrastructureFault as error:
                unreadable.append(str(error))
                continue
            if landed and not fault:
                # Its day has come: what was refused for a date after today is a delivery now.
                cursor.execute(
                    "update lineage.delivery set verdict = null, rule = null, reason_zh = null, reason_en = null, "
                    "snapshot_date = %s, sequence = %s where source = %s and file_name = %s and sha256 = %s "
                    "and rule = 'snapshot_date_in_future'",
                    (arrival.snapshot_date, arrival.sequence, source, arrival.file_name, landed.sha256),
                )
            verdict = "ignored" if arrival.ignored else "refused" if fault else None
            allowed = timedelta(days=contract.sla_properties.latency_days)
            is_late = bool(arrival.snapshot_date and arrival.modified_at.date() - arrival.snapshot_date > allowed)
            cursor.execute(
                "insert into lineage.delivery (source, snapshot_date, sequence, file_name, sha256, bytes, modified_at, "
                "is_late, verdict, rule, reason_zh, reason_en, judged_at) "
                "values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s, case when %s then clock_timestamp() end) "
                "on conflict (source, file_name, sha256) do update "
                "set modified_at = excluded.modified_at, bytes = excluded.bytes returning xmax = 0",
                (
                    source,
                    # A date in the future is no date of a delivery: the row must never be judged.
                    None if fault else arrival.snapshot_date,
                    None if fault else arrival.sequence,
                    arrival.file_name,
                    landed.sha256 if landed else None,
                    arrival.bytes,
                    arrival.modified_at,
                    is_late,
                    verdict,
                    fault.rule if fault else None,
                    f"{fault.reason_zh}；{fault.remedy_zh}" if fault else None,
                    f"{fault.reason_en}; {fault.remedy_en}" if fault else None,
                    verdict is not None,
                ),
            )
            row = cursor.fetchone()
            if row and row[0] and not arrival.ignored:
                (refused if fault else new).append(arrival.file_name)
        _reopen(cursor, contract)
        cursor.execute(
            "select delivery_id from lineage.delivery where source = %s and verdict is null "
            "order by snapshot_date, sequence, delivery_id",
            (source,),
        )
        pending = tuple(row[0] for row in cursor.fetchall())
    for name in refused:
        log.warning("%s: refused for its name", name)
    for line in unreadable:
        log.error("%s", line)
    names = tuple(a.file_name for a in waiting)
    return Received(source, tuple(new), names, tuple(refused), tuple(unreadable), known, pending)


def _reopen(cursor: Cursor, contract: Contract) -> None:
    """Files that were refused under another contract are read again: the contract may have been what was wrong."""
    cursor.execute(
        "select load.load_id, delivery.snapshot_date, delivery.sha256 from lineage.load as load "
        "inner join lineage.delivery as delivery using (delivery_id) "
        "where delivery.source = %s and load.state = 'refused' and load.contract_fingerprint <> %s",
        (contract.source, contract.fingerprint),
    )
    for load_id, snapshot_date, sha256 in cursor.fetchall():
        for table in ("lineage.check_result", "quarantine.rejected_row", "lineage.load"):
            cursor.execute(f"delete from {table} where load_id = %s", (load_id,))
        cursor.execute(
            "update lineage.delivery set verdict = null, rule = null, reason_zh = null, reason_en = null "
            "where source = %s and snapshot_date = %s and sha256 = %s",
            (contract.source, snapshot_date, sha256),
        )


def load_delivery(delivery_id: int, settings: Settings) -> Outcome:
    """Take one delivery from landing through staging and checks into core, in one transaction at the end.

    Harmless when it is repeated, killed or run twice at once: a delivery that has a verdict is left alone.
    """
    from halfyear import reading

    # The parser gets ready while this process does.
    with warehouse.transaction(settings) as connection, reading.Parser(settings) as parser:
        from halfyear import staging
        from halfyear.core import loading

        found = _delivery(connection, delivery_id)
        if found["verdict"] is not None:
            return _outcome(connection, delivery_id, (), is_new=False)
        contract = _contract(found["source"], settings)
        with connection.cursor() as cursor:
            cursor.execute("select nextval('lineage.load_id'), clock_timestamp()")
            row = cursor.fetchone()
        assert row is not None
        load_id, started_at = row
        repeats = _load_of_same_bytes(connection, found) is not None
        staging.hold(connection, load_id)
        connection.commit()
        staged: Staged | None = None
        results: list[CheckResult] = []
        refusal: Finding | None = None
        if not repeats:
            with landing.local_copy(found["sha256"], found["format"], settings) as path:
                try:
                    staged = staging.stage(
                        connection,
                        path,
                        contract,
                        found["snapshot_date"],
                        load_id,
                        settings,
                        found["format"],
                        parser=parser,
                    )
                    connection.commit()
                except FileRefused as error:
                    connection.rollback()
                    refusal = error.finding
            if staged is not None and staged.summary.rows_accepted:
                # The index that the comparison of a snapshot needs is built while the rules are asked.
                with ThreadPoolExecutor(1) as beside:
                    prepared = beside.submit(loading.prepare, connection, contract, staged.table)
                    results = _check(connection, contract, staged, found["snapshot_date"], settings)
                    prepared.result()
        with connection.cursor() as cursor:
            loading.lock(cursor, contract.source)
            # Another run may have loaded it, or its bytes under another name, while this one was reading.
            current = _delivery(connection, delivery_id)
            extra: list[str] = []
            touched: tuple[str, ...] = ()
            if current["verdict"] is None:
                if _load_of_same_bytes(connection, found) is None:
                    assert staged is not None or refusal is not None
                    _enter(cursor, contract, found, load_id, started_at, staged, results, refusal, settings)
                settlement = loading.settle(
                    connection, contract, _rows(connection, contract, settings, load_id, staged, extra)
                )
                touched = tuple(str(p) for p in settlement.periods)
            if staged is not None:
                extra += [staged.table, staged.rejected_table]
            staging.drop(cursor, *extra)
        return _outcome(connection, delivery_id, touched, is_new=True)


def accept(delivery_id: int, reason: str, accepted_by: str, settings: Settings) -> Outcome:
    """An operator's override: let a register snapshot stand that was refused for having too few rows.

    Raises UsageError when the delivery was refused for something else, or not at all.
    """
    from halfyear import staging
    from halfyear.core import loading

    with warehouse.transaction(settings) as connection:
        found = _delivery(connection, delivery_id)
        contract = _contract(found["source"], settings)
        with connection.cursor() as cursor:
            loading.lock(cursor, contract.source)
            cursor.execute("select verdict, rule from lineage.delivery where delivery_id = %s", (delivery_id,))
            verdict, rule = cursor.fetchone() or (None, None)
            if (verdict, rule) != ("refused", "fewer_rows_than_before"):
                raise UsageError(
                    f"{found['file_name']}: 只有因行数骤减被拒收的快照可以放行，此文件为 {verdict} ({rule}) / only a snapshot "
                    f"refused for having fewer rows can be accepted; this one is {verdict} ({rule})"
                )
            if not reason.strip():
                raise UsageError("请说明理由 / a reason is needed: --reason")
            cursor.execute(
                "insert into lineage.acceptance (delivery_id, reason, accepted_by) values (%s, %s, %s)",
                (delivery_id, reason, accepted_by),
            )
            extra: list[str] = []
            settlement = loading.settle(connection, contract, _rows(connection, contract, settings, None, None, extra))
            staging.drop(cursor, *extra)
        return _outcome(connection, delivery_id, tuple(str(p) for p in settlement.periods), is_new=True)


@functools.cache
def code_version() -> str:
    """The version of this package, with the commit: of the checkout, or HALFYEAR_COMMIT where an image has none."""
    from importlib import metadata

    version = metadata.version("halfyear") if _is_installed() else "0"
    if given := os.environ.get("HALFYEAR_COMMIT"):
        return f"{version}+{given}"
    try:
        commit = subprocess.run(
            ["git", "describe", "--always", "--dirty"],
            cwd=settings_module.load().project,
            capture_output=True,
            text=True,
            timeout=5,
        )
    except (OSError, subprocess.TimeoutExpired):
        return version
    return f"{version}+{commit.stdout.strip()}" if commit.returncode == 0 else version


def _is_installed() -> bool:
    from importlib import metadata

    try:
        metadata.version("halfyear")
    except metadata.PackageNotFoundError:
        return False
    return True


def _contract(source: str, settings: Settings) -> Contract:
    declared = contracts.load_all(settings.expectations)
    if source not in declared:
        raise UsageError(f"{source}: 没有这个来源 / there is no such source; known are {', '.join(declared)}")
    return declared[source]


def _delivery(connection: Connection, delivery_id: int) -> dict[str, Any]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select source, snapshot_date, file_name, sha256, verdict, "
            "substring(file_name from '[^.]+$') from lineage.delivery where delivery_id = %s",
            (delivery_id,),
        )
        row = cursor.fetchone()
    if row is None:
        raise UsageError(
            f"{delivery_id}: 没有这个报送编号 / there is no delivery with this number; see: halfyear status"
        )
    names = ("source", "snapshot_date", "file_name", "sha256", "verdict", "format")
    return {"delivery_id": delivery_id, **dict(zip(names, row, strict=True))}


def _load_of_same_bytes(connection: Connection, found: dict[str, Any]) -> int | None:
    with connection.cursor() as cursor:
        cursor.execute(
            "select load.load_id from lineage.load as load inner join lineage.delivery as delivery using (delivery_id) "
            "where delivery.source = %(source)s and delivery.snapshot_date = %(snapshot_date)s "
            "and delivery.sha256 = %(sha256)s",
            found,
        )
        row = cursor.fetchone()
    return int(row[0]) if row else None


def _check(
    connection: Connection, contract: Contract, staged: Staged, snapshot_date: date, settings: Settings
) -> list[CheckResult]:
    from halfyear.staging import validation

    return validation.run(
        connection,
        warehouse.sqlalchemy_url(settings),
        "staging",
        staged.table,
        contract,
        snapshot_date,
        keys_ascend=staged.keys_ascend,
        rows=staged.summary.rows_accepted - staged.rows_duplicate,
    )


def _enter(
    cursor: Cursor,
    contract: Contract,
    found: dict[str, Any],
    load_id: int,
    started_at: Any,
    staged: Staged | None,
    results: list[CheckResult],
    refusal: Finding | None,
    settings: Settings,
) -> None:
    """Write the ledger of one load: its account, its checks and its quarantined rows."""
    from halfyear.core import verdict
    from halfyear.staging import quarantine

    read = passed = quarantined = skipped = 0
    summary = staged.summary if staged else None
    if staged is not None:
        quarantined = quarantine.move_rejected(cursor, contract, staged, results)
        read = staged.summary.rows_read
        skipped = staged.summary.rows_skipped + staged.rows_duplicate
        passed = read - skipped - quarantined
        refusal = verdict.refusal(contract, results, read - skipped, passed)
        if refusal is not None:
            skipped, passed = skipped + passed, 0
    cursor.execute(
        "insert into lineage.load (load_id, delivery_id, contract_version, contract_fingerprint, code_version, rows_read, "
        "rows_passed, rows_loaded, rows_quarantined, rows_skipped, state, rule, reason_zh, reason_en, sheet, encoding, "
        "unknown_columns, started_at) values (%s, %s, %s, %s, %s, %s, %s, 0, %s, %s, %s, %s, %s, %s, %s, %s, %s, %s)",
        (
            load_id,
            found["delivery_id"],
            contract.version,
            contract.fingerprint,
            code_version(),
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


def _rows(
    connection: Connection,
    contract: Contract,
    settings: Settings,
    load_id: int | None,
    staged: Staged | None,
    extra: list[str],
) -> Callable[[int], str]:
    """The staged rows of any load of the source: this one's table, or its file read again (and listed in ``extra``)."""
    from halfyear import staging

    tables: dict[int, str] = {}
    if load_id is not None and staged is not None:
        tables[load_id] = staged.table

    def rows(wanted: int) -> str:
        if wanted not in tables:
            with connection.cursor() as cursor:
                cursor.execute("select delivery_id from lineage.load where load_id = %s", (wanted,))
                row = cursor.fetchone()
            assert row is not None
            found = _delivery(connection, row[0])
            with landing.local_copy(found["sha256"], found["format"], settings) as path:
                tables[wanted] = staging.restage(
                    connection, path, contract, found["snapshot_date"], wanted, settings, found["format"]
                )
            extra.append(tables[wanted])
        return tables[wanted]

    return rows


def _outcome(connection: Connection, delivery_id: int, touched: tuple[str, ...], is_new: bool) -> Outcome:
    with connection.cursor() as cursor:
        cursor.execute(
            "select delivery.source, delivery.file_name, delivery.verdict, coalesce(load.rows_read, 0), "
            "coalesce(load.rows_loaded, 0), coalesce(load.rows_quarantined, 0), coalesce(load.rows_skipped, 0), "
            "delivery.reason_zh, delivery.reason_en "
            "from lineage.delivery as delivery left join lineage.load as load using (delivery_id) "
            "where delivery.delivery_id = %s",
            (delivery_id,),
        )
        row = cursor.fetchone()
    assert row is not None
    source, file_name, verdict, read, loaded, quarantined, skipped, zh, en = row
    return Outcome(delivery_id, source, file_name, verdict, read, loaded, quarantined, skipped, zh, en, touched, is_new)
