"""The command ``halfyear``: what people type. Each command is a few lines over the package.

Exit codes: 0 good, 1 findings of this run (rows quarantined, files refused), 2 usage, 3 infrastructure.
"""

from __future__ import annotations

import getpass
import json
import os
import re
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from halfyear import contract as contracts
from halfyear import period as periods
from halfyear import settings as settings_module
from halfyear.errors import HalfyearError, InfrastructureFault, UsageError
from halfyear.settings import LOCAL_ZONE, Settings

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

    from halfyear.publishing.proposal import Request

FINDINGS = 1
_Command = TypeVar("_Command", bound=Callable[..., Any])


class _Group(click.Group):
    """Explains Halfyear's own errors on one line, without a traceback, and gives them their exit code."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except HalfyearError as error:
            click.echo(f"halfyear: {' '.join(str(error).split())}", err=True)
            ctx.exit(error.exit_code)


def _choice(*names: str) -> Callable[[_Command], _Command]:
    return click.option(
        "--format", "form", type=click.Choice(names), default=names[0], show_default=True, help="How to print it."
    )


_SOURCE = click.option("--source", "sources", multiple=True, metavar="S", help="Only this source; may be repeated.")
_BODY = click.option("--body", metavar="CODE", help="One body, by its unified social credit code; default: the city.")
_AS_KNOWN = click.option(
    "--as-known",
    metavar="INSTANT",
    help="As the rows stood then, e.g. 2022-07-05T18:00 (Asia/Shanghai unless it carries an offset), or at a seal: v1.",
)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(package_name="halfyear")
def main() -> None:
    """Halfyear: from nightly exports to half-year indicator tables that can be trusted and traced.

    Settings are environment variables: HALFYEAR_HOME (default .halfyear in the checkout), HALFYEAR_INBOX,
    HALFYEAR_WAREHOUSE (a PostgreSQL URL; default: the embedded server), HALFYEAR_TOKEN_KEY.

    Exit codes: 0 good, 1 findings of this run, 2 usage, 3 infrastructure.
    """


@main.command()
def up() -> None:
    """Start the embedded warehouse and Airflow, and bring the warehouse up to date."""
    from halfyear.scheduling import airflow_service

    settings = settings_module.load()
    _ready_warehouse(settings)
    state = airflow_service.start_airflow(settings, click.echo)
    click.echo(f"Airflow UI {state.url}  user {state.user}  password {state.password}")
    click.echo(f"  to approve what {state.user} prepared: user {state.approver}  password {state.approver_password}")


@main.command()
def down() -> None:
    """Stop Airflow and the embedded warehouse; nothing keeps running, data stays."""
    from halfyear import landing
    from halfyear.scheduling import airflow_service
    from halfyear.warehouse import embedded

    settings = settings_module.load()
    landing.sweep(settings, age=timedelta(0))
    stopped = [
        name
        for name, was in (
            ("Airflow", airflow_service.stop_airflow(settings)),
            ("the embedded warehouse", embedded.stop_server(settings)),
        )
        if was
    ]
    click.echo(f"stopped {' and '.join(stopped)}" if stopped else "nothing was running")


@main.command()
@click.option("--json", "as_json", is_flag=True, help="For programs; gives the warehouse URL of each role.")
def status(as_json: bool) -> None:
    """What is running, what arrived, what waits, and what is stale."""
    from halfyear.terminal import status as status_module

    report = status_module.report(settings_module.load())
    if as_json:
        click.echo(json.dumps(report, ensure_ascii=False, indent=2, default=str))
    else:
        status_module.show(report)


@main.command()
@click.option(
    "--periods", "count", type=click.IntRange(1, 4), default=4, show_default=True, help="Half-years up to 2022-S1."
)
@_SOURCE
def demo(count: int, sources: tuple[str, ...]) -> None:
    """Write the demo exports into the inbox; those that are there already with the same bytes are left alone."""
    try:
        import halfyear_demo as demo_module
    except ModuleNotFoundError:
        raise UsageError("没有安装演示数据 / the demo is not installed here; run: pip install ./demo") from None

    settings = settings_module.load()
    written = demo_module.write(Path(settings.inbox), count, sources=sources or tuple(demo_module.SOURCES))
    new = [w for w in written if w.is_new]
    for file in new:
        click.echo(f"wrote {file.path}")
    if not new:
        click.echo(f"all {len(written)} demo exports are in {settings.inbox} already; nothing written")
    else:
        click.echo(f"{len(new)} demo exports written to {settings.inbox}")


@main.command()
@_SOURCE
def run(sources: tuple[str, ...]) -> None:
    """Run the night through Airflow's scheduler for what is in the inbox, and wait for it."""
    from halfyear.scheduling import scheduler_run
    from halfyear.terminal import report

    settings = settings_module.load()
    _ready_warehouse(settings)
    since = report.start(settings)
    with report.progress() as progress:
        summary = scheduler_run.run_night(settings, list(sources) or None, progress.run, progress.say)
    report.night(settings, since, summary.seconds)
    for failure in summary.failures:
        click.echo(f"failed: {failure.dag_id} {failure.task_id}: see {failure.log}", err=True)
    if not summary.succeeded:
        if summary.stale:
            click.echo(f"still stale: {', '.join(summary.stale)}", err=True)
        sys.exit(3)
    sys.exit(report.exit_code(settings, since))


@main.command()
@_SOURCE
def ingest(sources: tuple[str, ...]) -> None:
    """The same in this process, without a scheduler: load what is in the inbox, then compute what is stale."""
    from halfyear.scheduling import night
    from halfyear.terminal import report

    settings = settings_module.load()
    _ready_warehouse(settings)
    since = report.start(settings)
    started = datetime.now(LOCAL_ZONE)
    worst = 0
    with report.progress() as progress:

        def attempt(step: Callable[[], object]) -> None:
            """What is wrong with one file or source keeps nobody else from being loaded."""
            nonlocal worst
            try:
                step()
            except HalfyearError as error:
                worst = max(worst, error.exit_code)
                progress.say(" ".join(str(error).split()))

        def one_source(source: str) -> None:
            received = night.look(source, settings)
            for number, delivery_id in enumerate(received.pending, start=1):
                progress.step(source, number, len(received.pending))
                attempt(lambda: progress.say(night.load_delivery(delivery_id, settings).line))  # noqa: B023
            if received.unreadable:
                raise InfrastructureFault(f"无法读取 / cannot be read: {'; '.join(received.unreadable)}")

        for source in _sources(sources, settings):
            attempt(lambda: one_source(source))  # noqa: B023
        night.judge_references()
        for period in night.stale_periods():
            progress.say(f"{period}: {night.compute(period)} indicators computed")
        night.sweep()
    report.night(settings, since, (datetime.now(LOCAL_ZONE) - started).total_seconds())
    sys.exit(worst or report.exit_code(settings, since))


@main.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", metavar="S", help="Judge the file by this contract; default: from its name.")
@click.option("--limit", type=click.IntRange(min=0), default=100, show_default=True, help="Rows to list; 0 = all.")
@_choice("table", "json")
def check(file: Path, source: str | None, limit: int, form: str) -> None:
    """Give the verdict on a FILE, row by row, without loading anything."""
    from halfyear.terminal import file_check

    settings = settings_module.load()
    verdict = file_check.check(file, source, settings)
    if form == "json":
        click.echo(json.dumps([f.as_dict() for f in verdict.findings], ensure_ascii=False, indent=2))
    else:
        file_check.show(verdict, limit)
    sys.exit(0 if verdict.is_clean else FINDINGS)


@main.command()
@click.argument("delivery", type=int)
@click.option("--reason", required=True, help="Why the snapshot is right though it is so much shorter.")
@click.option("--by", "accepted_by", default=getpass.getuser, help="Who accepts it; default: the account.")
def accept(delivery: int, reason: str, accepted_by: str) -> None:
    """Let a refused register snapshot stand: DELIVERY is its number in `halfyear status`."""
    from halfyear.scheduling import night

    settings = settings_module.load()
    click.echo(night.accept(delivery, reason, accepted_by, settings).line)
    night.judge_references()
    for period in night.stale_periods():
        click.echo(f"{period}: {night.compute(period)} indicators computed")


@main.command()
@click.argument("period")
@_BODY
@_AS_KNOWN
@_choice("table", "json", "csv", "xlsx")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
def indicators(period: str, body: str | None, as_known: str | None, form: str, output: Path | None) -> None:
    """Print the indicator table of a PERIOD such as 2022-S1, with 环比 and 同比."""
    from halfyear import warehouse
    from halfyear.mart import indicator_table

    settings = settings_module.load()
    if form == "xlsx" and output is None:
        raise UsageError("xlsx 需要 -o 文件名 / a workbook needs a file: -o indicators.xlsx")
    with warehouse.transaction(settings) as connection:
        half = periods.parse(period)
        rows = indicator_table.indicator_rows(connection, half, body, _instant(connection, half, as_known))
    try:
        indicator_table.write_indicators(rows, form, output)
    except OSError as error:
        raise UsageError(f"{output}: 无法写入 / cannot be written: {error.strerror}") from None


@main.command()
@click.argument("period")
@click.argument("code")
@_BODY
@_AS_KNOWN
@click.option("--reading", default="", help="A second reading of the definition.")
@click.option("--limit", type=click.IntRange(min=0), default=0, help="Rows to list; 0 = all (default).")
@_choice("table", "json", "csv")
def trace(period: str, code: str, body: str | None, as_known: str | None, reading: str, limit: int, form: str) -> None:
    """List the rows behind the indicator CODE of a PERIOD, with file and line, and those left out."""
    from halfyear import warehouse
    from halfyear.mart import trace_table

    settings = settings_module.load()
    with warehouse.transaction(settings) as connection:
        half = periods.parse(period)
        trace_table.write_trace(
            connection, half, code, reading, body, _instant(connection, half, as_known), form, limit
        )


@main.command()
@click.argument("period")
@_choice("table", "json", "csv")
def reconcile(period: str, form: str) -> None:
    """Compare what was printed for a PERIOD with what the rows say, figure by figure.

    What was printed is in expectations/indicators/published_figure.csv. Verdicts: 一致 equal as printed, 舍入差 equal
    at another rounding, 口径差 another reading reproduces it, 差异 different, 无来源 nothing computed. Exit code 1
    when a figure is not 一致.
    """
    from halfyear import warehouse
    from halfyear.mart import reconciliation_table

    settings = settings_module.load()
    with warehouse.transaction(settings) as connection:
        rows = reconciliation_table.reconciliation_rows(connection, periods.parse(period))
    reconciliation_table.write_reconciliation(rows, form)
    sys.exit(0 if all(row["verdict"] == "一致" for row in rows) else FINDINGS)


_PREPARED_BY = click.option(
    "--prepared-by", default=getpass.getuser, metavar="NAME", help="Who prepared it; default: the account."
)
_APPROVED_BY = click.option(
    "--approved-by", metavar="NAME", help="Who approved it, somebody else; without it nothing is sealed, only shown."
)
_EXCEPT = click.option(
    "--except",
    "exceptions",
    multiple=True,
    metavar="NAME",
    help="Seal although this source, identity or draft figure is open; may be repeated. It is sealed with the figures.",
)


@main.command()
@click.argument("period")
@_PREPARED_BY
@_APPROVED_BY
@_EXCEPT
@click.option("--note", default="", help="What is to be said of this seal.")
def publish(period: str, prepared_by: str, approved_by: str | None, exceptions: tuple[str, ...], note: str) -> None:
    """Seal the figures of a PERIOD: from then on they never change, and are only restated.

    What is due is computed first. Every source has to have delivered up to the last day, the identities between the
    figures have to hold, and the figures have to be those of the draft; what is not so has to be named with --except.
    """
    from halfyear.publishing.proposal import Request

    request = Request(periods.parse(period), prepared_by, exceptions=exceptions, note=note)
    _propose_and_seal(request, approved_by)


@main.command()
@click.argument("period")
@click.option("--reason", metavar="CODE", help="Why the figures changed: one reason for all.")
@click.option(
    "--figure", "figures", multiple=True, metavar="CODE=REASON", help="Why this one changed; may be repeated."
)
@click.option("--note", default="", help="What happened, in the words of the printed note.")
@_PREPARED_BY
@_APPROVED_BY
@_EXCEPT
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the printable note there: .docx or .md.",
)
def restate(
    period: str,
    reason: str | None,
    figures: tuple[str, ...],
    note: str,
    prepared_by: str,
    approved_by: str | None,
    exceptions: tuple[str, ...],
    output: Path | None,
) -> None:
    """Make the next vintage of a sealed PERIOD, with a reason for every figure that changed.

    Without a reason: list what moved since the seal and the rows that caused it; exit code 1 when something did.
    Reasons: late_data, corrected_source, changed_definition, changed_scope, computation_fault, transcription_fault.
    """
    from halfyear.publishing.proposal import Request

    half = periods.parse(period)
    if reason is None and not figures:
        sys.exit(_show_candidates(half))
    reasons = {}
    for each in figures:
        code, is_pair, given = each.partition("=")
        if not is_pair:
            raise UsageError(f"--figure {each}: 应写作 代码=原因 / write CODE=REASON")
        reasons[code.strip()] = given.strip()
    request = Request(
        half, prepared_by, is_restatement=True, exceptions=exceptions, note=note, reason=reason, reasons=reasons
    )
    if _propose_and_seal(request, approved_by):
        _write_note(half, None, output)


@main.command()
@click.argument("period")
@click.option("--vintage", type=click.IntRange(min=2), help="Of which vintage; default: the newest.")
@click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help="Write to a file.")
def note(period: str, vintage: int | None, output: Path | None) -> None:
    """Print the note that explains a restatement of a PERIOD, drafted in Chinese; to a file as .docx or .md."""
    _write_note(periods.parse(period), vintage, output)


@main.command()
@click.option(
    "--hash", "wanted", metavar="HASH", help="A hash that was printed with a report: it has to be in the chain."
)
def verify(wanted: str | None) -> None:
    """Prove that every seal is what was sealed: each row against its hash, each vintage against the chain.

    Then the figures of the newest seal of each half-year are computed anew, from the rows known when it was sealed. Exit
    code 1 when a single digit was changed, a row added or taken away, a guard dropped, or a sealed figure is not what its
    rows give. Figures that moved because a list of expectations/core was changed since are named, and no fault.
    """
    from halfyear import warehouse
    from halfyear.publishing import publication, verification

    with warehouse.transaction(settings_module.load()) as connection:
        found = verification.verify(connection)
        audited = verification.audit_seals(connection)
    for line in publication.verification(found, wanted):
        click.echo(line)
    for line in publication.audited(audited):
        click.echo(line)
    is_unknown = wanted is not None and wanted not in found.hashes
    sys.exit(FINDINGS if found.faults or audited.differences or is_unknown else 0)


@main.command()
@click.argument("period", required=False)
@click.option(
    "--recompute", is_flag=True, help="Compute the half-year anew first, whole; mends what a fault left behind."
)
@_choice("table", "json")
def audit(period: str | None, recompute: bool, form: str) -> None:
    """Compare every figure of a PERIOD (default: all), of the city and of every body, with what its rows give.

    Each definition's select is asked again: of provisional figures with the rows known now, of those of the newest seal
    with the rows known when it was sealed. Exit code 1 when a figure differs.
    """
    from halfyear.publishing import publication
    from halfyear.scheduling import night

    if recompute:
        for each in [period] if period else night.computed_periods():
            click.echo(f"{each}: {night.compute(each, everything=True)} indicators computed", err=form == "json")
    found = night.audit(period)
    if form == "json":
        named = [d.as_dict() for d in (*found.differences, *found.moved)]
        click.echo(json.dumps(named, ensure_ascii=False, indent=2))
    else:
        for line in publication.audited(found):
            click.echo(line)
    sys.exit(FINDINGS if found.differences else 0)


@main.command()
@click.argument("period")
@_choice("sdmx-csv")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR|FILE.csv",
    help="Folder or file to write to; default: this folder.",
)
def export(period: str, form: str, output: Path) -> None:
    """Write the published figures of a PERIOD for statisticians, of the city and of every body.

    sdmx-csv: SDMX-CSV 2.0 data, and beside it the SDMX-ML message of its structure with all code lists in Chinese and
    English. HALFYEAR_AGENCY is the id of the agency in both.
    """
    from halfyear import warehouse
    from halfyear.publishing import sdmx

    settings = settings_module.load()
    units = sdmx.load_units(settings.expectations)
    with warehouse.transaction(settings) as connection:
        publication = sdmx.read(connection, periods.parse(period), units)
    try:
        written = sdmx.write(publication, settings.agency, output)
    except OSError as error:
        raise UsageError(f"{output}: 无法写入 / cannot be written: {error.strerror}") from None
    for path in written:
        click.echo(f"wrote {path}")
    click.echo(f"{publication.period}: {len(publication.figures)} figures")


@main.command("report")
@click.argument("period")
@click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(dir_okay=False, path_type=Path),
    help="The file to write; its name says the format: .docx, .md or .xlsx.",
)
@click.option("--draft", is_flag=True, help="Print provisional values too, each marked, and 草稿 on every page.")
def report_command(period: str, output: Path, draft: bool) -> None:
    """Write the half-year report of a PERIOD, its numbers filled from sealed figures.

    The text is in expectations/report/half_year_report.md. A number that is not sealed refuses to print.
    """
    from halfyear import warehouse
    from halfyear.publishing.report import half_year_report

    settings = settings_module.load()
    write = half_year_report.writer(output)
    with warehouse.transaction(settings) as connection:
        document = half_year_report.report(connection, periods.parse(period), settings, draft)
    _save(output, write(document))
    click.echo(f"wrote {output}{' (草稿 draft)' if draft else ''}")


@main.command()
def bodies() -> None:
    """Draft the lines of expectations/core for bodies that no list knows; a person reviews and adds them.

    What is left empty (who reviewed it, a code, a kind) has to be filled in: a list is not loaded without it.
    """
    from halfyear import warehouse
    from halfyear.mart import bodies as bodies_module
    from halfyear.scheduling import night

    night.judge_references()
    with warehouse.transaction(settings_module.load()) as connection:
        bodies_module.write_drafts(bodies_module.by_table(bodies_module.drafts(connection)))


@main.command()
def migrate() -> None:
    """Bring the warehouse to what sql/ and expectations/ declare."""
    from halfyear import warehouse
    from halfyear.scheduling import night

    settings = settings_module.load()
    _start_embedded(settings)
    click.echo("migrated" if warehouse.migrate(settings, click.echo) else "nothing to migrate")
    night.judge_references()


@main.command()
@click.option(
    "--check", "only_check", is_flag=True, help="Only say whether the generated files are true; exit 1 if not."
)
def docs(only_check: bool) -> None:
    """Write what is generated: data dictionary, indicator list, JSON Schemas."""
    from halfyear.terminal import documentation

    settings = settings_module.load()
    changed = documentation.write(settings, only_check)
    for path in changed:
        click.echo(f"{'out of date' if only_check else 'wrote'}: {path}")
    if only_check and changed:
        sys.exit(FINDINGS)


@main.command()
def doctor() -> None:
    """Look at everything that a night needs, and say what to do where something is missing."""
    from halfyear.terminal import status as status_module

    problems = status_module.doctor(settings_module.load())
    if problems:
        sys.exit(3)


def _propose_and_seal(request: Request, approved_by: str | None) -> bool:
    """Show what would be sealed, and seal it when an approver is named; whether anything was."""
    from halfyear import warehouse
    from halfyear.publishing import publication, vintage
    from halfyear.scheduling import publication_steps

    proposal = publication_steps.propose(request)
    if proposal is None:
        with warehouse.transaction(settings_module.load()) as connection:
            sealed = vintage.latest(connection, request.period)
        assert sealed is not None
        click.echo(f"{publication.sealed_line(sealed)}; 此后没有变动 / nothing moved since")
        return False
    publication.show(proposal)
    if approved_by is None:
        click.echo(
            "未封存：请批准人核对后加 / nothing was sealed; once somebody else approves it, add: --approved-by NAME"
        )
        return False
    click.echo(publication.sealed_line(publication_steps.seal(request, proposal.digest, approved_by)))
    return True


def _show_candidates(period: periods.Period) -> int:
    from halfyear import warehouse
    from halfyear.publishing import publication, vintage
    from halfyear.scheduling import night

    night.compute(str(period), everything=True)
    with warehouse.transaction(settings_module.load()) as connection:
        sealed = vintage.latest(connection, period)
        if sealed is None:
            raise UsageError(f"{period}: 尚未封存 / is not sealed yet; run: halfyear publish {period}")
        changes = vintage.candidates(connection, period)
        if not changes:
            click.echo(f"{publication.sealed_line(sealed)}; 此后没有变动 / nothing moved since")
            return 0
        codes = dict.fromkeys(c.code for c in changes)
        rows = {code: vintage.candidate_rows(connection, period, code) for code in codes}
    publication.show_markdown(publication.candidates(period, sealed, changes, rows))
    click.echo(
        f"重述请用 / to restate: halfyear restate {period} --reason CODE --note TEXT --approved-by NAME "
        f"(--reason: {', '.join(vintage.REASONS)})"
    )
    return FINDINGS


def _write_note(period: periods.Period, number: int | None, output: Path | None) -> None:
    """Write the note as the name of the file asks for, or print it."""
    from halfyear import warehouse
    from halfyear.publishing import restatement_note
    from halfyear.publishing.report import half_year_report

    write = half_year_report.writer(output or Path("note.md"))
    with warehouse.transaction(settings_module.load()) as connection:
        document = restatement_note.note(connection, period, number)
    if output is None:
        click.echo(write(document).decode())
    else:
        _save(output, write(document))
        click.echo(f"wrote {output}")


def _save(output: Path, content: bytes) -> None:
    try:
        output.write_bytes(content)
    except OSError as error:
        raise UsageError(f"{output}: 无法写入 / cannot be written: {error.strerror}") from None


def _sources(sources: tuple[str, ...], settings: Settings) -> list[str]:
    known = contracts.load_all(settings.expectations)
    for source in sources:
        if source not in known:
            raise UsageError(f"{source}: 没有这个来源 / there is no such source; known are {', '.join(known)}")
    return list(sources) or list(known)


def _start_embedded(settings: Settings) -> None:
    from halfyear.warehouse import embedded

    if not settings.home.exists() and "HALFYEAR_INBOX" not in os.environ:
        # A new home comes with its inbox. Later an absent inbox is a fault: a share that is not mounted, say.
        Path(settings.inbox).mkdir(mode=0o700, parents=True)
    if settings.warehouse is None:
        embedded.start_server(settings)


def _ready_warehouse(settings: Settings) -> None:
    from halfyear import warehouse
    from halfyear.scheduling import night

    _start_embedded(settings)
    warehouse.migrate(settings, click.echo)
    night.judge_references()


def _instant(connection: Connection, period: periods.Period, text: str | None) -> datetime | None:
    """An instant as it was typed, or the one at which a vintage of the half-year was sealed."""
    from halfyear.publishing import vintage

    if text is None:
        return None
    if re.fullmatch(r"v[1-9]\d{0,8}", text):
        return vintage.sealed_at(connection, period, int(text[1:]))
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text}: 不是时刻，例如 2022-07-05T18:00 / not an instant; write 2022-07-05T18:00") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=LOCAL_ZONE)
