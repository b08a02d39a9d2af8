"""Persons: when two names are one, and which accounts prove two persons."""

from __future__ import annotations

import pytest

from halfyear.publishing import person


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a", "ａ"),
        ("张三", "张 三"),
        ("张三", "张\u3000三"),
        ("张三", "张\u200b三\ufeff"),
        ("Zhang San", "zhangsan"),
        ("é", "e\u0301"),
        ("STRASSE", "straße"),
        ("张三", "张三\ufe00"),
        ("a", "a\u2060\u00ad"),
        ("甲", "\t甲\n"),
        ("㈱", "(株)"),
    ],
)
def test_names_that_are_one(one: str, other: str) -> None:
    assert person.key(one) == person.key(other)


@pytest.mark.parametrize(("one", "other"), [("张三", "张四"), ("a", "b"), ("e", "é"), ("o'neil", "oneil")])
def test_names_that_are_two(one: str, other: str) -> None:
    assert person.key(one) != person.key(other)


@pytest.mark.parametrize("name", ["", " ", "\u3000", "\u200b", "\u2800", "\u3164"])
def test_a_name_of_nothing_is_none(name: str) -> None:
    assert person.key(name) == ""


@pytest.mark.parametrize(
    ("way", "preparer", "approver", "expected"),
    [
        ("terminal", "peer:zhang", "peer:li", "os_account"),
        ("terminal", "peer:zhang", "peer:zhang", "declared"),
        ("terminal", "scram-sha-256:zhang", "scram-sha-256:li", "database_role"),
        ("terminal", "scram-sha-256:zhang", "ldap:li", "database_role"),
        ("terminal", "scram-sha-256:zhang", "ldap:zhang", "declared"),
        # A person may have one of each.
        ("terminal", "peer:zhang", "scram-sha-256:li", "declared"),
        # A server that lets everybody in proves nobody.
        ("terminal", "", "", "declared"),
        ("terminal", "", "peer:li", "declared"),
        ("airflow", "admin", "approver", "airflow"),
    ],
)
def test_what_two_accounts_prove(way: str, preparer: str, approver: str, expected: str) -> None:
    assert person.proof(way, preparer, approver) == expected
