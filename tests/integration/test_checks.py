"""Checks on real PostgreSQL with real Great Expectations: every kind of rule, every row that breaks it, and nothing left."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection

from halfyear import warehouse as warehouses
from halfyear.contract import Contract
from halfyear.errors import ContractError, InfrastructureFault
from halfyear.settings import Settings
from halfyear.staging import quarantine, validation
from halfyear.staging.rule import suite
from halfyear.staging.staging import delete_rejected
from halfyear.staging.validation import CheckResult

SNAPSHOT = date(2022, 6, 30)
TABLE = "kiln_1"
LOAD = 1

#: A source with a property of every kind.
KILN: dict[str, Any] = {
    "id": "kiln",
    "version": "1.0.0",
    "name": {"zh": "窑炉", "en": "Kilns"},
    "description": "Kilns",
    "domain": "kiln",
    "grain": "one row per kiln and firing",
    "mode": "register",
    "format": "csv",
    "slaProperties": {"frequency": "30 1 * * *", "deliveries": "irregular"},
    "properties": [
        {"name": "kiln_code", "businessName": "窑号", "format": "code", "primaryKey": True, "identifiesPerson": True},
        {"name": "firing_no", "businessName": "窑次", "logicalType": "integer", "primaryKey": True},
        {"name": "owner", "businessName": "窑主", "format": "name", "classification": "personal", "required": True},
        {"name": "note", "businessName": "备注", "format": "free_text", "classification": "personal"},
        {
            "name": "body_code",
            "businessName": "单位代码",
            "format": "unified_social_credit_code",
        },
        {"name": "kind", "businessName": "窑型", "format": "enumeration", "values": {"龙窑": ["1"], "馒头窑": ["2"]}},
        {"name": "pieces", "businessName": "件数", "logicalType": "integer", "minimum": 0},
        {"name": "yield_pct", "businessName": "成品率", "logicalType": "number", "minimum": 0.5},
        {"name": "fired_on", "businessName": "烧成日期", "logicalType": "date"},
        {"name": "opened_at", "businessName": "开窑时间", "logicalType": "timestamp"},
        {"name": "next_on", "businessName": "下次日期", "logicalType": "date", "allowFuture": True},
        {"name": "region_code", "businessName": "区划代码", "format": "region_code"},
        {"name": "remark", "businessName": "说明", "format": "name"},
    ],
}
GOOD: dict[str, Any] = {
    "record_key": "K1|1",
    "snapshot_date": SNAPSHOT,
    "kiln_code": "K1",
    "firing_no": 1,
    "owner_token": "t0k3n",
    "body_code": "9144030071526726XG",
    "kind": "龙窑",
    "pieces": 0,
    "yield_pct": "0.5",
    "fired_on": "2022-06-30",
    "opened_at": "2022-06-30 23:59:59.999999+08",
    "next_on": "2031-01-01",
    "region_code": "441900",
    "remark": "青瓷",
}


@dataclass
class Kiln:
    """A staging table of the source above, and what may be asked of it."""

    connection: Connection
    url: str
    contract: Contract

    def add(self, *rows: dict[str, Any]) -> None:
        """Rows that are good but for what is given; each with the next row number and a key of its own."""
        with self.connection.cursor() as cursor:
            for row in rows:
                cursor.execute(f"select coalesce(max(row_number), 1) + 1 from staging.{TABLE}")
                (number,) = cursor.fetchone() or (0,)
                values = {**GOOD, "row_number": number, "record_key": f"K{number}|1", **row}
                marks = ", ".join(["%s"] * len(values))
                cursor.execute(
                    f"insert into staging.{TABLE} ({', '.join(values)}) values ({marks})", list(values.values())
                )
        self.connection.commit()

    def run(self, *quality: dict[str, Any], table: str = TABLE) -> dict[str, CheckResult]:
        self.contract = kiln(*quality)
        results = validation.run(self.connection, self.url, "staging", table, self.contract, SNAPSHOT)
        self.connection.commit()
        assert [r.rule for r in results] == [r.rule for r in suite(self.contract)]
        return {r.rule: r for r in results}

    def quarantine(self, results: dict[str, CheckResult]) -> int:
        return quarantine.insert_failing(self.connection, "staging", TABLE, self.contract, list(results.values()), LOAD)

    def select(self, query: str) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(query)
            return cursor.fetchall()

    def rejected(self, rule: str) -> list[int]:
        rows = self.select(f"select row_number from quarantine.rejected_row where rule = '{rule}' order by 1")
        return [number for (number,) in rows]


def kiln(*quality: dict[str, Any]) -> Contract:
    return Contract.model_validate({**KILN, "quality": list(quality)})


def rule(name: str, kind: str, severity: str = "warning", about: str | None = None, **kwargs: Any) -> dict[str, Any]:
    return {
        "rule": name,
        "type": kind,
        "kwargs": kwargs,
        "severity": severity,
        "column": about,
        "dimension": "consistency",
        "description": {"zh": "说明", "en": "description"},
    }


def rows_rule(name: str, condition: str, severity: str = "warning", column: str = "remark") -> dict[str, Any]:
    query = f"select * from {{batch}} where {condition}"
    return rule(name, "unexpected_rows_expectation", severity, column, unexpected_rows_query=query)


@pytest.fixture
def table(warehouse: Settings) -> Iterator[Kiln]:
    # As the loader, who does the checks of a night.
    connection = warehouses.connect(warehouse)
    contract = kiln()
    columns = ", ".join(f"{p.column} {p.postgres_type}" for p in contract.columns)
    with connection.cursor() as cursor:
        cursor.execute(
            f"create table staging.{TABLE} (row_number bigint, record_key text, snapshot_date date, {columns})"
        )
    connection.commit()
    yield Kiln(connection, warehouses.sqlalchemy_url(warehouse), contract)
    connection.close()


def test_the_rules_that_follow_from_the_properties() -> None:
    rules = suite(kiln())
    assert [(r.rule, r.dimension) for r in rules] == [
        ("kiln_code_required", "completeness"),
        ("firing_no_required", "completeness"),
        ("owner_required", "completeness"),
        ("body_code_check_digit", "normative"),
        ("kind_enumeration", "normative"),
        ("pieces_minimum", "accuracy"),
        ("yield_pct_minimum", "accuracy"),
        ("fired_on_within_range", "accuracy"),
        ("opened_at_within_range", "accuracy"),
        ("next_on_within_range", "accuracy"),
        ("region_code_form", "normative"),
        ("region_code_known", "normative"),
        ("record_key_unique", "accuracy"),
    ]
    assert [r.rule for r in rules if r.severity != "warning"] == ["region_code_known"]
    assert all(r.description.zh and r.description.en and r.remedy for r in rules)


def test_a_contract_may_not_take_the_name_of_a_derived_rule() -> None:
    with pytest.raises(ContractError, match="kind_enumeration"):
        suite(kiln(rows_rule("kind_enumeration", "true")))


@pytest.mark.parametrize(
    ("broken", "column", "good", "bad"),
    [
        ("kiln_code_required", "kiln_code", ["K9"], [None]),
        ("owner_required", "owner_token", ["x"], [None]),
        ("kind_enumeration", "kind", ["馒头窑", None], ["1", "别的", ""]),
        ("pieces_minimum", "pieces", [1, None], [-1]),
        ("yield_pct_minimum", "yield_pct", ["0.50", None], ["0.49"]),
        ("fired_on_within_range", "fired_on", ["1990-01-01", None], ["1989-12-31", "2022-07-01"]),
        (
            "opened_at_within_range",
            "opened_at",
            ["1990-01-01 00:00+08", "2022-06-30 15:59:59+00", None],
            ["1989-12-31 23:59:59+08", "2022-07-01 00:00+08", "2022-06-30 16:00+00"],
        ),
        ("next_on_within_range", "next_on", ["2099-12-31", None], ["1989-12-31"]),
        ("body_code_check_digit", "body_code", ["Y1441900MX0000019B", None], ["9144030071526726XH", "0", ""]),
        ("region_code_form", "region_code", ["441900001", "441900001002", None], ["4419", "44190000", "4419000010O2"]),
    ],
)
def test_each_derived_rule_finds_exactly_its_rows(
    table: Kiln, broken: str, column: str, good: list[Any], bad: list[Any]
) -> None:
    table.add({}, *({column: value} for value in good), *({column: value} for value in bad))
    results = table.run()
    assert [r.rule for r in results.values() if not r.success] == [broken]
    result = results[broken]
    rows = 1 + len(good) + len(bad)
    assert (result.column, result.element_count, result.unexpected_count) == (column, rows, len(bad))
    assert table.quarantine(results) == len(bad)
    assert table.rejected(broken) == list(range(2 + 1 + len(good), 2 + rows))


def test_all_rows_of_a_key_with_different_content_are_quarantined(table: Kiln) -> None:
    table.add(
        {}, {"record_key": "A"}, {"record_key": "B"}, {"record_key": "A"}, {"record_key": "A"}, {"record_key": "B"}
    )
    results = table.run()
    assert [r.rule for r in results.values() if not r.success] == ["record_key_unique"]
    assert (results["record_key_unique"].column, results["record_key_unique"].unexpected_count) == (
        "kiln_code, firing_no",
        5,
    )
    assert table.quarantine(results) == 5
    assert table.rejected("record_key_unique") == [3, 4, 5, 6, 7]


@pytest.mark.parametrize("rows", [0, 3])
def test_a_clean_table_passes_every_rule(table: Kiln, rows: int) -> None:
    table.add(*[{}] * rows)
    results = table.run(rows_rule("remark_given", "remark is null"))
    assert all(r.success and r.unexpected_count == 0 and r.element_count == rows for r in results.values())
    assert table.quarantine(results) == 0


def test_only_warnings_are_quarantined(table: Kiln) -> None:
    table.add({"remark": "critical"}, {"remark": "warning"}, {"remark": "info"})
    results = table.run(
        *(
            rows_rule(f"remark_is_{severity}", f"remark = '{severity}'", severity)
            for severity in ("critical", "warning", "info")
        )
    )
    assert {r.severity: r.unexpected_count for r in results.values() if not r.success} == {
        "critical": 1,
        "warning": 1,
        "info": 1,
    }
    assert table.quarantine(results) == 1
    assert table.select("select row_number, rule from quarantine.rejected_row") == [(3, "remark_is_warning")]


def test_all_rows_are_quarantined_and_none_is_fetched(table: Kiln) -> None:
    import sqlalchemy
    from sqlalchemy import event

    table.add({})
    table.select(
        f"insert into staging.{TABLE} (row_number, record_key, snapshot_date, kiln_code, firing_no, owner_token, pieces)"
        " select i, 'k' || i, '2022-06-30', 'K', i, 't', case when i % 2 = 0 then -1 end"
        " from generate_series(1001, 11000) as i returning 1"
    )
    table.connection.commit()
    fetched: list[int] = []

    def count(_connection: Any, cursor: Any, *_: Any) -> None:
        fetched.append(cursor.rowcount)

    event.listen(sqlalchemy.Engine, "after_cursor_execute", count)
    try:
        results = table.run(rows_rule("pieces_given", "pieces is null", column="pieces"))
    finally:
        event.remove(sqlalchemy.Engine, "after_cursor_execute", count)
    assert (results["pieces_minimum"].unexpected_count, results["pieces_given"].unexpected_count) == (5000, 5000)
    # The catalogue of the server is read, never the rows of the table.
    assert fetched and max(fetched) < 500
    assert table.quarantine(results) == 10_000
    assert len(table.rejected("pieces_minimum")) == len(table.rejected("pieces_given")) == 5000
    assert delete_rejected(table.connection, "staging", TABLE, LOAD) == 10_000
    assert table.select(f"select row_number from staging.{TABLE}") == [(2,)]


def test_a_row_is_quarantined_once_per_rule_and_counted_once(table: Kiln) -> None:
    table.add({"pieces": -1, "kind": "?"})
    results = table.run()
    assert table.quarantine(results) == 1
    assert table.select("select rule from quarantine.rejected_row order by 1") == [
        ("kind_enumeration",),
        ("pieces_minimum",),
    ]


def test_values_of_persons_are_masked_and_long_ones_cut(table: Kiln) -> None:
    table.add(
        {"remark": "长" * 61, "owner_token": "secret", "kiln_code": "wang", "record_key": "A"},
        {"record_key": "A", "remark": None},
    )
    results = table.run(
        rows_rule("by_owner", "owner_token = 'secret'", column="owner_token"),
        rows_rule("by_kiln", "kiln_code = 'wang'", column="kiln_code"),
        rows_rule("by_remark", "true", column="remark"),
        rule("by_pair", "expect_column_pair_values_to_be_equal", column_A="remark", column_B="kiln_code"),
    )
    table.quarantine(results)
    found = table.select(
        "select rule, row_number, column_name, masked_value from quarantine.rejected_row order by 1, 2"
    )
    assert found == [
        ("by_kiln", 2, "kiln_code", "***"),
        ("by_owner", 2, "owner_token", "***"),
        ("by_pair", 2, "remark", "长" * 60),
        ("by_pair", 3, "remark", None),
        ("by_remark", 2, "remark", "长" * 60),
        ("by_remark", 3, "remark", None),
        ("record_key_unique", 2, "kiln_code, firing_no", "***"),
        ("record_key_unique", 3, "kiln_code, firing_no", "***"),
    ]


@pytest.mark.parametrize(
    ("remark", "shown"),
    [
        ("13800138000", "***"),
        ("电话１３８００１３８０００转", "***"),
        ("+86 138-0013-8000", "***"),
        ("证件11010119900307001x", "***"),
        ("110101900307001", "***"),
        ("附言" * 40 + "13800138000", "***"),
        ("1234567890123456", "1234567890123456"),
        ("12800138000", "12800138000"),
        ("91441900MA4W2QAB12", "91441900MA4W2QAB12"),
    ],
)
def test_values_shaped_like_personal_numbers_are_masked_in_every_column(table: Kiln, remark: str, shown: str) -> None:
    table.add({"remark": remark})
    table.quarantine(table.run(rows_rule("by_remark", "true", column="remark")))
    assert table.select("select masked_value from quarantine.rejected_row") == [(shown,)]


@pytest.mark.parametrize(
    ("code", "has_persons", "shown"),
    [
        ("114412890073961838", True, "***"),
        ("114412890073961838", False, "114412890073961838"),
        ("13800138000", False, "***"),
        ("9144030071526726XX", True, "9144030071526726XX"),
        (None, False, None),
    ],
)
def test_a_credit_code_of_digits_is_shown_where_no_person_is_spoken_of(
    table: Kiln, code: str | None, has_persons: bool, shown: str | None
) -> None:
    table.add({"body_code": code})
    results = table.run(rows_rule("by_code", "true", column="body_code"))
    if not has_persons:
        facts = [p.model_copy(update={"classification": None, "identifies_person": False}) for p in kiln().properties]
        table.contract = table.contract.model_copy(update={"properties": tuple(facts)})
    table.quarantine({"by_code": results["by_code"]})
    assert table.select("select masked_value from quarantine.rejected_row") == [(shown,)]


@pytest.mark.parametrize(
    ("kind", "kwargs", "remarks"),
    [
        (
            "unexpected_rows_expectation",
            {"unexpected_rows_query": "select * from {batch} where remark like '%5\\%%'"},
            ["5%5%"],
        ),
        (
            "unexpected_rows_expectation",
            {"unexpected_rows_query": "select * from {batch} where remark ~ '^x{{2}}$';"},
            ["xx"],
        ),
        (
            "unexpected_rows_expectation",
            {"unexpected_rows_query": "select * from {batch} where remark = 'a%%b'"},
            ["a%%b"],
        ),
        ("expect_column_values_to_not_match_regex", {"regex": r"^\d+%(s)?%%'\u3000$"}, ["12%%%'\u3000"]),
        ("expect_column_values_to_not_match_like_pattern", {"like_pattern": "%'%"}, ["it's"]),
        (
            "expect_column_values_to_not_be_in_set",
            {"value_set": ["it's", "全　角", 'say "%s"', "a\\b"]},
            ["it's", "全　角", 'say "%s"', "a\\b"],
        ),
        ("expect_column_value_lengths_to_be_between", {"max_value": 3}, ["1234"]),
        ("expect_column_value_lengths_to_equal", {"value": 2}, ["1234", "1"]),
        ("expect_column_values_to_be_null", {}, ["x"]),
    ],
)
def test_rules_with_every_kind_of_character(table: Kiln, kind: str, kwargs: dict[str, Any], remarks: list[str]) -> None:
    table.add(*({"remark": text} for text in remarks), {"remark": "青瓷" if "null" not in kind else None})
    named = {} if kind.startswith("unexpected") else {"column": "remark"}
    results = table.run(rule("own", kind, **named, **kwargs))
    assert results["own"].unexpected_count == len(remarks)
    assert table.quarantine(results) == len(remarks)
    assert table.rejected("own") == list(range(2, 2 + len(remarks)))


@pytest.mark.parametrize(
    ("kind", "kwargs", "bad"),
    [
        (
            "expect_column_values_to_be_between",
            {"column": "fired_on", "min_value": date(2022, 1, 1)},
            {"fired_on": "2021-12-31"},
        ),
        ("expect_column_values_to_be_between", {"column": "yield_pct", "max_value": 99.5}, {"yield_pct": "99.51"}),
        (
            "expect_column_pair_values_a_to_be_greater_than_b",
            {
                "column_A": "opened_at",
                "column_B": "fired_on",
                "or_equal": True,
                "ignore_row_if": "either_value_is_missing",
            },
            {"opened_at": "2022-06-29 10:00+08"},
        ),
        (
            "expect_column_pair_values_to_be_in_set",
            {"column_A": "kind", "column_B": "remark", "value_pairs_set": [["龙窑", "青瓷"], ["龙窑", None]]},
            {"kind": "馒头窑"},
        ),
        ("expect_multicolumn_sum_to_equal", {"column_list": ["firing_no", "pieces"], "sum_total": 1}, {"pieces": 7}),
        (
            "expect_select_column_values_to_be_unique_within_record",
            {"column_list": ["kind", "remark"], "ignore_row_if": "any_value_is_missing"},
            {"remark": "龙窑"},
        ),
    ],
)
def test_gx_rules_over_dates_pairs_and_several_columns(
    table: Kiln, kind: str, kwargs: dict[str, Any], bad: dict[str, Any]
) -> None:
    table.add({}, bad, {"remark": None, "opened_at": None})
    results = table.run(rule("own", kind, **kwargs))
    assert {r.rule: r.unexpected_count for r in results.values() if not r.success} == {"own": 1}
    assert table.quarantine(results) == 1
    assert table.rejected("own") == [3]


def test_a_rule_whose_failing_rows_cannot_be_had_is_refused(table: Kiln) -> None:
    table.add({}, {})
    results = table.run(rule("own", "expect_compound_columns_to_be_unique", column_list=["kiln_code", "firing_no"]))
    assert results["own"].unexpected_count == 2
    with pytest.raises(ContractError, match="unexpected_rows_expectation"):
        table.quarantine(results)


def test_a_rule_about_the_table_is_recorded_without_rows(table: Kiln) -> None:
    table.add({})
    results = table.run(rule("own", "expect_table_row_count_to_be_between", "critical", min_value=10))
    assert (results["own"].success, results["own"].column, results["own"].failing_rows_query) == (False, None, None)
    assert results["own"].unexpected_count == 1


@pytest.mark.parametrize(
    ("broken", "said"),
    [
        (rule("own", "expect_no_such_thing"), "expect_no_such_thing"),
        (rule("own", "expect_column_values_to_be_in_set", column="kind", value_sets=[]), "value_set"),
        (rule("own", "expect_column_values_to_not_be_null", column="no_such"), "no_such"),
        (rule("own", "expect_column_values_to_match_regex", column="remark", regex="("), "InvalidRegularExpression"),
        (rows_rule("own", "no_such = 1"), 'column "no_such" does not exist'),
        (rows_rule("own", "no such"), "syntax error"),
    ],
)
def test_a_rule_that_cannot_be_evaluated_is_named(table: Kiln, broken: dict[str, Any], said: str) -> None:
    table.add({"pieces": -1})
    with pytest.raises(ContractError, match=r"kiln\.yaml: own: ") as raised:
        table.run(broken)
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_an_error_does_not_quote_a_value(table: Kiln) -> None:
    table.add({"remark": "13800138000x"})
    with pytest.raises(ContractError, match="InvalidTextRepresentation") as raised:
        table.run(rows_rule("own", "remark::bigint > 0"))
    assert "13800138000" not in str(raised.value)
    assert (raised.value.__cause__ is None and raised.value.__suppress_context__) or raised.value.__context__ is None


def test_a_query_that_returns_a_row_twice_is_refused(table: Kiln) -> None:
    table.add({"remark": "x"})
    query = "select * from {batch} where remark = 'x' union all select * from {batch} where remark = 'x'"
    results = table.run(rule("own", "unexpected_rows_expectation", unexpected_rows_query=query))
    with pytest.raises(ContractError, match="own"):
        table.quarantine(results)


def test_nothing_is_left_in_the_database(table: Kiln) -> None:
    table.add({"pieces": -1})
    table.run(rows_rule("own", "true"))
    with pytest.raises(ContractError):
        table.run(rows_rule("own", "no such"))
    others = (
        "select application_name from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"
    )
    # A backend goes a moment after its client has closed the connection.
    end = time.monotonic() + 30
    while table.select(others) and time.monotonic() < end:
        table.connection.rollback()
        time.sleep(0.1)
    assert table.select(others) == []
    # No lock and no transaction either: the table goes at once.
    with table.connection.cursor() as cursor:
        cursor.execute("set lock_timeout = '1s'")
        cursor.execute(f"drop table staging.{TABLE}")


def test_every_load_of_a_night_is_asked_of_its_own_table(table: Kiln) -> None:
    table.add({})
    with table.connection.cursor() as cursor:
        cursor.execute(f"create table staging.kiln_2 as select * from staging.{TABLE}")
        cursor.execute("update staging.kiln_2 set pieces = -1")
    table.connection.commit()
    assert [table.run(table=name)["pieces_minimum"].success for name in (TABLE, "kiln_2", TABLE, "kiln_2")] == [
        True,
        False,
        True,
        False,
    ]


def test_a_locked_table_is_a_fault_of_the_infrastructure(table: Kiln, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(validation, "_LOCK_TIMEOUT", "200ms")
    with table.connection.cursor() as cursor:
        cursor.execute(f"lock table staging.{TABLE}")
    with pytest.raises(InfrastructureFault):
        validation.run(table.connection, table.url, "staging", TABLE, kiln(), SNAPSHOT)


def test_a_server_that_cannot_be_reached_is_a_fault_of_the_infrastructure(table: Kiln, tmp_path: Path) -> None:
    with pytest.raises(InfrastructureFault):
        validation.run(table.connection, f"postgresql://u@/d?host={tmp_path}", "staging", TABLE, kiln(), SNAPSHOT)


def test_importing_the_checks_is_light() -> None:
    program = (
        "import sys, halfyear.staging.validation; "
        "heavy = {'great_expectations', 'pandas', 'sqlalchemy'} & set(sys.modules); "
        "sys.exit(str(heavy) if heavy else 0)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_a_suite_is_run_without_statistics(table: Kiln) -> None:
    table.add({"pieces": -1})
    program = (
        "import datetime, json, sys; from halfyear import contract, settings, warehouse; "
        "from halfyear.scheduling import preloaded_airflow; from halfyear.staging import validation; "
        "preloaded_airflow.preload(); given = settings.load(); "
        "results = validation.run(warehouse.connect(given), warehouse.sqlalchemy_url(given), 'staging', sys.argv[1], "
        "contract.Contract.model_validate(json.loads(sys.argv[2])), datetime.date.fromisoformat(sys.argv[3])); "
        "print([result.rule for result in results if not result.success]); "
        "print(sorted(name for name in sys.modules if name.startswith('scipy.stats')))"
    )
    command = [sys.executable, "-c", program, TABLE, json.dumps(KILN), SNAPSHOT.isoformat()]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    # The name is there, and nothing was loaded.
    assert done.stdout.splitlines() == ["['pieces_minimum']", "['scipy.stats']"]


def test_statistics_are_there_when_they_are_used() -> None:
    program = (
        "from halfyear.staging import validation; validation.import_great_expectations(); "
        "from great_expectations.expectations.core.expect_column_kl_divergence_to_be_less_than import stats; "
        "print(stats.entropy([1.0, 1.0]) > 0.69)"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "True\n"


def test_great_expectations_sends_nothing(table: Kiln, monkeypatch: pytest.MonkeyPatch) -> None:
    import socket

    def refuse(*_: Any) -> None:
        raise AssertionError("a connection was opened from Python; PostgreSQL's goes through libpq")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    table.add({"pieces": -1})
    assert not table.run()["pieces_minimum"].success


VALID = [
    "9144030071526726XG",  # X as the check character of GB 11714
    "114419000073322193",  # department 1, body with digits
    "1244190045723005XD",
    "52441900MJL123454A",
    "92441900MA55QYPJX7",
    "A11100000000012303",  # departments A, N, Y
    "A1110000MB0K123412",
    "N2441900MF1234567E",
    "Y1441900MX0000019B",
    "91441900KLMNPQRTXP",  # J to Y: the two standards count letters differently
    "91441900UWXYABCD3Y",
    "91441900000000190Q",
]
INVALID = [
    "9144030071526726XH",  # check character of GB 32100
    "91440300715267262G",  # of GB 11714
    "9144030071526762XG",  # two characters changed places
    "9144030071526726xG",  # the reader makes codes upper-case
    "000000000000000000",
    "01441900MA4UTXW974",
    "9144030071526726X",
    "9144030071526726XG ",
    "9144030071526726XG\n",
    "",
    "9144O30071526726XG",
    "９１４４０３００７１５２６７２６ＸＧ",
    *(f"91441900{letter}A4UTXW974" for letter in "IOSVZ"),
    *(f"91441900MA4UTXW9{letter}4" for letter in "IOSVZ"),
    *(f"91441900MA4UTXW97{letter}" for letter in "IOSVZ"),
]


def test_unified_social_credit_codes(table: Kiln) -> None:
    with table.connection.cursor() as cursor:
        cursor.execute(
            "select code from unnest(%s) as code where core.is_unified_social_credit_code(code)", (VALID + INVALID,)
        )
        assert [code for (code,) in cursor.fetchall()] == VALID
        cursor.execute("select core.is_unified_social_credit_code(null)")
        assert cursor.fetchone() == (None,)


def test_any_other_check_character_is_wrong(table: Kiln) -> None:
    alphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"
    for code in ("91441900UWXYABCD3Y", "A11100000000012303", "N2441900MF1234567E"):
        found = table.select(
            f"select c from regexp_split_to_table('{alphabet}', '') as c"
            f" where core.is_unified_social_credit_code('{code[:17]}' || c)"
        )
        assert found == [(code[17],)]
        found = table.select(
            f"select c from regexp_split_to_table('{alphabet}', '') as c, regexp_split_to_table('{alphabet}', '') as last"
            f" where core.is_unified_social_credit_code('{code[:16]}' || c || last)"
        )
        assert found == [(code[16],)]
