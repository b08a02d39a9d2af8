"""Storage: inboxes that are reached by an Airflow connection."""

from __future__ import annotations

from typing import Any

from halfyear.contract import Contract
from halfyear.settings import Settings


def connected(contract: Contract, settings: Settings) -> Any:
    """The inbox of a source where its contract names a connection; None where it names none."""
    if not contract.server.connection:
        return None
    from airflow.sdk import ObjectStoragePath

    return ObjectStoragePath(contract.server.path or settings.inbox, conn_id=contract.server.connection)
