"""Are the real populations and indicators sound: their headers, parameters and reasons, and what they read."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from halfyear import contract, settings
from halfyear.errors import ContractError
from halfyear.indicators import definition, population, rounding, select_text, unit
from halfyear.indicators.definition import Definition
from halfyear.indicators.population import PopulationHeader
from halfyear.mart import mart

SETTINGS = settings.load()
DEFINITIONS = definition.load_all(SETTINGS.sql)
CONTRACTS = contract.load_all(SETTINGS.expectations)
with (SETTINGS.expectations / "core" / "value_set.csv").open(encoding="utf-8", newline="") as _lines:
    VALUE_SETS = {row["value_set"] for row in csv.DictReader(_lines)}
DECLARED = population.load_declarations(SETTINGS.sql)
POPULATIONS, INDICATORS = (sorted((SETTINGS.sql / folder).glob("*.sql")) for folder in ("populations", "indicators"))

#: The 52 figures of the half-year report, by their numbers.
REPORT = {
    "1": "party_study_sessions",
    "2": "party_study_attendance",
    "3": "party_discussions",
    "4": "party_lectures",
    "5": "revolutionary_education_activities",
    "6": "theme_party_days",
    "7": "devolved_items",
    "8": "devolved_items_delegated",
    "9": "devolved_items_entrusted",
    "10": "devolved_items_clarified",
    "11": "township_entrusted_items",
    "12": "township_coordination_meetings",
    "13": "township_draft_rounds",
    "14": "cross_province_items",
    "15": "cross_region_items",
    "16": "one_visit_rate",
    "17": "instant_service_rate",
    "18": "kiosks_in_service",
    "19": "kiosk_transactions",
    "20": "kiosk_transactions_per_kiosk",
    "21": "rated_halls",
    "22": "valid_ratings",
    "23": "rating_satisfaction_rate",
    "24": "counter_cases",
    "25": "counter_satisfied_rate",
    "26": "counter_basically_satisfied_rate",
    "27": "counter_complaints",
    "28": "enterprise_cases",
    "29": "enterprise_startups",
    "30": "enterprise_satisfied_rate",
    "31": "enterprise_complaints",
    "32": "resource_trades",
    "33": "resource_trade_amount",
    "34": "hotline_tickets",
    "35": "hotline_on_time_reply_rate",
    "36": "hotline_satisfaction_rate",
    "37a": "authority_items",
    "37b": "application_items",
    "38": "public_service_items",
    "39": "levy_items",
    "40": "network_coverage_rate",
    "41": "cloud_systems_added",
    "42": "cloud_systems_migrated",
    "43": "catalogue_units",
    "44": "catalogue_entries_confirmed",
    "45": "catalogue_entries_vertical",
    "46": "catalogue_entries_self_built",
    "47": "catalogue_entries_online",
    "48": "accounts_opened",
    "49": "accounts_activated",
    "50": "account_activation_rate",
    "51": "disinfection_weeks",
}
#: What the report's plan implies beyond them.
PLAN = {
    "online_item_rate",
    "exempt_items",
    "catalogue_mounting_rate",
    "catalogue_online_rate",
    "supervision_timely_entry_rate",
    "protection_level_grading_rate",
    "protection_level_assessment_rate",
    "connected_vertical_systems",
    "chief_representative_coverage_rate",
    "bad_rating_rectification_rate",
    "hotline_average_handling_hours",
    "idle_kiosks",
    "video_meetings",
    "app_usage_quantity",
}


def test_the_figures_of_the_report_are_there() -> None:
    numbers = {d.published_no: d.code for d in DEFINITIONS.values() if d.published_no and d.is_published}
    assert numbers == REPORT
    assert len(REPORT) == 52
    assert all(d.section for d in DEFINITIONS.values() if d.published_no)


def test_what_the_plan_implies_is_there() -> None:
    assert {code for code, reading in DEFINITIONS if not reading} >= PLAN


def test_figures_have_a_second_reading() -> None:
    readings = {code for code, reading in DEFINITIONS if reading}
    assert readings >= {REPORT[n] for n in ("23", "26", "36", "41", "42", "47", "48")}


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=lambda d: d.name)
def test_definition(definition: Definition) -> None:
    assert set(definition.sources) <= CONTRACTS.keys()
    assert all(
        population.is_reading(CONTRACTS[source], reading)
        for source, reading in zip(definition.sources, definition.readings, strict=True)
    )
    named = {name.removesuffix("_resolved") for name in re.findall(r"\bcore\.(\w+)", definition.sql)}
    assert named & CONTRACTS.keys() == set(definition.sources), "sources names what the select reads"
    assert reasons(definition.sql) == definition.excluded.keys()
    assert ":as_known" in definition.sql and "now()" not in definition.sql
    wanted = set(re.findall(r"value_set = '(\w+)'", definition.sql))
    assert wanted <= VALUE_SETS, "the definitions that it reads are in expectations/core/value_set.csv"
    assert definition.kind != "ratio" or (definition.unit, definition.scale) == ("%", 100)


def reasons(select: str) -> set[str]:
    return set(re.findall(r"\b(?:then|else)\s+'([a-z]\w*)'", select_text.without_comments(select)))


def parts_of(path: Path) -> tuple[dict[str, Any], str]:
    """The header of a file and its select."""
    found = re.fullmatch(r"\s*/\*(.*?)\*/(.*)", path.read_text("utf-8"), re.DOTALL)
    assert found, path
    return yaml.safe_load(found[1]), found[2]


@pytest.mark.parametrize("path", [*POPULATIONS, *INDICATORS], ids=lambda path: path.stem)
class TestFile:
    def test_its_header_keeps_its_json_schema(self, path: Path) -> None:
        kind = "population" if path in POPULATIONS else "indicator"
        schema = json.loads((SETTINGS.expectations / f"{kind}.schema.json").read_text("utf-8"))
        jsonschema.validate(json.loads(json.dumps(parts_of(path)[0])), schema)

    def test_every_reason_has_its_texts_and_is_used(self, path: Path) -> None:
        header, select = parts_of(path)
        assert reasons(select) == header.get("excluded", {}).keys()

    def test_it_reads_what_its_header_says(self, path: Path) -> None:
        """No file names a table of a source, except of one whose groups it reads whole."""
        header, select = parts_of(path)
        reads = header.get("reads", {})
        groups = (
            {source for source, reading in reads.items() if reading == "group"} if isinstance(reads, dict) else set()
        )
        named = {name.removesuffix("_resolved") for name in re.findall(r"\bcore\.(\w+)", select)}
        assert named & CONTRACTS.keys() == groups


def test_a_population_is_shared() -> None:
    """What only one indicator counts is said in its own file."""
    readers = Counter(definition.population for definition in DEFINITIONS.values())
    readers.update(parts_of(path)[0].get("of") for path in POPULATIONS)
    assert {path.stem for path in POPULATIONS if readers[path.stem] < 2} == set()


def test_nothing_is_written_twice() -> None:
    """No six lines of select stand in two files."""
    folders = ("populations", "indicators", "lineage", "core", "mart")
    files: dict[tuple[str, ...], set[str]] = {}
    for path in (path for folder in folders for path in (SETTINGS.sql / folder).rglob("*.sql")):
        select = re.sub(r"\A\s*/\*.*?\*/", "", path.read_text("utf-8"), flags=re.DOTALL)
        lines = [line.strip() for line in select.splitlines() if line.strip()]
        for six in zip(*(lines[start:] for start in range(6)), strict=False):
            files.setdefault(six, set()).add(str(path.relative_to(SETTINGS.sql)))
    assert {names: "\n".join(six) for six, found in files.items() if len(found) > 1 for names in [tuple(found)]} == {}


def test_definitions_are_short() -> None:
    def lines(paths: list[Path]) -> int:
        return sum(len(path.read_text("utf-8").splitlines()) for path in paths)

    assert lines(POPULATIONS) + lines(INDICATORS) <= 3000
    assert lines(INDICATORS) / len(INDICATORS) <= 20


HEADER = """/*
of: data_catalogue
reads: last_day
name_zh: 样例
name_en: Sample
unit: 个
description_zh: 样例
description_en: Sample
{more}*/
"""
PLAIN = HEADER.format(more="")
COUNTED = PLAIN + "select *, resource_count > 0 as is_counted from data_catalogue\n"
REASON = "excluded: {unused: {zh: 无, en: none}}\n"
LEFT_OUT = HEADER.format(more=REASON) + (
    "select *, case when resource_count = 0 then 'unused' end as left_out_because from data_catalogue\n"
)
NINE = PLAIN.replace("of: data_catalogue\nreads: last_day", "reads: {data_catalogue: last_day}")


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("sample.sql", HEADER.format(more="colour: red\n"), "colour"),
        ("sample.sql", HEADER.format(more="template: '{number}'\n"), "template"),
        ("sample.sql", HEADER.format(more="over: 1\n"), "over"),
        ("sample.sql", HEADER.format(more="domain: weather\n"), "domains.yaml"),
        ("sample.sql", NINE.replace("*/", "quantity: resource_count\n*/select 1"), "quantity"),
        ("sample.sql", PLAIN.replace("of: data_catalogue\nreads: last_day", "of: weather"), "weather"),
        ("sample.sql", PLAIN.replace("reads: last_day", "reads: {kiosk: last_day}"), "data_catalogue"),
        ("sample.sql", PLAIN.replace("reads: last_day", ""), "data_catalogue"),
        ("sample.sql", PLAIN.replace("last_day", "yesterday"), "yesterday"),
        ("sample.sql", PLAIN.replace("last_day", "group"), "group"),
        ("sample.sql", PLAIN.replace("reads: last_day", "reads: {data_catalogue: last_day, rain: last_day}"), "rain"),
        ("sample.sql", COUNTED.replace("resource_count > 0", "sharing = any(:no_such_set)"), ":no_such_set"),
        ("sample.sql", COUNTED.replace("resource_count > 0", "updated_on = :today"), ":today"),
        ("sample.sql", COUNTED.replace("from data_catalogue", "from core.data_catalogue"), "core.data_catalogue"),
        ("sample.sql", COUNTED.replace("from data_catalogue", "from core.kiosk_resolved"), "core.kiosk"),
        ("sample.sql", COUNTED.replace("from data_catalogue", 'from CORE . "kiosk"'), "core.kiosk"),
        (
            "sample.sql",
            COUNTED.replace("from data_catalogue", "from core.resource_trade_2021_s2"),
            "core.resource_trade",
        ),
        ("sample.sql", COUNTED.replace("from data_catalogue", "from mart.indicator"), "mart.indicator"),
        ("sample.sql", COUNTED.replace("from data_catalogue", "from lineage.load"), "lineage.load"),
        ("sample.sql", COUNTED.replace("resource_count > 0", "CASE WHEN 1 > 0 THEN 'untold' END"), "untold"),
        ("sample.sql", COUNTED.replace("resource_count > 0", "case when 1 > 0 then 'untold' end"), "untold"),
        ("sample.sql", HEADER.format(more=REASON), "unused"),
        ("sample.sql", LEFT_OUT.replace("left_out_because", "excluded_because"), "left_out_because"),
        ("sample.sql", LEFT_OUT.replace("left_out_because", "left_out_becaus"), "left_out_because"),
        ("sample.sql", LEFT_OUT.replace(" as left_out_because", ""), "left_out_because"),
        ("sample.sql", NINE, "has no select"),
        ("sample.sql", "select 1", "YAML"),
        ("sample.sql", "/* {name_zh: [ */", "YAML"),
        ("Sample.sql", PLAIN, "<code>.sql"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(ContractError, match=re.escape(says)) as error:
        definition.load(path, DECLARED)
    assert name in str(error.value) and "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEADER.format(more="decimal: 1\n"), "sql/indicators/sample.sql: 表头不符合格式 / the header breaks its schema: 行 line 9: "
         "decimal: Extra inputs are not permitted; 是否指 / did you mean: decimals"),
        (HEADER.format(more="template: {a\n"), "sql/indicators/sample.sql: 行 line 10: 表头不是合法的 YAML"),
        (HEADER.format(more="domain: data_catalog\n"), "did you mean: data_catalogue"),
        (PLAIN.replace("of: data_catalogue", "of: data_catalog"), "did you mean: data_catalogue"),
        (PLAIN.replace("of: data_catalogue", "of: kiosk_deployed"), "did you mean: kiosks_deployed"),
        (PLAIN.replace("last_day", "lastday"), "did you mean: last_day"),
        (COUNTED.replace("resource_count > 0", "updated_on = :firstday"), "did you mean: first_day"),
    ],
)  # fmt: skip
def test_a_fault_says_where_and_what_was_meant(tmp_path: Path, text: str, says: str) -> None:
    path = project(tmp_path) / "indicators" / "sample.sql"
    path.write_text(text, "utf-8")
    with pytest.raises(ContractError, match=re.escape(says)):
        definition.load(path, DECLARED)


@pytest.mark.parametrize("written", ["AS is_counted", "as  is_counted", "as\n    is_counted", 'as "is_counted"'])
def test_a_column_is_seen_however_it_is_written(tmp_path: Path, written: str) -> None:
    path = tmp_path / "sample.sql"
    path.write_text(COUNTED.replace("as is_counted", written), "utf-8")
    parts = definition.load(path, DECLARED).parts
    assert parts is not None and parts.in_numerator == "true and {row}.is_counted is true"


def test_a_reason_is_seen_through_populations() -> None:
    """Reasons may be data, which no header names; whoever adds to the population leaves out what it leaves out."""
    with_reason = PopulationHeader(
        name_zh="甲", name_en="A", grain="one row per entry", reads={"data_catalogue": "last_day"}
    )
    without = PopulationHeader(name_zh="乙", name_en="B", grain="one row per entry", of="parent")
    declared = replace(
        DECLARED,
        populations={
            "parent": (
                with_reason,
                "select *, nullif(sharing, '无条件共享') as excluded_because from data_catalogue\n",
            ),
            "child": (without, "select *, resource_count * 2 as doubled from parent\n"),
        },
    )
    assert declared.base("child", {}, "child.sql").has_reason


def test_of_several_sources_the_one_that_is_counted_is_the_base() -> None:
    reads = {"enterprise_case": "accepted_at", "counter_case": "accepted_at"}
    for given in (reads, dict(reversed(reads.items()))):
        base = DECLARED.base("counter_case", given, "sample.sql")
        assert (base.relations[-1][0], next(iter(base.reads))) == ("counter_case", "counter_case")


def test_blanks_in_a_text_are_part_of_the_definition() -> None:
    assert (
        select_text.spaced_once("select  a -- why\nfrom t\nwhere a = 'x\u3000 y'")
        == "select a from t where a = 'x\u3000 y'"
    )


@pytest.mark.parametrize("text", ["1234567890123456789.1234567891", "99999999999999999999999999999999990", "-0.5"])
def test_no_digit_is_lost(text: str) -> None:
    assert rounding.plain(Decimal(text)) == Decimal(text)
    assert rounding.rounded(Decimal(text), 12) == Decimal(text)


@pytest.mark.parametrize("text", [PLAIN, COUNTED, NINE + "select *\nfrom data_catalogue\n"])
def test_a_sound_file_is_read(tmp_path: Path, text: str) -> None:
    path = tmp_path / "sample.sql"
    path.write_text(text, "utf-8")
    found = definition.load(path, DECLARED)
    assert (found.name, found.domain, found.kind, found.sources) == (
        "sample", "data_catalogue", "stock", ("data_catalogue",),
    )  # fmt: skip


POPULATION = """/*
name_zh: 样例
name_en: Sample
grain: one row per entry of the list
reads: {data_catalogue: last_day}
*/
select *
from data_catalogue
"""

JUDGED = POPULATION.replace("*/", REASON + "*/").replace(
    "*\nfrom", "*, case when resource_count = 0 then 'unused' end as excluded_because\nfrom"
)


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("entries.sql", POPULATION.replace("grain: one row", "grain: a row"), "grain"),
        ("entries.sql", POPULATION.replace("reads: {data_catalogue: last_day}", "of: weather"), "weather"),
        ("entries.sql", POPULATION.replace("reads: {data_catalogue: last_day}", "of: entries"), "entries of entries"),
        ("entries.sql", POPULATION.replace("data_catalogue: last_day", "rain: last_day"), "rain"),
        ("entries.sql", POPULATION.replace("last_day", "accepted_at"), "accepted_at"),
        ("entries.sql", POPULATION.replace("reads: {data_catalogue: last_day}\n", ""), "reads"),
        ("entries.sql", POPULATION + "where sharing = any(:no_such_set)\n", ":no_such_set"),
        ("entries.sql", POPULATION.replace("from data", "from core.data"), "core.data_catalogue"),
        ("entries.sql", POPULATION.replace("*\nfrom", "*, case when 1 > 0 then 'untold' end\nfrom"), "untold"),
        ("entries.sql", POPULATION.replace("*/", REASON + "*/"), "unused"),
        ("entries.sql", JUDGED.replace("excluded_because", "left_out_because"), "excluded_because"),
        ("entries.sql", JUDGED.replace("excluded_because", "excluded"), "excluded_because"),
        ("entries.sql", POPULATION.replace("*\nfrom", "*, true as is_counted\nfrom"), "is_counted"),
        ("entries.sql", "select 1", "YAML"),
        ("2nd_entries.sql", POPULATION, "<population>.sql"),
        ("kiosk.sql", POPULATION, "kiosk.sql"),
    ],
)
def test_a_bad_population_is_named(tmp_path: Path, name: str, text: str, says: str) -> None:
    (project(tmp_path) / "populations" / name).write_text(text, "utf-8")
    with pytest.raises(ContractError, match=re.escape(says)) as error:
        population.load_declarations(tmp_path / "sql")
    assert name in str(error.value) and "\n" not in str(error.value)


def project(folder: Path) -> Path:
    """The folder ``sql`` of a project with the declarations of this one, and neither population nor indicator."""
    (folder / "expectations").symlink_to(SETTINGS.expectations)
    for name in ("populations", "indicators"):
        (folder / "sql" / name).mkdir(parents=True)
    return folder / "sql"


def test_exactly_one_reading_is_published(tmp_path: Path) -> None:
    sql = project(tmp_path)
    (sql / "indicators" / "sample.sql").write_text(PLAIN, "utf-8")
    assert definition.load_all(sql).keys() == {("sample", "")}
    (sql / "indicators" / "sample.other.sql").write_text(HEADER.format(more="published: true\n"), "utf-8")
    with pytest.raises(ContractError, match="exactly one reading"):
        definition.load_all(sql)


@pytest.mark.parametrize(
    ("select", "is_row_wise"),
    [
        ("select *\nfrom entry\n", True),
        ("select *, resource_count > 0 as is_counted from entry", True),
        ("select\n    *,\n    case when kind <> all(:kinds) then 'other' end as left_out_because\nfrom entry\n", True),
        ("select *, extract(year from updated_on) as year from entry", True),
        ("select *, 'select from where' as text /* over () */ from entry -- join", True),
        ("select *, row_number() over (order by entry_code) as place from entry", False),
        ("select *, ROW_NUMBER() OVER (ORDER BY entry_code) as place from entry", False),
        ("select *, sum(resource_count) over of_unit as total from entry window of_unit as ()", False),
        ("select * from entry where resource_count > 0", False),
        ("select entry.* from entry inner join unit using (code)", False),
        ("select * from entry, unit", False),
        ("select *, unit_code in (select code from unit) as is_counted from entry", False),
        ("select *, exists (select from unit) as is_counted from entry", False),
        ("select *, unnest(codes) as code from entry", False),
        ("select *, generate_series(1, 2) as number from entry", False),
        ("select *, regexp_matches(name, 'a', 'g') as match from entry", False),
        ("select *, regexp_split_to_table(name, ';') as piece from entry", False),
        ("select *, jsonb_array_elements(items) as item from entry", False),
        ("select *, count(*) as entries from entry group by code", False),
        ("select distinct * from entry", False),
        ("select distinct on (code) * from entry", False),
        ("select * from entry limit 1", False),
        ("select * from entry union all select * from entry", False),
        ("select code from entry", False),
        ("select * from other_entry", False),
        ("with other as (select * from entry) select * from other", False),
    ],
)
def test_what_looks_at_one_row_at_a_time(select: str, is_row_wise: bool) -> None:
    """Only this may be asked in one pass beside others: it gives one row for each, and sees no other."""
    assert select_text.is_row_wise(select, "entry") is is_row_wise


def test_parameters_are_bound_outside_literals_casts_and_comments() -> None:
    text = (
        "-- :first_day 100%\nselect ':last_day', a::date, \":next_day\", b > :first_day, '%' /* :as_known */"
        " where k @> :as_known"
    )
    base = next(iter(DEFINITIONS.values()))
    query = Definition(**{**vars(base), "sql": text}).query
    assert query == (
        "-- :first_day 100%%\nselect ':last_day', a::date, \":next_day\", b > cast(%(first_day)s as date), '%%' "
        "/* :as_known */ where k @> cast(%(as_known)s as timestamptz)"
    )


def test_hash_moves_with_the_number_and_not_with_its_title() -> None:
    base = DEFINITIONS["account_activation_rate", ""]

    def changed(**fields: object) -> str:
        return Definition(**{**vars(base), **fields}).hash

    assert changed(name_zh="别名", description_en="x", section="一", sort_order=99) == base.hash
    assert changed(sql="-- a comment\n" + base.sql.replace("\n", "\n  ")) == base.hash
    assert changed(sql=base.sql.replace("注销", "停用")) != base.hash
    assert changed(decimals=1) != base.hash
    assert changed(scale=Decimal(1)) != base.hash
    assert changed(scale=Decimal("100.0")) == base.hash


@pytest.mark.parametrize(
    ("decimals", "unit", "scale", "numerator", "printed"),
    [
        (0, "宗", "1", "0", "0宗"),
        (4, "亿元", "0.00000001", "119860000", "1.1986亿元"),
        (4, "亿元", "0.00000001", "119855000", "1.1986亿元"),
        (0, "笔", "1", "93469", "93469笔"),
        (0, "个", "1", "2.5", "3个"),
        (0, "个", "1", "-0.4", "-0.40个"),
        (0, "%", "1", "99.59", "99.59%"),
        (0, "%", "1", "99.996", "99.996%"),
        (2, "%", "1", "100.0000", "100.00%"),
        (0, "个", "1", "0.0004", "0.0004个"),
        (1, "%", "1", "0.05", "0.1%"),
        (2, "%", "1", "100", "100.00%"),
    ],
)
def test_printed_is_rounded_half_up(decimals: int, unit: str, scale: str, numerator: str, printed: str) -> None:
    base = DEFINITIONS["catalogue_units", ""]
    definition = Definition(**{**vars(base), "decimals": decimals, "unit": unit, "scale": Decimal(scale)})
    assert definition.printed(definition.value(Decimal(numerator), None)) == printed


def test_published_rate_prints_as_the_report_does() -> None:
    rate = DEFINITIONS["account_activation_rate", ""]
    assert rate.printed(rate.value(Decimal(7909), Decimal(8043))) == "98.33%"
    assert rate.printed(rate.value(Decimal(0), Decimal(0))) == "—"


def test_every_mart_view_is_commented_and_named_once() -> None:
    views = mart.views(CONTRACTS, DEFINITIONS, SETTINGS.sql)
    assert {view.name for view in views} >= {
        "indicator", "indicator_history", "indicator_row", "quality_scorecard", "freshness", "period", "body",
        "definition", "data_catalogue", "cloud_migration", "account_activation",
    }  # fmt: skip
    assert all(view.description and all(view.columns.values()) for view in views)


@pytest.mark.parametrize(
    ("schedule", "days"),
    [
        ("30 1 * * *", 1),
        ("0 2 * * 1", 7),
        ("0 2 1 * *", 31),
        ("0 2 10 1,7 *", 184),
        ("0 2 1 */3 *", 92),
        ("0 2 1 */12 *", 366),
        ("0 2 * * 1-5", 3),
        ("*/30 * * * *", 1),
    ],
)
def test_longest_gap_of_a_schedule(schedule: str, days: int) -> None:
    assert mart.days_between(schedule) == days


def test_sql_style() -> None:
    """sqlfluff decides how SQL reads."""
    command = [sys.executable, "-m", "sqlfluff", "lint", "--nocolor", str(SETTINGS.sql), "plugins"]
    result = subprocess.run(command, cwd=SETTINGS.project, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_unit_has_a_code_for_statisticians() -> None:
    """expectations/indicators/units.yaml has the units of all readings and of what was printed, and no other."""
    with (SETTINGS.expectations / "indicators" / "published_figure.csv").open(encoding="utf-8", newline="") as lines:
        printed = {row["unit"] for row in csv.DictReader(lines)}
    assert unit.load_units(SETTINGS.expectations).keys() == {d.unit for d in DEFINITIONS.values()} | printed
