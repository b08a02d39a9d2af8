"""Are the numbers right: every folder here is a case of CSV files, rows of core in, observations out.

A folder holds `README.txt` (what it shows, in a sentence or two), `standing.csv` (the accepted deliveries: load_id,
source, snapshot_date, and optionally known_at), one CSV per source with the columns of its core table that matter,
optionally `body.csv` and `body_alias.csv`, `value_set.csv` (instead of the reviewed definitions), `vintage.csv` and
`sealed_observation.csv`, and what must come out:

* `expected.csv` – rows of indicators.observation by period, indicator_code, reading and body (empty: the city). Of
  every (period, indicator, reading) that is named, exactly the named bodies must be there.
* `expected_rows.csv` (optional) – rows of mart.indicator_row of every (period, indicator, reading) that is named.
* `expected_mart.csv` (optional) – rows of mart.indicator, as `expected.csv`.

Runs on a real PostgreSQL.
"""

from __future__ import annotations

import csv
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from psycopg2 import sql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import contract as contracts
from halfyear import period
from halfyear import settings as settings_module
from halfyear import warehouse as warehouse_module
from halfyear.indicators import computation
from halfyear.settings import Settings

CASES = sorted(path.name for path in Path(__file__).parent.iterdir() if (path / "README.txt").exists())
NUMBERS = {"numerator", "denominator", "value", "quantity", "previous_value", "change_on_previous", "year_ago_value"}
NUMBERS |= {"change_on_year", "vintage", "row_number"}
FILES = {"README.txt", "expected.csv", "expected_rows.csv", "expected_mart.csv", "standing.csv"}
KEY = ("period", "indicator_code", "reading")


@pytest.mark.parametrize("case", CASES)
def test_golden(case: str, warehouse: Settings) -> None:
    folder = Path(__file__).parent / case
    with warehouse_module.transaction(warehouse, "owner") as connection:
        lay(connection, folder)
    with warehouse_module.transaction(warehouse, "loader") as connection:
        for period in computation.stale_periods(connection):
            computation.compute(connection, period)
        assert computation.stale_periods(connection) == []
    with warehouse_module.transaction(warehouse, "loader") as connection, connection.cursor() as cursor:
        compare(cursor, folder / "expected.csv", "indicators.observation", "superseded_at is null")
        compare(cursor, folder / "expected_rows.csv", "mart.indicator_row", "true")
        compare(cursor, folder / "expected_mart.csv", "mart.indicator", "true")


def read(path: Path) -> list[dict[str, str | None]]:
    if not path.exists():
        return []
    with path.open(encoding="utf-8", newline="") as stream:
        return [{name: value or None for name, value in row.items()} for row in csv.DictReader(stream)]


def ensure_partition(cursor: Cursor, source: str, when: str | None) -> None:
    if when is None:  # events without a day have their own partition
        return
    half_year = period.of(date.fromisoformat(when[:10]))
    cursor.execute("select core.new_partition(%s, %s)", (source, half_year.first_day))
    if cursor.fetchone() != (None,):
        cursor.execute("select core.attach_partition(%s, %s)", (source, half_year.first_day))


def lay(connection: Connection, folder: Path) -> None:
    """Write the rows of a case into the warehouse, as loads would have."""
    sources = contracts.load_all(settings_module.load().expectations)
    with connection.cursor() as cursor:
        cursor.execute("delete from core.body_alias; delete from core.body")
        if (folder / "value_set.csv").exists():
            cursor.execute("delete from core.value_set")
        for row in read(folder / "standing.csv"):
            day = row["snapshot_date"]
            cursor.execute(
                "insert into lineage.delivery (source, snapshot_date, sequence, file_name, sha256, verdict) "
                "values (%s, %s, 1, %s, %s, 'loaded') returning delivery_id",
                (row["source"], day, f"{row['source']}_{str(day).replace('-', '')}.csv", str(row["load_id"])),
            )
            delivery = cursor.fetchone()
            cursor.execute(
                "insert into lineage.load (load_id, delivery_id, contract_version, contract_fingerprint, code_version, "
                "rows_read, rows_passed, rows_loaded, rows_quarantined, rows_skipped, state, started_at) "
                "values (%s, %s, '1', '', '', 0, 0, 0, 0, 0, 'checked', now())",
                (row["load_id"], delivery),
            )
            cursor.execute(
                "insert into lineage.standing (source, snapshot_date, load_id, known_at) values (%s, %s, %s, %s)",
                (row["source"], day, row["load_id"], row.get("known_at") or "[2020-01-01,)"),
            )
        tables = {"body": "core.body", "body_alias": "core.body_alias", "value_set": "core.value_set"}
        tables |= {"vintage": "indicators.vintage", "sealed_observation": "indicators.sealed_observation"}
        cursor.execute("alter table indicators.vintage disable trigger require_two_persons")
        order = [*tables, *sorted(p.stem for p in folder.glob("*.csv") if p.stem not in tables and p.name not in FILES)]
        for name in order:
            table = sql.Identifier(*tables.get(name, f"core.{name}").split("."))
            for number, row in enumerate(read(folder / f"{name}.csv"), start=2):
                if name not in tables:
                    row = {"row_number": str(number), "known_at": "[2020-01-01,)", **row}
                if name in sources and sources[name].mode == "events":
                    ensure_partition(cursor, name, row[sources[name].period_property or ""])
                if name == "sealed_observation":
                    row["reading"] = row.get("reading") or ""
                    # Sealed by the definition of today, so that what comes after it is comparable.
                    cursor.execute(
                        "select definition_hash from indicators.definition where indicator_code = %s and reading = %s",
                        (row["indicator_code"], row["reading"]),
                    )
                    (row["definition_hash"],) = cursor.fetchone() or (None,)
                cursor.execute(
                    sql.SQL("insert into {} ({}) values ({})").format(
                        table,
                        sql.SQL(", ").join(map(sql.Identifier, row)),
                        sql.SQL(", ").join([sql.Placeholder()] * len(row)),
                    ),
                    list(row.values()),
                )
            if name in sources and sources[name].period_group is not None:
                cursor.execute("select core.note_spanning_groups(%s, %s, null)", (name, sources[name].period_group))


def compare(cursor: Cursor, expected_file: Path, table: str, condition: str) -> None:
    """Every named (period, indicator, reading) has exactly the rows of the file, in the columns of the file."""
    expected = read(expected_file)
    if not expected:
        return
    columns = list(expected[0])
    key = [name for name in KEY if name in columns]
    for row in expected:
        if "reading" in row:
            row["reading"] = row["reading"] or ""
    cursor.execute(f"select {', '.join(columns)} from {table} where {condition}")
    named = {tuple(row[k] for k in key) for row in expected}
    found = [dict(zip(columns, row, strict=True)) for row in cursor]
    found = [row for row in found if tuple(row[k] for k in key) in named]
    assert in_order(found) == in_order(expected)


def in_order(rows: list[dict[str, Any]]) -> list[tuple[tuple[str, str], ...]]:
    return sorted(tuple((name, text(name, value)) for name, value in row.items()) for row in rows)


def text(name: str, value: Any) -> str:
    if value is None:
        return ""
    if name in NUMBERS:
        return f"{Decimal(str(value)).normalize():f}"
    return str(value).lower() if isinstance(value, bool) else str(value)
