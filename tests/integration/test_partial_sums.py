"""What changed, added to the sums of before, gives the sums of all rows: whatever was delivered and computed between.

Hypothesis draws deliveries of every source that has definitions which are decided within a record or group: late,
corrected, delivered again, superseded, moved to another half-year, rated twice, dispatched before.
"""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear import contract as contracts
from halfyear import indicator, loading, partial_sum
from halfyear import settings as settings_module
from halfyear import warehouse as warehouse_module
from halfyear.contract import Contract, Property
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE, Settings

SETTINGS = settings_module.load()
CONTRACTS = contracts.load_all(SETTINGS.expectations)
SOURCES = sorted(
    {d.sources[0] for d in indicator.load_all(SETTINGS.sql).values() if d.decided_within is not None},
)
FIRST_DAY = date(2021, 12, 29)
#: On both sides of the boundary of two half-years, and one far away from it.
TIMES = [datetime(2022, 1, 1), datetime(2021, 12, 31, 23, 59), datetime(2022, 1, 2, 9), datetime(2021, 6, 30, 12)]
#: The tables that a delivery and a computation write, beside those of the source.
WRITTEN = (
    "lineage.delivery, lineage.load, lineage.standing, lineage.observation_input, core.spanning_group, "
    "indicators.observation, indicators.partial_sum, indicators.summed_through, indicators.changed_record, "
    "indicators.stale, indicators.announcement"
)

Row = dict[str, Any]


@dataclass(frozen=True)
class Delivery:
    day: int
    sequence: int
    rows: tuple[tuple[tuple[str, Any], ...], ...]

    @property
    def snapshot_date(self) -> date:
        return FIRST_DAY + timedelta(days=self.day)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(repr(self.rows).encode()).hexdigest()


@dataclass
class Warehouse:
    """One source in a warehouse that has no other definitions than those of the source."""

    connection: Connection
    loader: Connection
    contract: Contract
    loads: dict[int, Delivery] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # What an example that failed left open would keep the next one waiting.
        self.connection.rollback()
        self.loader.rollback()
        self.run(f"truncate {WRITTEN}, core.{self.contract.source} cascade")

    def run(self, statement: str, *values: Any) -> list[tuple[Any, ...]]:
        with self.connection.cursor() as cursor:
            cursor.execute(statement, values or None)
            rows = cursor.fetchall() if cursor.description else []
        self.connection.commit()
        return rows

    def deliver(self, delivery: Delivery) -> None:
        """Enter a delivery as a night would, after reading and checks, and commit."""
        source, number = self.contract.source, len(delivery.rows)
        with self.connection, self.connection.cursor() as cursor:
            cursor.execute(
                "insert into lineage.delivery (source, snapshot_date, sequence, file_name, sha256) "
                "values (%s, %s, %s, %s, %s) on conflict do nothing returning delivery_id",
                (
                    source,
                    delivery.snapshot_date,
                    delivery.sequence,
                    f"{delivery.day}_{delivery.sequence}",
                    delivery.sha256,
                ),
            )
            row = cursor.fetchone()
            if row is None:  # the very same file once more
                return
            cursor.execute(
                "select from lineage.load inner join lineage.delivery using (delivery_id) "
                "where source = %s and snapshot_date = %s and sha256 = %s",
                (source, delivery.snapshot_date, delivery.sha256),
            )
            if cursor.fetchone() is None:
                cursor.execute("select nextval('lineage.load_id')")
                (load_id,) = cursor.fetchone() or (0,)
                self.loads[load_id] = delivery
                cursor.execute(
                    "insert into lineage.load (load_id, delivery_id, contract_version, contract_fingerprint, "
                    "code_version, rows_read, rows_passed, rows_loaded, rows_quarantined, rows_skipped, state, "
                    "started_at) values (%s, %s, '1', '', '', %s, %s, 0, 0, %s, 'checked', now())",
                    (load_id, row[0], number, number, number),
                )
            loading.lock(cursor, source)
            loading.settle(self.connection, self.contract, self.rows)

    def rows(self, load_id: int) -> str:
        table = f"{self.contract.source}_{load_id}"
        columns = self.contract.columns
        with self.connection.cursor() as cursor:
            cursor.execute(f"drop table if exists staging.{table}")
            listed = ", ".join(f'"{p.column}" {p.postgres_type}' for p in columns)
            cursor.execute(f"create table staging.{table} (row_number bigint, record_key text, {listed})")
            for number, row in enumerate(map(dict, self.loads[load_id].rows), start=2):
                key = "|".join(str(row[p.column]) for p in self.contract.key)
                cursor.execute(
                    f"insert into staging.{table} values ({', '.join(['%s'] * (len(columns) + 2))})",
                    (number, key, *(row[p.column] for p in columns)),
                )
        return table

    def compute(self) -> None:
        for period in indicator.stale_periods(self.loader):
            indicator.compute(self.loader, period)
        assert indicator.stale_periods(self.loader) == []
        self.loader.commit()

    def check(self) -> None:
        """The sums are those of all rows, and the observations those of the sums."""
        halves = [Period(*row) for row in self.run(
            "select left(period, 4)::integer, right(period, 1)::integer from lineage.open_period"
        )]  # fmt: skip
        for definition in indicator.definitions(self.loader).values():
            for half in halves:
                self._check(definition, half)
        assert self.run("select count(*) from lineage.observation_input where rows <= 0") == [(0,)]

    def _check(self, definition: indicator.Definition, half: Period) -> None:
        pair = (str(half), *definition.pair)
        of_pair = "where period = %s and indicator_code = %s and reading = %s"
        with self.loader.cursor() as cursor:
            for column, kept in (
                ("body_code", f"select body_code, rows, numerator, denominator from indicators.partial_sum {of_pair}"),
                ("load_id", f"select load_id, rows from lineage.observation_input {of_pair}"),
            ):
                cursor.execute(
                    f"select {column}, {partial_sum.TOTALS} from ({definition.query}) as contribution group by 1",
                    indicator._parameters(half, None),
                )
                width = 4 if column == "body_code" else 2
                made = {row[:width] for row in cursor}
                cursor.execute(kept, pair)
                assert set(cursor.fetchall()) == made, (definition.pair, str(half), column)
            cursor.execute(
                f"select body_code, numerator, denominator, value from indicators.observation {of_pair} "
                "and superseded_at is null",
                pair,
            )
            shown = set(cursor.fetchall())
        asked = indicator.observe(self.loader, definition, half)
        assert shown == {(o.body_code, o.numerator, o.denominator, o.value) for o in asked}
        self.loader.commit()


@pytest.fixture
def opened(warehouse: Settings) -> Iterator[Callable[[str], Warehouse]]:
    owner = warehouse_module.connect(warehouse, "owner")
    loader = warehouse_module.connect(warehouse, "loader")

    def begin(source: str) -> Warehouse:
        return Warehouse(owner, loader, CONTRACTS[source])

    def only(source: str) -> Warehouse:
        with owner, owner.cursor() as cursor:
            cursor.execute("delete from indicators.definition where sources <> array[%s]", (source,))
        return begin(source)

    yield only
    owner.close()
    loader.close()


def values(prop: Property, bodies: tuple[str, ...]) -> st.SearchStrategy[Any]:
    """A few values of a property, null where it may be; the first far more often, so that records meet each other."""
    found: list[Any]
    if prop.primary_key and prop.logical_type == "string" and prop.values is None and prop.name != "indicator_code":
        return st.sampled_from("ABC")
    if prop.name == "body_code":
        found = [*bodies, "unknown"]
    elif prop.name == "indicator_code":
        return st.sampled_from(["counter_complaints", "disinfection_weeks"])
    elif prop.name in ("round", "satisfaction_code"):
        return st.integers(1, 2)
    elif prop.values is not None:
        found = list(prop.values)[:2]
    elif prop.logical_type == "timestamp":
        found = [time.replace(tzinfo=LOCAL_ZONE) for time in TIMES]
    elif prop.logical_type == "date":
        found = [time.date() for time in TIMES]
    elif prop.logical_type == "boolean":
        found = [False, True]
    elif prop.logical_type in ("integer", "number"):
        found = [1, 0, 3]
    else:
        found = ["X"]
    return st.sampled_from([found[0]] * 4 + found + ([] if prop.is_required else [None]))


def deliveries(contract: Contract, bodies: tuple[str, ...]) -> st.SearchStrategy[Delivery]:
    row = st.fixed_dictionaries({p.column: values(p, bodies) for p in contract.columns})
    rows = st.lists(row, min_size=1, max_size=2, unique_by=lambda r: tuple(r[p.column] for p in contract.key))
    return st.builds(
        Delivery,
        day=st.integers(0, 5),
        sequence=st.sampled_from([1, 1, 1, 2]),
        rows=rows.map(lambda rows: tuple(tuple(each.items()) for each in rows)),
    )


@pytest.mark.parametrize("source", SOURCES)
def test_what_changed_leads_to_the_sums_of_all_rows(opened: Callable[[str], Warehouse], source: str) -> None:
    here = opened(source)
    bodies = tuple(row[0] for row in here.run("select code from core.body where level = '村' order by code limit 2"))
    bodies += tuple(row[0] for row in here.run("select parent_code from core.body where code = %s", bodies[0]))
    is_computed = st.sampled_from([True, True, True, False])
    steps = st.lists(st.tuples(deliveries(CONTRACTS[source], bodies), is_computed), min_size=5, max_size=8)

    @hypothesis_settings(
        max_examples=100 if CONTRACTS[source].period_group else 40,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        derandomize=True,
    )
    @given(steps)
    def hold(steps: list[tuple[Delivery, bool]]) -> None:
        """Each is delivered, with or without a computation; the first once more at the end, which changes nothing."""
        place = Warehouse(here.connection, here.loader, here.contract)
        for delivery, is_computed in [*steps, steps[0]]:
            place.deliver(delivery)
            if is_computed:
                place.compute()
        place.compute()
        place.check()

    hold()


# ---------------------------------------------------------------- one night after another


def ticket(number: str, at: datetime, **fields: Any) -> tuple[tuple[str, Any], ...]:
    row: Row = {p.column: None for p in CONTRACTS["hotline_ticket"].columns}
    row |= {
        "ticket_source": "市12345", "ticket_no": number, "request_kind": "咨询", "body_name": "", "ticket_status": "已办结",
        "dispatched_at": at.replace(tzinfo=LOCAL_ZONE), "due_at": at.replace(tzinfo=LOCAL_ZONE),
        "satisfaction": "满意",
    } | fields  # fmt: skip
    return tuple(row.items())


def night(day: int, *rows: tuple[tuple[str, Any], ...]) -> Delivery:
    return Delivery(day, 1, rows)


JANUARY = datetime(2022, 1, 2, 9)


@pytest.fixture
def computed(opened: Callable[[str], Warehouse]) -> Warehouse:
    """Two tickets of 2022-S1, computed."""
    here = opened("hotline_ticket")
    here.deliver(night(5, ticket("A", JANUARY), ticket("B", JANUARY)))
    here.compute()
    return here


def tickets(here: Warehouse) -> Any:
    return here.run(
        "select numerator from indicators.observation where period = '2022-S1' and indicator_code = 'hotline_tickets' "
        "and reading = '' and body_code is null and superseded_at is null"
    )


def all_rows_asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The pairs whose sums are made from all rows from here on."""
    made: list[str] = []
    replace = partial_sum.replace

    def noted(cursor: Cursor, query: str, parameters: Any) -> datetime | None:
        made.append(".".join(filter(None, (parameters["code"], parameters["reading"]))))
        return replace(cursor, query, parameters)

    monkeypatch.setattr(partial_sum, "replace", noted)
    return made


def test_a_night_asks_only_what_changed(computed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    made = all_rows_asked(monkeypatch)
    computed.deliver(night(6, ticket("B", JANUARY, satisfaction="不满意"), ticket("C", JANUARY)))
    computed.compute()
    assert (made, tickets(computed)) == ([], [(3,)])
    computed.check()


def test_a_mark_that_no_load_made_asks_all_rows(computed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    computed.run("update indicators.partial_sum set rows = 7, numerator = 7")
    made = all_rows_asked(monkeypatch)
    computed.run("select indicators.mark_stale(null, array['2022-S1'], 'somebody doubts it')")
    computed.compute()
    assert len(made) == len(indicator.definitions(computed.loader))
    computed.check()


def test_changed_declarations_ask_all_rows(computed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    made = all_rows_asked(monkeypatch)
    computed.run("update lineage.declaration set fingerprint = 'another list of bodies'")
    computed.deliver(night(6, ticket("C", JANUARY)))
    computed.compute()
    assert len(made) == len(indicator.definitions(computed.loader))


def test_very_many_changes_ask_all_rows(computed: Warehouse, monkeypatch: pytest.MonkeyPatch) -> None:
    made = all_rows_asked(monkeypatch)
    monkeypatch.setattr(loading, "MANY_RECORDS", 2)
    computed.deliver(night(6, *(ticket(number, JANUARY) for number in "CDE")))
    assert computed.run("select record_key from indicators.changed_record order by known_from desc limit 1") == [
        (None,)
    ]
    computed.compute()
    assert (len(made), tickets(computed)) == (len(indicator.definitions(computed.loader)), [(5,)])


def test_sums_that_do_not_agree_are_made_anew(
    computed: Warehouse, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    computed.run("update indicators.partial_sum set rows = 0 where indicator_code = 'hotline_tickets'")
    computed.deliver(night(6, ticket("B", datetime(2021, 12, 31))))
    with caplog.at_level(logging.WARNING):
        computed.compute()
    assert "made anew" in caplog.text
    computed.check()


def test_a_computation_that_is_killed_leaves_nothing_behind(
    computed: Warehouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def killed(cursor: Cursor, reached: Any) -> None:
        raise KeyboardInterrupt

    computed.deliver(night(6, ticket("C", JANUARY)))
    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(partial_sum, "trim", killed)
        computed.compute()
    assert tickets(computed) == [(2,)]
    computed.compute()
    assert tickets(computed) == [(3,)]
    computed.check()


@pytest.mark.parametrize("moment", ["states", "newest_instant", "lay_changed_rows", "replace", "by_body", "trim"])
@pytest.mark.parametrize("mark", [None, "all rows"])
def test_a_load_that_commits_meanwhile_is_not_lost(
    computed: Warehouse, warehouse: Settings, monkeypatch: pytest.MonkeyPatch, moment: str, mark: str | None
) -> None:
    """Whenever it commits, it is in the figures or its mark remains, and it is never counted twice."""
    with closing(warehouse_module.connect(warehouse, "owner")) as other:
        late = Warehouse.__new__(Warehouse)
        late.connection, late.loader, late.contract, late.loads = other, other, computed.contract, {}
        pending = [night(7, ticket("D", JANUARY), ticket("A", JANUARY, satisfaction="不满意"))]
        original = getattr(partial_sum, moment)

        def meanwhile(*given: Any) -> Any:
            """Before what it was to do, or after it where it tells what is known."""
            found = original(*given) if moment == "newest_instant" else None
            if pending:
                late.deliver(pending.pop())
            return found if moment == "newest_instant" else original(*given)

        computed.deliver(night(6, ticket("C", JANUARY)))
        if mark:
            computed.run("select indicators.mark_stale(null, array['2022-S1'], %s)", mark)
        monkeypatch.setattr(partial_sum, moment, meanwhile)
        indicator.compute(computed.loader, Period(2022, 1))
        assert tickets(computed) in ([(3,)], [(4,)])
        if pending:  # nothing had to be made from all rows
            late.deliver(pending.pop())
    computed.compute()
    assert tickets(computed) == [(4,)]
    computed.check()


def test_two_half_years_forget_what_both_have_reached(computed: Warehouse) -> None:
    computed.deliver(night(2, ticket("E", datetime(2021, 12, 31))))
    computed.compute()
    # Only 2022-S1 changes; 2021-S2 has not moved and keeps nothing back.
    computed.deliver(night(6, ticket("C", JANUARY)))
    computed.compute()
    assert computed.run("select count(*), count(record_key) from indicators.changed_record") == [(1, 0)]
    assert computed.run("select count(distinct known_through) from indicators.summed_through") == [(1,)]
    # What comes to the other half-year then is found all the same.
    computed.deliver(night(3, ticket("F", datetime(2021, 12, 30))))
    computed.compute()
    computed.check()


def test_a_half_year_that_is_gone_leaves_no_sums(computed: Warehouse) -> None:
    computed.run("update lineage.standing set snapshot_date = '2021-12-31'")
    computed.compute()
    for table in ("indicators.partial_sum", "indicators.summed_through", "lineage.observation_input"):
        assert computed.run(f"select count(*) from {table} where period = '2022-S1'") == [(0,)]
