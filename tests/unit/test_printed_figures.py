"""What printed words mean as a number, in a unit."""

from __future__ import annotations

from decimal import Decimal

import pytest

from halfyear.indicators import published_figure


@pytest.mark.parametrize(
    ("printed", "unit", "number", "decimals"),
    [
        ("8次", "次", "8", 0),
        ("77人（次）", "人次", "77", 0),
        ("80.30%", "%", "80.30", 2),
        ("５％", "%", "5", 0),
        ("12,345件", "件", "12345", 0),
        ("12，345件", "件", "12345", 0),
        ("约1.1986亿元", "亿元", "1.1986", 4),
        ("11986万元", "亿元", "1.1986", 4),
        ("1.1986亿元", "万元", "11986", 0),
        ("1.2万件", "件", "12000", -3),
        ("1.2万件", "万件", "1.2", 1),
        ("下降-0.5%", "%", "-0.5", 1),
        ("528笔", "笔/台", "528", 0),
        ("2022年3月差评工单798张", "张", "798", 0),
        ("第1季度共798", "张", "798", 0),
        ("3-5月5件", "件", "5", 0),
        ("两次", "次", "2", 0),
        ("一百零五件", "件", "105", 0),
        ("三万五千件", "万件", "3.5", 1),
        ("未收到", "宗", "0", 0),
        ("全覆盖", "%", "100", 0),
    ],
)
def test_words_mean_a_number(printed: str, unit: str, number: str, decimals: int) -> None:
    assert published_figure.read(printed, unit) == [(Decimal(number), decimals)]


@pytest.mark.parametrize(("printed", "unit"), [("每周", "周"), ("第一次、第二次", "轮"), ("一网通办", "项")])
def test_words_without_a_number_are_read_by_a_person(printed: str, unit: str) -> None:
    assert published_figure.read(printed, unit) is None


def test_a_share_is_no_count() -> None:
    assert published_figure.read("5%", "件") == []


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("十", 10),
        ("十二", 12),
        ("两千零一万", 20010000),
        ("二〇二二", 2022),
        ("一亿二千万", 120000000),
        ("三百万零六", 3000006),
    ],
)
def test_numerals(text: str, number: int) -> None:
    assert published_figure.numeral(text) == number
