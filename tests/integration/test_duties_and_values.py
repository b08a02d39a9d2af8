"""A duty that a body has not done, and a value that no count needs, take no row out of any figure."""

from __future__ import annotations

import os
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from halfyear import warehouse as warehouse_module
from halfyear.scheduling import night
from halfyear.settings import Settings

CODE = "1144128900750237XL"  # 榕湾市人民政府
SYSTEMS = (
    "系统编号,系统名称,建设单位,建设单位代码,系统类型,等保级别,备案证明编号,测评日期,申请上云日期,迁移状态,完成上云日期,"
    "vCPU,内存(GB),存储(GB),CPU平均利用率"
)
TICKETS = "工单来源,工单编号,诉求类型,诉求标题,诉求内容,来电人,联系电话,承办单位,派单时间,办理时限,回复时间,处理状态,回访时间,满意度"


def query(settings: Settings, text: str, *values: Any) -> list[tuple[Any, ...]]:
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(text, values)
        return cursor.fetchall()


def deliver(settings: Settings, source: str, name: str, *lines: str) -> night.Outcome:
    """Load one file of a source and compute what it made stale."""
    path = Path(settings.inbox) / source / f"{source}_{name}.csv"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([*lines, ""]), "utf-8")
    os.utime(path, (1_656_600_000, 1_656_600_000))
    (delivery_id,) = night.look(source, settings).pending
    outcome = night.load_delivery(delivery_id, settings)
    for period in night.stale_periods():
        night.compute(period)
    return outcome


def system(
    number: int, kind: str = "自建", level: str = "二级", filing: str = "B1", vcpu: str = "4", **given: str
) -> str:
    memory, share = given.get("memory", "16"), given.get("share", "35%")
    state, done = given.get("migration", "已上云"), given.get("done", "2022-03-01")
    return (
        f"S{number},系统{number},榕湾市人民政府,{CODE},{kind},{level},{filing},2022-01-05,2022-02-01,{state},{done},"
        f"{vcpu},{memory},200,{share}"
    )


def figures(settings: Settings, *codes: str) -> dict[str, tuple[Decimal, Decimal | None]]:
    """Numerator and denominator of figures of the city in 2022-S1."""
    found = query(
        settings,
        "select indicator_code, numerator, denominator from indicators.observation where superseded_at is null "
        "and period = '2022-S1' and body_code is null and reading = '' and indicator_code = any(%s)",
        list(codes),
    )
    return {code: (numerator, denominator) for code, numerator, denominator in found}


RATES = ("protection_level_grading_rate", "protection_level_filing_rate", "cloud_systems_added")


def test_the_rates_fall_when_a_system_lacks_what_its_body_owes(warehouse: Settings) -> None:
    rows = [system(1), system(2), system(3, filing="B3"), system(4, kind="国垂")]
    first = deliver(warehouse, "cloud_migration", "20220630", SYSTEMS, *rows)
    assert (first.verdict, first.rows_loaded) == ("loaded", 4)
    assert figures(warehouse, *RATES) == dict(zip(RATES, [(4, 4), (4, 4), (4, None)], strict=True))

    rows[1], rows[2] = system(2, level="", filing=""), system(3, filing="")
    second = deliver(warehouse, "cloud_migration", "20220630_2", SYSTEMS, *rows)
    assert (second.verdict, second.rows_loaded, second.rows_quarantined) == ("loaded", 4, 0)
    assert figures(warehouse, *RATES) == dict(zip(RATES, [(3, 4), (2, 4), (4, None)], strict=True))
    assert query(
        warehouse,
        "select c.rule, c.severity, c.unexpected_count from lineage.check_result as c inner join lineage.load using (load_id) "
        "where delivery_id = %s and not success order by 1",
        second.delivery_id,
    ) == [("filing_no_given", "info", 1), ("protection_level_given", "info", 1)]
    assert query(
        warehouse,
        "select values_failed from mart.quality_scorecard where dimension = 'completeness' and file_name ~ '_2.csv'",
    ) == [(2,)]


def test_a_value_that_no_count_needs_loads_as_null(warehouse: Settings) -> None:
    rows = [system(n) for n in range(1, 7)]
    bad = [system(1, vcpu="八"), system(2, memory="-3"), system(3, share="135%", vcpu="2.5"), *rows[3:]]
    outcome = deliver(warehouse, "cloud_migration", "20220630", SYSTEMS, *bad)
    assert (outcome.verdict, outcome.rows_loaded, outcome.rows_quarantined) == ("loaded", 6, 0)
    assert outcome.values_nulled == 4 and "values loaded as null: 4" in outcome.line
    assert figures(warehouse, "cloud_systems_added") == {"cloud_systems_added": (6, None)}
    values = "select vcpu, memory_gb, cpu_utilisation_pct from core.cloud_migration where upper_inf(known_at) order by"
    found = [(None, 16, 35), (4, None, 35), (None, 16, None), *[(4, 16, 35)] * 3]
    assert query(warehouse, f"{values} record_key") == found
    assert query(
        warehouse,
        "select row_number, column_name, rule, masked_value from quarantine.rejected_value order by row_number, rule",
    ) == [
        (2, "vcpu", "number_form", "八"),
        (3, "memory_gb", "memory_gb_minimum", "-3"),
        (4, "cpu_utilisation_pct", "cpu_utilisation_is_a_share", "135"),
        (4, "vcpu", "whole_number", "2.5"),
    ]
    assert query(warehouse, "select distinct values_nulled from mart.quality_scorecard") == [(4,)]
    assert query(warehouse, "select sum(values_failed) from mart.quality_scorecard") == [(4,)]

    # A list of an earlier day that comes late has the file read again: what was null stays so.
    deliver(warehouse, "cloud_migration", "20220331", SYSTEMS, *rows)
    assert query(warehouse, f"{values} lower(valid_at), record_key") == [*[(4, 16, 35)] * 6, *found[:3]]


def test_the_value_of_a_row_in_quarantine_is_one_more_reason(warehouse: Settings) -> None:
    rows = [*(system(n) for n in range(1, 6)), system(6, migration="未知", done="", vcpu="八", memory="-3")]
    outcome = deliver(warehouse, "cloud_migration", "20220630", SYSTEMS, *rows)
    assert (outcome.rows_loaded, outcome.rows_quarantined, outcome.values_nulled) == (5, 1, 0)
    assert query(warehouse, "select rule from quarantine.rejected_row order by 1") == [
        ("memory_gb_minimum",),
        ("migration_enumeration",),
        ("number_form",),
    ]
    assert query(warehouse, "select * from quarantine.rejected_value") == []


def test_one_key_with_two_contents_is_so_with_a_bad_value_too(warehouse: Settings) -> None:
    rows = [*(system(n) for n in range(1, 22)), system(1, vcpu="八"), system(2, vcpu="八"), system(2, vcpu="九")]
    outcome = deliver(warehouse, "cloud_migration", "20220630", SYSTEMS, *rows)
    # S1 as 4 and as nothing; S2 as 4, and twice as nothing, of which the second is a copy.
    assert (outcome.rows_loaded, outcome.rows_quarantined, outcome.rows_skipped) == (19, 4, 1)
    assert (outcome.values_nulled, query(warehouse, "select * from quarantine.rejected_value")) == (0, [])


@pytest.mark.parametrize("column", ["诉求内容", "来电人", "联系电话"])
def test_no_value_of_a_person_is_kept(warehouse: Settings, column: str) -> None:
    good = dict.fromkeys(TICKETS.split(","), "") | {
        "工单来源": "市12345", "工单编号": "20220601", "诉求类型": "咨询", "承办单位": "榕湾市教育局",
        "派单时间": "2022-06-01 09:00:00", "办理时限": "2022-06-08 09:00:00", "处理状态": "办理中",
    }  # fmt: skip
    secret = "陈小明15400000001\ufffd"
    outcome = deliver(warehouse, "hotline_ticket", "20220630", TICKETS, ",".join({**good, column: secret}.values()))
    assert (outcome.verdict, outcome.rows_loaded, outcome.values_nulled) == ("loaded", 1, 1)
    assert figures(warehouse, "hotline_tickets") == {"hotline_tickets": (1, None)}
    assert query(warehouse, "select row_number, rule, masked_value from quarantine.rejected_value") == [
        (2, "damaged_text", "***")
    ]
