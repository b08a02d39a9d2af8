"""Replay: what landing keeps is judged again under the declarations of today. Airflow's task and ``halfyear replay`` call it.

Two things, in this order. Deliveries that landing has and the ledger has not are entered and loaded: into an empty warehouse
those are all. Loads of an older contract are read again and checked, and replaced by a load of the same delivery where that
says anything else; for each source this is one transaction under its lock, so that nobody sees half a contract. A load of
a night and a replay may run beside each other, and either may be killed and repeated at any point.

What was known before stays known of its instants (``known_at``): a seal never moves, its figures become candidates.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date
from pathlib import PurePosixPath

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import contract as contracts
from halfyear import landing, warehouse
from halfyear import settings as settings_module
from halfyear.contract import Contract
from halfyear.core import judgement, ledger
from halfyear.errors import HalfyearError, InfrastructureFault, RefusedByReplay
from halfyear.indicators import movement
from halfyear.landing import Kept, inbox
from halfyear.landing.inbox import Arrival
from halfyear.scheduling import judging, night
from halfyear.scheduling.judging import Judged
from halfyear.settings import Settings

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Replayed:
    """What became of the loads of one source that an older contract had judged.

    ``freed`` and ``held`` count rows that left and entered quarantine, ``verdicts`` has the deliveries whose verdict is
    another one: file name, before, after, and the reason of a refusal in both languages.
    """

    source: str
    replaced: int
    unchanged: int
    freed: int
    held: int
    verdicts: tuple[tuple[str, str, str, str], ...]
    periods: tuple[str, ...]

    @property
    def refused(self) -> list[str]:
        """Deliveries that stood, and that the contract of today refuses."""
        return [
            f"{name}: {reason}"
            for name, before, after, reason in self.verdicts
            if after == "refused" and before in ("loaded", "loaded_with_quarantine")
        ]


@dataclass
class Replay:
    """What a replay did, or would do.

    ``entered`` counts the deliveries that only landing knew, ``figures`` has the figures that moved, and ``candidates`` the
    sealed ones that would be restated and were none before (``before`` is the seal's).
    """

    entered: dict[str, int] = field(default_factory=dict)
    sources: list[Replayed] = field(default_factory=list)
    figures: list[movement.Moved] = field(default_factory=list)
    candidates: list[movement.Moved] = field(default_factory=list)
    failures: list[HalfyearError] = field(default_factory=list)

    @property
    def lines(self) -> Iterator[str]:
        """What became of loads, rows, verdicts, figures of the city and seals, a line each, for a log."""
        for source, deliveries in self.entered.items():
            yield f"{source}: deliveries that only landing had: {deliveries}"
        for each in self.sources:
            yield (
                f"{each.source}: loads replaced {each.replaced}, the same {each.unchanged}; rows freed {each.freed}, "
                f"newly held {each.held}"
            )
            for name, before, after, reason in each.verdicts:
                yield f"{name}: {before} -> {after} {reason}"
        for what, moved in (("figure", self.figures), ("sealed figure, a candidate now", self.candidates)):
            for period, code, reading, body, before, after in ((*m.key, m.before, m.after) for m in moved):
                if body is None:
                    yield f"{what}: {period} {code} {reading}: {before} -> {after}"

    @property
    def has_findings(self) -> bool:
        """Whether rows are newly in quarantine, or files newly refused."""
        return any(source.held or source.refused for source in self.sources)


def replay(
    sources: Sequence[str],
    since: date | None,
    settings: Settings,
    *,
    accept_refusals: bool = False,
    say: Callable[[str], object] = log.info,
) -> Replay:
    """Bring the warehouse to what landing and the declarations of today say; what is due afterwards is left to compute.

    ``since``: of the deliveries of this day and later ones. A delivery that stands and that the contract of today would refuse
    leaves its source as it is, with a RefusedByReplay among the failures, unless ``accept_refusals``. A fault of one
    source or file keeps nobody else. Raises InfrastructureFault; the sources that were done by then are.
    """
    done = Replay()
    unknown = _unknown(sources, since, settings)
    for source in sources:
        contract = night.contract_of(source, settings)
        with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
            if source in unknown:
                _enter(cursor, contract, unknown[source])
                done.entered[source] = len(unknown[source])
            # Also what a replay that was killed has entered.
            pending = ledger.pending(cursor, source)
        for delivery_id in pending:
            with _noted(done):
                say(night.load_delivery(delivery_id, settings).line)
    for source in sources:
        contract = night.contract_of(source, settings)
        with _noted(done), warehouse.transaction(settings) as connection:
            judged = _judge(connection, contract, since, settings, say)
            try:
                replayed = _replace(connection, contract, judged, settings)
                if replayed is not None and replayed.refused and not accept_refusals:
                    raise RefusedByReplay(source, replayed.refused)
                connection.commit()
            finally:
                connection.rollback()
                _drop(connection, judged)
            if replayed is not None:
                done.sources.append(replayed)
    return done


def rehearse(
    sources: Sequence[str], since: date | None, settings: Settings, say: Callable[[str], object] = log.info
) -> Replay:
    """What ``replay`` would do to the loads of older contracts, figures included: it is done and rolled back.

    Loads of these sources and computations wait while that lasts, not while the files are read. Of deliveries that only landing
    knows it says how many there are.
    """
    from halfyear.core import lock

    done = Replay({source: len(unknown) for source, unknown in _unknown(sources, since, settings).items()})
    with warehouse.transaction(settings) as connection:
        judged: dict[str, list[Judged]] = {}
        try:
            for source in sources:
                contract = night.contract_of(source, settings)
                judged[source] = _judge(connection, contract, since, settings, say)
            with connection.cursor() as cursor:
                for source in sorted(judged):
                    lock.hold_source(cursor, source)
                if any(judged.values()):
                    before = movement.figures(cursor)
                    for source, loads in judged.items():
                        replayed = _replace(connection, night.contract_of(source, settings), loads, settings)
                        if replayed is not None:
                            done.sources.append(replayed)
                    done.figures, done.candidates = before.moved(movement.figures(cursor))
        finally:
            connection.rollback()
            _drop(connection, [each for loads in judged.values() for each in loads])
    return done


def run(sources: Sequence[str], since: str | None, dry_run: bool, accept_refusals: bool) -> bool:
    """``replay`` or ``rehearse`` with what Airflow has been given, said in the log; whether anything was changed.

    No source means all. Raises the first failure once every source has had its turn.
    """
    settings = settings_module.load()
    chosen = [night.contract_of(source, settings).source for source in sources]
    chosen = chosen or list(contracts.load_all(settings.expectations))
    day = date.fromisoformat(since) if since else None
    if dry_run:
        done = rehearse(chosen, day, settings)
    else:
        done = replay(chosen, day, settings, accept_refusals=accept_refusals)
    for line in done.lines:
        log.info("%s", line)
    if done.failures:
        raise done.failures[0]
    return not dry_run and bool(done.sources or done.entered)


def outdated(settings: Settings) -> dict[str, int]:
    """How many loads of each source were judged by an older contract, or older lists, where there are any."""
    declared = contracts.load_all(settings.expectations)
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        found = {source: len(judgement.outdated(cursor, contract)) for source, contract in declared.items()}
    return {source: loads for source, loads in found.items() if loads}


# ---------------------------------------------------------------- what only landing knows


def _unknown(sources: Sequence[str], since: date | None, settings: Settings) -> dict[str, list[Kept]]:
    """The deliveries of each source that landing has and the ledger has not."""
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select source, file_name, sha256 from lineage.delivery where source = any(%s)", (list(sources),)
        )
        known = set(cursor)
    found: dict[str, list[Kept]] = {source: [] for source in sources}
    for kept in landing.kept(settings):
        if kept.source in found and (kept.source, kept.file_name, kept.sha256) not in known:
            day = _arrival(kept).snapshot_date
            if since is None or (day is not None and day >= since):
                found[kept.source].append(kept)
    return {source: unknown for source, unknown in found.items() if unknown}


def _enter(cursor: Cursor, contract: Contract, unknown: Sequence[Kept]) -> None:
    for kept in unknown:
        ledger.enter_delivery(cursor, contract, _arrival(kept), kept.sha256, kept.received_at)
        if kept.acceptance is not None:
            cursor.execute(
                "insert into lineage.acceptance (delivery_id, reason, accepted_by, accepted_at) "
                "select delivery_id, %s, %s, %s from lineage.delivery where source = %s and file_name = %s and sha256 = %s "
                "on conflict do nothing",
                (*vars(kept.acceptance).values(), kept.source, kept.file_name, kept.sha256),
            )


def _arrival(kept: Kept) -> Arrival:
    """The delivery as it once lay in the inbox; a file that came before its day has come on it."""
    return inbox.named(kept.source, PurePosixPath(kept.file_name), kept.bytes, kept.modified_at)


# ---------------------------------------------------------------- loads of an older contract


def _judge(
    connection: Connection,
    contract: Contract,
    since: date | None,
    settings: Settings,
    say: Callable[[str], object],
) -> list[Judged]:
    """Read and check again what an older contract has judged; commits, so that Great Expectations sees it."""
    with connection.cursor() as cursor:
        wanted = judgement.outdated(cursor, contract, since)
    judged: list[Judged] = []
    try:
        for number, (delivery_id, _) in enumerate(wanted, start=1):
            delivery = ledger.delivery(connection, delivery_id)
            say(f"{contract.source}: 重读 read again {number}/{len(wanted)}: {delivery.file_name}")
            judged.append(judging.judge(connection, contract, delivery, settings))
    except BaseException:
        connection.rollback()
        _drop(connection, judged)
        raise
    return judged


def _replace(
    connection: Connection, contract: Contract, judged: Sequence[Judged], settings: Settings
) -> Replayed | None:
    """Let the loads that were judged again take the place of those before, and settle; None where there is nothing to do.

    The caller commits or rolls back.
    """
    from halfyear import staging
    from halfyear.core import lock

    tables: dict[int, str] = {}
    replaced = unchanged = freed = held = 0
    with connection.cursor() as cursor:
        lock.hold_source(cursor, contract.source)
        # What another run has replaced meanwhile, or a night has read again, is left alone.
        old_loads = dict(judgement.outdated(cursor, contract))
        before = _verdicts(cursor, contract.source)
        for each in judged:
            old = old_loads.get(each.delivery.delivery_id)
            if old is None:
                continue
            was_rejected = judgement.rejected(cursor, old)
            judgement.replace(cursor, old)
            each.enter(cursor, contract)
            is_rejected = judgement.rejected(cursor, each.load_id)
            freed += len(was_rejected - is_rejected)
            held += len(is_rejected - was_rejected)
            stands = old
            if _says_the_same(cursor, contract, old, each):
                judgement.confirm(cursor, old, each.load_id)
                unchanged += 1
            else:
                stands = each.load_id
                replaced += 1
            if each.staged is not None:
                tables[stands] = each.staged.table
        if not replaced and not unchanged:
            return None
        own = set(tables.values())
        periods = judging.settle(connection, contract, tables, settings, newest_first=True)
        staging.drop(cursor, *(set(tables.values()) - own))
        cursor.execute(
            "insert into lineage.replay (source, contract_version, contract_fingerprint, loads_replaced, loads_unchanged, "
            "rows_freed, rows_held) values (%s, %s, %s, %s, %s, %s, %s)",
            (contract.source, contract.version, contract.fingerprint, replaced, unchanged, freed, held),
        )
        after = _verdicts(cursor, contract.source)
    verdicts = tuple(
        (name, before[delivery_id][1], verdict, reason)
        for delivery_id, (name, verdict, reason) in after.items()
        if delivery_id in before and before[delivery_id][1] != verdict
    )
    return Replayed(contract.source, replaced, unchanged, freed, held, verdicts, periods)


def _says_the_same(cursor: Cursor, contract: Contract, old: int, new: Judged) -> bool:
    from halfyear.core import settlement

    cursor.execute("select state = 'checked' from lineage.load where load_id = %s", (new.load_id,))
    if new.staged is None or cursor.fetchone() != (True,):
        return False
    return settlement.is_unchanged(cursor, contract, old, new.load_id, new.staged.table)


def _verdicts(cursor: Cursor, source: str) -> dict[int, tuple[str, str, str]]:
    """Name, verdict, and rule and reason of each delivery of a source that has a verdict."""
    cursor.execute(
        "select delivery_id, file_name, verdict, coalesce(rule || ': ' || reason_zh || ' / ' || reason_en, '') "
        "from lineage.delivery where source = %s and verdict is not null order by snapshot_date, sequence, delivery_id",
        (source,),
    )
    return {row[0]: row[1:] for row in cursor}


def _drop(connection: Connection, judged: Sequence[Judged]) -> None:
    """Drop what is staged, one load at a time: there may be many, and each table takes locks."""
    for each in judged:
        with connection.cursor() as cursor:
            each.drop(cursor)
        connection.commit()


@contextmanager
def _noted(done: Replay) -> Iterator[None]:
    """A fault of one file or source keeps nobody else; one of the infrastructure ends it all, and is worth another try."""
    try:
        yield
    except InfrastructureFault:
        raise
    except HalfyearError as error:
        done.failures.append(error)
