"""Wording: what the half-year report says in words, of a rise or fall, a day and a half-year."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, NamedTuple

from halfyear import period as periods
from halfyear.indicators.definition import Definition
from halfyear.indicators.figure import NOT_COMPARABLE
from halfyear.indicators.rounding import change_shown
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE

Figure = Mapping[str, Any]

# From this growth on a per cent says less than a multiple.
_MULTIPLE_FROM = Decimal(300)
# Of a smaller count a per cent says more than there is: 从 3 次到 2 次 is no 下降33%.
_SMALL_BASE = 30


class Comparison(NamedTuple):
    """One of the two half-years that a figure is compared with, by the columns of mart.indicator.

    ``lead`` begins what is said of it, 环比 or 比上年末; ``base`` is what it is called in a sentence, 上期.
    """

    lead: str
    base: str
    value: Decimal | None
    printed: str | None
    change: Decimal | None
    not_comparable: str | None


def comparisons(figure: Figure, definition: Definition) -> list[Comparison]:
    """What a figure is compared with. A stock stands beside that of the year's end; a list that is fixed at the year's
    end is the same in both half-years, and has no 环比."""
    is_stock = definition.kind == "stock" and not has_no_previous(definition)
    is_first_half = periods.parse(figure["period"]).semester == 1
    at_year_end = ("比上年末", "上年末")
    previous = ("环比", "上期") if not is_stock else at_year_end if is_first_half else ("比上半年末", "上半年末")
    year_ago = ("同比", "上年同期") if not is_stock or is_first_half else at_year_end
    found = [
        Comparison(
            *words,
            figure[f"{base}_value"],
            figure[f"{base}_printed"],
            figure[change],
            figure[f"{base}_not_comparable"],
        )
        for words, base, change in (
            (previous, "previous", "change_on_previous"),
            (year_ago, "year_ago", "change_on_year"),
        )
    ]
    return found[1:] if has_no_previous(definition) else found


def has_no_previous(definition: Definition) -> bool:
    """Whether both half-years of a year read the same list."""
    return definition.readings[0] == "year_end_before"


def is_small_base(then: Decimal, definition: Definition) -> bool:
    """Whether a count is so small that its change is said by how many and not by per cent."""
    return definition.kind in ("stock", "flow") and abs(then) < _SMALL_BASE


def worded(figure: Figure | None, definition: Definition) -> str:
    """The changes of a figure in words: from exact values, at the decimals of the figure.

    Ratios move in 百分点, small counts by so many; from threefold growth on the multiple is said, 增至上期的4.1倍, since
    增长300% and 增长3倍 are read for each other.
    """
    if figure is None:
        return "环比、同比均无可比数据"
    compared = comparisons(figure, definition)
    said = [_compared(figure["value"], each, definition) for each in compared]
    if len(said) == 2 and said[0] == said[1] and not re.search(r"\d|^比", said[0]):
        leads = [_lead(each, said[0]) for each in compared]
        return f"{'、'.join(leads)}均{said[0]}"
    return "，".join(f"{_lead(each, text)}{text}" for each, text in zip(compared, said, strict=True))


def _lead(base: Comparison, text: str) -> str:
    """How what is said of a comparison begins: 比上年末增长, but 与上年末持平, and nothing where the base is named already."""
    if text.startswith("比") or (text.startswith("增至") and base.lead.startswith("比")):
        return ""
    return re.sub(r"^比", "与", base.lead) if re.match("持平|基本持平|无可比|不可比", text) else base.lead


def _compared(now: Decimal | None, base: Comparison, definition: Definition) -> str:
    if now is None or base.value is None:
        return "无可比数据"
    if base.not_comparable:
        return f"不可比（{NOT_COMPARABLE[base.not_comparable].zh}）"
    then = base.value
    if now == then:
        return "持平"
    rises = now > then
    if is_small_base(then, definition):
        return f"比{base.base}{'增加' if rises else '减少'}{definition.printed(abs(now - then))}"
    if base.change is None:  # over zero
        return f"不计增幅（{base.base}为零）"
    if definition.shown(now) == definition.shown(then):
        return "基本持平"
    size = change_shown(base.change, definition.decimals)
    if definition.kind == "ratio":
        return f"{'提高' if rises else '下降'}{size:f}个百分点"
    if now == 0:
        return f"由{base.printed}降至零"
    if base.change >= _MULTIPLE_FROM:
        times = (now / then).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
        return f"增至{base.base}的{times:f}倍"
    return f"{'增长' if rises else '下降'}{size:f}%"


def day(moment: date) -> str:
    """A day as a report writes it: 2022年6月30日, in Asia/Shanghai."""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        moment = moment.astimezone(LOCAL_ZONE)
    return f"{moment.year}年{moment.month}月{moment.day}日"


def title(period: Period) -> str:
    """2022年上半年"""
    return f"{period.year}年{'上' if period.semester == 1 else '下'}半年"
