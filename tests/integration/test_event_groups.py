"""Events that move each other's half-years: second ratings, first dispatches, and lots that get their day later."""

from __future__ import annotations

import json
import os
from itertools import permutations
from pathlib import Path
from typing import Any

import pytest

from figures_are_rows import assert_figures_are_rows
from halfyear import warehouse as warehouse_module
from halfyear.scheduling import night
from halfyear.settings import Settings


def place(settings: Settings, name: str, content: bytes) -> None:
    """A file in the inbox, older than a minute."""
    path = Path(settings.inbox) / name.rpartition("_")[0] / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (1_656_600_000, 1_656_600_000))


def load(settings: Settings, source: str) -> set[str]:
    """Load what is new of a source; the half-years that it touched, which are then computed."""
    touched: set[str] = set()
    for delivery_id in night.look(source, settings).pending:
        outcome = night.load_delivery(delivery_id, settings)
        assert outcome.verdict == "loaded", outcome.line
        touched |= set(outcome.periods)
    for half in night.stale_periods():
        night.compute(half)
    assert_figures_are_rows(settings)
    return touched


def values(settings: Settings, code: str) -> dict[str, Any]:
    with warehouse_module.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select period, value from mart.indicator where indicator_code = %s and body_code is null and value <> 0",
            (code,),
        )
        return dict(cursor.fetchall())


def rating(case: str, number: int, at: str, satisfaction: int) -> dict[str, Any]:
    return {
        "projectNo": case, "assessNumber": number, "deptName": "市教育局", "pf": 1, "satisfaction": satisfaction,
        "assessTime": at, "isDefault": "否", "isValid": "是",
    }  # fmt: skip


RATINGS = {
    "service_rating_20211231.jsonl": [
        rating("A1", 1, "2021-12-30 10:00:00", 1),
        rating("A2", 1, "2021-12-30 11:00:00", 5),
    ],
    "service_rating_20220630.jsonl": [rating("A1", 2, "2022-01-02 10:00:00", 5)],
}


@pytest.mark.parametrize("order", list(permutations(RATINGS)))
def test_a_second_rating_leaves_the_earlier_half_year_in_either_order(
    warehouse: Settings, order: tuple[str, ...]
) -> None:
    for name in order:
        place(warehouse, name, "".join(json.dumps(r, ensure_ascii=False) + "\n" for r in RATINGS[name]).encode())
        touched = load(warehouse, "service_rating")
    # Whichever came last, the rating of the other half-year is a different one now.
    assert "2021-S2" in touched
    assert values(warehouse, "valid_ratings") == {"2021-S2": 1, "2022-S1": 1}


HEADER = "工单来源,工单编号,诉求类型,承办单位,派单时间,办理时限,处理状态\n"
TICKETS = {
    "hotline_ticket_20211231.csv": "市12345,T1,咨询,市教育局,2021-12-31 09:00:00,2022-01-10 09:00:00,办理中\n",
    "hotline_ticket_20220630.csv": "市12345,T1,咨询,市公安局,2022-01-05 09:00:00,2022-01-10 09:00:00,已改派\n"
    "省12345,T1,咨询,市公安局,2022-01-05 09:00:00,2022-01-10 09:00:00,已退单\n",
}


@pytest.mark.parametrize("order", list(permutations(TICKETS)))
def test_a_ticket_counts_where_it_was_first_dispatched_in_either_order(
    warehouse: Settings, order: tuple[str, ...]
) -> None:
    for name in order:
        place(warehouse, name, (HEADER + TICKETS[name]).encode("gb18030"))
        load(warehouse, "hotline_ticket")
    assert values(warehouse, "hotline_tickets") == {"2021-S2": 1, "2022-S1": 1}
    # By the last dispatch both are of 2022.
    with warehouse_module.transaction(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select value from indicators.figure where period = '2022-S1' and indicator_code = 'hotline_tickets' "
            "and reading = 'by_last_dispatch' and body_code is null"
        )
        assert cursor.fetchall() == [(2,)]


def test_a_lot_without_a_day_counts_nowhere_until_it_is_traded(warehouse: Settings) -> None:
    header = "标段编号,项目编号,项目名称,交易类别,成交日期,成交金额(万元),成交人,状态\n"
    place(warehouse, "resource_trade_20211231.csv", (header + "L1,P1,道路,工程建设,,,,流标\n").encode())
    load(warehouse, "resource_trade")
    with warehouse_module.transaction(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("select tableoid::regclass::text from core.resource_trade where upper_inf(known_at)")
        assert cursor.fetchall() == [("core.resource_trade_undated",)]
    assert values(warehouse, "resource_trades") == {}

    traded = header + 'L1,P1,道路,工程建设,2022-06-30,"1,198.60",榕湾建设,已成交\n'
    place(warehouse, "resource_trade_20220630.csv", traded.encode())
    assert "2022-S1" in load(warehouse, "resource_trade")
    assert values(warehouse, "resource_trades") == {"2022-S1": 1}
    (amount,) = values(warehouse, "resource_trade_amount").values()
    assert str(amount) == "0.11986"


def test_events_of_new_and_known_half_years_and_of_none_lie_where_they_belong(warehouse: Settings) -> None:
    """A new half-year is filled before it becomes a partition, and has the indexes of one then."""
    header = "标段编号,项目编号,项目名称,交易类别,成交日期,成交金额(万元),成交人,状态\n"
    days = {"L1": "2021-07-01", "L2": "2021-12-31", "L3": "2022-01-01", "L4": "2020-03-05", "L5": ""}

    def lots(*names: str) -> bytes:
        rest = {name: f"{days[name]},1,榕湾建设,已成交" if days[name] else ",,,流标" for name in names}
        return (header + "".join(f"{name},P1,道路,工程建设,{rest[name]}\n" for name in names)).encode()

    place(warehouse, "resource_trade_20211231.csv", lots("L1", "L2"))
    load(warehouse, "resource_trade")
    place(warehouse, "resource_trade_20220630.csv", lots(*days))
    load(warehouse, "resource_trade")
    with warehouse_module.transaction(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(
            "select lot_no, tableoid::regclass::text from core.resource_trade where upper_inf(known_at) order by lot_no"
        )
        assert cursor.fetchall() == [
            ("L1", "core.resource_trade_2021_s2"),
            ("L2", "core.resource_trade_2021_s2"),
            ("L3", "core.resource_trade_2022_s1"),
            ("L4", "core.resource_trade_2020_s1"),
            ("L5", "core.resource_trade_undated"),
        ]
        cursor.execute(
            "select i.relname from pg_index join pg_class as i on i.oid = indexrelid "
            "where indrelid = 'core.resource_trade'::regclass and not indisvalid"
        )
        assert cursor.fetchall() == []
        cursor.execute(
            "select distinct count(*) from pg_index where indrelid in (select inhrelid from pg_inherits "
            "where inhparent = 'core.resource_trade'::regclass) group by indrelid union all "
            "select count(*) from pg_index where indrelid = 'core.resource_trade'::regclass"
        )
        counts = {count for (count,) in cursor.fetchall()}
        assert len(counts) == 1, counts


def test_nobody_who_reads_events_waits_for_a_new_half_year(warehouse: Settings) -> None:
    with (
        warehouse_module.transaction(warehouse) as loading,
        warehouse_module.transaction(warehouse) as reading,
        loading.cursor() as cursor,
        reading.cursor() as reader,
    ):
        cursor.execute("select core.new_partition('service_rating', '1999-07-01')")
        assert cursor.fetchone() == ("service_rating_1999_s2",)
        cursor.execute("select core.attach_partition('service_rating', '1999-07-01')")
        cursor.execute("select core.new_partition('service_rating', '1999-07-01')")
        assert cursor.fetchone() == (None,)
        reader.execute("set local lock_timeout = '1s'")
        reader.execute("select count(*) from core.service_rating")
        assert reader.fetchone() == (0,)
        loading.rollback()


@pytest.mark.parametrize("order", list(permutations(("kiosk", "kiosk_transaction"))))
def test_a_reference_is_judged_whichever_file_came_first(warehouse: Settings, order: tuple[str, ...]) -> None:
    files = {
        "kiosk": (
            "kiosk_20220630.csv",
            "设备编号,行政区划代码,投放镇(街),设备状态\nK1,441289001,东平街道,在用\nK2,441289001,东平街道,停用\n",
        ),
        "kiosk_transaction": (
            "kiosk_transaction_20220630.csv",
            "设备编号,事项名称,办理日期,业务量\nK1,社保查询,2022-06-30,2\nK2,社保查询,2022-06-29,1\nK9,社保查询,2022-06-30,3\n",
        ),
    }
    for source in order:
        name, text = files[source]
        place(warehouse, name, text.encode())
        load(warehouse, source)
    with warehouse_module.transaction(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("select source, column_name, refers_to, value, rows from mart.unknown_reference")
        assert cursor.fetchall() == [("kiosk_transaction", "kiosk_code", "kiosk.kiosk_code", "K9", 1)]
    assert values(warehouse, "kiosk_transactions") == {"2022-S1": 6}
