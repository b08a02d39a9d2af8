"""The account of a replay on the terminal: what became, or would become, of loads, rows, verdicts, figures and seals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from halfyear.terminal import console
from halfyear.terminal.account import VERDICTS

if TYPE_CHECKING:
    from halfyear.indicators.movement import Moved
    from halfyear.scheduling.replay import Replay


def show(done: Replay, is_dry_run: bool) -> None:
    """Print it, the figures of the city one by one; those of bodies are counted."""
    for name, deliveries in done.entered.items():
        what = (
            "原始区有而数据仓库没有，将装载 / only landing has them, to be loaded"
            if is_dry_run
            else "由原始区补录 / from landing"
        )
        console.say(f"{name}: {what}: 报送 deliveries {deliveries}")
    for source in done.sources:
        console.say(
            f"{source.source}: 重新判断的装载 loads judged again: {source.replaced + source.unchanged}, 其中相同 the same: "
            f"{source.unchanged}; 放行的行 rows freed: {source.freed}, 新隔离的行 rows newly held: {source.held}"
        )
        for name, before, after, reason in source.verdicts:
            console.say(
                f"{name}: {VERDICTS[before]} → {VERDICTS[after]}{f': {reason}' if reason else ''}",
                "red" if after == "refused" else "",
            )
    if not (done.sources or done.entered or done.failures):
        console.say("没有由旧合同判断的装载 / no load was judged by an older contract")
    if not is_dry_run:
        return
    _moved("会变动的指标 figures that would move", done.figures)
    _moved("会成为待重述的封存数 sealed figures that would become candidates", done.candidates)
    console.say("未作改动 / nothing was changed; 执行 to do it: halfyear replay")


def _moved(title: str, figures: Sequence[Moved]) -> None:
    city = [each for each in figures if each.key[3] is None]
    console.say(f"{title}: 全市 of the city {len(city)}, 各单位 of bodies {len(figures) - len(city)}")
    for each in city:
        period, code, reading, _ = each.key
        console.say(f"{period} {code}{f'.{reading}' if reading else ''}: {each.before} → {each.after}")
