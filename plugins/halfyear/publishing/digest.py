"""Digests: what a seal is hashed over, and how.

Every row that a seal holds has its hash; the hash of the vintage is over its facts, the hash of the vintage before, and
the hashes of all its rows: one chain over all half-years.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal

#: What a seal holds, and by which columns; their row_hash is over these in this order.
HELD = {
    "sealed_observation": (
        "period", "vintage", "indicator_code", "reading", "body_code", "numerator", "denominator", "value", "printed",
        "definition_hash", "computed_at",
    ),
    "sealed_definition": ("period", "vintage", "indicator_code", "reading", "definition", "definition_hash"),
    "sealed_delivery": (
        "period", "vintage", "load_id", "delivery_id", "source", "snapshot_date", "sequence", "file_name", "sha256",
        "received_at", "indicator_codes",
    ),
    "restatement": (
        "period", "vintage", "indicator_code", "reading", "body_code", "reason", "note", "follows", "old_value",
        "old_printed", "new_value", "new_printed",
    ),
    "sealed_comparison": ("period", "vintage", "indicator_code", "reading", "body_code", "body_name", "compared"),
    "sealed_print": ("period", "vintage", "page", "content"),
}  # fmt: skip
#: What seals did not hold at first: where such a seal has no row of a table, the table is no part of its hash.
_HELD_SINCE = ("sealed_comparison", "sealed_print")
#: What a vintage says of itself; its hash is over these in this order, then over the hashes of what it holds.
FACTS = (
    "period", "vintage", "sequence", "sealed_at", "prepared_by", "approved_by", "approved_at", "code_version", "note",
    "exceptions", "declarations", "proposal_digest", "previous_hash",
)  # fmt: skip
#: How it says that two persons sealed it: all of these, or none in a vintage that was sealed before they were kept.
PROOF = ("proof", "preparer_account", "approver_account", "evidence")


def own_digest(facts: Sequence[object], proof: Sequence[object], hashes: Mapping[str, Sequence[str]]) -> str:
    """The hash of a vintage: over its `FACTS`, its `PROOF`, and the hashes of the rows that it holds, by table."""
    held = [(table, sorted(hashes.get(table, ()))) for table in HELD]
    proved = [] if all(value is None for value in proof) else [dict(zip(PROOF, proof, strict=True))]
    return digest_of([*facts, *proved, *(rows for table, rows in held if rows or table not in _HELD_SINCE)])


def digest_of(value: object) -> str:
    """SHA-256 over the canonical JSON of a value (RFC 8785 in spirit: sorted names, no spaces, UTF-8)."""
    text = json.dumps(value, default=_canonical, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> str:
    """Numbers with every digit that PostgreSQL keeps, instants in UTC."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
