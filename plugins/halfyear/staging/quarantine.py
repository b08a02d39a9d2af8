"""Quarantine: the rows and values that broke a rule, kept aside with the reason of each and a cell that may be shown.

``quarantine.rejected_row`` has one row per finding: the cells that the reader could not use, the rows that break a rule
of severity ``warning``, and the rows that share their key with one that could not be read. ``quarantine.rejected_value``
has one row per finding about a value of a ``nullWhenInvalid`` column: its row loads, and has null there.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear.contract import Contract
from halfyear.reading.fault import CODE_SHAPE, MASK, PERSONAL_SHAPE
from halfyear.staging.rule import KEY_IS_UNIQUE, fault, is_nulled, suite
from halfyear.staging.staging import Staged, delete_rejected, null_rejected
from halfyear.staging.validation import CheckResult

_MASKED_LENGTH: Final = 60
_COLUMNS: Final = "load_id, row_number, record_key, column_name, rule, reason_zh, reason_en, masked_value"


@dataclass(frozen=True)
class Kept:
    """What quarantine keeps of a load: rows that are not loaded, and values that are null in rows that are."""

    rows: int
    values: int


def move_rejected(cursor: Cursor, contract: Contract, staged: Staged, results: Sequence[CheckResult]) -> Kept:
    """Move every row that broke a rule from staging to quarantine, and every value that loads as null."""
    load_id = staged.load_id
    connection = cursor.connection
    rejected = sql.Identifier("staging", staged.rejected_table)
    columns = sql.SQL(_COLUMNS.removeprefix("load_id, "))
    cursor.execute(
        sql.SQL(
            "insert into quarantine.rejected_row (load_id, {columns}) select %s, {columns} from {rejected} where not row_loads"
        ).format(columns=columns, rejected=rejected),
        (load_id,),
    )
    insert_failing(connection, "staging", staged.table, contract, results, load_id)
    # A row whose twin could not be read shares its key with other content: neither can be believed.
    unique = next(rule for rule in suite(contract) if rule.rule == KEY_IS_UNIQUE)
    cursor.execute(
        sql.SQL(
            "insert into quarantine.rejected_row "
            "(load_id, row_number, record_key, column_name, rule, reason_zh, reason_en) "
            "select distinct %(load_id)s::bigint, row.row_number, row.record_key, %(column)s, %(rule)s, %(zh)s, %(en)s "
            "from {table} as row inner join {rejected} as rejected on rejected.record_key = row.record_key "
            "where not rejected.row_loads and not exists (select 1 from quarantine.rejected_row as known "
            "where known.load_id = %(load_id)s and known.row_number = row.row_number and known.rule = %(rule)s)"
        ).format(table=sql.Identifier("staging", staged.table), rejected=rejected),
        {
            "load_id": load_id,
            "column": unique.column,
            "rule": unique.rule,
            "zh": unique.description.zh,
            "en": unique.description.en,
        },
    )
    cursor.execute(
        # Rows that were skipped as duplicates are no longer staged.
        sql.SQL(
            "insert into quarantine.rejected_value (load_id, {columns}) select %s, {of_rejected} from {rejected} as rejected "
            "inner join {table} as row on row.row_number = rejected.row_number where rejected.row_loads"
        ).format(
            columns=columns,
            of_rejected=sql.SQL(", ").join(sql.Identifier("rejected", name) for name in _COLUMNS.split(", ")[1:]),
            rejected=rejected,
            table=sql.Identifier("staging", staged.table),
        ),
        (load_id,),
    )
    insert_failing_values(connection, "staging", staged.table, contract, results, load_id)
    delete_rejected(connection, "staging", staged.table, load_id)
    null_rejected(connection, "staging", staged.table, contract, load_id)
    cursor.execute(
        "select (select count(distinct row_number) from quarantine.rejected_row where load_id = %(load_id)s), "
        "(select count(distinct (row_number, column_name)) from quarantine.rejected_value where load_id = %(load_id)s)",
        {"load_id": load_id},
    )
    row = cursor.fetchone()
    assert row is not None
    return Kept(*row)


def insert_failing(
    connection: Connection,
    schema: str,
    table: str,
    contract: Contract,
    results: Sequence[CheckResult],
    load_id: int,
) -> int:
    """Put every row that breaks a warning rule into quarantine, once per rule; returns how many rows these are.

    Works in the caller's transaction and leaves the staging table as it is (see ``delete_rejected``). Raises
    ContractError when a rule's query does not name the rows that the rule counted.
    """
    nulled = _nulled(contract)
    failed = [r for r in results if not r.success and r.severity == "warning" and r.failing_rows_query]
    failed = [r for r in failed if r.rule not in nulled]
    if not failed:
        return 0
    with connection.cursor() as cursor:
        _insert(cursor, "rejected_row", schema, table, contract, failed, load_id)
        cursor.execute(
            "select count(distinct row_number) from quarantine.rejected_row where load_id = %s and rule = any(%s)",
            (load_id, [result.rule for result in failed]),
        )
        row = cursor.fetchone()
        assert row is not None
        return int(row[0])


def insert_failing_values(
    connection: Connection,
    schema: str,
    table: str,
    contract: Contract,
    results: Sequence[CheckResult],
    load_id: int,
) -> None:
    """Put every value that breaks a rule of a ``nullWhenInvalid`` column into quarantine, once per rule.

    Where its row is there already, the value is one more reason of that row. Works and raises as ``insert_failing``.
    """
    nulled = _nulled(contract)
    failed = [r for r in results if not r.success and r.rule in nulled and r.failing_rows_query]
    with connection.cursor() as cursor:
        _insert(cursor, "rejected_value", schema, table, contract, failed, load_id)
        cursor.execute(
            "with moved as (delete from quarantine.rejected_value as value where value.load_id = %(load_id)s "
            "and exists (select from quarantine.rejected_row as row where row.load_id = %(load_id)s "
            "and row.row_number = value.row_number) returning value.*) "
            f"insert into quarantine.rejected_row ({_COLUMNS}) select {_COLUMNS} from moved",
            {"load_id": load_id},
        )


def _nulled(contract: Contract) -> set[str]:
    """The rules that cost a row one value and not its place."""
    return {rule.rule for rule in suite(contract) if is_nulled(contract, rule)}


def _insert(
    cursor: Cursor,
    target: str,
    schema: str,
    table: str,
    contract: Contract,
    failed: Sequence[CheckResult],
    load_id: int,
) -> None:
    for result in failed:
        try:
            # Without parameters psycopg2 leaves the % of a LIKE or regular expression alone.
            cursor.execute(_insertion(target, schema, table, contract, result, load_id))
        except psycopg2.ProgrammingError as error:
            # So it is for expect_compound_columns_to_be_unique in Great Expectations 1.24.
            raise fault(
                contract.source,
                result.rule,
                "无法取得违规行，请改写为 unexpected_rows_expectation",
                f"the query of its failing rows is not valid ({error.diag.message_primary}); "
                "write the rule as unexpected_rows_expectation",
            ) from None
        if cursor.rowcount != result.unexpected_count:
            raise fault(
                contract.source,
                result.rule,
                f"规则计数 {result.unexpected_count} 行，其查询给出 {cursor.rowcount} 行",
                f"the rule counted {result.unexpected_count} rows and its query names {cursor.rowcount}; "
                "the query must return each failing row once, with its row_number",
            )


def _insertion(
    target: str, schema: str, table: str, contract: Contract, result: CheckResult, load_id: int
) -> sql.Composed:
    # The line break ends a comment at the end of the rule's query.
    return sql.SQL(
        "insert into {target}"
        " (load_id, row_number, record_key, column_name, rule, reason_zh, reason_en, masked_value)"
        " select {load_id}, staged.row_number, staged.record_key, {column}, {rule}, {zh}, {en}, {value}"
        " from {table} as staged"
        " where staged.row_number in (select failing.row_number from ({query}\n) as failing)"
    ).format(
        target=sql.Identifier("quarantine", target),
        load_id=sql.Literal(load_id),
        column=sql.Literal(result.column),
        rule=sql.Literal(result.rule),
        zh=sql.Literal(result.description_zh),
        en=sql.Literal(result.description_en),
        value=_masked(contract, result.column),
        table=sql.Identifier(schema, table),
        query=sql.SQL(result.failing_rows_query or ""),
    )


def _masked(contract: Contract, column: str | None) -> sql.Composable:
    """The cell as quarantine may show it: cut to a length, or hidden where it tells of a person.

    Whatever the column, a value with the shape of an identity or mobile number is hidden; 18 digits are shown as a
    unified social credit code where the column holds these and the source tells of no person.
    """
    if column is None:
        return sql.SQL("null")
    named = [p for p in contract.columns if p.column in column.split(", ")]
    cell: sql.Composable = sql.Identifier("staged", named[0].column if len(named) == 1 else "record_key")
    if any(p.is_personal or p.identifies_person for p in named):
        return sql.SQL("case when {} is not null then {} end").format(cell, sql.Literal(MASK))
    if len(named) == 1 and named[0].postgres_type == "numeric":
        cell = sql.SQL("trim_scale({})").format(cell)
    shape = sql.SQL("normalize({}::text, nfkc) ~ {}").format(cell, sql.Literal(PERSONAL_SHAPE))
    has_persons = any(p.is_personal or p.identifies_person for p in contract.properties)
    if len(named) == 1 and named[0].format == "unified_social_credit_code" and not has_persons:
        shape = sql.SQL("{} and {}::text !~ {}").format(shape, cell, sql.Literal(CODE_SHAPE))
    return sql.SQL("case when {} then {} else left({}::text, {}) end").format(
        shape, sql.Literal(MASK), cell, sql.Literal(_MASKED_LENGTH)
    )
