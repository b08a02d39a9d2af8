"""The audit finds every stored figure that its rows do not give: of the city, of a body, a row too many or too few."""

from __future__ import annotations

import json
from typing import Any

import pytest
from click.testing import CliRunner

from halfyear import period
from halfyear import warehouse as warehouse_module
from halfyear.errors import FiguresDiffer, UsageError
from halfyear.indicators import audit as audits
from halfyear.publishing.proposal import Request
from halfyear.scheduling import night, publication_steps
from halfyear.settings import Settings
from halfyear.terminal import command

DRAFT = ("counter_cases", "cloud_systems_migrated", "account_activation_rate")
_CURRENT = "period = '2022-S1' and indicator_code = 'accounts_opened' and reading = '' and superseded_at is null"


def halfyear(*arguments: str, code: int = 0) -> str:
    done = CliRunner().invoke(command.main, arguments, env={"COLUMNS": "1000"}, catch_exceptions=False)
    assert done.exit_code == code, done.output
    return done.output


def query(settings: Settings, text: str, *values: Any) -> list[tuple[Any, ...]]:
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(text, values or None)
        return cursor.fetchall() if cursor.description else []


def test_the_demo_is_what_its_rows_give(loaded: Settings) -> None:
    ((count,),) = query(loaded, "select count(*) from indicators.observation where superseded_at is null")
    assert count > 20_000
    assert f"observations computed anew: {count}; 不符 differences: 0" in halfyear("audit")
    night.refuse_differences()


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        (f"update indicators.observation set value = value + 1 where {_CURRENT} and body_code is null", "全市"),
        (f"update indicators.observation set printed = '8名' where {_CURRENT} and body_code is null", "存 8名"),
        (f"update indicators.observation set numerator = 0 where {_CURRENT} and body_code = (select min(body_code) from "
         f"indicators.observation where {_CURRENT} and numerator > 0)", "accounts_opened"),
        (f"delete from indicators.observation where {_CURRENT} and body_code = (select min(body_code) from "
         f"indicators.observation where {_CURRENT})", "no row, its rows give"),
        ("insert into indicators.observation (period, indicator_code, reading, body_code, numerator, value, printed, "
         "definition_hash, computed_at) select period, indicator_code, reading, 'X', 0, 0, '0名', definition_hash, now() "
         f"from indicators.observation where {_CURRENT} and body_code is null", "X: 存 0名"),
    ],
)  # fmt: skip
def test_a_difference_is_named_and_mended(loaded: Settings, fault: str, says: str) -> None:
    query(loaded, fault)
    shown = halfyear("audit", "2022-S1", code=1)
    assert "differences: 1" in shown and "2022-S1 accounts_opened 粤政易累计开通用户数" in shown and says in shown
    (found,) = json.loads(halfyear("audit", "--format", "json", code=1))
    assert found["indicator_code"] == "accounts_opened" and found["vintage"] is None
    with pytest.raises(FiguresDiffer, match="accounts_opened"):
        night.refuse_differences()
    assert "differences: 0" in halfyear("audit", "2022-S1", "--recompute")


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("value = 1, printed = '1名'", "存 1名"),
        ("is_published = false", "存 is_published False，按行重算 is_published True"),
        ("unit = '台'", "存 unit 台，按行重算 unit 名"),
        ("vintage = 7", "存 vintage 7，按行重算 vintage None"),
    ],
)
def test_what_the_mart_shows_is_compared_too(loaded: Settings, fault: str, says: str) -> None:
    query(
        loaded,
        f"update indicators.in_force set {fault} where period = '2022-S1' "
        "and indicator_code = 'accounts_opened' and reading = '' and body_code is null",
    )
    shown = halfyear("audit", "2022-S1", code=1)
    assert "differences: 1" in shown and f"2022-S1 accounts_opened 生效值 in force 全市: {says}" in shown
    assert "differences: 0" in halfyear("audit", "2022-S1", "--recompute")


def test_the_loads_behind_a_figure_are_compared_too(loaded: Settings) -> None:
    ((gone,),) = query(
        loaded,
        "delete from lineage.observation_input where period = '2022-S1' and indicator_code = 'accounts_opened' "
        "and reading = '' and load_id = (select max(load_id) from lineage.observation_input where period = '2022-S1' "
        "and indicator_code = 'accounts_opened' and reading = '') returning (select file_name from lineage.load inner join "
        "lineage.delivery using (delivery_id) where load.load_id = observation_input.load_id)",
    )
    shown = halfyear("audit", "2022-S1", code=1)
    assert f"2022-S1 accounts_opened 粤政易累计开通用户数 全市: 存 file_name —，按行重算 file_name {gone}" in shown
    assert "differences: 0" in halfyear("audit", "2022-S1", "--recompute")


def test_a_half_year_without_figures_cannot_be_audited(loaded: Settings) -> None:
    assert "2099-S1" in halfyear("audit", "2099-S1", code=2)


def test_what_is_due_is_no_difference(loaded: Settings) -> None:
    query(loaded, f"update indicators.observation set value = value + 1 where {_CURRENT} and body_code is null")
    query(loaded, "select indicators.mark_stale('account_activation', '{2022-S1}', 'test')")
    shown = halfyear("audit", "2022-S1")
    assert "waiting to be computed" in shown and "differences: 0" in shown


def test_a_seal_never_trusts_a_stored_value(loaded: Settings) -> None:
    request = Request(period.parse("2021-S2"), "甲", exceptions=DRAFT)
    changed = "update indicators.observation set value = value + 1 where period = '2021-S2' and superseded_at is null"
    query(loaded, f"{changed} and indicator_code = 'kiosks_in_service'")
    # What is proposed is computed anew, whole.
    proposal = publication_steps.propose(request)
    assert proposal is not None
    assert "differences: 0" in halfyear("audit", "2021-S2")
    query(loaded, f"{changed} and indicator_code = 'kiosks_in_service' and body_code is null")
    with pytest.raises(UsageError, match="kiosks_in_service"):
        publication_steps.approve(request.period, proposal.digest, "乙")
    assert query(loaded, "select count(*) from indicators.vintage") == [(0,)]


def test_a_sealed_figure_that_its_rows_do_not_give(loaded: Settings) -> None:
    request = Request(period.parse("2021-S2"), "甲", exceptions=DRAFT)
    proposal = publication_steps.propose(request)
    assert proposal is not None
    publication_steps.approve(request.period, proposal.digest, "乙")
    assert "differences: 0" in halfyear("verify")
    # Rows of core are the loader's to change; the hashes of the seal do not cover them, the audit does.
    query(
        loaded,
        "update core.kiosk set kiosk_status = '停用' where record_key = (select min(record_key) from core.kiosk "
        "where kiosk_status = '在用' and valid_at @> date '2021-12-31' and known_at @> 'infinity'::timestamptz)",
    )
    shown = halfyear("verify", code=1)
    assert shown.startswith("2021-S2 v1 kiosk") and 0 <= shown.find("kiosks_in_service") < shown.find("the chain holds")
    # A list that was changed since moves no figure of the city that does not ask for it, so it excuses none.
    query(loaded, "update lineage.declaration set applied_at = now() where name = 'core.body_alias'")
    assert "2021-S2 v1 kiosks_in_service" in halfyear("verify", code=1)


def test_what_a_list_moved_since_the_seal_is_named_apart(loaded: Settings) -> None:
    request = Request(period.parse("2021-S2"), "甲", exceptions=DRAFT)
    proposal = publication_steps.propose(request)
    assert proposal is not None
    publication_steps.approve(request.period, proposal.digest, "乙")
    # As a name that goes to another body would: the city stays as it is.
    query(
        loaded,
        "update core.kiosk set body_name = other.body_name from (select min(body_name) as body_name from core.kiosk) "
        "as other where record_key = (select max(record_key) from core.kiosk where kiosk_status = '在用' and valid_at @> "
        "date '2021-12-31' and known_at @> 'infinity'::timestamptz and body_name > (select min(body_name) from core.kiosk))",
    )
    assert "kiosks_in_service" in halfyear("verify", code=1)
    query(loaded, "update lineage.declaration set applied_at = now() where name = 'core.body_alias'")
    assert "core.body_alias" in halfyear("verify")
    # The provisional figure follows from the rows of today, which were changed by hand.
    named = json.loads(halfyear("audit", "2021-S2", "--format", "json", code=1))
    assert {each["list_changed"] for each in named if each["vintage"] == 1} == {"core.body_alias"}


def test_a_sealed_select_that_no_longer_runs_stops_no_audit(loaded: Settings) -> None:
    request = Request(period.parse("2021-S2"), "甲", exceptions=DRAFT)
    proposal = publication_steps.propose(request)
    assert proposal is not None
    publication_steps.approve(request.period, proposal.digest, "乙")
    query(loaded, "alter table core.kiosk rename column kiosk_status to status_of_kiosk")
    with warehouse_module.transaction(loaded) as connection:
        found = audits.sealed(connection, period.parse("2021-S2"))
    assert found.observations > 1000 and "kiosks_in_service" in {each.code for each in found.differences}
    assert all("UndefinedColumn" in each.line for each in found.differences)
    assert "2021-S2 v1 kiosks_in_service" in halfyear("audit", "2021-S2", code=1)
