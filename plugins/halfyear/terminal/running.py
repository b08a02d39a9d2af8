"""Commands of a night: exports, the night itself, the verdict on a file, and what came of it."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from halfyear import settings as settings_module
from halfyear.errors import HalfyearError, InfrastructureFault, UsageError
from halfyear.settings import LOCAL_ZONE, Settings
from halfyear.terminal import account, ending, home, options
from halfyear.terminal.group import Section

if TYPE_CHECKING:
    from threading import Event

    from halfyear.core.ledger import Outcome
    from halfyear.terminal.report import NightProgress

SECTION = Section("夜间处理 The night")


@SECTION.command()
@click.option(
    "--periods",
    "count",
    type=click.IntRange(1, 4),
    default=4,
    show_default=True,
    help="到 2022-S1 为止的半年期数 / Half-years up to 2022-S1.",
)
@options.SOURCE
def demo(count: int, sources: tuple[str, ...]) -> None:
    """把演示数据写入收件箱 / Write the demo exports into the inbox.

    已有相同内容的文件不动 / Those that are there already with the same bytes are left alone.
    """
    from halfyear.terminal import console

    try:
        import halfyear_demo as demo_module
    except ModuleNotFoundError:
        raise UsageError("没有安装演示数据，请运行 / the demo is not installed here; run: pip install ./demo") from None

    settings = settings_module.load()
    written = demo_module.write(Path(settings.inbox), count, sources=sources or tuple(demo_module.SOURCES))
    new = [w for w in written if w.is_new]
    for file in new:
        console.say(f"已写入 wrote {file.path}")
    console.say(
        f"{settings.inbox}: 已写入的演示文件 demo exports written: {len(new)}, 原有 there already: {len(written) - len(new)}"
    )


@SECTION.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--source",
    metavar="S",
    help="按此来源的合同判断，默认看文件名 / Judge the file by this contract; default: from its name.",
)
@click.option(
    "--limit",
    type=click.IntRange(min=0),
    default=100,
    show_default=True,
    help="列出的行数，0 为全部 / Rows to list; 0 = all.",
)
@options.form("table", "json")
def check(file: Path, source: str | None, limit: int, form: str) -> None:
    """逐行检查文件而不入库 / Give the verdict on a FILE, row by row, without loading anything."""
    from halfyear.terminal import file_check

    settings = settings_module.load()
    verdict = file_check.check(file, source, settings)
    if form == "json":
        click.echo(json.dumps([f.as_dict() for f in verdict.findings], ensure_ascii=False, indent=2))
    else:
        file_check.show(verdict, limit)
    sys.exit(0 if verdict.is_clean else options.FINDINGS)


@SECTION.command()
@options.SOURCE
def run(sources: tuple[str, ...]) -> None:
    """由 Airflow 处理收件箱并等待完成 / Run the night of the inbox through Airflow's scheduler, and wait for it."""
    from halfyear.scheduling import scheduler_run
    from halfyear.terminal import report

    settings = settings_module.load()
    home.ready(settings)
    since = report.start(settings)
    try:
        with report.progress() as progress:
            summary = scheduler_run.run_night(settings, list(sources) or None, progress.run, progress.say)
    except KeyboardInterrupt:
        ending.failed(
            "不再等待；Airflow 仍在继续，情况见 halfyear status，停止用 halfyear down / no longer waiting; Airflow goes on with the "
            "night, see: halfyear status; to stop it: halfyear down",
            ending.INTERRUPTED,
        )
    report.night(settings, since, summary.seconds)
    for failure in summary.failures:
        click.echo(f"失败 failed: {failure.dag_id} {failure.task_id}: 日志见 see {failure.log}", err=True)
    if not summary.succeeded:
        if summary.stale:
            click.echo(f"仍待算 still stale: {', '.join(summary.stale)}; 再运行 run again: halfyear run", err=True)
        sys.exit(3)
    sys.exit(report.exit_code(settings, since))


@SECTION.command()
@options.SOURCE
def ingest(sources: tuple[str, ...]) -> None:
    """不经 Airflow，在本进程处理收件箱 / The same in this process, without Airflow: load the inbox, compute what is stale.

    Ctrl-C 立即结束，已提交的保留 / Ctrl-C ends it at once; what was committed is kept.
    """
    from halfyear.terminal import interruption, report

    settings = settings_module.load()
    home.ready(settings)
    chosen = options.known_sources(sources, settings)
    since = report.start(settings)
    started = datetime.now(LOCAL_ZONE)
    try:
        with report.progress() as progress, interruption.at_once(settings) as is_asked:
            worst = _ingest(chosen, settings, progress, is_asked)
    except KeyboardInterrupt:
        ending.failed(
            f"已中断，已提交的保留：文件 {report.judged(settings, since)}；再次运行 halfyear ingest 即从此处继续 / interrupted; what "
            f"was committed is kept: files {report.judged(settings, since)}; to go on from there, run again: "
            "halfyear ingest",
            ending.INTERRUPTED,
        )
    report.night(settings, since, (datetime.now(LOCAL_ZONE) - started).total_seconds())
    sys.exit(worst or report.exit_code(settings, since))


def _ingest(sources: list[str], settings: Settings, progress: NightProgress, is_asked: Event) -> int:
    """Load and compute; the worst exit code of a file or source, which keeps nobody else from being loaded.

    Raises KeyboardInterrupt when ``is_asked`` says that this was asked for.
    """
    from halfyear.scheduling import night

    worst = 0

    def attempt(step: Callable[[], object]) -> None:
        nonlocal worst
        try:
            step()
        except HalfyearError as error:
            if is_asked.is_set():
                raise KeyboardInterrupt from None
            worst = max(worst, error.exit_code)
            progress.say(" ".join(str(error).split()))

    def one_source(source: str) -> None:
        received = night.look(source, settings)
        for number, delivery_id in enumerate(received.pending, start=1):
            progress.step(source, number, len(received.pending))
            attempt(lambda: progress.say(_line(night.load_delivery(delivery_id, settings))))  # noqa: B023
        if received.unreadable:
            raise InfrastructureFault(f"无法读取 / cannot be read: {'; '.join(received.unreadable)}")

    for source in sources:
        attempt(lambda: one_source(source))  # noqa: B023
    night.judge_references()
    _compute(progress.say)
    night.sweep()
    return worst


def _compute(say: Callable[[str], object]) -> None:
    """Compute what is stale."""
    from halfyear.scheduling import night

    for period in night.stale_periods():
        say(f"{period}: 已计算指标（含各口径） indicators with their readings computed: {night.compute(period)}")


def _line(outcome: Outcome) -> str:
    reason = f"{outcome.reason_zh} / {outcome.reason_en}" if outcome.reason_zh else ""
    return account.line(
        outcome.file_name,
        outcome.verdict,
        read=outcome.rows_read,
        loaded=outcome.rows_loaded,
        quarantined=outcome.rows_quarantined,
        skipped=outcome.rows_skipped,
        nulled=outcome.values_nulled,
        reason=reason,
    )


@SECTION.command()
@click.argument("delivery", type=int)
@click.option(
    "--reason", required=True, help="行数骤减为何正确 / Why the snapshot is right though it is so much shorter."
)
@click.option(
    "--by",
    "accepted_by",
    default=getpass.getuser,
    help="放行人，默认为当前账号 / Who accepts it; default: the account.",
)
def accept(delivery: int, reason: str, accepted_by: str) -> None:
    """放行被拒收的全量快照 / Let a refused register snapshot stand.

    DELIVERY 是 halfyear status 中的报送编号 / is its number in halfyear status.
    """
    from halfyear.scheduling import night
    from halfyear.terminal import console

    settings = settings_module.load()
    console.say(_line(night.accept(delivery, reason, accepted_by, settings)))
    night.judge_references()
    _compute(console.say)


@SECTION.command()
@click.option(
    "--json",
    "as_json",
    is_flag=True,
    help="供程序使用，含各角色的数据仓库 URL / For programs; gives the warehouse URL of each role.",
)
def status(as_json: bool) -> None:
    """运行、到达、等待、待算的情况 / What is running, what arrived, what waits, and what is stale."""
    from halfyear.terminal import status as status_module

    report = status_module.report(settings_module.load())
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, indent=2, default=str))
    else:
        status_module.show(report)
