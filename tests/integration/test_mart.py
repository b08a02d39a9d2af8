"""The mart as a dashboard sees it: names, comments, and answers that agree with each other."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from psycopg2.extensions import connection as Connection

from halfyear import contract
from halfyear import warehouse as warehouse_module
from halfyear.indicators import computation, definition, figure
from halfyear.mart import mart, reference
from halfyear.period import parse
from halfyear.settings import Settings
from halfyear.warehouse import declaration

#: design.md, section 5: the names and the order that users rely on.
INDICATOR = (
    "period", "indicator_code", "name_zh", "name_en", "domain", "unit", "kind", "body_code", "body_name", "numerator",
    "denominator", "value", "printed", "previous_value", "change_on_previous", "year_ago_value", "change_on_year",
    "status", "vintage", "computed_at",
    "previous_printed", "previous_vintage", "previous_first_printed", "previous_not_comparable",
    "year_ago_printed", "year_ago_vintage", "year_ago_first_printed", "year_ago_not_comparable",
    "decimals", "sort_order", "domain_zh", "domain_en",
)  # fmt: skip


@pytest.fixture
def owner(warehouse: Settings) -> Iterator[Connection]:
    connection = warehouse_module.connect(warehouse, "owner")
    connection.autocommit = True
    yield connection
    connection.close()


def ask(connection: Connection, statement: str, *values: Any) -> list[tuple[Any, ...]]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


@pytest.fixture
def filled(owner: Connection, warehouse: Settings) -> Connection:
    """Three deliveries of catalogue and accounts, one refused file, one unknown body, everything computed."""
    ask(
        owner,
        """
        delete from core.body_alias; delete from core.body;
        insert into core.body (code, name, kind, level) values ('A', '甲局', '政府机关', '市');
        insert into lineage.delivery (source, snapshot_date, sequence, file_name, sha256, verdict, rule, is_late)
        values ('data_catalogue', '2021-12-31', 1, 'data_catalogue_20211231.xlsx', '1', 'loaded', null, false),
            ('data_catalogue', '2022-06-30', 1, 'data_catalogue_20220630.xlsx', '2', 'loaded_with_quarantine', null, true),
            ('account_activation', '2022-06-30', 1, 'account_activation_20220630.csv', '3', 'loaded', null, false),
            ('account_activation', '2022-07-01', 1, 'account_activation_20220701.csv', '4', 'refused', 'encoding', false),
            ('account_activation', '2022-07-02', 1, 'account_activation_20220702.csv', '5', null, null, false),
            ('account_activation', null, null, 'notes.txt', '6', 'ignored', null, false);
        insert into lineage.load (load_id, delivery_id, contract_version, contract_fingerprint, code_version, rows_read,
            rows_passed, rows_loaded, rows_quarantined, rows_skipped, state, started_at)
        select row_number() over (order by delivery_id), delivery_id, '1', '', '', 5, 3, 3, 1, 1, 'checked', now()
        from lineage.delivery where sha256 in ('1', '2', '3');
        insert into lineage.standing select source, snapshot_date, load_id, '[2022-07-01,)'
        from lineage.load join lineage.delivery using (delivery_id);
        insert into lineage.check_result (load_id, rule, severity, dimension, success, element_count, unexpected_count,
            description_zh, description_en)
        values (2, 'entry_code_form', 'warning', 'normative', false, 4, 1, '', ''),
            (2, 'enumeration', 'warning', 'normative', true, 4, 0, '', ''),
            (2, 'required', 'warning', 'completeness', true, 4, 0, '', '');
        insert into core.data_catalogue (record_key, entry_code, body_code, body_name, system_kind, sharing, confirmation,
            publication, resource_count, row_number, load_id, valid_at, known_at)
        values ('E1', 'E1', 'A', '甲局', '自建系统', '不予共享', '已确认', '已发布', 1, 4, 1, '[2021-12-31,)', '[2022-01-01,)'),
            ('E2', 'E2', 'A', '甲局', '垂直系统', '有条件共享', '已确认', '已创建', 0, 5, 2, '[2022-06-30,)', '[2022-01-01,)'),
            ('E3', 'E3', 'X', '无名局', '垂直系统', '不予共享', '已确认', '已创建', 0, 6, 2, '[2022-06-30,)', '[2022-01-01,)');
        insert into core.account_activation (record_key, user_id, body_path, body_name, body_kind, opened_at, activated_at,
            account_status, row_number, load_id, valid_at, known_at)
        values ('T1', 'U1', '/1', '甲局', '政府机关', '2022-01-05', '2022-01-06', '正常', 2, 3, '[2022-06-30,)', '[2022-01-01,)'),
            ('T2', 'U2', '/2', '甲局', '政府机关', '2022-01-05', null, '正常', 3, 3, '[2022-06-30,)', '[2022-01-01,)'),
            ('T3', 'U2', '/3', '甲局', '政府机关', '2022-01-06', null, '正常', 4, 3, '[2022-06-30,)', '[2022-01-01,)');
        """,
    )
    loader = warehouse_module.connect(warehouse, "loader")
    for period in computation.stale_periods(loader):
        computation.compute(loader, period)
    reference.judge(loader)
    loader.close()
    return owner


def plan(connection: Connection, statement: str) -> list[dict[str, Any]]:
    """The nodes of the plan of a statement that was run."""
    nodes = [ask(connection, f"explain (analyze, verbose, timing off, format json) {statement}")[0][0][0]["Plan"]]
    for node in nodes:
        nodes += node.get("Plans", [])
    return nodes


def rows_read(connection: Connection, statement: str) -> Counter[str]:
    """How many rows a statement reads of each table, those that a condition then leaves out included."""
    found: Counter[str] = Counter()
    for node in plan(connection, statement):
        if "Relation Name" in node:
            rows = sum(v for k, v in node.items() if k == "Actual Rows" or k.startswith("Rows Removed by"))
            found[f"{node['Schema']}.{node['Relation Name']}"] += round(rows * node["Actual Loops"])
    return found


def seal(period: str, figures: str = "true") -> str:
    """The statements that seal the current observations of a half-year, those that meet a condition, in one transaction."""
    columns = "indicator_code, reading, body_code, numerator, denominator, value, printed, definition_hash, computed_at"
    return f"""
        begin;
        insert into indicators.vintage (period, vintage, sequence, sealed_at, prepared_by, approved_by, approved_at,
            code_version, note, exceptions, declarations, proposal_digest, previous_hash, hash)
        select '{period}', 1 + count(*) filter (where period = '{period}'), 1 + count(*), now(), '甲', '乙', now(),
            '1', '', '[]', '', '', (array_agg(hash order by sequence desc))[1], gen_random_uuid()
        from indicators.vintage;
        insert into indicators.sealed_observation (period, vintage, {columns}, row_hash)
        select period, (select max(vintage) from indicators.vintage where period = '{period}'), {columns}, ''
        from indicators.observation where period = '{period}' and superseded_at is null and {figures};
        insert into indicators.sealed_definition (period, vintage, indicator_code, reading, definition, definition_hash, row_hash)
        select '{period}', (select max(vintage) from indicators.vintage where period = '{period}'), indicator_code, reading,
            to_jsonb(d), definition_hash, '' from indicators.definition as d;
        commit"""


def test_indicator_has_the_promised_columns_in_order(owner: Connection) -> None:
    columns = ask(
        owner,
        "select column_name from information_schema.columns "
        "where table_schema = 'mart' and table_name = 'indicator' order by ordinal_position",
    )
    assert tuple(row[0] for row in columns) == INDICATOR == figure.FIGURE_COLUMNS


def test_every_view_and_column_has_a_comment(owner: Connection) -> None:
    silent = ask(
        owner,
        "select c.relname, a.attname from pg_class as c join pg_attribute as a on a.attrelid = c.oid "
        "where c.relnamespace = 'mart'::regnamespace and a.attnum >= 0 and not a.attisdropped "
        "and coalesce(col_description(c.oid, a.attnum), '') = '' "
        "union all select c.relname, '' from pg_class as c "
        "where c.relnamespace = 'mart'::regnamespace and coalesce(obj_description(c.oid), '') = ''",
    )
    assert silent == []


def test_the_views_can_be_made_again_and_keep_their_answers(filled: Connection, warehouse: Settings) -> None:
    before = ask(filled, "select * from mart.indicator order by 1, 2, 8")
    declared = declaration.load(
        warehouse.sql, contract.load_all(warehouse.expectations), definition.load_all(warehouse.sql)
    )
    with filled.cursor() as cursor:
        declaration.drop_views(cursor, declared)
        declaration.apply(cursor, declared, print)
    assert ask(filled, "select * from mart.indicator order by 1, 2, 8") == before != []


def test_a_view_of_somebody_else_on_the_mart_is_not_dropped_in_silence(owner: Connection) -> None:
    ask(owner, "create view staging.mine as select * from mart.period")
    with owner.cursor() as cursor, pytest.raises(psycopg2.errors.DependentObjectsStillExist):
        declaration.drop_views(cursor, [])


def test_a_view_without_a_comment_for_a_column_cannot_be_made(tmp_path: Path, owner: Connection) -> None:
    path = tmp_path / "sample.sql"
    path.write_text(
        "/*\nview: sample\ndescription: x\ncolumns: {a: 甲, b: 乙, c: 丙}\n*/\nselect 1 as a, 2 as b\n", "utf-8"
    )
    with pytest.raises(psycopg2.errors.SyntaxError, match="more column names"):
        ask(owner, mart.load(path).statements[0])


def test_rows_add_up_to_every_number(filled: Connection) -> None:
    wrong = ask(
        filled,
        """
        with added as (
            select period, indicator_code, reading, sum(quantity) filter (where in_numerator) as numerator,
                sum(quantity) filter (where in_denominator) as denominator
            from mart.indicator_row group by 1, 2, 3
        )
        select o.period, o.indicator_code, o.reading, o.numerator, a.numerator
        from indicators.observation as o left join added as a using (period, indicator_code, reading)
        where o.body_code is null and o.superseded_at is null and o.numerator is not null
            and (o.numerator <> coalesce(a.numerator, 0) or o.denominator <> coalesce(a.denominator, 0))
        """,
    )
    assert wrong == []
    assert ask(filled, "select count(*) > 20 from mart.indicator_row") == [(True,)]


def test_the_reader_is_answered_from_the_traces_that_it_needs(filled: Connection, warehouse: Settings) -> None:
    """The first rows of everything end with the first trace that has rows; what would be restated is asked for twice."""
    ask(filled, seal("2022-S1"))
    ask(filled, "update indicators.observation set value = value + 1 where superseded_at is null")
    one = "period = '2022-S1' and indicator_code = 'account_activation_rate'"
    ((all_of_them,),) = ask(filled, "select count(*) from mart.period cross join mart.definition")
    reader = warehouse_module.connect(warehouse, "reader")
    for question, most in {
        f"select * from mart.indicator_row where {one}": 1,
        f"select * from mart.restatement_candidate_row where {one}": 2,
        "select * from mart.indicator_row limit 1": all_of_them - 1,
    }.items():
        assert sum(n["Actual Loops"] for n in plan(reader, question) if n.get("Function Name") == "trace") <= most
    reader.close()


def test_rows_name_file_and_reason(filled: Connection) -> None:
    assert ask(
        filled,
        "select record_key, in_numerator, in_denominator, excluded_because, body_code, file_name, row_number, snapshot_date "
        "from mart.indicator_row where period = '2022-S1' and indicator_code = 'account_activation_rate' order by 1",
    ) == [
        ("T1", True, True, None, "A", "account_activation_20220630.csv", 2, date(2022, 6, 30)),
        ("T2", False, True, None, "A", "account_activation_20220630.csv", 3, date(2022, 6, 30)),
        ("T3", False, False, "other_post", "A", "account_activation_20220630.csv", 4, date(2022, 6, 30)),
    ]


def test_wide_views_agree_with_the_long_one(filled: Connection) -> None:
    for domain in ("data_catalogue", "cloud_migration", "account_activation"):
        codes = ask(
            filled,
            "select indicator_code from mart.definition where is_published and domain = %s order by sort_order",
            domain,
        )
        names = ask(
            filled,
            "select column_name from information_schema.columns where table_schema = 'mart' and table_name = %s "
            "order by ordinal_position",
            domain,
        )
        assert names == [("period",), ("body_code",), ("body_name",), ("status",), *codes]
        for (code,) in codes:
            assert (
                ask(
                    filled,
                    f"select period, body_code, body_name, value from mart.indicator where indicator_code = %s "
                    f"except select period, body_code, body_name, {code} from mart.{domain}",
                    code,
                )
                == []
            )
    assert ask(
        filled,
        "select body_name, catalogue_entries_confirmed, catalogue_entries_online, catalogue_units, status "
        "from mart.data_catalogue where period = '2022-S1' order by body_code nulls first",
    ) == [("全市", 3, 1, None, "provisional"), ("甲局", 2, 1, None, "provisional")]


def test_period(filled: Connection) -> None:
    ask(
        filled,
        "insert into indicators.vintage (period, vintage, sequence, sealed_at, prepared_by, approved_by, approved_at, "
        "code_version, note, exceptions, declarations, proposal_digest, hash) "
        "values ('2021-S2', 1, 1, now(), '甲', '乙', now(), '1', '', '[]', '', '', 'x')",
    )
    assert ask(filled, "select * from mart.period order by period") == [
        (
            "2021-S2",
            "2021年下半年",
            "Second half of 2021",
            date(2021, 7, 1),
            date(2021, 12, 31),
            date(2022, 1, 1),
            "sealed",
            1,
        ),
        (
            "2022-S1",
            "2022年上半年",
            "First half of 2022",
            date(2022, 1, 1),
            date(2022, 6, 30),
            date(2022, 7, 1),
            "open",
            None,
        ),
    ]


@pytest.mark.parametrize(
    ("first", "newest", "expected"),
    [
        ("2022-06-30", "2022-06-30", ["2022-S1"]),
        ("2022-06-30", "2022-07-01", ["2022-S1", "2022-S2"]),
        ("2022-07-01", "2022-12-31", ["2022-S2"]),
        ("2020-12-31", "2022-01-01", ["2020-S2", "2021-S1", "2021-S2", "2022-S1"]),
    ],
)
def test_periods_reach_from_the_first_to_the_newest_snapshot(
    filled: Connection, first: str, newest: str, expected: list[str]
) -> None:
    ask(filled, "delete from lineage.standing")
    assert ask(filled, "select * from mart.period") == []
    for day in {first, newest}:
        ask(filled, "insert into lineage.standing values ('x', %s, 1, '[2022-01-01,)')", day)
    rows = ask(filled, "select period, first_day, last_day, next_day from mart.period order by 1")
    assert [row[0] for row in rows] == expected
    for code, *days in rows:
        assert days == [parse(code).first_day, parse(code).last_day, parse(code).next_day]


def test_quality_scorecard(filled: Connection) -> None:
    assert ask(
        filled,
        "select snapshot_date::text, verdict, dimension, rules, rules_failed, values_checked, values_failed, passed_pct, "
        "rows_read, rows_loaded, rows_quarantined, rows_skipped, unknown_bodies from mart.quality_scorecard "
        "where source = 'data_catalogue' order by 1, 3",
    ) == [
        ("2021-12-31", "loaded", None, 0, 0, 0, 0, None, 5, 3, 1, 1, 0),
        ("2022-06-30", "loaded_with_quarantine", "completeness", 1, 0, 4, 0, 100, 5, 3, 1, 1, 1),
        ("2022-06-30", "loaded_with_quarantine", "normative", 2, 1, 8, 1, 87.5, 5, 3, 1, 1, 1),
    ]
    assert ask(filled, "select file_name, rule from mart.quality_scorecard where is_refused") == [
        ("account_activation_20220701.csv", "encoding")
    ]
    assert ask(filled, "select body_code, body_name, rows from mart.unknown_body") == [("X", "无名局", 1)]


def test_freshness(filled: Connection) -> None:
    rows = ask(
        filled,
        "select source, snapshot_date::text, expected_on::text, is_overdue, files_late, files_waiting, files_refused "
        "from mart.freshness where source in ('account_activation', 'catalogue_unit', 'cloud_migration', 'data_catalogue') "
        "order by 1",
    )
    assert rows == [
        ("account_activation", "2022-06-30", "2022-07-02", True, 0, 1, 1),
        ("catalogue_unit", None, None, True, 0, 0, 0),
        ("cloud_migration", None, None, True, 0, 0, 0),
        ("data_catalogue", "2022-06-30", "2022-07-02", True, 1, 0, 0),
    ]
    ask(
        filled,
        "update lineage.standing set snapshot_date = (now() at time zone 'Asia/Shanghai')::date - 2 where load_id = 3",
    )
    assert ask(filled, "select is_overdue from mart.freshness where source = 'account_activation'") == [(False,)]


def test_body_is_found_by_name_on_the_day(owner: Connection, warehouse: Settings) -> None:
    """For events the day is that of the period column, in Asia/Shanghai."""
    base = contract.load_all(warehouse.expectations)["account_activation"]
    events = base.model_copy(update={"id": "sample", "mode": "events", "period_property": "opened_at"})
    ask(
        owner,
        "delete from core.body_alias; delete from core.body; "
        "insert into core.body (code, name, kind, level) values ('A', '甲局', 'x', '市'), ('B', '乙局', 'x', '市'); "
        "insert into core.body_alias values ('旧名', 'A', null, 'x'), ('旧名', 'B', '2022-07-01', 'x'); "
        "create table core.sample (body_code text, body_name text, opened_at timestamptz)",
    )
    ask(owner, mart.resolved_view_sql(events))
    for code, name, opened_at, expected in (
        ("B", "甲局", "2022-01-01", "B"),
        (None, "旧名", "2022-06-30 23:59:59+08", "A"),
        (None, "旧名", "2022-06-30 16:00:00+00", "B"),
        ("X", "甲局", "2022-01-01", "A"),
        ("X", "谁", "2022-01-01", None),
        (None, None, "2022-01-01", None),
    ):
        ask(owner, "delete from core.sample; insert into core.sample values (%s, %s, %s)", code, name, opened_at)
        assert ask(owner, "select resolved_body_code from core.sample_resolved") == [(expected,)]
    ask(owner, "insert into core.body (code, name, kind, level) values ('C', '甲局', 'x', '市')")
    ask(owner, "delete from core.sample; insert into core.sample values (null, '甲局', '2022-01-01')")
    assert ask(owner, "select resolved_body_code from core.sample_resolved") == [(None,)]


def test_a_mart_without_sources_or_indicators_can_be_made(owner: Connection, warehouse: Settings) -> None:
    with owner.cursor() as cursor:
        declaration.apply(cursor, declaration.load(warehouse.sql, {}, {}), print)
        cursor.execute("delete from lineage.source")
    for view in ("indicator_row", "freshness", "quality_scorecard", "unknown_body"):
        assert ask(owner, f"select * from mart.{view}") == []


def test_an_indicator_in_a_new_domain_makes_a_view(owner: Connection, warehouse: Settings) -> None:
    known = definition.load_all(warehouse.sql)
    known["accounts_opened", ""] = replace(
        known["accounts_opened", ""], domain="people", domain_zh="人员", domain_en="People"
    )
    contracts = contract.load_all(warehouse.expectations)
    with owner.cursor() as cursor:
        declaration.apply(cursor, declaration.load(warehouse.sql, contracts, known), print)
    assert ask(owner, "select accounts_opened from mart.people") == []


# ---------------------------------------------------------------- what a question reads

_BODIES = 5


@pytest.fixture
def ten_years(owner: Connection) -> Connection:
    """Forty half-years up to 2021-S2, with the city and some bodies each, all but the last two sealed."""
    ask(
        owner,
        """
        insert into indicators.observation (period, indicator_code, reading, body_code, numerator, value, printed,
            definition_hash, computed_at)
        select half.period, d.indicator_code, d.reading, body.code, 8, 8, '8', d.definition_hash, now()
        from (select 2002 + n / 2 || case n %% 2 when 0 then '-S1' else '-S2' end from generate_series(0, 39) as n)
            as half (period)
        cross join indicators.definition as d
        cross join (values (null), ('B1'), ('B2'), ('B3'), ('B4'), ('B5')) as body (code)
        """.replace("%%", "%"),
    )
    for (period,) in ask(owner, "select distinct period from indicators.observation where period < '2021' order by 1"):
        ask(owner, seal(period))
    ask(owner, "vacuum analyze indicators.observation, indicators.sealed_observation, indicators.in_force")
    ask(owner, "vacuum analyze indicators.sealed_definition, indicators.vintage, indicators.definition")
    return owner


def test_a_question_for_one_half_year_reads_no_other(ten_years: Connection) -> None:
    """Nor does one for one indicator read the others. What a figure is compared with are two more half-years of it."""
    ((of_period,),) = ask(ten_years, "select count(*) from indicators.in_force where period = '2021-S2'")
    of_one = 3 * (_BODIES + 1)
    allowed = {
        "select * from mart.indicator where period = '2021-S2'": {"in_force": 3 * of_period},
        "select * from mart.indicator where period = '2019-S1'": {"in_force": 3 * of_period},
        "select * from mart.indicator where period = '2021-S2' and body_code is null": {"in_force": 3 * of_period},
        "select * from mart.indicator where period = '2021-S2' and indicator_code = 'idle_kiosks'": {
            "in_force": of_one
        },
        "select * from mart.indicator where indicator_code = 'idle_kiosks'": {"in_force": 40 * of_one},
        "select * from mart.kiosks where period = '2019-S1'": {"in_force": of_period},
        "select * from mart.reconciliation where period = '2021-S2'": {
            "in_force": of_period,
            "published_figure": 52 * 4,
        },
        "select * from mart.restatement_candidate where period = '2019-S1'": {
            "observation": of_period,
            "sealed_observation": of_period,
        },
        "select * from mart.indicator_history where period = '2019-S1'": {
            "observation": of_period,
            "sealed_observation": of_period,
        },
    }
    for statement, most in allowed.items():
        read = rows_read(ten_years, statement)
        for table in ("in_force", "observation", "sealed_observation"):
            assert read[f"indicators.{table}"] <= most.get(table, 0), (statement, table, read)
        assert read["indicators.sealed_definition"] <= 200 or "indicator_code" in statement, (statement, read)


def test_a_judgement_is_read_and_no_row_of_a_source(filled: Connection) -> None:
    for view in ("unknown_body", "unknown_reference", "quality_scorecard", "reference_judgement"):
        assert not [table for table in rows_read(filled, f"select * from mart.{view}") if table.startswith("core.")]
    assert ask(filled, "select source from mart.unknown_body where judged_at is not null") == [("data_catalogue",)]


# ---------------------------------------------------------------- what is in force

_PUBLISHED_ELSEWHERE = """
    update indicators.definition set is_published = false where indicator_code = 'accounts_opened';
    update indicators.definition set is_published = true where indicator_code = 'accounts_opened' and reading = 'posts'"""


@pytest.mark.parametrize(
    "changes",
    [
        ["update indicators.observation set value = value + 1 where indicator_code = 'accounts_opened'"],
        ["update indicators.observation set superseded_at = now() where indicator_code = 'accounts_opened'"],
        [
            "update indicators.observation set period = '2019-S1' where indicator_code = 'accounts_opened' and period = '2022-S1'"
        ],
        ["delete from indicators.observation where period = '2022-S1'"],
        ["truncate indicators.observation"],
        [seal("2022-S1")],
        [seal("2022-S1"), "truncate indicators.observation"],
        [seal("2022-S1"), "update indicators.observation set value = value + 1"],
        [seal("2022-S1"), "update indicators.observation set body_code = 'N' where body_code is null"],
        [seal("2022-S1"), seal("2022-S1", "indicator_code <> 'accounts_opened'")],
        [seal("2022-S1"), "update indicators.definition set unit = '台', is_published = false"],
        ["update indicators.definition set unit = '台'"],
        [_PUBLISHED_ELSEWHERE],
        [_PUBLISHED_ELSEWHERE, seal("2022-S1"), "delete from indicators.definition"],
        ["delete from indicators.definition where indicator_code = 'accounts_opened'"],
        ["update indicators.observation set value = 1.25", "update indicators.definition set unit = '台'"],
    ],
)
def test_what_is_in_force_follows_every_change(filled: Connection, changes: list[str]) -> None:
    kept = """select period, indicator_code, reading, body_code, numerator, denominator, value, printed, vintage,
        is_published, definition_hash, computed_at, unit, first_printed, body_name, compared from indicators.in_force"""
    derived = "select * from indicators.in_force_derived"
    before = ask(filled, kept)
    assert len(before) > 20
    for change in changes:
        ask(filled, change)
        assert ask(filled, f"{kept} except all {derived}") == ask(filled, f"{derived} except all {kept}") == []
    assert sorted(map(str, ask(filled, kept))) != sorted(map(str, before))


def test_a_figure_that_a_transaction_takes_back_is_not_in_force(filled: Connection) -> None:
    before = ask(filled, "select * from indicators.figure order by 1, 2, 3, 4")
    ask(filled, "begin; update indicators.observation set value = value + 1; rollback")
    assert ask(filled, "select * from indicators.figure order by 1, 2, 3, 4") == before
