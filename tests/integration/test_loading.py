"""What is known now is a function of the set of deliveries: any order, repetition and interleaving ends alike.

The rows are laid into staging by hand here; the files have their own tests. Hypothesis draws the deliveries and
their order; a second, plain implementation in this file says what must come out.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

import pytest
from deliveries import settle
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from psycopg2.extensions import connection as Connection

from halfyear import warehouse as warehouse_module
from halfyear.contract import Contract
from halfyear.core import lock, verdict
from halfyear.period import Period
from halfyear.settings import Settings
from halfyear.warehouse import core_table

FIRST_DAY = date(2021, 12, 29)


def contract(mode: str) -> Contract:
    return Contract.model_validate(
        {
            "id": f"sample_{mode}",
            "version": "1",
            "name": {"zh": "样例", "en": "Sample"},
            "description": "A sample",
            "domain": "sample",
            "grain": "one row per key",
            "mode": mode,
            "format": "csv",
            "periodProperty": "happened_on" if mode == "events" else None,
            "slaProperties": {"frequency": "0 1 * * *", "deliveries": "irregular"},
            "properties": [
                {"name": "code", "businessName": "编号", "format": "code", "primaryKey": True},
                {"name": "state", "businessName": "状态"},
                {"name": "happened_on", "businessName": "日期", "logicalType": "date", "required": True},
            ],
        }
    )


@dataclass(frozen=True)
class Delivery:
    """``rows``: key → content; content None means quarantined with a readable key."""

    day: int
    sequence: int
    rows: tuple[tuple[str, str | None], ...]
    is_usable: bool = True

    @property
    def snapshot_date(self) -> date:
        return FIRST_DAY + timedelta(days=self.day)

    @property
    def sha256(self) -> str:
        return hashlib.sha256(repr((self.rows, self.is_usable)).encode()).hexdigest()

    @property
    def passed(self) -> dict[str, tuple[str, int]]:
        return {key: (state, n) for n, (key, state) in enumerate(self.rows, start=2) if state is not None}

    @property
    def held(self) -> set[str]:
        return {key for key, state in self.rows if state is None}


@dataclass
class Ledger:
    """Enters deliveries into a real warehouse as a night would, after reading and checks."""

    connection: Connection
    contract: Contract
    loads: dict[int, Delivery] = field(default_factory=dict)

    def deliver(self, delivery: Delivery) -> set[Period] | None:
        source = self.contract.source
        with self.connection.cursor() as cursor:
            cursor.execute(
                "insert into lineage.delivery (source, snapshot_date, sequence, file_name, sha256) "
                "values (%s, %s, %s, %s, %s) on conflict do nothing returning delivery_id",
                (
                    source,
                    delivery.snapshot_date,
                    delivery.sequence,
                    f"{source}_{delivery.snapshot_date:%Y%m%d}_{delivery.sequence}.csv",
                    delivery.sha256,
                ),
            )
            row = cursor.fetchone()
            if row is None:  # the very same file once more
                return None
            cursor.execute(
                "select 1 from lineage.load inner join lineage.delivery using (delivery_id) "
                "where source = %s and snapshot_date = %s and sha256 = %s",
                (source, delivery.snapshot_date, delivery.sha256),
            )
            if cursor.fetchone() is None:
                cursor.execute("select nextval('lineage.load_id')")
                load_id = cursor.fetchone()[0]  # type: ignore[index]
                self.loads[load_id] = delivery
                passed, held = len(delivery.passed), len(delivery.held)
                usable = delivery.is_usable
                cursor.execute(
                    "insert into lineage.load (load_id, delivery_id, contract_version, contract_fingerprint, "
                    "code_version, rows_read, rows_passed, rows_loaded, rows_quarantined, rows_skipped, state, started_at) "
                    "values (%s, %s, '1', '', '', %s, %s, 0, %s, %s, %s, now())",
                    (
                        load_id,
                        row[0],
                        passed + held,
                        passed if usable else 0,
                        held,
                        passed,
                        "checked" if usable else "refused",
                    ),
                )
                for line, (key, state) in enumerate(delivery.rows, start=2):
                    if state is None:
                        cursor.execute(
                            "insert into quarantine.rejected_row values (%s, %s, %s, null, 'state_required', '', '', null)",
                            (load_id, line, key),
                        )
            lock.hold_source(cursor, source)
            return settle(self.connection, self.contract, self.rows)

    def rows(self, load_id: int) -> str:
        delivery = self.loads[load_id]
        table = f"{self.contract.source}_{load_id}"
        with self.connection.cursor() as cursor:
            cursor.execute(f"drop table if exists staging.{table}")
            cursor.execute(
                f"create table staging.{table} "
                "(row_number bigint, record_key text, snapshot_date date, code text, state text, happened_on date)"
            )
            for key, (state, line) in delivery.passed.items():
                cursor.execute(
                    f"insert into staging.{table} values (%s, %s, %s, %s, %s, %s)",
                    (line, key, delivery.snapshot_date, key, state, date(2021, 12, 31)),
                )
        return table

    def now(self) -> list[tuple[Any, ...]]:
        valid = "lower(valid_at), upper(valid_at)" if self.contract.mode == "register" else "null, null"
        with self.connection.cursor() as cursor:
            cursor.execute(
                f"select record_key, state, row_number, {valid} from core.{self.contract.source} "
                "where upper_inf(known_at) order by record_key, 4"
            )
            return cursor.fetchall()


def standing(contract: Contract, deliveries: set[Delivery]) -> dict[date, Delivery]:
    """Which delivery stands for each day, by the judge, from the whole set at once."""
    numbered = dict(enumerate(sorted(deliveries, key=repr)))
    first = {(d.snapshot_date, d.sha256): n for n, d in reversed(numbered.items())}
    found, _ = verdict.judge(
        contract,
        [
            verdict.Candidate(
                n,
                d.snapshot_date,
                d.sequence,
                d.sha256,
                first[(d.snapshot_date, d.sha256)],
                first[(d.snapshot_date, d.sha256)] == n,
                d.is_usable,
                (len(d.passed) if d.is_usable else 0) + len(d.held),
                len(d.held),
                False,
            )
            for n, d in numbered.items()
        ],
    )
    return {day: numbered[n] for day, n in found.items()}


def expected(contract: Contract, deliveries: set[Delivery]) -> list[tuple[Any, ...]]:
    """The rows known now, worked out record by record."""
    days = standing(contract, deliveries)
    keys = {key for d in days.values() for key in d.passed}
    rows: list[tuple[Any, ...]] = []
    for key in sorted(keys):
        if contract.mode == "events":
            newest = max(day for day, d in days.items() if key in d.passed)
            rows.append((key, *days[newest].passed[key], None, None))
            continue
        version: list[Any] | None = None
        for day in sorted(days):
            delivery = days[day]
            if key in delivery.passed:
                state, line = delivery.passed[key]
                if version is None or version[0] != state:
                    if version:
                        rows.append((key, version[0], version[1], version[2], day))
                    version = [state, line, day]
            elif key not in delivery.held and version:
                rows.append((key, version[0], version[1], version[2], day))
                version = None
        if version:
            rows.append((key, version[0], version[1], version[2], None))
    return sorted(rows, key=lambda row: (row[0], row[3] or date.min))


_ROWS = st.dictionaries(st.sampled_from("ABCD"), st.sampled_from(["x", "y", None, None]), max_size=4)
_DELIVERIES = st.lists(
    st.builds(
        Delivery,
        day=st.integers(0, 4),
        sequence=st.integers(1, 3),
        rows=_ROWS.map(lambda rows: tuple(rows.items())),
        is_usable=st.sampled_from([True, True, True, False]),
    ),
    min_size=1,
    max_size=7,
)


@pytest.fixture
def connection(warehouse: Settings) -> Iterator[Connection]:
    opened = warehouse_module.connect(warehouse, "owner")
    with opened.cursor() as cursor:
        for mode in ("register", "events"):
            core_table.derive(cursor, contract(mode), lambda line: None)
    opened.commit()
    yield opened
    opened.close()


@pytest.mark.parametrize("mode", ["register", "events"])
@hypothesis_settings(
    max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture], derandomize=True
)
@given(deliveries=_DELIVERIES, data=st.data())
def test_order_does_not_matter(connection: Connection, mode: str, deliveries: list[Delivery], data: Any) -> None:
    sample = contract(mode)
    order = data.draw(st.permutations(deliveries + deliveries[:2]))
    ledger = Ledger(connection, sample)
    try:
        for number, delivery in enumerate(order):
            ledger.deliver(delivery)
            so_far = set(order[: number + 1])
            assert ledger.now() == expected(sample, so_far), f"after {order[: number + 1]}"
        _assert_history_is_sound(connection, sample)
    finally:
        connection.rollback()


def _assert_history_is_sound(connection: Connection, sample: Contract) -> None:
    """At no instant are two versions of a record known for one day."""
    overlap = "and one.valid_at && two.valid_at" if sample.mode == "register" else ""
    with connection.cursor() as cursor:
        cursor.execute(
            f"select count(*) from core.{sample.source} as one inner join core.{sample.source} as two "
            f"on one.record_key = two.record_key and one.ctid <> two.ctid and one.known_at && two.known_at {overlap}"
        )
        assert cursor.fetchone() == (0,)


def test_a_held_record_that_arrives_changed_begins_its_next_version_anew(connection: Connection) -> None:
    """In every order: held on day 4, shown on day 5, and what day 3 says of it may come last."""
    sample = contract("register")
    deliveries = [
        Delivery(4, 1, (("A", "x"), ("C", None))),
        Delivery(5, 1, (("C", "y"),)),
        Delivery(0, 1, (("B", "y"), ("C", "y"))),
        Delivery(3, 1, (("C", "x"),)),
    ]
    connection.commit()
    for order in itertools.permutations(deliveries):
        ledger = Ledger(connection, sample)
        for delivery in order:
            ledger.deliver(delivery)
        assert ledger.now() == expected(sample, set(deliveries)), order
        connection.rollback()


def test_unchanged_snapshot_writes_nothing(connection: Connection) -> None:
    ledger = Ledger(connection, contract("register"))
    ledger.deliver(Delivery(0, 1, (("A", "x"), ("B", "y"))))
    before = ledger.now()
    with connection.cursor() as cursor:
        cursor.execute("select count(*) from core.sample_register")
        count = cursor.fetchone()
        ledger.deliver(Delivery(1, 1, (("A", "x"), ("B", "y"))))
        cursor.execute("select count(*) from core.sample_register")
        assert cursor.fetchone() == count
    assert ledger.now() == before


def test_late_correction_touches_only_its_half_year(connection: Connection) -> None:
    ledger = Ledger(connection, contract("register"))
    for day, state in ((0, "x"), (1, "x"), (2, "x"), (4, "y")):
        ledger.deliver(Delivery(day, 1, (("A", state), ("B", "x"))))
    with connection.cursor() as cursor:
        # Both half-years have been computed before.
        cursor.execute(
            "insert into indicators.observation (period, indicator_code, reading, printed, definition_hash, computed_at) "
            "select period, 'x', '', '—', '', now() from lineage.open_period"
        )
    # 30 December 2021 is corrected; the lists of 31 December and 2 January stand.
    settlement = ledger.deliver(Delivery(1, 2, (("A", "z"), ("B", "x"))))
    assert settlement is not None
    assert [str(p) for p in settlement] == ["2021-S2"]
