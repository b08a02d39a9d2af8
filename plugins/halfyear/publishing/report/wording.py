"""Wording: what the half-year report says in words, of a rise or fall, a day and a half-year."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from halfyear.indicators.definition import Definition
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE

Figure = Mapping[str, Any]

# From this growth on a per cent says less than a multiple.
_MULTIPLE_FROM = Decimal(300)


def worded(figure: Figure | None, definition: Definition) -> str:
    """环比 and 同比 of a figure in words, from the values; ratios move in 百分点.

    From threefold growth on the multiple is said, 增至上期的4.1倍, since 增长300% and 增长3倍 are read for each other.
    """
    if figure is None:
        return "环比、同比均无可比数据"
    said = [
        _compared(figure["value"], figure[earlier], figure[change], base, definition)
        for earlier, change, base in (
            ("previous_value", "change_on_previous", "上期"),
            ("year_ago_value", "change_on_year", "上年同期"),
        )
    ]
    if said[0] == said[1] and not re.search(r"\d", said[0]):
        return f"环比、同比均{said[0]}"
    return f"环比{said[0]}，同比{said[1]}"


def _compared(
    value: Decimal | None, earlier: Decimal | None, change: Decimal | None, base: str, definition: Definition
) -> str:
    if value is None or earlier is None:
        return "无可比数据"
    now, then = definition.shown(value), definition.shown(earlier)
    if now == then:
        return "持平"
    if change is None:  # over zero
        return f"不计增幅（{base}为零）"
    size = abs(change).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
    if definition.kind == "ratio":
        return f"{'提高' if change > 0 else '下降'}{size:f}个百分点"
    if now == 0:
        return f"由{definition.printed(earlier)}降至零"
    if size == 0:
        return "基本持平"
    if change >= _MULTIPLE_FROM:
        times = (now / then).quantize(Decimal("0.1"), rounding=ROUND_HALF_UP)
        return f"增至{base}的{times:f}倍"
    return f"{'增长' if change > 0 else '下降'}{size:f}%"


def day(moment: date) -> str:
    """A day as a report writes it: 2022年6月30日, in Asia/Shanghai."""
    if isinstance(moment, datetime) and moment.tzinfo is not None:
        moment = moment.astimezone(LOCAL_ZONE)
    return f"{moment.year}年{moment.month}月{moment.day}日"


def title(period: Period) -> str:
    """2022年上半年"""
    return f"{period.year}年{'上' if period.semester == 1 else '下'}半年"
