"""Are the real indicator files sound: their headers, their parameters, their reasons, and what they read."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path

import jsonschema
import pytest
import yaml

from halfyear import contract, indicator, mart, sdmx, settings
from halfyear.errors import ContractError
from halfyear.indicator import Definition

SETTINGS = settings.load()
DEFINITIONS = indicator.load_all(SETTINGS.sql)
CONTRACTS = contract.load_all(SETTINGS.expectations)
with (SETTINGS.expectations / "core" / "value_set.csv").open(encoding="utf-8", newline="") as _lines:
    VALUE_SETS = {row["value_set"] for row in csv.DictReader(_lines)}
FILES = sorted((SETTINGS.sql / "indicators").glob("*.sql"))

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


@pytest.mark.parametrize("definition", DEFINITIONS.values(), ids=lambda d: f"{d.code}.{d.reading}".rstrip("."))
def test_definition(definition: Definition) -> None:
    assert set(definition.sources) <= CONTRACTS.keys()
    read = {name.removesuffix("_resolved") for name in re.findall(r"\bcore\.(\w+)", definition.sql)}
    read -= {"value_set", "spanning_group"}
    assert read == set(definition.sources), "sources names what the select reads"
    reasons = set(re.findall(r"then\s+'([a-z]\w*)'", definition.sql))
    assert reasons == set(definition.excluded), "every reason for leaving rows out has its texts, and is used"
    assert ":as_known" in definition.sql and "now()" not in definition.sql
    wanted = set(re.findall(r"value_set = '(\w+)'", definition.sql))
    assert wanted <= VALUE_SETS, "the definitions that it reads are in expectations/core/value_set.csv"
    group = CONTRACTS[definition.sources[0]].period_group
    assert definition.decided_within in (None, "record_key", group), "an index finds the rows that belong together"
    assert definition.kind != "ratio" or (definition.unit, definition.scale) == ("%", 100)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_header_keeps_its_json_schema(path: Path) -> None:
    header = re.match(r"\s*/\*(.*?)\*/", path.read_text("utf-8"), re.DOTALL)
    assert header
    jsonschema.validate(json.loads(json.dumps(yaml.safe_load(header[1]))), indicator.json_schema())


HEADER = """/*
name_zh: 样例
name_en: Sample
domain: data_catalogue
unit: 个
kind: stock
decimals: 0
sources: [data_catalogue]
published: true
description_zh: 样例
description_en: Sample
{more}*/
select 1
"""


@pytest.mark.parametrize(
    ("name", "text", "says"),
    [
        ("sample.sql", HEADER.format(more="colour: red\n"), "colour"),
        ("sample.sql", HEADER.format(more="basis: flow\n"), "basis"),
        ("sample.sql", HEADER.format(more="template: '{number}'\n"), "template"),
        ("sample.sql", HEADER.format(more="").replace("select 1", "select :today"), ":today"),
        ("sample.sql", HEADER.format(more="").replace("domain: data_catalogue", "domain: weather"), "domains.yaml"),
        ("sample.sql", HEADER.format(more="").replace("kind: stock", "kind: ratio"), "basis"),
        (
            "sample.sql",
            HEADER.format(more="decided_within: record_key\n").replace(
                "select 1", "select 1 from core.data_catalogue /* core.kiosk */ join core.catalogue_unit using (x)"
            ),
            "core.catalogue_unit",
        ),
        (
            "sample.sql",
            HEADER.format(more="decided_within: record_key\n").replace("[data_catalogue]", "[data_catalogue, kiosk]"),
            "decided_within",
        ),
        ("sample.sql", "select 1", "YAML"),
        ("Sample.sql", HEADER.format(more=""), "<code>.sql"),
    ],
)
def test_a_bad_file_is_named(tmp_path: Path, name: str, text: str, says: str) -> None:
    path = tmp_path / name
    path.write_text(text, "utf-8")
    with pytest.raises(ContractError, match=re.escape(says)) as error:
        indicator.load(path, indicator.load_domains(SETTINGS.sql))
    assert name in str(error.value) and "\n" not in str(error.value)


def test_exactly_one_reading_is_published(tmp_path: Path) -> None:
    (tmp_path / "sql" / "indicators").mkdir(parents=True)
    (tmp_path / "expectations" / "indicators").mkdir(parents=True)
    domains = SETTINGS.expectations / "indicators" / "domains.yaml"
    (tmp_path / "expectations" / "indicators" / "domains.yaml").write_text(domains.read_text("utf-8"), "utf-8")
    for name in ("sample.sql", "sample.other.sql"):
        (tmp_path / "sql" / "indicators" / name).write_text(HEADER.format(more=""), "utf-8")
    with pytest.raises(ContractError, match="exactly one reading"):
        indicator.load_all(tmp_path / "sql")


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
        (0, "个", "1", "-0.4", "0个"),
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
    [("30 1 * * *", 1), ("0 2 * * 1", 7), ("0 2 1 * *", 31), ("0 2 10 1,7 *", 183), ("0 2 1 */3 *", 93)],
)
def test_longest_gap_of_a_schedule(schedule: str, days: int) -> None:
    assert mart.days_between(schedule) == days


def test_sql_style() -> None:
    """sqlfluff decides how SQL reads."""
    command = [sys.executable, "-m", "sqlfluff", "lint", "--nocolor", str(SETTINGS.sql)]
    result = subprocess.run(command, cwd=SETTINGS.project, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr


def test_every_unit_has_a_code_for_statisticians() -> None:
    """expectations/indicators/units.yaml has the units of all readings and of what was printed, and no other."""
    with (SETTINGS.expectations / "indicators" / "published_figure.csv").open(encoding="utf-8", newline="") as lines:
        printed = {row["unit"] for row in csv.DictReader(lines)}
    assert sdmx.load_units(SETTINGS.expectations).keys() == {d.unit for d in DEFINITIONS.values()} | printed
