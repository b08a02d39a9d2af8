"""The steps of a publication: propose, ask an approver, seal. Airflow's tasks and the commands call these."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

from halfyear import period as periods
from halfyear import settings as settings_module
from halfyear import warehouse
from halfyear.scheduling import night
from halfyear.version import code_version

if TYPE_CHECKING:
    from halfyear.publishing.proposal import Proposal, Request
    from halfyear.publishing.vintage import Vintage

log = logging.getLogger(__name__)


def propose(request: Request) -> Proposal | None:
    """Compute a half-year anew, whole, then say what would be sealed; None when that is sealed already.

    Raises UsageError for open points without a name and figures without a reason.
    """
    from halfyear.publishing import proposal

    for attempt in range(3):
        night.compute(str(request.period), everything=True)
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
