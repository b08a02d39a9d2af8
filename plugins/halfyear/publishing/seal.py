"""Seals: what was proposed and approved is held for ever.

A seal holds the figures as the rows stood at one instant, ``sealed_at``: no load is under way then, and nothing is
due. So the figures as known at that instant are the sealed ones for ever. The hash of each row is kept with it, and
that of the vintage covers them all and the hash of the vintage before.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear.core import lock
from halfyear.errors import UsageError
from halfyear.indicators import audit, computation, indicator
from halfyear.indicators.definition import Definition
from halfyear.period import Period
from halfyear.publishing import holding
from halfyear.publishing.proposal import Proposal, Request, propose
from halfyear.publishing.vintage import Vintage, latest

_LOCK = 8_150_004


def approver_of(request: Request, approved_by: str) -> str:
    """The name of the approver; UsageError where a name is missing, or where it is that of the preparer."""
    approver, preparer = approved_by.strip(), request.prepared_by.strip()
    if not approver or not preparer:
        raise UsageError("须写明编制人和批准人 / preparer and approver have to be named: --prepared-by, --approved-by")
    if approver.casefold() == preparer.casefold():
        raise UsageError(
            f"{approver}: 编制人不能批准自己的编制 / the preparer cannot approve; somebody else has to: --approved-by NAME"
        )
    return approver


def seal(
    connection: Connection,
    request: Request,
    digest: str,
    *,
    approved_by: str,
    code_version: str,
    approved_at: datetime | None = None,
) -> Vintage:
    """Seal what was proposed under this digest and approved, and commit; a repeated call gives the same vintage.

    Loads wait meanwhile, so that the seal is the state of one instant. Raises UsageError when the approver is the
    preparer, or when anything moved since the proposal; nothing is sealed then.
    """
    period, approver = request.period, approver_of(request, approved_by)
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
        _seal(cursor, proposal, indicator.definitions(connection), approver, approved_at, code_version)
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
    approved_at: datetime | None,
    code_version: str,
) -> None:
    """Enter the vintage, with all that is printed of it as the mart then says it."""
    period, vintage = proposal.request.period, proposal.vintage
    facts = holding.facts_of(
        cursor, period, vintage, proposal.request.prepared_by.strip(), approver,
        approved_at=approved_at, code_version=code_version, note=proposal.request.note.strip(),
        exceptions=[point.as_dict() for point in proposal.exceptions], proposal_digest=proposal.digest,
    )  # fmt: skip
    held = holding.collect(cursor, period, vintage, definitions, proposal.restatements)
    key = (str(period), vintage)
    with holding.rehearsed(cursor, facts, held):
        held["sealed_comparison"] = [(*key, *row) for row in holding.comparisons(cursor, period)]
        held["sealed_print"] = [(*key, *row) for row in holding.pages(cursor, period, vintage)]
    holding.enter(cursor, facts, held)
