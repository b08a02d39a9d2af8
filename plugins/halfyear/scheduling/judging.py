"""Judging: one delivery read and checked, entered in the ledger, and core brought to what follows; a night and a replay do so."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import landing, warehouse
from halfyear.contract import Contract
from halfyear.core import ledger
from halfyear.core.ledger import Delivery
from halfyear.errors import FileRefused, Finding
from halfyear.settings import Settings
from halfyear.version import code_version

if TYPE_CHECKING:
    from halfyear.reading import Parser
    from halfyear.staging import Staged
    from halfyear.staging.validation import CheckResult


@dataclass(frozen=True)
class Judged:
    """A delivery that was read and checked under the contract of today, and that nothing says anything of yet.

    ``staged`` None: it was refused while it was read, by ``refusal``.
    """

    delivery: Delivery
    load_id: int
    started_at: datetime
    staged: Staged | None
    results: list[CheckResult]
    refusal: Finding | None

    def enter(self, cursor: Cursor, contract: Contract) -> None:
        """Enter it in the ledger as a load, and move its rows that broke a rule to quarantine."""
        ledger.enter_load(
            cursor,
            contract,
            self.delivery,
            self.load_id,
            self.started_at,
            self.staged,
            self.results,
            self.refusal,
            code_version(),
        )

    def drop(self, cursor: Cursor) -> None:
        """Drop what is staged of it."""
        from halfyear import staging

        if self.staged is not None:
            staging.drop(cursor, self.staged.table, self.staged.rejected_table)


def judge(
    connection: Connection, contract: Contract, delivery: Delivery, settings: Settings, parser: Parser | None = None
) -> Judged:
    """Read and check a delivery under today's contract, as a load that lives as long as the connection; commits."""
    from halfyear import staging

    with connection.cursor() as cursor:
        load_id, started_at = ledger.next_load(cursor)
    staging.hold(connection, load_id)
    connection.commit()
    staged: Staged | None = None
    results: list[CheckResult] = []
    refusal: Finding | None = None
    try:
        staged = _stage(connection, contract, delivery, load_id, settings, parser)
    except FileRefused as error:
        connection.rollback()
        refusal = error.finding
    if staged is not None and staged.summary.rows_accepted:
        results = _check(connection, contract, delivery, staged, settings)
    return Judged(delivery, load_id, started_at, staged, results, refusal)


def _stage(
    connection: Connection,
    contract: Contract,
    delivery: Delivery,
    load_id: int,
    settings: Settings,
    parser: Parser | None,
) -> Staged:
    """Read the file of a delivery into a staging table, and commit: Great Expectations asks by a connection of its own."""
    from halfyear import staging

    with landing.local_copy(delivery.sha256, delivery.format, settings) as path:
        staged = staging.stage(
            connection,
            path,
            contract,
            delivery.snapshot_date,
            load_id,
            settings,
            delivery.format,
            parser=parser,
        )
    connection.commit()
    return staged


def _check(
    connection: Connection, contract: Contract, delivery: Delivery, staged: Staged, settings: Settings
) -> list[CheckResult]:
    """Ask every rule; the index that the comparison of a snapshot needs is built meanwhile."""
    from halfyear.core import register
    from halfyear.staging import validation

    with ThreadPoolExecutor(1) as beside:
        prepared = beside.submit(register.prepare, connection, contract, staged.table)
        results = validation.run(
            connection,
            warehouse.sqlalchemy_url(settings),
            "staging",
            staged.table,
            contract,
            delivery.snapshot_date,
            keys_ascend=staged.keys_ascend,
            rows=staged.summary.rows_accepted - staged.rows_duplicate,
        )
        prepared.result()
    return results


def settle(
    connection: Connection,
    contract: Contract,
    tables: dict[int, str],
    settings: Settings,
    newest_first: bool = False,
) -> tuple[str, ...]:
    """Bring core to what the deliveries of a source say; the half-years whose figures may have moved.

    ``tables`` has the staging tables of loads whose rows are at hand, and gains those of loads whose files are read again:
    of a late or corrected day, and of the day after it.
    """
    from halfyear import staging
    from halfyear.core.settlement import Settling

    with connection.cursor() as cursor:
        settling = Settling(cursor, contract, newest_first)
        for day in settling.days:
            while missing := settling.missing(day, tables):
                for load_id in missing:
                    other = ledger.delivery_of_load(connection, load_id)
                    with landing.local_copy(other.sha256, other.format, settings) as path:
                        tables[load_id] = staging.restage(
                            connection, path, contract, other.snapshot_date, load_id, settings, other.format
                        )
            settling.restate(day, tables)
        return tuple(str(half) for half in sorted(settling.finish()))
