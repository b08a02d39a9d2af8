"""What a night prints: progress while it runs, then one line per delivery and what to do about the bad ones."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any

from rich.box import SIMPLE
from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.table import Table
from rich.text import Text

from halfyear import warehouse
from halfyear.settings import Settings

if TYPE_CHECKING:
    from halfyear.scheduling.scheduler_run import Run

#: Verdicts after which somebody has to act.
_TROUBLE = ("refused", "loaded_with_quarantine")


class NightProgress:
    """Shows the night on the terminal: a line per event, and one line that moves."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._task = progress.add_task("starting", total=None)
        self._states: dict[tuple[str, str], str] = {}

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def step(self, what: str, number: int, total: int) -> None:
        self._progress.update(self._task, description=f"{what}: file {number} of {total}")

    def run(self, run: Run) -> None:
        """A DAG run changed its state."""
        self._states[(run.dag_id, run.run_id)] = run.state
        if run.finished:
            key = f" [{run.partition_key}]" if run.partition_key else ""
            seconds = f" in {run.seconds:.0f} s" if run.seconds is not None else ""
            self.say(f"{run.dag_id}{key}: {run.state}{seconds}")
        going = sorted(
            f"{dag_id} {state}" for (dag_id, _), state in self._states.items() if state not in ("success", "failed")
        )
        self._progress.update(self._task, description=", ".join(going) or "waiting")


@contextmanager
def progress() -> Iterator[NightProgress]:
    """Progress on standard error, so that what is printed can be piped."""
    console = Console(stderr=True)
    columns = (SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(20), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
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
    console = Console()
    rows = _deliveries(settings, since)
    if not rows:
        console.print(f"nothing new in the inbox; nothing was changed ({seconds:.0f} s)", highlight=False)
        return
    table = Table(
        title=f"{len(rows)} deliveries in {seconds:.0f} s; read = loaded + bad (quarantined) + skipped",
        title_justify="left",
        box=SIMPLE,
        pad_edge=False,
    )
    # A name that keeps to the agreement fits; any other may be as long as it likes.
    table.add_column("file", overflow="fold", min_width=max(min(len(row["file_name"]), 36) for row in rows))
    table.add_column("verdict", overflow="fold")
    for name in ("read", "loaded", "bad", "skip"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in rows:
        late = " (late)" if row["is_late"] else ""
        numbers = (str(row[n]) for n in ("rows_read", "rows_loaded", "rows_quarantined", "rows_skipped"))
        style = {"refused": "red", "loaded_with_quarantine": "yellow"}.get(row["verdict"] or "")
        table.add_row(Text(row["file_name"]), f"{row['verdict'] or 'waiting'}{late}", *numbers, style=style)
    console.print(table)
    for row in rows:
        if row["verdict"] == "refused":
            console.print(
                f"{row['file_name']}: {row['rule']}: {row['reason_zh']} / {row['reason_en']}",
                style="red",
                markup=False,
                highlight=False,
                soft_wrap=True,
            )
    quarantined = sum(row["rows_quarantined"] for row in rows)
    if quarantined:
        console.print(
            f"{quarantined} rows in quarantine; each is in quarantine.rejected_row with rule, column and reason, and "
            "`halfyear check FILE` lists them",
            highlight=False,
            soft_wrap=True,
        )
    for line in _findings(settings):
        console.print(line, markup=False, highlight=False, soft_wrap=True)


def exit_code(settings: Settings, since: datetime) -> int:
    """1 when this night refused a file or quarantined a row, else 0."""
    return int(any(row["verdict"] in _TROUBLE for row in _deliveries(settings, since)))


def _deliveries(settings: Settings, since: datetime) -> list[dict[str, Any]]:
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select delivery.file_name, delivery.verdict, delivery.is_late, delivery.rule, delivery.reason_zh, "
            "delivery.reason_en, coalesce(load.rows_read, 0), coalesce(load.rows_loaded, 0), "
            "coalesce(load.rows_quarantined, 0), coalesce(load.rows_skipped, 0) "
            "from lineage.delivery as delivery left join lineage.load as load using (delivery_id) "
            "where (delivery.judged_at >= %s or delivery.verdict is null) and delivery.verdict is distinct from 'ignored' "
            "order by delivery.source, delivery.snapshot_date, delivery.sequence, delivery.file_name",
            (since,),
        )
        names = (
            "file_name",
            "verdict",
            "is_late",
            "rule",
            "reason_zh",
            "reason_en",
            "rows_read",
            "rows_loaded",
            "rows_quarantined",
            "rows_skipped",
        )
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
            f"{column}: {values} values in {rows} rows (as {example}) are in no accepted snapshot of {to}"
            for column, to, values, rows, example in cursor
        ]
        cursor.execute(
            "select period, rule, description_zh, description_en, body_name, trim_scale(difference)::text, "
            "count(*) over (partition by period, rule) from mart.identity where not is_kept "
            "order by period, rule, body_code nulls first"
        )
        disagreements: dict[tuple[str, str], str] = {}
        for period, rule, zh, en, body, difference, bodies_count in cursor:
            more = f" and {bodies_count - 1} more" if bodies_count > 1 else ""
            disagreements.setdefault(
                (period, rule), f"{period} {rule}: {zh} / {en}: {body} is off by {difference}{more}; see mart.identity"
            )
        cursor.execute(
            "select period, count(*), min(name_zh || ' ' || sealed_printed || ' → ' || provisional_printed) "
            "filter (where body_code is null) from mart.restatement_candidate group by period order by period"
        )
        moved = [
            f"{period}: {count} sealed figures would be others now{f' (as {example})' if example else ''}; "
            f"see: halfyear restate {period}"
            for period, count, example in cursor
        ]
    lines = []
    if bodies:
        more = f" and {len(bodies) - 10} more" if len(bodies) > 10 else ""
        lines.append(
            f"names in neither list of bodies: {'、'.join(bodies[:10])}{more}; their rows count for the city only; "
            "draft the missing lines with: halfyear bodies"
        )
    return [*lines, *references, *disagreements.values(), *moved]
