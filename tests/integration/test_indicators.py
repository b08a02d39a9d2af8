"""Indicators on a real PostgreSQL: what is computed when, history, both clocks, and the trace.

The rows of core are written by hand here; which numbers come out of which rows is told by tests/golden.
"""

from __future__ import annotations

import io
import json
import threading
from collections.abc import Iterator
from contextlib import redirect_stdout
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from psycopg2.extensions import connection as Connection

from halfyear import warehouse as warehouse_module
from halfyear.errors import UsageError
from halfyear.indicators import computation, figure, indicator, observation, scan, trace
from halfyear.indicators.definition import COLUMNS, Definition, load_all
from halfyear.period import Period, parse
from halfyear.settings import LOCAL_ZONE, Settings
from halfyear.terminal import trace_table

S1 = parse("2022-S1")
S2 = parse("2021-S2")
BEGINNING = datetime(2022, 7, 1, tzinfo=LOCAL_ZONE)
SOURCES = ("account_activation", "catalogue_unit", "cloud_migration", "data_catalogue")


class Warehouse:
    """Writes deliveries and catalogue entries as loads would."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.owner = warehouse_module.connect(settings, "owner")
        self.loader = warehouse_module.connect(settings, "loader")
        self.owner.autocommit = True
        self.loads = 0
        self.run("delete from core.body_alias; delete from core.body")
        self.run(
            "insert into core.body (code, name, kind, level) values ('A', '甲局', '政府机关', '市'), "
            "('B', '乙局', '政府机关', '市')"
        )

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.owner.cursor() as cursor:
            cursor.execute(statement, values or None)
            return cursor.fetchall() if cursor.description else []

    def deliver(self, source: str, day: str, known_at: datetime = BEGINNING) -> int:
        self.loads += 1
        self.run(
            "with delivery as (insert into lineage.delivery (source, snapshot_date, sequence, file_name, sha256, verdict) "
            "values (%s, %s, 1, %s, %s, 'loaded') returning delivery_id), "
            "load as (insert into lineage.load (load_id, delivery_id, contract_version, contract_fingerprint, "
            "code_version, rows_read, rows_passed, rows_loaded, rows_quarantined, rows_skipped, state, started_at) "
            "select %s, delivery_id, '1', '', '', 0, 0, 0, 0, 0, 'checked', now() from delivery) "
            "insert into lineage.standing values (%s, %s, %s, tstzrange(%s, null))",
            source, day, f"{source}_{day.replace('-', '')}.csv", str(self.loads), self.loads,
            source, day, self.loads, known_at,
        )  # fmt: skip
        return self.loads

    def entry(self, code: str, load_id: int, day: str, known_at: datetime = BEGINNING, **columns: str) -> None:
        row = {
            "entry_code": code, "record_key": code, "body_code": "A", "body_name": "甲局", "system_kind": "自建系统",
            "sharing": "不予共享", "confirmation": "已确认", "publication": "已发布", "resource_count": "0",
        } | columns  # fmt: skip
        self.run(
            f"insert into core.data_catalogue ({', '.join(row)}, row_number, load_id, valid_at, known_at) "
            f"values ({', '.join(['%s'] * len(row))}, %s, %s, daterange(%s, null), tstzrange(%s, null))",
            *row.values(), self.loads + 1, load_id, day, known_at,
        )  # fmt: skip

    def mark(self, source: str | None = "data_catalogue", *half_years: Period) -> None:
        self.run("select indicators.mark_stale(%s, %s, 'test')", source, [str(p) for p in half_years or (S1,)])

    def compute(self, period: Period = S1) -> int:
        return computation.compute(self.loader, period)

    def value(self, code: str, period: Period = S1, body: str | None = None) -> Decimal | None:
        rows = self.run(
            "select value from indicators.observation where period = %s and indicator_code = %s and reading = '' "
            "and body_code is not distinct from %s and superseded_at is null",
            str(period), code, body,
        )  # fmt: skip
        assert len(rows) == 1
        value: Decimal | None = rows[0][0]
        return value

    def definition(self, code: str, reading: str = "") -> Definition:
        return indicator.definition(self.loader, code, reading)


@pytest.fixture
def here(warehouse: Settings) -> Iterator[Warehouse]:
    place = Warehouse(warehouse)
    yield place
    place.owner.close()
    place.loader.close()


@pytest.fixture
def filled(here: Warehouse) -> Warehouse:
    """Two entries of A in 2022-S1, both online, everything computed."""
    load_id = here.deliver("data_catalogue", "2022-06-30")
    here.entry("E1", load_id, "2022-06-30")
    here.entry("E2", load_id, "2022-06-30")
    here.compute()
    return here


def test_every_select_runs_and_returns_the_interface(here: Warehouse) -> None:
    for definition in indicator.definitions(here.loader).values():
        parameters = scan.parameters(S1, None)
        with here.loader.cursor() as cursor:
            cursor.execute(f"explain {definition.query}", parameters)
            cursor.execute(definition.query, parameters)
            assert tuple(column.name for column in cursor.description or ()) == COLUMNS, definition.code


def test_one_scan_for_all_gives_what_each_select_gives(loaded: Settings) -> None:
    with warehouse_module.transaction(loaded) as connection, connection.cursor() as cursor:
        known = list(indicator.definitions(connection).values())
        together = [each for each in scan.together(known) if len(each) > 1]
        assert {d.parts.is_row_wise for each in together for d in each if d.parts} == {True, False}
        for half in (S2, S1):
            computed = observation.observe_all(connection, known, half)
            assert computed.keys() == {definition.pair for definition in known}
            for definition in known:
                found = computed[definition.pair]
                assert list(found.observations) == observation.observe(connection, definition, half), definition.name
                cursor.execute(
                    f"select distinct load_id from ({definition.query}) as contribution order by 1",
                    scan.parameters(half, None),
                )
                assert [(load_id,) for load_id in found.loads] == cursor.fetchall(), definition.name
            # The demo has rows for nearly every figure, and for bodies.
            assert sum(bool(found.observations[0].value) for found in computed.values()) > 80
            assert sum(len(found.observations) > 5 for found in computed.values()) > 50


def test_the_warehouse_holds_the_definitions_of_the_files(here: Warehouse) -> None:
    assert indicator.definitions(here.loader) == load_all(here.settings.sql)


class TestDue:
    def test_a_new_period_is_due_as_a_whole(self, here: Warehouse) -> None:
        assert computation.stale_periods(here.loader) == []
        here.deliver("data_catalogue", "2021-12-31")
        here.deliver("data_catalogue", "2022-06-30")
        assert computation.stale_periods(here.loader) == [S2, S1]
        assert here.compute(S1) == len(indicator.definitions(here.loader))
        assert computation.stale_periods(here.loader) == [S2]

    def test_nothing_due_returns_at_once_and_writes_nothing(self, filled: Warehouse) -> None:
        before = filled.run("select * from indicators.observation order by 1")
        assert filled.compute() == 0
        assert filled.run("select * from indicators.observation order by 1") == before

    def test_a_mark_is_for_the_indicators_that_read_the_source(self, filled: Warehouse) -> None:
        filled.mark("catalogue_unit")
        readers = [d for d in indicator.definitions(filled.loader).values() if "catalogue_unit" in d.sources]
        assert filled.compute() == len(readers) == 2
        filled.mark(None)
        assert filled.compute() == len(indicator.definitions(filled.loader))

    @pytest.mark.parametrize(
        ("source", "changed", "marked"),
        [
            ("service_item", "2021-S2", {"one_visit_rate": ["2021-S2"], "cross_region_items": ["2022-S1", "2022-S2"]}),
            ("service_item", "2022-S1", {"one_visit_rate": ["2022-S1"], "cross_region_items": []}),
            ("cloud_migration", "2022-S1", {"cloud_systems_added": ["2021-S2", "2022-S1", "2022-S2"]}),
            ("hotline_ticket", "2022-S1", {"hotline_tickets": ["2022-S1"]}),
            ("service_item", "2019-S1", {"one_visit_rate": []}),
        ],
    )
    def test_a_mark_is_for_the_half_years_that_read_what_changed(
        self, here: Warehouse, source: str, changed: str, marked: dict[str, list[str]]
    ) -> None:
        """The list of a year's last day moves the half-years of the next year, the history of a register all of them."""
        for day in ("2021-12-31", "2022-06-30", "2022-12-31"):
            here.deliver("kiosk", day)
        told = here.run("select indicators.mark_stale(%s, %s, 'test')", source, [changed])
        assert sorted(told) == here.run("select distinct period from indicators.stale order by 1")
        for code, half_years in marked.items():
            assert half_years == [
                half for (half,) in here.run(
                    "select period from indicators.stale where indicator_code = %s and reading = '' order by 1", code
                )
            ]  # fmt: skip

    def test_values_that_did_not_move_are_not_rewritten(self, filled: Warehouse) -> None:
        before = filled.run("select observation_id from indicators.observation order by 1")
        filled.mark()
        assert filled.compute() > 0
        assert filled.run("select observation_id from indicators.observation order by 1") == before

    def test_a_value_that_moved_leaves_the_old_one_as_history(self, filled: Warehouse) -> None:
        filled.entry("E3", filled.deliver("data_catalogue", "2022-06-29"), "2022-06-29", body_code="B")
        filled.mark()
        filled.compute()
        history = filled.run(
            "select value, superseded_at is null, status from mart.indicator_history where period = '2022-S1' "
            "and indicator_code = 'catalogue_entries_confirmed' and reading = '' and body_code is null order by 1"
        )
        assert history == [(2, False, "superseded"), (3, True, "provisional")]
        assert filled.value("catalogue_entries_confirmed", body="B") == 1

    def test_a_body_that_has_no_row_any_more_has_no_observation(self, filled: Warehouse) -> None:
        filled.run("update core.data_catalogue set body_code = 'B'")
        filled.mark()
        filled.compute()
        current = filled.run(
            "select body_code from indicators.observation where superseded_at is null "
            "and indicator_code = 'catalogue_entries_confirmed' order by 1 nulls first"
        )
        assert current == [(None,), ("B",)]

    def test_a_first_delivery_of_a_source_turns_null_into_zero(self, filled: Warehouse) -> None:
        assert filled.value("catalogue_units") is None
        filled.deliver("catalogue_unit", "2022-05-31")
        assert computation.stale_periods(filled.loader) == [S1]
        filled.compute()
        assert filled.value("catalogue_units") == 0

    def test_a_delivery_that_no_longer_stands_takes_the_figure_with_it(self, filled: Warehouse) -> None:
        filled.deliver("catalogue_unit", "2022-05-31")
        filled.compute()
        filled.run("update lineage.standing set known_at = tstzrange(lower(known_at), now()) "
                   "where source = 'catalogue_unit'")  # fmt: skip
        assert filled.compute() > 0
        assert filled.value("catalogue_units") is None

    def test_a_period_that_is_gone_has_no_figures(self, filled: Warehouse) -> None:
        filled.run("update lineage.standing set snapshot_date = '2021-12-31'")
        assert computation.stale_periods(filled.loader) == [S2, S1]
        filled.compute(S1)
        filled.compute(S2)
        assert filled.run("select distinct period from mart.indicator") == [("2021-S2",)]
        assert computation.stale_periods(filled.loader) == []

    def test_a_mark_outside_of_every_period_is_dropped(self, filled: Warehouse) -> None:
        filled.mark("data_catalogue", parse("1999-S1"))
        assert filled.compute(parse("1999-S1")) == 0
        assert computation.stale_periods(filled.loader) == []

    def test_inputs_say_which_loads_went_in(self, filled: Warehouse) -> None:
        query = "select load_id from lineage.observation_input where indicator_code = 'catalogue_online_rate'"
        assert filled.run(query) == [(1,)]
        second = filled.deliver("data_catalogue", "2022-06-29")
        filled.run("update core.data_catalogue set load_id = %s", second)
        filled.mark()
        filled.compute()
        assert filled.run(query) == [(second,)]


class TestDefinitions:
    def resync(self, here: Warehouse, code: str, **fields: Any) -> int:
        known = load_all(here.settings.sql)
        known[code, ""] = Definition(**{**vars(known[code, ""]), **fields})
        with here.owner.cursor():
            return indicator.sync(here.owner, known)

    def test_the_same_files_change_nothing(self, filled: Warehouse) -> None:
        assert indicator.sync(filled.owner, load_all(filled.settings.sql)) == 0
        assert computation.stale_periods(filled.loader) == []

    def test_a_title_moves_no_number(self, filled: Warehouse) -> None:
        assert self.resync(filled, "catalogue_units", name_zh="别名") == 0
        assert computation.stale_periods(filled.loader) == []
        assert filled.run("select distinct name_zh from mart.indicator where indicator_code = 'catalogue_units'") == [
            ("别名",)
        ]

    def test_a_changed_definition_is_due_in_every_period(self, filled: Warehouse) -> None:
        filled.run("insert into lineage.standing values ('data_catalogue', '2021-12-31', 1, '[2022-01-01,)')")
        filled.compute(S2)
        filled.compute(S1)
        assert self.resync(filled, "catalogue_entries_confirmed", decimals=1) == 1
        assert computation.stale_periods(filled.loader) == [S2, S1]
        assert filled.compute() == 1
        assert filled.run(
            "select printed from mart.indicator where period = '2022-S1' and body_code is null "
            "and indicator_code = 'catalogue_entries_confirmed'"
        ) == [("2.0条",)]

    def test_a_definition_that_is_gone_takes_its_figures_with_it(self, filled: Warehouse) -> None:
        known = load_all(filled.settings.sql)
        filled.mark()
        del known["catalogue_units", ""]
        assert indicator.sync(filled.owner, known) == 1
        filled.compute()
        assert filled.run("select 1 from mart.indicator where indicator_code = 'catalogue_units'") == []
        assert computation.stale_periods(filled.loader) == []

    def test_another_reading_can_become_the_published_one(self, filled: Warehouse) -> None:
        known = load_all(filled.settings.sql)
        for reading in ("", "published_only"):
            key = ("catalogue_entries_online", reading)
            known[key] = Definition(**{**vars(known[key]), "is_published": reading != ""})
        indicator.sync(filled.owner, known)
        rows = filled.run("select name_zh from mart.indicator where indicator_code = 'catalogue_entries_online'")
        assert set(rows) == {(known["catalogue_entries_online", "published_only"].name_zh,)}


class TestConcurrency:
    def test_a_mark_that_arrives_meanwhile_is_not_lost(self, filled: Warehouse) -> None:
        """A load commits its row and its mark after the computation has served an older mark."""
        filled.mark()
        loading = warehouse_module.connect(filled.settings, "loader")
        with loading.cursor() as cursor:
            cursor.execute("update core.data_catalogue set confirmation = '待确认' where record_key = 'E1'")
            cursor.execute("select indicators.mark_stale('data_catalogue', array['2022-S1'], 'late')")
            assert filled.compute() > 0
            assert filled.value("catalogue_entries_confirmed") == 2
            loading.commit()
        loading.close()
        assert computation.stale_periods(filled.loader) == [S1]
        filled.compute()
        assert filled.value("catalogue_entries_confirmed") == 1
        assert computation.stale_periods(filled.loader) == []

    def test_two_runs_of_one_period_do_the_work_once(self, filled: Warehouse) -> None:
        filled.run("update core.data_catalogue set confirmation = '待确认' where record_key = 'E1'")
        filled.mark()
        gate = threading.Barrier(4)
        computed: list[int] = []

        def one() -> None:
            connection = warehouse_module.connect(filled.settings, "loader")
            gate.wait()
            computed.append(computation.compute(connection, S1))
            connection.close()

        threads = [threading.Thread(target=one) for _ in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        readers = [d for d in indicator.definitions(filled.loader).values() if "data_catalogue" in d.sources]
        assert sorted(computed) == [0, 0, 0, len(readers)]
        assert filled.value("catalogue_entries_confirmed") == 1

    def test_a_failure_keeps_the_marks(self, filled: Warehouse) -> None:
        filled.mark()
        marks = filled.run("select count(*) from indicators.stale")
        filled.run(
            "update indicators.definition set sql_text = 'select 1 / 0', parts = null "
            "where indicator_code = 'catalogue_units'"
        )
        filled.mark("catalogue_unit")
        with pytest.raises(Exception, match=r"body_code|load_id|division"):
            filled.compute()
        assert filled.run("select count(*) from indicators.stale where reason = 'test'") > marks


class TestAsKnown:
    def test_figures_as_they_stood(self, filled: Warehouse) -> None:
        later = BEGINNING + timedelta(days=30)
        load_id = filled.deliver("data_catalogue", "2022-06-29", later)
        filled.entry("E3", load_id, "2022-06-29", known_at=later, publication="已创建")
        filled.mark()
        filled.compute()

        def rows(instant: datetime | None) -> dict[str, dict[str, Any]]:
            found = figure.figures(filled.loader, S1, None, instant)
            return {row["indicator_code"]: row for row in found}

        assert rows(later - timedelta(seconds=1))["catalogue_online_rate"]["printed"] == "100.00%"
        assert rows(later)["catalogue_online_rate"]["printed"] == "66.67%"
        assert rows(BEGINNING - timedelta(days=1))["catalogue_online_rate"]["printed"] == "—"
        # An instant without a zone is Asia/Shanghai.
        naive = later.replace(tzinfo=None) - timedelta(seconds=1)
        assert rows(naive)["catalogue_online_rate"]["printed"] == "100.00%"

    def test_what_is_known_now_equals_the_mart(self, filled: Warehouse) -> None:
        """Comparisons are written twice, in SQL for the mart and in Python for a past state."""
        first = filled.deliver("data_catalogue", "2021-06-30")
        second = filled.deliver("data_catalogue", "2021-12-31")
        for number in range(3):
            filled.entry(f"F{number}", first, "2021-06-30", publication="已创建" if number else "已发布")
        for number in range(4):
            filled.entry(f"G{number}", second, "2021-12-31", body_code="AB"[number % 2], resource_count="1")
        filled.mark()
        for period in computation.stale_periods(filled.loader):
            filled.compute(period)
        now = datetime.now(LOCAL_ZONE) + timedelta(days=1)
        differs = {"status", "computed_at"}
        for body in (None, "A", "B"):
            mart = figure.figures(filled.loader, S1, body)
            known = figure.figures(filled.loader, S1, body, now)
            assert [{k: v for k, v in row.items() if k not in differs} for row in known] == [
                {k: v for k, v in row.items() if k not in differs} for row in mart
            ]
            assert any(row["change_on_year"] not in (None, 0) for row in mart) or body == "B"


class TestTrace:
    @pytest.fixture
    def traced(self, filled: Warehouse) -> Warehouse:
        filled.entry("E3", 1, "2022-06-30", body_code="B", publication="已创建")
        filled.entry("=E4", 1, "2022-06-30", confirmation="待确认")
        filled.mark()
        filled.compute()
        return filled

    def test_rows_make_the_number(self, traced: Warehouse) -> None:
        rows = list(trace.trace(traced.loader, "catalogue_online_rate", "", S1))
        assert [r["record_key"] for r in rows if r["in_numerator"]] == ["E1", "E2"]
        assert [r["record_key"] for r in rows if r["in_denominator"] and not r["in_numerator"]] == ["E3"]
        assert [(r["record_key"], r["excluded_because"]) for r in rows[3:]] == [("=E4", "not_confirmed")]
        assert {r["file_name"] for r in rows} == {"data_catalogue_20220630.csv"}
        assert {r["snapshot_date"] for r in rows} == {date(2022, 6, 30)}
        assert all(r["row_number"] for r in rows)

    def test_one_body(self, traced: Warehouse) -> None:
        rows = list(trace.trace(traced.loader, "catalogue_online_rate", "", S1, "B"))
        assert [r["record_key"] for r in rows] == ["E3"]

    def test_account(self, traced: Warehouse) -> None:
        summary = trace.trace_summary(traced.loader, "catalogue_online_rate", "", S1)
        assert (summary.counted, summary.in_denominator_only, summary.left_out) == (2, 1, {"not_confirmed": 1})
        assert summary.observation is not None and summary.observation.printed == "66.67%"

    def test_an_average_counts_records_and_not_rows(self, here: Warehouse) -> None:
        load_id = here.deliver("cloud_migration", "2022-06-30")
        here.run(
            "insert into core.cloud_migration (record_key, system_code, applied_on, migration, migrated_on, row_number, "
            "load_id, valid_at, known_at) values ('C1', 'C1', '2022-01-01', '已上云', '2022-01-11', 2, %s, "
            "'[2022-06-30,)', '[2022-07-01,)')",
            load_id,
        )
        summary = trace.trace_summary(here.loader, "cloud_migration_average_days", "", S1)
        assert (summary.counted, summary.in_denominator_only) == (1, 0)
        assert summary.observation is not None and summary.observation.printed == "10.0天"

    def test_unknown_indicator_and_body(self, traced: Warehouse) -> None:
        with pytest.raises(UsageError, match="catalogue_online_rate"):
            trace.trace(traced.loader, "catalogue_online_rat", "", S1)
        with pytest.raises(UsageError, match=r"body\.csv"):
            trace_table.write(traced.loader, S1, "catalogue_online_rate", body="火星局")

    def printed(self, connection: Connection, **options: Any) -> str:
        with redirect_stdout(io.StringIO()) as out:
            trace_table.write(connection, S1, "catalogue_online_rate", **options)
        return out.getvalue()

    def test_for_people(self, traced: Warehouse) -> None:
        text = self.printed(traced.loader)
        assert "66.67% = 2 / 3" in text
        assert "2  计入 counted" in text and "1  只在分母 in the denominator only" in text
        assert "1  剔除 left out: not_confirmed: 未确认" in text
        assert text.count("data_catalogue_20220630.csv:") == 4
        short = self.printed(traced.loader, limit=1)
        assert short.count("data_catalogue_20220630.csv:") == 1 and "rows not listed: 3" in short

    def test_for_one_body_by_name(self, traced: Warehouse) -> None:
        assert self.printed(traced.loader, body="乙局", form="csv").count("data_catalogue_20220630.csv") == 1

    def test_for_programs(self, traced: Warehouse) -> None:
        rows = json.loads(self.printed(traced.loader, form="json"))
        assert [row["record_key"] for row in rows] == ["E1", "E2", "E3", "=E4"]
        assert list(rows[0]) == list(trace.TRACE_COLUMNS) and rows[0]["quantity"] == 1
        assert ",'=E4," in self.printed(traced.loader, form="csv")

    def test_second_reading(self, traced: Warehouse) -> None:
        with redirect_stdout(io.StringIO()) as out:
            trace_table.write(traced.loader, S1, "catalogue_entries_online.published_only", form="json")
        assert {row["reading"] for row in json.loads(out.getvalue())} == {"published_only"}
