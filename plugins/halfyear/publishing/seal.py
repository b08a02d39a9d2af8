"""Seals: what was proposed and approved is held for ever.

A seal holds the figures as the rows stood at one instant, ``sealed_at``: no load is under way then, and nothing is
due. So the figures as known at that instant are the sealed ones for ever. The hash of each row is kept with it, and
that of the vintage covers them all and the hash of the vintage before.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear.core import lock
from halfyear.errors import UsageError
from halfyear.indicators import audit, computation, indicator
from halfyear.indicators.definition import Definition
from halfyear.period import Period
from halfyear.publishing import holding, person
from halfyear.publishing.person import Approval
from halfyear.publishing.proposal import Proposal, Request, Stored, propose
from halfyear.publishing.vintage import Vintage, latest

_LOCK = 8_150_004


def approver_of(request: Request, approved_by: str) -> str:
    """The name of the approver; UsageError where a name is missing, or where it is that of the preparer."""
    approver, preparer = approved_by.strip(), request.prepared_by.strip()
    if not person.key(approver) or not person.key(preparer):
        raise UsageError("须写明编制人和批准人 / preparer and approver have to be named: --prepared-by, --approved-by")
    if person.key(approver) == person.key(preparer):
        raise UsageError(
            f"{approver}: 编制人不能批准自己的编制 / the preparer cannot approve; somebody else has to: --approved-by NAME"
        )
    return approver


def proof_of(stored: Stored, approval: Approval, may_declare: bool) -> str:
    """How it is proved that somebody else approves than prepared: one of `person.PROOFS`.

    Raises UsageError where nothing proves it, unless ``may_declare``: then it is ``declared``, and printed so.
    """
    if stored.way == "airflow" and person.key(approval.account) == person.key(stored.account):
        raise UsageError(
            f"{approval.account}: 编制人不能批准自己的编制 / the preparer cannot approve; somebody else has to"
        )
    found = person.proof(stored.way, stored.account, approval.account)
    if found == "declared" and not may_declare:
        preparer, approver = (each or "未知 unknown" for each in (stored.account, approval.account))
        raise UsageError(
            f"{stored.request.period}: 不能证明是两个人 / nothing proves two persons: 编制账号 prepared by {preparer}, 批准账号 "
            f"approved by {approver}; 请他人以自己的系统账号或数据库角色运行 / somebody else has to run, by an account of the system "
            f"or a role of the database that is not the preparer's: halfyear approve {stored.request.period} --digest "
            f"{stored.digest}"
        )
    return found


def seal(
    connection: Connection, stored: Stored, approval: Approval, *, code_version: str, may_declare: bool = False
) -> Vintage:
    """Seal what was proposed and approved, and commit; a repeated call gives the same vintage.

    Loads wait meanwhile, so that the seal is the state of one instant. Raises UsageError when the approver is the
    preparer, or when anything moved since the proposal; nothing is sealed then. ``may_declare`` as in `proof_of`.
    """
    request, digest = stored.request, stored.digest
    period, approver = request.period, approver_of(request, approval.approved_by)
    proof = proof_of(stored, approval, may_declare)
    with connection, connection.cursor() as cursor:
        lock.hold_declarations(cursor)
        cursor.execute(
            "select distinct source from indicators.definition cross join unnest(sources) as source order by 1"
        )
        for (source,) in cursor.fetchall():
            lock.hold_source(cursor, source)
        computation.lock(cursor, period)
        cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        before = latest(connection, period)
        if before and before.proposal_digest == digest:
            return before
        _refuse_differences(connection, period)
        proposal = propose(connection, request)
        if proposal is None or proposal.digest != digest:
            raise UsageError(
                f"{period}: 提请批准后数据或事项有变，未封存，请重新编制 / something moved since the proposal was made; "
                "nothing was sealed, propose it again"
            )
        facts = {
            "approved_at": approval.approved_at, "code_version": code_version, "proof": proof, "evidence": stored.reference,
            "preparer_account": stored.account, "approver_account": approval.account,
        }  # fmt: skip
        _seal(cursor, proposal, indicator.definitions(connection), approver, facts)
        sealed = latest(connection, period)
    assert sealed is not None
    return sealed


def _refuse_differences(connection: Connection, period: Period) -> None:
    """No stored value is trusted: each is computed anew from its rows, which no load can move now."""
    found = audit.provisional(connection, period).differences
    if found:
        raise UsageError(
            f"{period}: {len(found)} 个存数与按行重算不符，未封存 / {len(found)} stored values are not what their rows give; "
            f"nothing was sealed: {found[0].line}; run: halfyear audit {period} --recompute"
        )


def _seal(
    cursor: Cursor,
    proposal: Proposal,
    definitions: Mapping[tuple[str, str], Definition],
    approver: str,
    given: Mapping[str, Any],
) -> None:
    """Enter the vintage, with all that is printed of it as the mart then says it."""
    period, vintage = proposal.request.period, proposal.vintage
    facts = holding.facts_of(
        cursor, period, vintage, proposal.request.prepared_by.strip(), approver,
        **given, note=proposal.request.note.strip(), exceptions=[point.as_dict() for point in proposal.exceptions], proposal_digest=proposal.digest,
    )  # fmt: skip
    held = holding.collect(cursor, period, vintage, definitions, proposal.restatements)
    key = (str(period), vintage)
    with holding.rehearsed(cursor, facts, held):
        held["sealed_comparison"] = [(*key, *row) for row in holding.comparisons(cursor, period)]
        held["sealed_print"] = [(*key, *row) for row in holding.pages(cursor, period, vintage)]
    holding.enter(cursor, facts, held)
