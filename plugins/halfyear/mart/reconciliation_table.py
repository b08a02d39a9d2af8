"""Tables of reconciliation: what was printed of a half-year beside what its rows give, for people and programs."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from typing import Any

from psycopg2.extensions import connection as Connection
from rich.console import Console
from rich.text import Text

from halfyear.errors import UsageError
from halfyear.indicators.definition import DASH
from halfyear.mart.serialisation import Row, csv_text, plain_row
from halfyear.period import Period

#: The columns of ``mart.reconciliation``, but for the order.
RECONCILIATION_COLUMNS = (
    "period",
    "published_no",
    "indicator_code",
    "section",
    "name_zh",
    "name_en",
    "unit",
    "published_printed",
    "published_value",
    "computed_printed",
    "computed_value",
    "numerator",
    "denominator",
    "difference",
    "verdict",
    "reading",
    "explanation_zh",
    "explanation_en",
    "possible_denominators",
    "status",
)
_VERDICTS = {"一致": "green", "舍入差": "yellow", "口径差": "yellow", "差异": "red", "无来源": "red"}


def reconciliation_rows(connection: Connection, period: Period) -> list[dict[str, Any]]:
    """The printed figures of a half-year beside the computed ones, in the order of the report.

    Raises UsageError when nothing was entered as printed for this half-year.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {', '.join(RECONCILIATION_COLUMNS)} from mart.reconciliation where period = %s "
            "order by substring(published_no from '^[0-9]+')::integer, published_no",
            (str(period),),
        )
        rows = [dict(zip(RECONCILIATION_COLUMNS, row, strict=True)) for row in cursor]
    if not rows:
        raise UsageError(
            f"{period}: 尚未录入公布数 / nothing is entered as printed; add it to "
            "expectations/indicators/published_figure.csv and run: halfyear migrate"
        )
    return rows


def write_reconciliation(rows: Sequence[Row], form: str) -> None:
    """Print the comparison: a line per figure with its verdict, then how many there are of each verdict."""
    if form == "json":
        plain = [plain_row(row, RECONCILIATION_COLUMNS) for row in rows]
        sys.stdout.write(json.dumps(plain, ensure_ascii=False, indent=2) + "\n")
        return
    if form == "csv":
        sys.stdout.write(csv_text(RECONCILIATION_COLUMNS, rows))
        return
    heading = tuple(Text(w, style="bold") for w in ("号", "代码", "指标", "公布", "计算", "结论", "说明"))
    lines = [heading]
    for row in rows:
        words = " / ".join(filter(None, (row["explanation_zh"], row["explanation_en"])))
        lines.append(
            (
                Text(row["published_no"]),
                Text(row["indicator_code"]),
                Text(row["name_zh"] or DASH),
                Text(row["published_printed"]),
                Text(row["computed_printed"]),
                Text(row["verdict"], style=_VERDICTS[row["verdict"]]),
                Text(words),
            )
        )
    widths = [max(cells[n].cell_len for cells in lines) for n in range(len(heading))]
    console = Console()
    for cells in lines:
        line = Text("  ").join(cell + " " * (width - cell.cell_len) for cell, width in zip(cells, widths, strict=True))
        line.rstrip()
        console.print(line, soft_wrap=True, highlight=False)
    shares = [row for row in rows if row["possible_denominators"]]
    if shares:
        console.print("\n占比可能的分母 / counts that could print the shares", style="bold", highlight=False)
    for row in shares:
        of = "" if row["denominator"] is None else f"  (计算时 computed over {row['denominator']:f})"
        console.print(
            f"{row['published_no']}  {row['published_printed']}  {row['possible_denominators']}{of}",
            soft_wrap=True,
            highlight=False,
            markup=False,
        )
    counts = ", ".join(f"{v} {sum(r['verdict'] == v for r in rows)}" for v in _VERDICTS)
    console.print(
        f"\n{rows[0]['period']}: {len(rows)} 个公布数 printed figures: {counts}", soft_wrap=True, highlight=False
    )
