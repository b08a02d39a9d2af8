"""Unified social credit codes and region codes, as PostgreSQL judges them for Great Expectations.

Resident and mobile numbers are judged by the reader: tests/unit/test_reading_identifiers.py.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path
from random import Random

import pytest
from psycopg2.extensions import connection as Connection
from stdnum import numdb
from stdnum.cn import uscc

from halfyear import settings as settings_module
from halfyear import warehouse as warehouses
from halfyear.contract import Contract
from halfyear.settings import Settings
from halfyear.staging import validation
from halfyear.terminal import file_check
from halfyear_demo import city

CORE = settings_module.load().expectations / "core"
CREDIT_ALPHABET = "0123456789ABCDEFGHJKLMNPQRTUWXY"
#: GB 32100-2015, as amended: the departments that register, each with categories that it gives.
CATEGORIES = {
    "1": "1239",
    "2": "19",
    "3": "123459",
    "4": "19",
    "5": "123459",
    "6": "129",
    "7": "129",
    "8": "19",
    "9": "123",
    "A": "19",
    "N": "1239",
    "Y": "1",
}


@pytest.fixture
def connection(warehouse: Settings) -> Iterator[Connection]:
    # As the loader, who does the checks of a night.
    opened = warehouses.connect(warehouse)
    yield opened
    opened.close()


def right(connection: Connection, codes: list[str]) -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "select code from unnest(%s) with ordinality as given (code, place)"
            " where core.is_unified_social_credit_code(code) order by place",
            (codes,),
        )
        return [code for (code,) in cursor.fetchall()]


def credit_codes(rng: Random, count: int, kinds: list[str]) -> list[str]:
    def root() -> str:
        return "".join(rng.choices(CREDIT_ALPHABET, k=8))

    return [city.credit_code(kinds[i % len(kinds)], f"{rng.randrange(10**6):06d}", root()) for i in range(count)]


def test_codes_of_every_department_are_right(connection: Connection) -> None:
    kinds = [department + category for department, listed in CATEGORIES.items() for category in listed]
    codes = credit_codes(Random(32100), 5_000, kinds)
    # Two other programs say so too.
    assert all(uscc.calc_check_digit(code) == code[17] for code in codes)
    assert {code[0] for code in codes} == set(CATEGORIES)
    assert right(connection, codes) == codes


def test_a_wrong_character_or_two_that_changed_places_are_found(connection: Connection) -> None:
    rng = Random(11714)
    wrong = []
    for code in credit_codes(rng, 60, ["11", "91", "A1", "N2", "Y1"]):
        for place in range(18):
            wrong += [code[:place] + c + code[place + 1 :] for c in CREDIT_ALPHABET if c != code[place]]
        wrong += [
            code[:place] + code[place + 1] + code[place] + code[place + 2 :]
            for place in range(17)
            if code[place] != code[place + 1]
        ]
    assert len(wrong) > 30_000
    assert right(connection, wrong) == []


def test_a_code_whose_organisation_code_is_wrong_is_wrong(connection: Connection) -> None:
    """The last character alone does not make a code: with every other character of GB 11714 it is computed anew."""
    wrong = []
    for code in credit_codes(Random(17), 200, ["11", "A1", "N3", "Y1"]):
        bodies = [code[:16] + c for c in "0123456789X" if c != code[16]]
        wrong += [body + uscc.calc_check_digit(body + "0") for body in bodies]
    assert right(connection, wrong) == []


# -- region codes -----------------------------------------------------------------------------------------


def records(name: str) -> list[dict[str, str]]:
    with (CORE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_the_list_of_counties_is_that_of_the_package() -> None:
    """python-stdnum keeps the codes of all editions; ours are its codes, one a line."""
    provinces = numdb.get("cn/loc").prefixes
    codes = {province + rest for _, province, _, _, below in provinces for _, rest, _, _, _ in below}
    assert [row["county_code"] for row in records("county.csv")] == sorted(codes)
    # Of 1981, of 1988 to 1994, of today; provinces and cities without counties too.
    assert {"110110", "441228", "350405", "440000", "441900"} <= codes
    # The county of the demo exports is nobody's.
    assert city.REGION_CODE not in codes


def test_the_city_knows_every_region_of_its_bodies() -> None:
    regions = {row["region_code"]: row for row in records("region.csv")}
    assert {body["region_code"] for body in records("body.csv")} <= set(regions)
    assert len(regions) == len(records("region.csv"))
    for code, region in regions.items():
        assert re.fullmatch(rf"{city.REGION_CODE}(\d{{3}}(\d{{3}})?)?", code) and region["name"]
        assert region["level"] == {6: "市", 9: "镇", 12: "村"}[len(code)]
        assert region["level"] == "市" or code[:-3] in regions


PLACES = Contract.model_validate(
    {
        "id": "place",
        "version": "1.0.0",
        "name": {"zh": "地点", "en": "Places"},
        "description": "Places",
        "domain": "place",
        "grain": "one row per place",
        "mode": "register",
        "format": "csv",
        "slaProperties": {"frequency": "30 1 * * *", "deliveries": "irregular"},
        "properties": [
            {"name": "place_code", "businessName": "编号", "format": "code", "primaryKey": True},
            {"name": "region_code", "businessName": "区划代码", "format": "region_code"},
        ],
    }
)
KNOWN = [
    "441289",  # the city, its towns and villages, with 12 digits too
    "441289000",
    "441289000000",
    "441289001",
    "441289001000",
    "441289001001",
    "441289111202",
    "440000",  # the province, a city without counties, their towns
    "441900",
    "441900001",
    "441900001002",
    "110110",  # given up in 1986
    "441221",  # given up in 1988
    "350405",  # given in 2021
    None,
]
UNKNOWN = [
    "441288",
    "441288001",
    "441289999",  # no such town of ours
    "441289001999",
    "441289999000",
    "999999",
    "000000000000",
]
MALFORMED = ["4412", "44128900", "4412890010", "44128900100I", "4412890010011", ""]


def stage(connection: Connection, codes: list[str | None]) -> None:
    with connection.cursor() as cursor:
        cursor.execute(
            "create table staging.place_1 (row_number bigint, record_key text, snapshot_date date,"
            " place_code text, region_code text)"
        )
        cursor.execute(
            "insert into staging.place_1 select place, place, '2022-06-30', place, code"
            " from unnest(%s) with ordinality as given (code, place)",
            (codes,),
        )
    connection.commit()


def failing(warehouse: Settings, connection: Connection, codes: list[str | None]) -> dict[str, list[str | None]]:
    """The codes that break each rule, in their order."""
    stage(connection, codes)
    url = warehouses.sqlalchemy_url(warehouse)
    results = validation.run(connection, url, "staging", "place_1", PLACES, date(2022, 6, 30))
    found = {}
    for result in results:
        if not result.success:
            with connection.cursor() as cursor:
                cursor.execute(f"select row_number from ({result.failing_rows_query}) as f order by 1")
                found[result.rule] = [codes[number - 1] for (number,) in cursor.fetchall()]
            assert len(found[result.rule]) == result.unexpected_count
            assert result.severity == ("info" if result.rule == "region_code_known" else "warning")
    return found


def test_region_codes(warehouse: Settings, connection: Connection) -> None:
    codes: list[str | None] = [*KNOWN, *UNKNOWN, *MALFORMED]
    assert failing(warehouse, connection, codes) == {
        # A malformed code is rejected, so it is not also counted as unknown.
        "region_code_form": MALFORMED,
        "region_code_known": UNKNOWN,
    }


def test_region_codes_are_looked_up_in_hash_tables(warehouse: Settings, connection: Connection) -> None:
    """Not row by row: neither a function nor a nested loop."""
    stage(connection, ["441289"])
    url = warehouses.sqlalchemy_url(warehouse)
    queries = validation.failing_rows_sql(url, "staging", "place_1", PLACES, date(2022, 6, 30))
    with connection.cursor() as cursor:
        cursor.execute(f"explain {queries['region_code_known']}")
        plan = "\n".join(line for (line,) in cursor.fetchall())
    assert plan.count("hashed SubPlan") == 2, plan


def test_an_unknown_region_loads_and_a_malformed_one_does_not(warehouse: Settings, tmp_path: Path) -> None:
    rows = [
        "D1,政务服务中心,市,441289,是,是,2020-01-01",
        "D2,石塘镇大厅,镇,441289100,是,是,2020-01-01",
        "D3,新设镇大厅,镇,441289199,是,是,2020-01-01",
        "D4,石岗村大厅,村,441289100200,是,是,2020-01-01",
        "D5,无码大厅,村,4412891002,是,是,2020-01-01",
        *(f"H{n},大厅{n},村,441289101200,是,是,2020-01-01" for n in range(6)),
    ]
    path = tmp_path / "service_hall_20220630.csv"
    head = "大厅编号,大厅名称,层级,行政区划代码,是否提供扫码评价,是否落实首席代表,启用日期"
    path.write_text("\n".join([head, *rows]) + "\n", "utf-8-sig")
    verdict = file_check.check(path, None, warehouse)
    assert (verdict.verdict, verdict.rows_loaded, verdict.rows_quarantined) == ("loaded_with_quarantine", 10, 1)
    assert [(f.rule, f.severity, f.row, f.count) for f in verdict.findings] == [
        ("region_code_known", "info", None, 1),
        ("region_code_form", "warning", 6, 1),
    ]
