"""The steps of a publication: propose, ask an approver, seal. Airflow's tasks and the commands call these."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from halfyear import period as periods
from halfyear import settings as settings_module
from halfyear import warehouse
from halfyear.errors import UsageError
from halfyear.scheduling import night
from halfyear.version import code_version

if TYPE_CHECKING:
    from halfyear.period import Period
    from halfyear.publishing.person import Approval
    from halfyear.publishing.proposal import Proposal, Request, Stored
    from halfyear.publishing.vintage import Vintage

log = logging.getLogger(__name__)


def account() -> str:
    """The account by which this process is logged in to the warehouse, see `person.account`; never empty.

    Where the server lets everybody in, it is the bare name of the account of the system.
    """
    import os
    import pwd

    from halfyear.publishing import person

    with warehouse.transaction(settings_module.load(), "publisher") as connection:
        return person.account(connection) or pwd.getpwuid(os.getuid()).pw_name


def propose(request: Request, reference: str = "") -> Proposal | None:
    """Compute a half-year anew, whole, and keep what would be sealed as a proposal; None when that is sealed already.

    ``reference`` names the run of Airflow in which it is approved, else it is on a terminal. Raises UsageError for open
    points without a name and figures without a reason.
    """
    from halfyear.publishing import proposal, publication

    for attempt in range(3):
        night.compute(str(request.period), everything=True)
        try:
            with warehouse.transaction(settings_module.load(), "publisher") as connection:
                found = proposal.propose(connection, request)
                if found is not None:
                    proposal.store(connection, found, publication.title(found), publication.text(found), reference)
                return found
        except proposal.StillDue:  # a load came between
            if attempt == 2:
                raise
    raise AssertionError


def proposed(period: Period) -> list[Stored]:
    """The proposals of a half-year that wait for an approver on a terminal, newest first, one for each digest and account."""
    from halfyear.publishing import proposal, vintage

    with warehouse.transaction(settings_module.load(), "publisher") as connection:
        sealed = vintage.latest(connection, period)
        waiting = (sealed.vintage if sealed else 0) + 1
        found: dict[tuple[str, str], Stored] = {}
        for each in proposal.stored(connection, period=period):
            if each.vintage == waiting:
                found.setdefault((each.digest, each.account), each)
    return list(found.values())


def approve(period: Period, digest: str, approved_by: str | None = None) -> Vintage:
    """Seal what was proposed under this digest, as the account that runs this; a repeated call gives the vintage that is there.

    ``approved_by`` is the name that is printed, that of the account unless given. Raises UsageError for a digest that nobody
    proposed or that has expired, and as `seal.seal` does.
    """
    from halfyear.publishing import person, proposal

    with warehouse.transaction(settings_module.load(), "publisher") as connection:
        found = [each for each in proposal.stored(connection, period=period) if each.digest == digest]
        own = person.account(connection)
    if not found:
        raise UsageError(
            f"{period}: 没有此指纹的有效提请 / no proposal of this digest waits: {digest}; see: halfyear approve {period}"
        )
    # The same may have been proposed by several: one of them who is not the approver will do.
    stored = next((each for each in found if each.account != own), found[0])
    return _seal(stored, person.Approval(approved_by or person.name(account()), own))


def prepare(asked: Mapping[str, Any], prepared_by: str, is_restatement: bool, reference: str) -> dict[str, str] | None:
    """What an approver is asked in a run of Airflow, as plain values: title and text to read.

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
    proposal = propose(request, reference)
    if proposal is None:
        return None
    return {"title": publication.title(proposal), "text": publication.text(proposal)}


def prepare_run(asked: Mapping[str, Any], is_restatement: bool, dag_id: str, run_id: str) -> dict[str, str] | None:
    """`prepare` for a run of Airflow; its preparer is who triggered it, by Airflow's record."""
    from halfyear.scheduling import airflow_record

    run = airflow_record.run(settings_module.load(), dag_id, run_id)
    return prepare(asked, run.triggered_by, is_restatement, run.reference)


def seal_run(dag_id: str, run_id: str, task_id: str = "approve") -> str:
    """Seal what was proposed in a run of Airflow and approved there; the hash of the vintage.

    Everything that decides is read from Airflow's own record and from the warehouse, nothing from another task. Raises
    UsageError where nobody approved, or the question that was answered is not what was proposed in the run.
    """
    from halfyear.publishing import person, proposal, publication
    from halfyear.scheduling import airflow_record

    settings = settings_module.load()
    run = airflow_record.run(settings, dag_id, run_id)
    answer = airflow_record.answer(settings, dag_id, run_id, task_id)
    if answer.chosen != ("Approve",) or not answer.answered_by or not answer.answered_at:
        raise UsageError(
            f"{run.reference}: Airflow 没有批准的记录，未封存 / Airflow has no record of an approval; nothing was sealed"
        )
    with warehouse.transaction(settings, "publisher") as connection:
        found = proposal.stored(connection, reference=run.reference)
    asked = (answer.title.strip(), answer.text.strip())
    stored = next((each for each in found if (each.title.strip(), each.text.strip()) == asked), None)
    if stored is None or stored.account != run.triggered_by:
        raise UsageError(
            f"{run.reference}: 批准人所见并非本次提请的内容，或提请已过期，未封存 / what the approver was shown is not what was "
            "proposed in this run, or the proposal has expired; nothing was sealed, trigger the DAG again"
        )
    sealed = _seal(stored, person.Approval(answer.answered_by, answer.answered_by, answer.answered_at))
    log.info("%s", publication.sealed_line(sealed))
    return sealed.hash


def _seal(stored: Stored, approval: Approval) -> Vintage:
    from halfyear.publishing import seal

    settings = settings_module.load()
    with warehouse.transaction(settings, "publisher") as connection:
        return seal.seal(
            connection, stored, approval, code_version=code_version(), may_declare=settings.declared_names is not None
        )
