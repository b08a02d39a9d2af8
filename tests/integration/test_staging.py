"""Staging and what follows from it: keys that ascend, rows that are there twice, numbers as they were written."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from halfyear import contract as contracts
from halfyear import staging
from halfyear import warehouse as warehouse_module
from halfyear.scheduling import night
from halfyear.settings import Settings
from halfyear.staging import Staged, validation
from halfyear.staging.rule import KEY_IS_UNIQUE, suite

DAY = date(2022, 6, 30)
HEADER = "会议编号,主办单位,开始时间,结束时间,参会终端数,参会人数\n"


def line(number: str, terminals: str = "3") -> str:
    return f"{number},市教育局,2022-03-01 09:00:00,2022-03-01 10:00:00,{terminals},20\n"


def staged(settings: Settings, path: Path, *lines: str) -> tuple[Staged, list[Any], bool]:
    """Stage a file; its rows in order, and whether the checks find each key once."""
    path.write_text(HEADER + "".join(lines), "utf-8")
    contract = contracts.load_all(settings.expectations)["video_meeting"]
    with warehouse_module.transaction(settings) as connection:
        found = staging.stage(connection, path, contract, DAY, 1, settings, "csv")
        connection.commit()
        with connection.cursor() as cursor:
            cursor.execute(f'select row_number, record_key, snapshot_date from staging."{found.table}" order by 1')
            rows = cursor.fetchall()
        url = warehouse_module.sqlalchemy_url(settings)
        results = validation.run(connection, url, "staging", found.table, contract, DAY, keys_ascend=found.keys_ascend)
        assert [r.rule for r in results] == [r.rule for r in suite(contract)]
        (unique,) = [r for r in results if r.rule == KEY_IS_UNIQUE]
        assert unique.element_count == len(rows)
        return found, rows, unique.success


@pytest.mark.parametrize(
    ("lines", "ascend", "duplicates", "is_unique"),
    [
        ([line("A1"), line("A2"), line("B1")], True, 0, True),
        ([line("A2"), line("A1")], False, 0, True),
        ([line("A1"), line("A1"), line("A2")], False, 1, True),
        ([line("A1"), line("A1", "4")], False, 0, False),
        ([line("A1"), 'A2,"市教育局",2022-03-01 09:00:00,2022-03-01 10:00:00,3,20\n', line("A3")], True, 0, True),
        ([line("A1")], True, 0, True),
    ],
)
def test_keys_that_ascend_cannot_repeat(
    warehouse: Settings, tmp_path: Path, lines: Sequence[str], ascend: bool, duplicates: int, is_unique: bool
) -> None:
    found, rows, unique = staged(warehouse, tmp_path / "file.csv", *lines)
    assert (found.keys_ascend, found.rows_duplicate, unique) == (ascend, duplicates, is_unique)
    assert len(rows) == len(lines) - duplicates
    assert {day for *_, day in rows} == {DAY}


def test_keys_are_compared_across_batches(warehouse: Settings, tmp_path: Path) -> None:
    """More rows than are handed over at once; the last repeats the first."""
    numbers = [f"A{n:06d}" for n in range(25_000)]
    found, rows, _ = staged(warehouse, tmp_path / "file.csv", *map(line, numbers))
    assert found.keys_ascend
    assert [(row[0], row[1]) for row in rows] == list(enumerate(numbers, start=2))
    with warehouse_module.transaction(warehouse) as connection, connection.cursor() as cursor:
        staging.drop(cursor, found.table, found.rejected_table)
    found, rows, _ = staged(warehouse, tmp_path / "file.csv", *map(line, [*numbers, numbers[0]]))
    assert (found.keys_ascend, found.rows_duplicate, len(rows)) == (False, 1, 25_000)


def test_numbers_reach_core_as_they_were_written(warehouse: Settings) -> None:
    """The binary form of COPY brings ten decimals."""
    content = (
        "系统编号,系统名称,建设单位,建设单位代码,系统类型,等保级别,备案证明编号,测评日期,申请上云日期,迁移状态,完成上云日期,"
        "vCPU,内存(GB),存储(GB),CPU平均利用率\n"
        "S1,系统一,市教育局,,国垂,,,,2022-01-05,未启动,,4,16.50,0.125,35%\n"
    )
    contract = contracts.load_all(warehouse.expectations)["cloud_migration"]
    code = "11440000MB2C00000X"
    with warehouse_module.transaction(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("select code from core.body order by code limit 1")
        (code,) = cursor.fetchone() or (code,)
    path = Path(warehouse.inbox) / contract.source / f"{contract.source}_20220630.csv"
    path.parent.mkdir(parents=True)
    path.write_text(content.replace("市教育局,,", f"市教育局,{code},"), "utf-8")
    os.utime(path, (1_656_600_000, 1_656_600_000))
    (delivery_id,) = night.look(contract.source, warehouse).pending
    assert night.load_delivery(delivery_id, warehouse).verdict == "loaded"
    with warehouse_module.transaction(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("select memory_gb, storage_gb, memory_gb::text, storage_gb::text from core.cloud_migration")
        assert cursor.fetchall() == [(Decimal("16.5"), Decimal("0.125"), "16.5", "0.125")]
