"""A night of one source, from inbox to indicators: receive, load, compute. Airflow's tasks and ``halfyear ingest`` call these.

Each step can be killed and repeated at any point. What a step did is in the ledger; a step with nothing to do ends
at once. Faults of data are verdicts in the ledger, never exceptions; only InfrastructureFault is worth a retry.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from psycopg2.extensions import connection as Connection

from halfyear import contract as contracts
from halfyear import landing, warehouse
from halfyear import period as periods
from halfyear import settings as settings_module
from halfyear.contract import Contract
from halfyear.core import ledger
from halfyear.core.ledger import Outcome
from halfyear.errors import FiguresDiffer, InfrastructureFault, UsageError
from halfyear.landing import inbox
from halfyear.scheduling import judging, storage
from halfyear.settings import Settings

if TYPE_CHECKING:
    from halfyear.indicators.audit import Audit

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
    for difference in (*found.differences, *found.moved):
        log.warning("%s", difference.line)
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


def sweep() -> list[str]:
    """Drop the staging tables and half copies of runs that died; returns the names of the tables."""
    from halfyear import staging

    settings = settings_module.load()
    landing.sweep(settings)
    with warehouse.transaction(settings) as connection:
        keep_acceptances(connection, settings)
        return staging.sweep(connection)


def look(source: str, settings: Settings) -> Received:
    """Land the new files of a source and enter them in the ledger.

    Files that are known by name, size and time are passed over without reading them.
    """
    contract = contract_of(source, settings)
    ready, waiting = inbox.scan(contract, settings, storage.connected(contract, settings))
    new: list[str] = []
    refused: list[str] = []
    unreadable: list[str] = []
    known = 0
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        seen = ledger.known_files(cursor, source)
        for arrival in ready:
            if (arrival.file_name, arrival.bytes, arrival.modified_at) in seen:
                known += 1
                continue
            if arrival.unreadable:
                unreadable.append(f"{arrival.file_name}: {arrival.unreadable}")
                continue
            try:
                landed = None if arrival.ignored else landing.keep(arrival, settings)
            except InfrastructureFault as error:
                unreadable.append(str(error))
                continue
            is_new = ledger.enter_delivery(cursor, contract, arrival, landed.sha256 if landed else None)
            if is_new and not arrival.ignored:
                (refused if arrival.fault else new).append(arrival.file_name)
        ledger.reopen(cursor, contract)
        pending = ledger.pending(cursor, source)
    for name in refused:
        log.warning("%s: refused for its name", name)
    for line in unreadable:
        log.error("%s", line)
    names = tuple(a.file_name for a in waiting)
    return Received(source, tuple(new), names, tuple(refused), tuple(unreadable), known, pending)


def load_delivery(delivery_id: int, settings: Settings) -> Outcome:
    """Take one delivery from landing through staging and checks into core, in one transaction at the end.

    Harmless when it is repeated, killed or run twice at once: a delivery that has a verdict is left alone.
    """
    from halfyear import reading

    # The parser gets ready while this process does.
    with warehouse.transaction(settings) as connection, reading.Parser(settings) as parser:
        from halfyear import staging
        from halfyear.core import lock

        delivery = ledger.delivery(connection, delivery_id)
        if delivery.verdict is not None:
            return ledger.outcome(connection, delivery_id, (), is_new=False)
        contract = contract_of(delivery.source, settings)
        repeats = ledger.load_of_same_bytes(connection, delivery) is not None
        judged = None if repeats else judging.judge(connection, contract, delivery, settings, parser)
        tables: dict[int, str] = {}
        touched: tuple[str, ...] = ()
        with connection.cursor() as cursor:
            lock.hold_source(cursor, contract.source)
            # Another run may have loaded it, or its bytes under another name, while this one was reading.
            if ledger.delivery(connection, delivery_id).verdict is None:
                if ledger.load_of_same_bytes(connection, delivery) is None:
                    assert judged is not None
                    judged.enter(cursor, contract)
                if judged is not None and judged.staged is not None:
                    tables[judged.load_id] = judged.staged.table
                touched = judging.settle(connection, contract, tables, settings)
            if judged is not None:
                judged.drop(cursor)
            staging.drop(cursor, *tables.values())
        return ledger.outcome(connection, delivery_id, touched, is_new=True)


def accept(delivery_id: int, reason: str, accepted_by: str, settings: Settings) -> Outcome:
    """An operator's override: let a register snapshot stand that was refused for having too few rows.

    Raises UsageError when the delivery was refused for something else, or not at all.
    """
    from halfyear import staging
    from halfyear.core import lock

    with warehouse.transaction(settings) as connection:
        delivery = ledger.delivery(connection, delivery_id)
        contract = contract_of(delivery.source, settings)
        tables: dict[int, str] = {}
        with connection.cursor() as cursor:
            lock.hold_source(cursor, contract.source)
            ledger.accept(cursor, delivery, reason, accepted_by)
            touched = judging.settle(connection, contract, tables, settings)
            staging.drop(cursor, *tables.values())
        connection.commit()
        keep_acceptances(connection, settings)
        return ledger.outcome(connection, delivery_id, touched, is_new=True)


def keep_acceptances(connection: Connection, settings: Settings) -> None:
    """Write into landing what operators let stand, where it is not there yet: the ledger alone must not know it."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select source, file_name, sha256, reason, accepted_by, accepted_at from lineage.acceptance "
            "inner join lineage.delivery using (delivery_id)"
        )
        for source, file_name, sha256, *acceptance in cursor.fetchall():
            landing.note_acceptance(source, file_name, sha256, landing.Acceptance(*acceptance), settings)


def contract_of(source: str, settings: Settings) -> Contract:
    """The contract of a source; UsageError when there is none."""
    declared = contracts.load_all(settings.expectations)
    if source not in declared:
        raise UsageError(f"{source}: 没有这个来源 / there is no such source; known are {', '.join(declared)}")
    return declared[source]
