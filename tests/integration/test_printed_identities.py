"""What was printed, against itself: the files of it are taken over by migrate, and its identities are asked there."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from halfyear import period
from halfyear import warehouse as warehouse_module
from halfyear.errors import ContractError
from halfyear.indicators import definition, identity, published_figure
from halfyear.settings import Settings
from halfyear.terminal import command
from halfyear.warehouse import migration

#: The province's releases: what it handled is 5 short of its parts, and the bad tickets differ by scope.
RELEASES = """\
2022-03,,handled,月报,办结业务100件,100,件,0,
2022-03,,handled_online,月报,60件,60,件,0,
2022-03,,handled_at_halls,月报,45件,45,件,0,
2022-Q1,,bad_tickets,季报,差评工单791张,791,张,0,
2022-Q1,,bad_tickets_of_halls,季报,差评工单798张,798,张,0,
2022-04,,reminders,月报,30万条,30,万条,0,
2022-04,,text_messages,月报,10.2万条,10.2,万条,1,
2022-04,,kiosk_notices,月报,19.4万条,19.4,万条,1,
2022-05,,reminders,月报,31万条,31,万条,0,
2022-05,,text_messages,月报,31万条,31,万条,0,
2022-05,,kiosk_notices,月报,19.4万条,19.4,万条,1,
2022-06,,reminders,月报,31万条,31,万条,0,
2022-06,,text_messages,月报,18.2万条,18.2,万条,1,
2022-06,,kiosk_notices,月报,19.4万条,19.4,万条,1,
"""
CODES = (
    "handled", "handled_online", "handled_at_halls", "bad_tickets", "bad_tickets_of_halls", "reminders", "text_messages",
    "kiosk_notices",
)  # fmt: skip
RULES = """
- {rule: handled_by_way, of: printed, periods: month, left: handled, relation: equal,
   right: handled_online + handled_at_halls, description: {zh: 办结业务等于各渠道之和, en: handled is the sum of its ways}}
- {rule: bad_tickets_of_both_scopes, of: printed, periods: quarter, left: bad_tickets, relation: equal,
   right: bad_tickets_of_halls, description: {zh: 差评工单两处一致, en: bad tickets are the same in both places}}
- {rule: reminders_flat, of: printed, periods: month, valid_to: 2022-04, left: reminders, relation: equal,
   right: text_messages + kiosk_notices, description: {zh: 短信与一体机并列, en: text messages stand beside kiosks}}
- {rule: reminders_nested, of: printed, periods: month, valid_from: 2022-05-01, left: kiosk_notices, relation: at_most,
   right: text_messages, description: {zh: 一体机含于短信, en: kiosks are part of text messages}}
"""


@pytest.fixture
def project(warehouse: Settings, tmp_path: Path) -> Settings:
    """A copy of the project's declarations, over a migrated warehouse."""
    folder = tmp_path / "project"
    for name in ("expectations", "sql"):
        shutil.copytree(warehouse.project / name, folder / name)
    return replace(warehouse, project=folder)


def enter(project: Settings, figures: str, codes: Sequence[str] = CODES, rules: str = "") -> None:
    """Add lines to the lists of the project."""
    for file, added in (
        (published_figure.FILE, figures),
        (published_figure.PRINTED_ONLY_FILE, "".join(f"{code},公布数,printed only\n" for code in codes)),
        (identity.FILE, rules),
    ):
        path = project.expectations / file
        path.write_text(path.read_text("utf-8") + added, "utf-8")


def ask(settings: Settings, statement: str) -> list[tuple[Any, ...]]:
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(statement)
        return cursor.fetchall()


ANSWERS = """
select period, rule, is_kept, difference, tolerance from mart.printed_identity
where rule !~ '^printed_' order by rule, period"""


def test_releases_are_asked_whether_they_agree_with_themselves(project: Settings) -> None:
    before = ask(project, "select * from mart.reconciliation order by period, published_no")
    enter(project, RELEASES, rules=RULES)
    told: list[str] = []
    assert warehouse_module.migrate(project, told.append)
    assert ask(project, ANSWERS) == [
        # 791 and 798 are counts: nothing was rounded.
        ("2022-Q1", "bad_tickets_of_both_scopes", False, Decimal(-7), Decimal(0)),
        ("2022-03", "handled_by_way", False, Decimal(-5), Decimal(0)),
        # 30万 may be 29.6万, or 29.7万 and a little: half of 1万, and twice half of 0.1万.
        ("2022-04", "reminders_flat", True, Decimal("0.4"), Decimal("0.6")),
        ("2022-05", "reminders_nested", True, Decimal("-11.6"), Decimal("0.55")),
        ("2022-06", "reminders_nested", False, Decimal("1.2"), Decimal("0.1")),
    ]
    assert any("公布数自相矛盾" in line and "mart.printed_identity" in line for line in told)
    ((figures, kind),) = ask(
        project, "select figures, period_kind from mart.printed_identity where rule = 'bad_tickets_of_both_scopes'"
    )
    assert (figures, kind) == ({"bad_tickets": "差评工单791张", "bad_tickets_of_halls": "差评工单798张"}, "quarter")
    # What is printed of months and what is only printed is not reconciled.
    assert ask(project, "select * from mart.reconciliation order by period, published_no") == before


def test_what_is_only_printed_of_a_half_year_is_not_reconciled(project: Settings) -> None:
    enter(project, "2022-S1,60,handled,二,12.3万件,12.3,万件,1,\n2022-S1,61,gone,二,5件,5,件,0,\n")
    warehouse_module.migrate(project)
    found = ask(project, "select indicator_code, verdict from mart.reconciliation where published_no in ('60', '61')")
    assert found == [("gone", "无来源")]


def test_the_report_is_asked_too(warehouse: Settings) -> None:
    """97.18% of 7897 are 7674.7 at most, and 7675 were printed: the rate was cut off, not rounded."""
    assert ask(
        warehouse,
        "select period, rule, difference, tolerance from mart.printed_identity where not is_kept",
    ) == [("2021-S2", "printed_activation_rate_from_counts", Decimal("-69.54"), Decimal("39.485"))]
    assert ask(warehouse, "select count(*) from mart.printed_identity") == [(8,)]


def test_reconcile_says_it_below_its_table(warehouse: Settings) -> None:
    said = CliRunner().invoke(command.main, ["reconcile", "2021-S2"]).output
    assert "printed_activation_rate_from_counts" in said and "-69.54" in said and "39.485" in said
    assert "自相矛盾" not in CliRunner().invoke(command.main, ["reconcile", "2022-S1"]).output


def test_a_printed_identity_makes_nothing_due(project: Settings) -> None:
    warehouse_module.migrate(project)
    names = "select name, fingerprint from lineage.declaration where name = 'indicators.identities'"
    before = ask(project, names)
    enter(project, RELEASES, rules=RULES)
    assert warehouse_module.migrate(project)
    assert ask(project, names) == before


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ("- {rule: a, of: printed, left: handeld, relation: equal, right: handled, description: {zh: 一, en: a}}",
         "handeld.*did you mean: handled"),
        ("- {rule: a, left: handled, relation: equal, right: '1', description: {zh: 一, en: a}}", "no such indicator: handled"),
        ("- {rule: a, periods: month, left: levy_items, relation: equal, right: '1', description: {zh: 一, en: a}}",
         "only figures of half-years are computed"),
        ("- {rule: a, of: printed, valid_from: 2022-13, left: handled, relation: equal, right: '1', description: {zh: 一, en: a}}",
         "2022-13.*no such period"),
        ("- {rule: a, of: printed, valid_from: 2022-Q2, valid_to: 2022-03-31, left: handled, relation: equal, right: '1', "
         "description: {zh: 一, en: a}}", "the end lies before the beginning"),
        ("- {rule: a, of: printed, periods: month, left: handled *, relation: equal, right: '1', description: {zh: 一, en: a}}",
         "a: .*cannot be evaluated"),
    ],
)  # fmt: skip
def test_an_identity_that_cannot_be_asked_is_refused(project: Settings, rules: str, words: str) -> None:
    enter(project, RELEASES, rules=rules)
    with pytest.raises(ContractError, match=words):
        warehouse_module.migrate(project)


def test_a_computed_identity_has_its_dates_too(project: Settings) -> None:
    (project.expectations / identity.FILE).write_text(
        "- {rule: few, left: levy_items, relation: at_most, right: '1', valid_to: 2029-S2, description: {zh: 少, en: few}}\n"
        "- {rule: many, left: '2', relation: at_most, right: levy_items, valid_from: 2030-S1, description: {zh: 多, en: many}}\n",
        "utf-8",
    )
    with warehouse_module.transaction(project, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "insert into indicators.observation (period, indicator_code, reading, value, printed, definition_hash, computed_at) "
            "select '2030-S1', 'levy_items', '', 100, '', '', now()"
        )
    url = warehouse_module.sqlalchemy_url(project)
    with warehouse_module.transaction(project) as connection:
        results = identity.check(connection, url, project.expectations, period.parse("2030-S1"))
    assert [(result.rule, result.success) for result in results] == [("many", True)]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("2022-S3,1,levy_items,一,100项,100,项,0,", r"line 106: period: 2022-S3: .*write 2022-S1"),
        ("2022-13,,handled,月报,5件,5,件,0,", r"line 106: period: 2022-13"),
        ("2022-03,,handled,月报,5件,6,件,0,", r"line 106: value: 6 .*5件 = 5 \(0\)"),
        ("2022-03,,handled,月报,5.0件,5,件,0,", r"5\.0件 = 5\.0 \(1\)"),
        ("2022-03,,handled,月报,第一次,1.5,件,1,", "a whole number"),
        ("2022-03,,handled,月报,5%,5,件,0,", "no number in this unit"),
        ("2022-03,,handled,月报,5件,five,件,0,", "must be a number"),
        ("2022-03,,handeld,月报,5件,5,件,0,", "no indicator has this code.*did you mean: handled"),
        ("2022-S1,1,levy_items,一,100项,100,项,0,", "stands in line 93 already"),
        ("2022-03,,handled", "must have 9 cells"),
    ],
)
def test_a_line_that_does_not_say_what_was_printed_is_refused(project: Settings, line: str, words: str) -> None:
    enter(project, f"{line}\n")
    with pytest.raises(ContractError, match=words) as refused:
        warehouse_module.migrate(project)
    assert "expectations/indicators/published_figure.csv" in str(refused.value)
    with pytest.raises(ContractError, match=words):
        migration.check(project)


def test_a_code_that_an_indicator_has_is_not_only_printed(project: Settings) -> None:
    enter(project, "", ["levy_items"])
    with pytest.raises(ContractError, match=r"printed_only\.csv: .*levy_items: .*an indicator has this code"):
        warehouse_module.migrate(project)


def test_a_share_of_rows_is_not_asked_whether_it_is_above_100(warehouse: Settings) -> None:
    definitions = definition.load_all(warehouse.sql)
    rules = {each.rule for each in identity.load_all(warehouse.expectations, definitions)}
    assert not {rule for rule in rules if rule.endswith("_at_most_100")}
    pair, share = next((pair, d) for pair, d in definitions.items() if d.is_published and d.kind == "ratio")
    assert share.parts is not None
    for other in (replace(share, parts=None), replace(share, parts=replace(share.parts, over="{row}.items"))):
        asked = identity.load_all(warehouse.expectations, {**definitions, pair: other})
        assert f"{share.code}_at_most_100" in {each.rule for each in asked}
