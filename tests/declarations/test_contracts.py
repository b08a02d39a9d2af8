"""The real contract files are sound: strict, by the schema, with rules that Great Expectations and PostgreSQL understand."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml
from psycopg2.extensions import connection as Connection

from halfyear import contract as contracts
from halfyear import warehouse as warehouses
from halfyear.contract import Contract, Rule
from halfyear.errors import ContractError
from halfyear.indicators import definition
from halfyear.settings import Settings
from halfyear.staging import validation
from halfyear.staging.rule import column_of, suite
from halfyear.staging.staging import STAGING_COLUMNS

ROOT = Path(__file__).parents[2]
FILES = sorted((ROOT / "expectations" / "sources").glob("*.yaml"))
CONTRACTS = [contracts.load(path) for path in FILES]
OWN = [pytest.param(c, r, id=f"{c.source}-{r.rule}") for c in CONTRACTS for r in c.quality]
SUITES = [pytest.param(c, r, id=f"{c.source}-{r.rule}") for c in CONTRACTS for r in suite(c)]
by_source = pytest.mark.parametrize("contract", CONTRACTS, ids=lambda c: c.source)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_a_contract_is_named_as_its_file(path: Path) -> None:
    assert contracts.load(path).source == path.stem


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_an_unknown_key_is_an_error_at_every_level(path: Path, tmp_path: Path) -> None:
    text = path.read_text("utf-8")
    for place in ("", "properties", "quality") if "\nquality:" in text else ("", "properties"):
        content: dict[str, Any] = yaml.safe_load(text)
        (content[place][0] if place else content)["unheardOf"] = 1
        broken = tmp_path / path.name
        broken.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
        with pytest.raises(ContractError, match="unheardOf"):
            contracts.load(broken)


@pytest.mark.parametrize("path", FILES, ids=lambda p: p.stem)
def test_the_keys_are_those_of_the_json_schema(path: Path) -> None:
    schema = contracts.json_schema()
    content = yaml.safe_load(path.read_text("utf-8"))
    assert set(content) <= set(schema["properties"])
    assert set(schema["required"]) <= set(content)
    for key, name in (("properties", "Property"), ("quality", "Rule")):
        allowed = schema["$defs"][name]
        assert allowed["additionalProperties"] is False
        for item in content.get(key, []):
            assert set(item) <= set(allowed["properties"])
            assert set(allowed["required"]) <= set(item)


def changed(tmp_path: Path, source: str, name: str, **facts: Any) -> Path:
    """The contract of a source with one property changed."""
    content = yaml.safe_load((ROOT / "expectations" / "sources" / f"{source}.yaml").read_text("utf-8"))
    (found,) = (p for p in content["properties"] if p["name"] == name)
    found |= facts
    path = tmp_path / f"{source}.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    return path


@pytest.mark.parametrize(
    ("source", "name", "why"),
    [
        ("cloud_migration", "system_code", "a required column is never null"),
        ("cloud_migration", "applied_on", "a required column is never null"),
        ("service_rating", "case_no", "a required column is never null"),
        ("service_rating", "body_code", "the body of a row is resolved by this column"),
        ("counter_case", "region_code", "the body of a row is resolved by this column"),
        ("kiosk", "body_name", "the body of a row is resolved by this column"),
        ("resource_trade", "traded_on", "the half-year of a row is read from this column"),
        ("enterprise_case", "closed_at", "rule closed_after_acceptance weighs it against another column"),
        ("data_catalogue", "api_count", "rule resource_count_adds_up weighs it against another column"),
        ("app_usage", "unit", "rule transactions_are_counted_one_by_one weighs it against another column"),
    ],
)
def test_a_null_may_decide_nothing(tmp_path: Path, source: str, name: str, why: str) -> None:
    with pytest.raises(ContractError, match=f"{name}: nullWhenInvalid: {why}"):
        contracts.load(changed(tmp_path, source, name, nullWhenInvalid=True))


@pytest.mark.parametrize(
    ("source", "facts", "why"),
    [
        ("counter_case", {"deliveries": []}, "say which days the source delivers, or `irregular`"),
        ("counter_case", {"deliveries": "seldom"}, "Input should be 'irregular'"),
        ("counter_case", {"deliveries": [{}]}, "either `monthEnds`"),
        ("counter_case", {"deliveries": [{"daily": True, "monthEnds": [6]}]}, "either `monthEnds`"),
        ("counter_case", {"deliveries": [{"monthEnds": [12, 6]}]}, "each month once, in their order"),
        ("counter_case", {"deliveries": [{"daily": True}, {"monthEnds": [6]}]}, "in the order of `since`"),
        ("kiosk", {"allowsSilence": True}, "only events can have nothing to report"),
        ("app_usage", {"keepsBodies": True}, "no row of this source names a body"),
    ],
)
def test_what_is_expected_of_a_source_is_said_clearly(
    tmp_path: Path, source: str, facts: dict[str, Any], why: str
) -> None:
    content = yaml.safe_load((ROOT / "expectations" / "sources" / f"{source}.yaml").read_text("utf-8"))
    content["slaProperties"] |= facts
    path = tmp_path / f"{source}.yaml"
    path.write_text(yaml.safe_dump(content, allow_unicode=True), "utf-8")
    with pytest.raises(ContractError, match=why):
        contracts.load(path)


def test_what_an_indicator_reads_never_loads_as_null(tmp_path: Path) -> None:
    for name in ("sql", "expectations"):
        shutil.copytree(ROOT / name, tmp_path / name)
    path = changed(tmp_path / "expectations" / "sources", "cloud_migration", "protection_level", nullWhenInvalid=True)
    assert contracts.load(path).named("protection_level").null_when_invalid
    with pytest.raises(ContractError, match=r"protection_level: nullWhenInvalid: .* protection_level_\w+_rate reads"):
        definition.load_all(tmp_path / "sql")


def test_what_a_body_owes_is_no_fault_of_its_rows() -> None:
    """Duties are recorded; so is a value that an entry should have and no count needs."""
    recorded = {(c.source, r.rule) for c in CONTRACTS for r in c.quality if r.severity == "info"}
    assert recorded == {
        ("cloud_migration", "protection_level_given"),
        ("cloud_migration", "filing_no_given"),
        ("cloud_migration", "assessed_within_a_year"),
        ("data_catalogue", "sharing_condition_given"),
        ("data_catalogue", "legal_basis_given"),
        ("data_catalogue", "published_on_given"),
        ("enterprise_case", "enterprise_code_check_digit"),
        ("resource_trade", "winner_given"),
    }


@by_source
def test_every_column_is_described_in_chinese_and_english(contract: Contract) -> None:
    for column in contract.properties:
        assert column.description, column.name
        # vCPU is called so in Chinese too.
        assert re.search(r"[\u4e00-\u9fff]|^vCPU$", column.business_name), column.name


@pytest.mark.parametrize(("contract", "rule"), OWN)
def test_a_rule_names_columns_of_its_source(contract: Contract, rule: Rule) -> None:
    known = {p.column for p in contract.columns} | set(STAGING_COLUMNS)
    kwargs = rule.kwargs
    named = [kwargs[k] for k in ("column", "column_A", "column_B") if k in kwargs]
    named += [*kwargs.get("column_list", []), *kwargs.get("column_set", [])]
    assert set(named) <= known
    assert column_of(rule) in known, "a finding names its column: set `column`"


@pytest.mark.parametrize(("contract", "rule"), SUITES)
def test_a_rule_exists_in_great_expectations_with_these_kwargs(contract: Contract, rule: Rule) -> None:
    expectation = validation.expectation(contract.source, rule)
    assert expectation.severity == rule.severity
    assert rule.dimension in contracts.DIMENSIONS
    assert rule.description.zh and rule.description.en


@pytest.fixture
def staged(warehouse: Settings, contract: Contract) -> Iterator[tuple[Connection, str]]:
    """An empty staging table of the source as the loader makes it."""
    connection = warehouses.connect(warehouse)
    columns = {**STAGING_COLUMNS, **{p.column: p.postgres_type for p in contract.columns}}
    with connection.cursor() as cursor:
        declared = ", ".join(f'"{name}" {kind}' for name, kind in columns.items())
        cursor.execute(f'create table staging."{contract.source}_1" ({declared})')
    connection.commit()
    yield connection, warehouses.sqlalchemy_url(warehouse)
    connection.close()


@by_source
def test_postgresql_evaluates_every_rule(contract: Contract, staged: tuple[Connection, str]) -> None:
    connection, url = staged
    results = validation.run(connection, url, "staging", f"{contract.source}_1", contract, date(2022, 6, 30))
    assert [r.rule for r in results] == [r.rule for r in suite(contract)]
    assert all(result.success for result in results)


@by_source
def test_every_warning_gives_the_rows_to_quarantine(contract: Contract, staged: tuple[Connection, str]) -> None:
    connection, url = staged
    queries = validation.failing_rows_sql(url, "staging", f"{contract.source}_1", contract, date(2022, 6, 30))
    for rule in suite(contract):
        query = queries[rule.rule]
        assert query is not None or rule.severity != "warning", rule.rule
        if query is not None:
            with connection.cursor() as cursor:
                cursor.execute(f"select failing.row_number from ({query}\n) as failing")
                assert cursor.fetchall() == []
