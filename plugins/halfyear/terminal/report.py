"""What a night prints: progress while it runs, then one line per delivery and what to do about the bad ones."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.cells import chop_cells
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from halfyear import warehouse
from halfyear.settings import Settings
from halfyear.statement_file import statement
from halfyear.terminal import console
from halfyear.terminal.account import VERDICTS

if TYPE_CHECKING:
    from halfyear.scheduling.scheduler_run import Run

#: Verdicts after which somebody has to act.
_TROUBLE = ("refused", "loaded_with_quarantine")
#: The cells of a file name on one line: any that keeps to the agreement fits, others go on in the next line.
_FILE_NAME = 36
#: Bodies that a finding names; `halfyear bodies` lists all.
_NAMES = 10


#: The states of a run of Airflow.
_STATES = {
    "queued": "排队 queued",
    "running": "运行 running",
    "retrying": "等待重试 retrying",
    "success": "成功 success",
    "failed": "失败 failed",
}


class NightProgress:
    """Shows the night on the terminal: a line per event, and one line that moves."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("开始 starting", total=None)
        self._states: dict[tuple[str, str], str] = {}

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def step(self, source: str, number: int, total: int) -> None:
        self._progress.update(self._task, description=f"{source}: 文件 file {number}/{total}")

    def run(self, run: Run) -> None:
        """A DAG run changed its state."""
        self._states[(run.dag_id, run.run_id)] = run.state
        if run.finished:
            key = f" [{run.partition_key}]" if run.partition_key else ""
            seconds = f" ({run.seconds:.0f} s)" if run.seconds is not None else ""
            self.say(f"{run.dag_id}{key}: {_STATES[run.state]}{seconds}")
        going = Counter(state for state in self._states.values() if state not in ("success", "failed"))
        said = ", ".join(f"{_STATES[state]}: {count}" for state, count in sorted(going.items()))
        self._progress.update(self._task, description=said or "等待 waiting")


@contextmanager
def progress() -> Iterator[NightProgress]:
    """Progress on standard error, so that what is printed can be piped."""
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as shown:
        yield NightProgress(shown)


def start(settings: Settings) -> datetime:
    """The instant, by the clock of the warehouse, from which on a verdict belongs to this night."""
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute("select clock_timestamp()")
        row = cursor.fetchone()
    assert row is not None
    instant: datetime = row[0]
    return instant


def night(settings: Settings, since: datetime, seconds: float) -> None:
    """Print the deliveries that were judged, or judged anew, since then: the account of their rows and their trouble."""
    rows = _deliveries(settings, since)
    if not rows:
        console.say(f"收件箱没有新文件 / nothing new in the inbox ({seconds:.0f} s)")
        return
    title = f"文件 files: {len(rows)} ({seconds:.0f} s); 读取 read = 装载 loaded + 隔离 bad + 跳过 skip"
    table = console.table(
        ("文件 file", "结论 verdict"), ("读取\nread", "装载\nloaded", "隔离\nbad", "跳过\nskip"), title
    )
    table.columns[0].no_wrap = True
    for row in rows:
        late = "，迟到 late" if row["is_late"] else ""
        numbers = (str(row[n]) for n in ("rows_read", "rows_loaded", "rows_quarantined", "rows_skipped"))
        style = {"refused": "red", "loaded_with_quarantine": "yellow"}.get(row["verdict"] or "")
        name = "\n".join(chop_cells(row["file_name"], _FILE_NAME))
        table.add_row(name, VERDICTS[row["verdict"]] + late, *numbers, style=style)
    console.show(table)
    for row in rows:
        if row["verdict"] == "refused":
            console.say(f"{row['file_name']}: {row['rule']}: {row['reason_zh']} / {row['reason_en']}", "red")
    quarantined = sum(row["rows_quarantined"] for row in rows)
    if quarantined:
        console.say(
            f"隔离的行 rows in quarantine: {quarantined}; 规则、列、原因见 / rule, column and reason of each are in "
            "quarantine.rejected_row; 逐行列出 / to list them: halfyear check FILE"
        )
    nulled = sum(row["values_nulled"] for row in rows)
    if nulled:
        console.say(
            f"按空值装载的值 values loaded as null: {nulled}; 其行照常装载 / their rows are loaded; 行、列、规则、原因见 / "
            "row, column, rule and reason of each are in quarantine.rejected_value"
        )
    for line in _findings(settings):
        console.say(line)


def exit_code(settings: Settings, since: datetime) -> int:
    """1 when this night refused a file or quarantined a row, else 0."""
    return int(any(row["verdict"] in _TROUBLE for row in _deliveries(settings, since)))


def judged(settings: Settings, since: datetime) -> int:
    """How many deliveries got their verdict since then."""
    return sum(row["verdict"] is not None for row in _deliveries(settings, since))


def _deliveries(settings: Settings, since: datetime) -> list[dict[str, Any]]:
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute(statement(__file__, "deliveries_of_night"), {"since": since})
        names = [column.name for column in cursor.description or ()]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]


def _findings(settings: Settings) -> list[str]:
    """What holds now and somebody should look at: bodies and references that nobody knows, figures that disagree."""
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select coalesce(body_name, body_code), source from mart.unknown_body order by source, rows desc, 1"
        )
        bodies = [f"{name} ({source})" for name, source in cursor]
        cursor.execute(
            "select source || '.' || column_name, refers_to, count(*), sum(rows), min(value) "
            "from mart.unknown_reference group by source, column_name, refers_to order by 1"
        )
        references = [
            f"{column}: 以下值不在 {to} 的任何有效快照中 / values that are in no accepted snapshot of {to}: {values}, "
            f"行 rows: {rows}, 例如 e.g. {example}"
            for column, to, values, rows, example in cursor
        ]
        cursor.execute(
            "select period, rule, description_zh, description_en, body_name, trim_scale(difference)::text, "
            "count(*) over (partition by period, rule) from mart.identity where not is_kept "
            "order by period, rule, body_code nulls first"
        )
        disagreements: dict[tuple[str, str], str] = {}
        for period, rule, zh, en, body, difference, count in cursor:
            more = f"; 另有 more: {count - 1}" if count > 1 else ""
            disagreements.setdefault(
                (period, rule),
                f"{period} {rule}: {zh} / {en}: {body}: 差 difference {difference}{more}; 见 see: mart.identity",
            )
        cursor.execute(
            "select period, count(*) filter (where body_code is null), count(*) filter (where body_code is not null), "
            "min(name_zh || ' ' || sealed_printed || ' → ' || provisional_printed) "
            "filter (where body_code is null) from mart.restatement_candidate group by period order by period"
        )
        moved = [
            f"{period}: 封存后有变动的数 figures that moved since: {city}, 各单位的 of bodies: {bodies_moved}"
            f"{f', 例如 e.g. {example}' if example else ''}; 见 see: halfyear restate {period}"
            for period, city, bodies_moved, example in cursor
        ]
    lines = []
    if bodies:
        more = f", 另有 more: {len(bodies) - _NAMES}" if len(bodies) > _NAMES else ""
        lines.append(
            f"单位名单中没有 / names in neither list of bodies: {'、'.join(bodies[:_NAMES])}{more}; 其行只计入全市 / their rows "
            "count for the city only; 起草名单行 / to draft the missing lines: halfyear bodies"
        )
    return [*lines, *references, *disagreements.values(), *moved]
