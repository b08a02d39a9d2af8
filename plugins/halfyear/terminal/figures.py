"""Commands of figures: the tables, the rows behind a number, and whether both agree."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from halfyear import period as periods
from halfyear import settings as settings_module
from halfyear.errors import UsageError
from halfyear.terminal import options
from halfyear.terminal.group import Section

SECTION = Section("指标 Figures")
_FORMS = {".txt": "table", ".json": "json", ".csv": "csv", ".xlsx": "xlsx"}


@SECTION.command()
@click.argument("period")
@options.BODY
@options.AS_KNOWN
@options.form_or_name(*_FORMS.values())
@options.output(f"写入文件，扩展名即格式 / Write to a file; its name says the format: {', '.join(_FORMS)}.")
def indicators(period: str, body: str | None, as_known: str | None, form: str | None, output: Path | None) -> None:
    """半年期指标表，含环比、同比 / Print the indicator table of a PERIOD such as 2022-S1, with 环比 and 同比."""
    from halfyear import warehouse
    from halfyear.mart import indicator_table
    from halfyear.terminal import figure_table

    settings = settings_module.load()
    chosen = options.chosen_form(form, output, _FORMS)
    if chosen == "xlsx" and output is None:
        raise UsageError("xlsx 需要 -o 文件名 / a workbook needs a file: -o indicators.xlsx")
    with warehouse.transaction(settings) as connection:
        half = periods.parse(period)
        rows = indicator_table.indicator_rows(connection, half, body, options.instant(connection, half, as_known))
    try:
        if chosen != "table":
            indicator_table.write_indicators(rows, chosen, output)
        elif output is None:
            figure_table.show_indicators(rows)
        else:
            figure_table.save_indicators(rows, output)
    except OSError as error:
        if output is None:
            raise
        raise options.cannot_write(output, error) from None


@SECTION.command()
@click.argument("period")
@click.argument("code")
@options.BODY
@options.AS_KNOWN
@click.option("--reading", default="", help="指标的其他口径 / A second reading of the definition.")
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=0,
    help="列出的行数，0 为全部（默认） / Rows to list; 0 = all (default).",
)
@options.form("table", "json", "csv")
def trace(period: str, code: str, body: str | None, as_known: str | None, reading: str, limit: int, form: str) -> None:
    """指标背后的行，及剔除的行 / List the rows behind the indicator CODE of a PERIOD, with file and line, and those left out."""
    from halfyear import warehouse
    from halfyear.terminal import trace_table

    settings = settings_module.load()
    with warehouse.transaction(settings) as connection:
        half = periods.parse(period)
        then = options.instant(connection, half, as_known)
        trace_table.write(connection, half, code, reading, body, then, form, limit)


@SECTION.command()
@click.argument("period")
@options.form("table", "json", "csv")
def reconcile(period: str, form: str) -> None:
    """与公布数逐一对账 / Compare what was printed for a PERIOD with what the rows say, figure by figure.

    公布数录于 / What was printed is in expectations/indicators/published_figure.csv. 结论 / Verdicts: 一致 equal as
    printed, 舍入差 equal at another rounding, 口径差 another reading reproduces it, 差异 different, 无来源 nothing computed.
    已重述 as an earlier vintage had it. 有一个既非一致也非已重述，退出码即为 1 / Exit code 1 when a figure is neither 一致 nor 已重述.
    公布数自相矛盾之处列于表后 / Where what was printed contradicts itself is said below the table.
    """
    from halfyear import warehouse
    from halfyear.mart import reconciliation_table
    from halfyear.publishing.vintage import SETTLED
    from halfyear.terminal import figure_table

    settings = settings_module.load()
    with warehouse.transaction(settings) as connection:
        half = periods.parse(period)
        rows = reconciliation_table.reconciliation_rows(connection, half)
        contradictions = reconciliation_table.contradictions(connection, half)
    if form == "table":
        figure_table.show_reconciliation(rows, contradictions)
    else:
        click.echo(reconciliation_table.reconciliation_text(rows, form), nl=False)
    sys.exit(0 if all(row["verdict"] in SETTLED for row in rows) else options.FINDINGS)


@SECTION.command()
@click.argument("period", required=False)
@click.option(
    "--recompute",
    is_flag=True,
    help="先整期重算，改正故障留下的值 / Compute the half-year anew first, whole; mends what a fault left behind.",
)
@options.form("table", "json")
def audit(period: str | None, recompute: bool, form: str) -> None:
    """逐值核对指标与其行 / Compare every figure of a PERIOD (default: all), of the city and of every body, with what its
    rows give.

    每个指标的查询重做一遍：暂定数按现在所知的行，最新一版封存数按封存时所知的行。有不符时退出码为 1 / Each definition's select is
    asked again: of provisional figures with the rows known now, of those of the newest seal with the rows known when it
    was sealed. Exit code 1 when a figure differs.
    """
    from halfyear.publishing import publication
    from halfyear.scheduling import night
    from halfyear.terminal import console

    if recompute:
        for each in [period] if period else night.computed_periods():
            computed = night.compute(each, everything=True)
            click.echo(
                f"{each}: 已计算指标（含各口径） indicators with their readings computed: {computed}",
                err=form == "json",
            )
    found = night.audit(period)
    if form == "json":
        named = [d.as_dict() for d in (*found.differences, *found.moved)]
        click.echo(json.dumps(named, ensure_ascii=False, indent=2))
    else:
        for line in publication.audited(found):
            console.say(line)
    sys.exit(options.FINDINGS if found.differences else 0)
