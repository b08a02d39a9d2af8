"""Judgement: by what a load was judged, which loads are to be judged again, and what then becomes of them in the ledger."""

from __future__ import annotations

import hashlib
import json
import re
from datetime import date

from psycopg2.extensions import cursor as Cursor

from halfyear.contract import Contract

#: A relation of the warehouse that a rule reads.
_LIST = re.compile(r"\b(?:core|indicators)\.[a-z_]+\b")
#: That a load in force was judged by something else than today, with the values of ``judges``.
OUTDATED = (
    "load.replaced_at is null and (load.contract_fingerprint <> %(contract)s "
    "or load.lists_fingerprint is distinct from %(lists)s)"
)
#: The columns of lineage.load that say by what a load was judged, and how.
_JUDGEMENT = (
    "contract_version", "contract_fingerprint", "lists_fingerprint", "code_version", "rows_read", "rows_passed",
    "rows_loaded", "rows_quarantined", "rows_skipped", "values_nulled", "sheet", "encoding", "unknown_columns",
)  # fmt: skip


def lists_fingerprint(cursor: Cursor, contract: Contract) -> str | None:
    """SHA-256 over the lists that decide, beside the contract, which rows pass; None where its rules read none.

    A rule of severity ``info`` records and decides nothing.
    """
    texts = [json.dumps(rule.kwargs) for rule in contract.quality if rule.severity != "info"]
    names = sorted({match.group() for text in texts for match in _LIST.finditer(text)})
    digest = hashlib.sha256()
    is_any = False
    for name in names:
        columns = "indicator_code, reading, sources" if name == "indicators.definition" else "*"
        cursor.execute("select to_regclass(%s) is not null", (name,))
        if cursor.fetchone() != (True,):  # a function
            continue
        cursor.execute(
            "select string_agg(row::text, E'\\n' order by row::text collate \"C\") "
            f"from (select {columns} from {name}) as row"
        )
        (content,) = cursor.fetchone() or (None,)
        digest.update(f"{name}\0{content}\0".encode())
        is_any = True
    return digest.hexdigest() if is_any else None


def judges(cursor: Cursor, contract: Contract) -> dict[str, object]:
    """The values of ``OUTDATED``: what would judge a load of a source today."""
    return {
        "source": contract.source,
        "contract": contract.fingerprint,
        "lists": lists_fingerprint(cursor, contract),
    }


def outdated(cursor: Cursor, contract: Contract, since: date | None = None) -> list[tuple[int, int]]:
    """The loads in force that were judged by another contract or other lists than those of today, with their deliveries.

    ``since``: of this day or later ones. Oldest day first.
    """
    cursor.execute(
        "select load.delivery_id, load.load_id from lineage.load as load "
        "inner join lineage.delivery as delivery using (delivery_id) "
        f"where delivery.source = %(source)s and {OUTDATED} "
        "and (%(since)s::date is null or delivery.snapshot_date >= %(since)s) "
        "order by delivery.snapshot_date, delivery.sequence, load.load_id",
        {**judges(cursor, contract), "since": since},
    )
    return cursor.fetchall()


def replace(cursor: Cursor, load_id: int) -> None:
    """Take a load out of force; what it made known stays known of its instants."""
    cursor.execute("update lineage.load set replaced_at = clock_timestamp() where load_id = %s", (load_id,))


def confirm(cursor: Cursor, old: int, new: int) -> None:
    """Put a replaced load in force again with the judgement of the one that replaced it, which says the same and goes."""
    for table in ("lineage.check_result", "quarantine.rejected_row", "quarantine.rejected_value"):
        cursor.execute(f"delete from {table} where load_id = %s", (old,))
        cursor.execute(f"update {table} set load_id = %s where load_id = %s", (old, new))
    cursor.execute(f"delete from lineage.load where load_id = %s returning {', '.join(_JUDGEMENT)}", (new,))
    cursor.execute(
        f"update lineage.load set ({', '.join(_JUDGEMENT)}) = %s, replaced_at = null where load_id = %s",
        (cursor.fetchone(), old),
    )


def rejected(cursor: Cursor, load_id: int) -> set[int]:
    """The numbers of the rows of a load that are in quarantine."""
    cursor.execute("select distinct row_number from quarantine.rejected_row where load_id = %s", (load_id,))
    return {row[0] for row in cursor}
