"""What is said of a change is true: 100,000 random pairs, from the database's arithmetic to the words of the report."""

from __future__ import annotations

import random
import re
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

import pytest

from halfyear import settings as settings_module
from halfyear import warehouse as warehouse_module
from halfyear.indicators import definition
from halfyear.indicators.definition import Definition, printed_change
from halfyear.indicators.figure import FIGURE_COLUMNS
from halfyear.publishing.report import wording
from halfyear.settings import Settings

PAIRS = 100_000
_NUMBER = re.compile(r"(增长|下降|提高|增加|减少)(\d+(?:\.\d+)?)(.*)")


def pair(draw: random.Random, kind: str) -> tuple[Decimal, Decimal]:
    """Two values; often near each other, equal, zero, or next to 100."""
    digits = draw.choice((0, 0, 1, 2, 4, 10))

    def value() -> Decimal:
        most = 100 if kind == "ratio" else 10 ** draw.choice((1, 2, 4, 6))
        return Decimal(draw.randint(0, most * 10**digits)).scaleb(-digits)

    then = draw.choice((value(), value(), Decimal(0), Decimal(100), Decimal("99.996")))
    near = then + Decimal(draw.randint(-5, 5)).scaleb(-draw.choice((0, 1, 3, 6)))
    return draw.choice((value(), max(near, Decimal(0)), then)), then


@pytest.mark.parametrize("kind", ["stock", "flow", "ratio", "average"])
def test_a_change_is_what_it_says(warehouse: Settings, kind: str) -> None:
    draw = random.Random(kind)
    known = definition.load_all(settings_module.load().sql).values()
    base = next(d for d in known if d.kind == kind and d.readings[0] != "year_end_before")
    pairs = [pair(draw, kind) for _ in range(PAIRS // 4)]
    with warehouse_module.transaction(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select indicators.change(%s, now, earlier) from unnest(%s::numeric[], %s::numeric[]) "
            "with ordinality as asked (now, earlier, place) order by place",
            (kind, [now for now, _ in pairs], [then for _, then in pairs]),
        )
        changes = [row[0] for row in cursor]
    for (now, then), change in zip(pairs, changes, strict=True):
        of = replace(base, decimals=draw.choice((0, 1, 2)), template="{value}{unit}")
        if then == 0:
            assert change is None
        else:
            exact = _exact(now, then, kind)
            assert abs(Fraction(change) - exact) <= Fraction(1, 10**11)
            _is_true(printed_change(change, kind, of.decimals).rstrip("%百分点"), exact)
        _words(now, then, change, of)


def _exact(now: Decimal, then: Decimal, kind: str) -> Fraction:
    moved = Fraction(now) - Fraction(then)
    return moved if kind == "ratio" else moved * 100 / Fraction(then)


def _is_true(written: str, exact: Fraction) -> None:
    """A written number is the exact one, rounded at its own last digit, and 0 and 100 are exact."""
    decimals = len(written.partition(".")[2])
    assert abs(Fraction(written) - exact) <= Fraction(1, 2 * 10**decimals) + Fraction(1, 10**11), (written, exact)
    if abs(Fraction(written)) in (0, 100):
        assert abs(Fraction(written) - exact) <= Fraction(1, 10**11), (written, exact)


def _words(now: Decimal, then: Decimal, change: Decimal | None, of: Definition) -> None:
    figure = {
        **dict.fromkeys(FIGURE_COLUMNS), "period": "2022-S1", "value": now, "previous_value": then,
        "previous_printed": of.printed(then), "change_on_previous": change,
    }  # fmt: skip
    said = wording.worded(figure, of).partition("，")[0]
    assert ("持平" in said and "基本" not in said) == (now == then), (said, now, then)
    if "基本持平" in said:
        assert of.printed(now) == of.printed(then)
    found = _NUMBER.search(said)
    if found is None:
        return
    verb, written, unit = found.groups()
    assert (verb in ("增长", "提高", "增加")) == (now > then), said
    if unit == of.unit and verb in ("增加", "减少"):
        _is_true(written, abs(Fraction(now) - Fraction(then)))
    else:
        if of.kind == "ratio":
            assert unit == "个百分点", said
        _is_true(written, abs(_exact(now, then, of.kind)))
