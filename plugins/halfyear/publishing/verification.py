"""Verification: the chain of all seals, walked row by row, and their figures, computed anew.

Triggers of the warehouse refuse every change of a seal, the owner's too; the chain finds what was done without them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import period as periods
from halfyear.core import lock
from halfyear.indicators import audit
from halfyear.publishing import person
from halfyear.publishing.digest import FACTS, HELD, PROOF, digest_of, own_digest

#: Tables that triggers guard against changes.
_GUARDED = ("vintage", "proposal", *HELD)
#: The columns by which a fault names a row.
_NAMES = ("indicator_code", "reading", "body_code", "load_id", "delivery_id", "source", "page")


@dataclass(frozen=True)
class Fault:
    """One thing that ``verify`` found: what was changed, added or taken away, in which vintage."""

    period: str
    vintage: int
    what: str
    text_zh: str
    text_en: str

    @property
    def line(self) -> str:
        return f"{self.period} v{self.vintage} {self.what}: {self.text_zh} / {self.text_en}"


@dataclass(frozen=True)
class Verification:
    """The chain as it was walked: how many vintages and rows, the last hash, and what is wrong.

    ``proofs`` has the vintages, as ``2022-S1 v1``, by how each was proved to be sealed by two persons; None: not recorded.
    """

    vintages: int
    rows: int
    last_hash: str | None
    hashes: frozenset[str]
    faults: tuple[Fault, ...] = field(default=())
    proofs: Mapping[str | None, Sequence[str]] = field(default_factory=dict)


def verify(connection: Connection) -> Verification:
    """Walk the chain of all vintages and hold every row against its hash; nothing is changed.

    It finds a changed, added or missing row, a changed vintage, a break in the chain, and a guard that is gone.
    Whoever changes a row and every hash after it makes another chain: its last hash is then not the one that was
    printed with the report.
    """
    faults: list[Fault] = []
    with connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute(f"select {', '.join((*FACTS, *PROOF))}, hash from indicators.vintage order by sequence")
        vintages = cursor.fetchall()
        hashes: dict[tuple[str, int], dict[str, list[str]]] = {}
        count = 0
        for table, columns in HELD.items():
            cursor.execute(
                f"select {', '.join(columns)}, row_hash from indicators.{table} order by {', '.join(columns[:-1][:5])}"
            )
            for *row, row_hash in cursor:
                count += 1
                hashes.setdefault((row[0], row[1]), {}).setdefault(table, []).append(row_hash)
                if digest_of(row) != row_hash:
                    named = {name: v for name, v in zip(columns, row, strict=True) if name in _NAMES and v}
                    what = " ".join(str(v) for v in (table, *named.values()))
                    faults.append(
                        Fault(row[0], row[1], what, "该行与封存时不同", "the row is not the one that was sealed")
                    )
        before: tuple[int, str | None] = (0, None)
        latest_of: dict[str, int] = {}
        for *said, own in vintages:
            facts, proof = said[: len(FACTS)], said[len(FACTS) :]
            period, vintage, sequence = facts[:3]
            kept = hashes.pop((period, vintage), {})
            if sequence != before[0] + 1 or facts[-1] != before[1] or vintage != latest_of.get(period, 0) + 1:
                faults.append(
                    Fault(period, vintage, "chain", "与前一版次不衔接", "does not continue the vintage before it")
                )
            if own_digest(facts, proof, kept) != own:
                faults.append(
                    Fault(
                        period,
                        vintage,
                        "hash",
                        "版次内容与其指纹不符，有行被改、增或删",
                        "what it holds does not have its hash: something was changed, added or taken away",
                    )
                )
            before = (sequence, own)
            latest_of[period] = vintage
        faults += [
            Fault(period, vintage, "vintage", "版次已不存在而其内容仍在", "the vintage is gone, its rows are not")
            for period, vintage in sorted(hashes)
        ]
        said_of = [dict(zip((*FACTS, *PROOF), each, strict=False)) for each in vintages]
        faults += _persons(cursor, said_of)
        faults += _guards_gone(cursor)
    connection.rollback()
    proofs: dict[str | None, list[str]] = {}
    for each in said_of:
        proofs.setdefault(each["proof"], []).append(f"{each['period']} v{each['vintage']}")
    return Verification(
        len(vintages), count, before[1], frozenset(v[-1] for v in vintages), tuple(faults), dict(proofs)
    )


def _persons(cursor: Cursor, vintages: Sequence[Mapping[str, Any]]) -> list[Fault]:
    """Vintages of which names, accounts and proof contradict each other, or of which the proposal is not kept."""
    cursor.execute("select period, vintage, digest, account, prepared_by, reference, way from indicators.proposal")
    proposals = set(cursor.fetchall())
    faults, is_kept = [], False
    for each in vintages:
        proof, preparer, approver = each["proof"], each["preparer_account"], each["approver_account"]
        is_kept |= proof is not None
        proposal = (
            each["period"], each["vintage"], each["proposal_digest"], preparer, each["prepared_by"], each["evidence"],
            "airflow" if proof == "airflow" else "terminal",
        )  # fmt: skip
        if proof is None:
            wrong = (
                ("没有两人证明，而此前版次已有", "has no proof of two persons, and vintages before it have")
                if is_kept
                else None
            )
        elif person.key(each["prepared_by"]) == person.key(each["approved_by"]):
            wrong = ("编制人与批准人同名", "preparer and approver have one name")
        elif proof == "airflow" and (each["prepared_by"], each["approved_by"]) != (preparer, approver):
            wrong = ("姓名不是 Airflow 的账号", "the names are not the accounts of Airflow")
        elif proof not in ("airflow", "declared") and person.proof("terminal", preparer, approver) != proof:
            wrong = (f"账号不能证明 {proof}", f"its accounts do not prove {proof}")
        elif proof == "airflow" and person.key(preparer) == person.key(approver):
            wrong = ("编制与批准同一账号", "one account prepared and approved it")
        elif proposal not in proposals:
            wrong = ("没有该编制账号的提请", "there is no proposal by the account that prepared it")
        else:
            wrong = None
        if wrong:
            faults.append(Fault(each["period"], each["vintage"], "persons", *wrong))
    return faults


def audit_seals(connection: Connection) -> audit.Audit:
    """Compute the figures of every seal in force anew, by its own definitions and the rows known at its instant."""
    with lock.declarations_held(connection), connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute("select distinct period from indicators.vintage order by 1")
        sealed = [periods.parse(row[0]) for row in cursor]
        return sum((audit.sealed(connection, period) for period in sealed), audit.NOTHING)


def _guards_gone(cursor: Cursor) -> list[Fault]:
    wanted = {(table, "refuse_change") for table in _GUARDED} | {(table, "refuse_addition") for table in HELD}
    wanted |= {("vintage", "continue_chain"), ("vintage", "require_two_persons"), ("proposal", "note_account")}
    cursor.execute(
        "select c.relname, t.tgname from pg_catalog.pg_trigger as t inner join pg_catalog.pg_class as c on t.tgrelid = c.oid "
        "where c.relnamespace = 'indicators'::regnamespace and t.tgenabled = 'A'"
    )
    return [
        Fault("*", 0, f"indicators.{table}", f"防改触发器 {name} 不在或已停用", f"its guard {name} is gone or disabled")
        for table, name in sorted(wanted - set(cursor.fetchall()))
    ]
