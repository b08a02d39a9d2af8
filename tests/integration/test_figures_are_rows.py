"""Figures are what their rows say, whatever was delivered and computed between, and in whichever order."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from deliveries import (
    CONTRACTS,
    DAYS,
    Bodies,
    Delivery,
    Ledger,
    bodies,
    candidates,
    clear,
    delivery,
    key_of,
    only,
    plain_rows,
)
from hypothesis import HealthCheck, Phase, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg2.extensions import connection as Connection

from figures_are_rows import assert_figures_are_rows, differences
from halfyear import warehouse as warehouse_module
from halfyear.contract import Contract
from halfyear.core.settlement import Settling
from halfyear.indicators import computation
from halfyear.period import Period
from halfyear.scheduling import night
from halfyear.settings import Settings

FIGURES = Path(__file__).parents[1] / "figures"
EXAMPLES = 12
#: Sources that are delivered beside each other: a register and events, those that a definition reads together, and others.
WORLDS: list[tuple[str, ...]] = [
    ("service_item", "counter_case"),
    ("account_activation", "service_rating"),
    ("cloud_migration", "hotline_ticket"),
    ("kiosk", "kiosk_transaction"),
    ("data_catalogue", "manual_return"),
    ("catalogue_unit", "devolved_item"),
    ("approval_interface", "resource_trade"),
    ("network_site", "security_event"),
    ("service_hall", "supervision_act", "video_meeting"),
    ("app_usage", "enterprise_case"),
]
#: A source that is named in none of them is delivered alone.
WORLDS += [(source,) for source in sorted(CONTRACTS.keys() - {source for world in WORLDS for source in world})]


# ---------------------------------------------------------------- nights


def place(settings: Settings, case: str, night_no: int) -> None:
    """The files of a night of a case in the inbox, older than a minute."""
    for path in sorted((FIGURES / case / f"night_{night_no}").rglob("*.csv")):
        copied = Path(settings.inbox) / path.parent.name / path.name
        copied.parent.mkdir(exist_ok=True)
        copied.write_bytes(path.read_bytes())
        os.utime(copied, (1_656_600_000, 1_656_600_000))


def load(settings: Settings, source: str) -> None:
    for delivery_id in night.look(source, settings).pending:
        outcome = night.load_delivery(delivery_id, settings)
        assert outcome.verdict in ("loaded", "loaded_with_quarantine", "superseded"), outcome.line


def compute(settings: Settings) -> None:
    for half_year in night.stale_periods():
        night.compute(half_year)
    assert_figures_are_rows(settings)


def figures(settings: Settings, code: str, *half_years: str) -> dict[tuple[str, str | None], str]:
    """What is printed of an indicator, by half-year and body."""
    with warehouse_module.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select period, body_code, printed from mart.indicator where indicator_code = %s and period = any(%s)",
            (code, list(half_years)),
        )
        return {(half_year, body): printed for half_year, body, printed in cursor}


@pytest.mark.parametrize("nights", [[[1], [2]], [[1, 2]]], ids=["two nights", "one night"])
def test_a_correction_of_the_list_of_year_end(warehouse: Settings, nights: list[list[int]]) -> None:
    """Figures 14 and 15 of both half-years count the list of 31 December before."""
    for files in nights:
        for number in files:
            place(warehouse, "year_end_list", number)
        load(warehouse, "service_item")
        compute(warehouse)
    for code in ("cross_province_items", "cross_region_items"):
        found = figures(warehouse, code, "2022-S1", "2022-S2")
        assert {half_year: printed for (half_year, body), printed in found.items() if body is None} == {
            "2022-S1": "5项",
            "2022-S2": "5项",
        }


@pytest.mark.parametrize("nights", [[[1], [2]], [[1, 2]]], ids=["two nights", "one night"])
def test_a_name_that_another_body_takes_over(warehouse: Settings, nights: list[list[int]]) -> None:
    """The figure of a half-year is of the body that bore the name on its last day, whatever is delivered later."""
    with warehouse_module.transaction(warehouse, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select code from core.body where level = '市' order by code limit 2")
        (before,), (after,) = cursor.fetchall()
        cursor.execute(
            "insert into core.body_alias (name, code, valid_from, reviewed_by) values "
            "('改名局', %s, '2019-01-01', 'test'), ('改名局', %s, '2022-07-15', 'test')",
            (before, after),
        )
    for files in nights:
        for number in files:
            place(warehouse, "renamed_body", number)
        load(warehouse, "account_activation")
        compute(warehouse)
        assert figures(warehouse, "accounts_opened", "2022-S1") == {
            ("2022-S1", None): "3名",
            ("2022-S1", before): "3名",
        }


LOTS = "标段编号,项目编号,项目名称,交易类别,成交日期,成交金额(万元),成交人,状态\n"
SITES = "行政区划代码,名称,层级,是否接入\n441289107202,村委会,村,是\n"


def test_a_computation_beside_the_load_that_creates_a_half_year(
    warehouse: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The load is between its settlement and its commit, and the half-year, open by another source, is computed."""

    def write(name: str, text: str) -> None:
        path = Path(warehouse.inbox) / name.rpartition("_")[0] / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")
        os.utime(path, (1_656_600_000, 1_656_600_000))

    def lot(number: int, day: str) -> str:
        return f"L{number},P{number},道路,工程建设,{day},1,榕湾建设,已成交\n"

    write("network_site_20201231.csv", SITES)
    load(warehouse, "network_site")
    write("resource_trade_20211231.csv", LOTS + lot(1, "2021-12-31"))
    load(warehouse, "resource_trade")
    write("resource_trade_20201231.csv", LOTS + lot(2, "2020-12-30") + lot(3, "2020-12-31"))
    settled, may_commit, settle = threading.Event(), threading.Event(), Settling.finish

    def paused(settling: Settling) -> set[Period]:
        moved = settle(settling)
        settled.set()
        assert may_commit.wait(60)
        return moved

    with monkeypatch.context() as patch:
        patch.setattr(Settling, "finish", paused)
        loaded = threading.Thread(target=load, args=(warehouse, "resource_trade"))
        loaded.start()
        assert settled.wait(60)
        computed = threading.Thread(target=night.compute, args=("2020-S2",))
        computed.start()
        # Lots without a day lie in a default partition, which the load has locked to attach another one.
        while computed.is_alive() and not is_waiting(warehouse):
            time.sleep(0.02)
        may_commit.set()
        loaded.join(60)
        computed.join(60)
    assert "2020-S2" in night.stale_periods()
    compute(warehouse)
    assert figures(warehouse, "resource_trades", "2020-S2")["2020-S2", None] == "2宗"
    assert figures(warehouse, "resource_trade_amount", "2020-S2")["2020-S2", None] == "0.0002亿元"


def is_waiting(settings: Settings) -> bool:
    """Whether anybody waits for a lock."""
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute("select exists (select from pg_locks where not granted)")
        return cursor.fetchone() == (True,)


# ---------------------------------------------------------------- any order


def rows_of(contract: Contract, known: Bodies) -> st.SearchStrategy[dict[str, Any]]:
    """A plain row under one of a few keys, with other values in a few of its columns."""
    found = {p.column: candidates(contract, p, known) for p in contract.columns}
    keys = st.fixed_dictionaries({p.column: st.sampled_from(found[p.column]) for p in contract.key})
    changes = st.sampled_from(
        [(p.column, value) for p in contract.columns if not p.primary_key for value in found[p.column]]
    )
    plain = {column: values[0] for column, values in found.items()}
    return st.builds(lambda key, changed: plain | key | dict(changed), keys, st.lists(changes, max_size=4))


@st.composite
def histories(draw: st.DrawFn, contracts: list[Contract], known: Bodies) -> list[tuple[Delivery, str]]:
    """Deliveries of a few days from a few rows, so that files correct, repeat and contradict each other; and what is
    done after each: a computation of all that is due or of one half-year, or an operator's acceptance of a short list."""
    days = draw(st.lists(st.sampled_from(DAYS), min_size=2, max_size=3, unique=True))
    rows = {each.source: draw(st.lists(rows_of(each, known), min_size=1, max_size=4)) for each in contracts}
    steps = []
    for _ in range(draw(st.integers(3, 8))):
        contract = draw(st.sampled_from(contracts))
        of_file = st.lists(st.sampled_from(rows[contract.source]), min_size=1, max_size=3)
        held = draw(of_file) if contract.mode == "register" and draw(st.integers(0, 3)) == 3 else []
        file = delivery(
            contract.source,
            draw(st.sampled_from(days)),
            *draw(of_file),
            sequence=draw(st.sampled_from([1, 1, 2])),
            held=[key_of(contract, row) for row in held],
        )
        steps.append((file, draw(st.sampled_from(["all", "all", "one", "none", "accept"]))))
    return steps


@pytest.fixture
def owner(warehouse: Settings) -> Iterator[Connection]:
    with closing(warehouse_module.connect(warehouse, "owner")) as connection:
        yield connection


@pytest.fixture
def loader(warehouse: Settings) -> Iterator[Connection]:
    with closing(warehouse_module.connect(warehouse, "loader")) as connection:
        yield connection


@pytest.mark.parametrize("world", WORLDS, ids="-".join)
def test_any_order_of_deliveries_and_computations(
    owner: Connection, loader: Connection, world: tuple[str, ...]
) -> None:
    known = bodies(owner)
    only(owner, world)
    contracts = [CONTRACTS[source] for source in world]

    @hypothesis_settings(
        max_examples=EXAMPLES,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
        # To shrink what failed takes minutes.
        phases=[Phase.generate],
    )
    @given(histories(contracts, known))
    def hold(steps: list[tuple[Delivery, str]]) -> None:
        owner.rollback()
        loader.rollback()
        clear(owner, world)
        ledger = Ledger(loader)
        # The first one comes once more at the end, which changes nothing.
        for each, what in [*steps, (steps[0][0], "all")]:
            ledger.deliver(each)
            if what == "all":
                ledger.compute()
                assert list(differences(loader, ["together"])) == []
            elif what == "one":
                ledger.compute(computation.stale_periods(loader)[:1])
            elif what == "accept":
                ledger.accept()
        assert_figures_are_rows(loader)
        for contract in contracts:
            assert ledger.missing_groups(contract) == []

    hold()


def test_a_half_year_that_closes_and_opens_again(owner: Connection, loader: Connection) -> None:
    """Its figures are still there when it opens again, and what changed meanwhile was not to be seen in it."""
    known = bodies(owner)
    only(owner, ("network_site", "kiosk"))
    sites, kiosks = (plain_rows(CONTRACTS[source], known) for source in ("network_site", "kiosk"))
    ledger = Ledger(loader)
    ledger.deliver(delivery("network_site", DAYS[4], *sites))
    ledger.deliver(delivery("kiosk", DAYS[5], *kiosks))
    ledger.compute()
    # Two files claim one day and number, so neither stands.
    ledger.deliver(delivery("kiosk", DAYS[5], *kiosks[:2]))
    ledger.deliver(delivery("network_site", DAYS[4], *sites[:2], sequence=2))
    ledger.deliver(delivery("kiosk", DAYS[5], *kiosks, sequence=2))
    ledger.compute()
    assert_figures_are_rows(loader)
