"""The annexes of the half-year report: definitions, sources, quality, restatements and the seal, read from the mart."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from psycopg2.extensions import connection as Connection

from halfyear.period import Period
from halfyear.publishing.report import quality_annex, seal_annex, source_annex
from halfyear.publishing.report.document import Block, Table
from halfyear.publishing.report.scope import Scope, Seal

#: What ``{annex:…}`` may name.
ANNEXES = ("definitions", "sources", "quality", "identities", "reconciliation", "restatements", "vintage")
_ANNEX: Mapping[str, Callable[[Scope], list[Block]]] = {
    "definitions": source_annex.definitions,
    "sources": source_annex.sources,
    "quality": quality_annex.quality,
    "identities": quality_annex.identities,
    "reconciliation": quality_annex.reconciliation,
    "restatements": seal_annex.restatements,
    "vintage": seal_annex.vintage,
}
assert tuple(_ANNEX) == ANNEXES


def blocks(
    connection: Connection, name: str, period: Period, codes: Sequence[str], seal: Seal | None
) -> Sequence[Block]:
    """The tables and sentences of one annex of ``ANNEXES`` for the indicators that a report shows."""
    made = _ANNEX[name](Scope(connection, period, tuple(codes), seal))
    return [replace(block, is_dense=True) if isinstance(block, Table) else block for block in made]
