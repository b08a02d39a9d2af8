"""Commands of publishing: seal, restate and prove; reports and exports of what is sealed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from halfyear import period as periods
from halfyear import settings as settings_module
from halfyear.errors import UsageError
from halfyear.terminal import options
from halfyear.terminal.group import Section

if TYPE_CHECKING:
    from halfyear.publishing.proposal import Request

SECTION = Section("发布 Publishing")
#: Files of other commands, which `export` does not write and does not take for folders either.
_OTHER_FILES = (".xlsx", ".json", ".xml", ".txt", ".docx", ".md")


@SECTION.command()
@click.argument("period")
@options.PREPARED_BY
@options.APPROVED_BY
@options.EXCEPT
@click.option("--note", default="", help="封存说明 / What is to be said of this seal.")
def publish(
    period: str, prepared_by: str | None, approved_by: str | None, exceptions: tuple[str, ...], note: str
) -> None:
    """提请封存半年期 / Propose to seal the figures of a PERIOD; somebody else approves, and they never change again.

    他人以自己的账号批准 / Somebody else, logged in by another account, runs: halfyear approve PERIOD.

    先算待算的；应报批次须到齐，不得有异动，指标间勾稽关系须成立，并与公布稿一致；不然须用 --except 列明 / What is due is computed first.
    Every delivery that a contract expects has to be there and like those before it, the identities between the figures
    have to hold, and the figures have to be those of the draft; what is not so has to be named with --except.
    """
    from halfyear.publishing.proposal import Request

    preparer = _preparer(prepared_by)
    request = Request(periods.parse(period), preparer, exceptions=exceptions, note=note)
    _propose_and_seal(request, approved_by)


@SECTION.command()
@click.argument("period")
@click.option(
    "--digest",
    metavar="DIGEST",
    help="所批准提请的指纹；不写则只显示、不封存 / The digest of what is approved; without it the proposals are shown and nothing "
    "is sealed.",
)
@click.option(
    "--approved-by",
    metavar="NAME",
    help="批准人姓名，默认为登录账号 / The name of the approver; default: that of the account that is logged in.",
)
def approve(period: str, digest: str | None, approved_by: str | None) -> None:
    """批准他人的提请并封存 / Approve what somebody else proposed for a PERIOD, and seal it: from then on it is only restated.

    须以编制人以外的系统账号或数据库角色运行 / To be run by another account of the system, or another role of the database, than
    the preparer's: which it is, says the database server.
    """
    from halfyear.publishing import publication
    from halfyear.scheduling import publication_steps
    from halfyear.terminal import console

    half = periods.parse(period)
    if digest is not None:
        console.say(publication.sealed_line(publication_steps.approve(half, digest, approved_by)))
        return
    waiting = publication_steps.proposed(half)
    if not waiting:
        raise UsageError(f"{half}: 没有待批准的提请 / nothing waits to be approved; see: halfyear publish {half}")
    for each in waiting:
        console.say(each.title, "bold")
        console.markdown(each.text)
        console.say(
            f"编制账号 prepared by the account {each.account or '—'}; 有效至 holds until {publication.local(each.expires_at)}; "
            f"批准请用 / to approve it: halfyear approve {half} --digest {each.digest}"
        )


def _preparer(named: str | None) -> str:
    from halfyear.publishing import person
    from halfyear.scheduling import publication_steps

    return person.name(publication_steps.account()) if named is None else named


@SECTION.command()
@click.argument("period")
@options.output(
    "要写的文件，扩展名即格式 / The file to write; its name says the format: .docx, .md, .xlsx.", required=True
)
@click.option(
    "--draft",
    is_flag=True,
    help="暂定数也印，逐一标明，每页印草稿 / Print provisional values too, each marked, and 草稿 on every page.",
)
def report(period: str, output: Path, draft: bool) -> None:
    """写半年报告，数取自封存 / Write the half-year report of a PERIOD, its numbers filled from sealed figures.

    文本在 / The text is in expectations/report/half_year_report.md. 未封存的数不予印出 / A number that is not sealed refuses
    to print.
    """
    from halfyear import warehouse
    from halfyear.publishing.report import half_year_report
    from halfyear.terminal import console

    settings = settings_module.load()
    write = half_year_report.writer(output)
    with warehouse.transaction(settings) as connection:
        document = half_year_report.report(connection, periods.parse(period), settings, draft)
    _save(output, write(document))
    console.say(f"已写入 wrote {output}{' (草稿 draft)' if draft else ''}")


@SECTION.command()
@click.argument("period")
@click.option("--reason", metavar="CODE", help="变动原因，一并适用 / Why the figures changed: one reason for all.")
@click.option(
    "--figure",
    "figures",
    multiple=True,
    metavar="CODE=REASON",
    help="此指标的变动原因，可重复 / Why this one changed; may be repeated.",
)
@click.option("--note", default="", help="事由，印在重述说明上 / What happened, in the words of the printed note.")
@options.PREPARED_BY
@options.APPROVED_BY
@options.EXCEPT
@options.output("重述说明写入此文件 / Write the printable note there: .docx, .md or .xlsx.")
def restate(
    period: str,
    reason: str | None,
    figures: tuple[str, ...],
    note: str,
    prepared_by: str | None,
    approved_by: str | None,
    exceptions: tuple[str, ...],
    output: Path | None,
) -> None:
    """重述已封存的半年期 / Make the next vintage of a sealed PERIOD, with a reason for every figure that changed.

    不写原因则列出封存后的变动及有关的行，有变动时退出码为 1 / Without a reason: list what moved since the seal and the rows that
    caused it; exit code 1 when something did. 原因 / Reasons: late_data, corrected_source, changed_definition,
    changed_scope, computation_fault, transcription_fault.
    """
    from halfyear.publishing.proposal import Request
    from halfyear.publishing.report import half_year_report
    from halfyear.terminal import console

    half = periods.parse(period)
    if output is not None:
        half_year_report.writer(output)  # refuses a name before anything is sealed
    if reason is None and not figures:
        sys.exit(_show_candidates(half))
    reasons = {}
    for each in figures:
        code, is_pair, given = each.partition("=")
        if not is_pair:
            raise UsageError(f"--figure {each}: 应写作 代码=原因 / write CODE=REASON")
        reasons[code.strip()] = given.strip()
    request = Request(
        half,
        _preparer(prepared_by),
        is_restatement=True,
        exceptions=exceptions,
        note=note,
        reason=reason,
        reasons=reasons,
    )
    if _propose_and_seal(request, approved_by):
        _write_note(half, None, output)
    elif output is not None:
        console.say(f"{output}: 封存后再写 / is written once it is sealed: halfyear note {half} -o {output}")


@SECTION.command()
@click.argument("period")
@click.option(
    "--vintage",
    type=click.IntRange(min=2),
    help="第几版，默认最新 / Of which vintage; default: the newest.",
)
@options.output("写入文件 / Write to a file: .docx, .md or .xlsx.")
def note(period: str, vintage: int | None, output: Path | None) -> None:
    """重述说明（中文稿） / Print the note that explains a restatement of a PERIOD, drafted in Chinese."""
    _write_note(periods.parse(period), vintage, output)


@SECTION.command()
@click.option(
    "--hash",
    "wanted",
    metavar="HASH",
    help="随报告印出的指纹，须在链中 / A hash that was printed with a report: it has to be in the chain.",
)
def verify(wanted: str | None) -> None:
    """证明封存未被改动 / Prove that every seal is what was sealed: each row against its hash, each vintage against the chain.

    再按封存时所知的行重算每个半年期最新一版。改动一个数字、增减一行、拆除保护或与其行不符，退出码即为 1；因封存后名单有变而动的只列出 / Then the
    figures of the newest seal of each half-year are computed anew, from the rows known when it was sealed. Exit code 1
    when a single digit was changed, a row added or taken away, a guard dropped, or a sealed figure is not what its rows
    give. Figures that moved with a list of expectations/core that was changed since are named, and no fault.
    """
    from halfyear import warehouse
    from halfyear.publishing import publication, verification
    from halfyear.terminal import console

    with warehouse.transaction(settings_module.load()) as connection:
        found = verification.verify(connection)
        audited = verification.audit_seals(connection)
    for line in publication.verification(found, audited, wanted):
        console.say(line)
    is_unknown = wanted is not None and wanted not in found.hashes
    sys.exit(options.FINDINGS if found.faults or audited.differences or is_unknown else 0)


@SECTION.command()
@click.argument("period")
@options.form("sdmx-csv")
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    default=Path(),
    metavar="DIR|FILE.csv",
    help="写入的文件夹或文件，默认当前文件夹 / Folder or file to write to; default: this folder.",
)
def export(period: str, form: str, output: Path) -> None:
    """为统计人员导出发布数 / Write the published figures of a PERIOD for statisticians, of the city and of every body.

    sdmx-csv: SDMX-CSV 2.0 数据，另附含中英文代码表的 SDMX-ML 结构 / SDMX-CSV 2.0 data, and beside it the SDMX-ML message of
    its structure with all code lists in Chinese and English. HALFYEAR_AGENCY: 机构代码 / the id of the agency in both.
    """
    from halfyear import warehouse
    from halfyear.publishing import sdmx
    from halfyear.terminal import console

    if output.suffix.lower() in _OTHER_FILES and not output.is_dir():
        raise UsageError(
            f"{output.name}: sdmx-csv 只写 .csv 文件或文件夹 / sdmx-csv is written to a file that ends in .csv, or to a folder"
        )
    settings = settings_module.load()
    with warehouse.transaction(settings) as connection:
        publication = sdmx.read(connection, periods.parse(period))
    try:
        written = sdmx.write(publication, settings.agency, output)
    except OSError as error:
        raise options.cannot_write(output, error) from None
    for path in written:
        console.say(f"已写入 wrote {path}")
    console.say(f"{publication.period}: 指标 figures: {len(publication.figures)}")


def _propose_and_seal(request: Request, approved_by: str | None) -> bool:
    """Propose a seal and show it, and seal it when an approver is named; whether anything was sealed."""
    from halfyear import warehouse
    from halfyear.publishing import publication, seal, vintage
    from halfyear.scheduling import publication_steps
    from halfyear.terminal import console

    if approved_by is not None:  # before minutes of computation and pages of figures
        seal.approver_of(request, approved_by)
        if settings_module.load().declared_names is None:
            raise UsageError(
                f"--approved-by: 一条命令不能证明是两个人；请不写，由他人运行 halfyear approve / one command proves no two persons: leave "
                f"it out, and somebody else runs: halfyear approve {request.period}; a demo sets HALFYEAR_DECLARED_NAMES=allow"
            )
    proposal = publication_steps.propose(request)
    if proposal is None:
        with warehouse.transaction(settings_module.load()) as connection:
            sealed = vintage.latest(connection, request.period)
        assert sealed is not None
        console.say(f"{publication.sealed_line(sealed)}; 此后没有变动 / nothing moved since")
        return False
    console.say(publication.title(proposal), "bold")
    console.markdown(publication.text(proposal))
    if approved_by is None:
        console.say(
            f"未封存：请他人以自己的账号核对后运行 / nothing is sealed until somebody else, by another account, has run: "
            f"halfyear approve {request.period} --digest {proposal.digest}"
        )
        return False
    console.say(publication.sealed_line(publication_steps.approve(request.period, proposal.digest, approved_by)))
    return True


def _show_candidates(period: periods.Period) -> int:
    from halfyear import warehouse
    from halfyear.publishing import publication, vintage
    from halfyear.scheduling import night
    from halfyear.terminal import console

    night.compute(str(period), everything=True)
    with warehouse.transaction(settings_module.load()) as connection:
        sealed = vintage.latest(connection, period)
        if sealed is None:
            raise UsageError(f"{period}: 尚未封存 / is not sealed yet; run: halfyear publish {period}")
        changes = vintage.candidates(connection, period)
        if not changes:
            console.say(f"{publication.sealed_line(sealed)}; 此后没有变动 / nothing moved since")
            return 0
        codes = dict.fromkeys(c.code for c in changes)
        rows = {code: vintage.candidate_rows(connection, period, code) for code in codes}
    console.markdown(publication.candidates(period, sealed, changes, rows))
    console.say(
        f"重述请用 / to restate: halfyear restate {period} --reason CODE --note TEXT "
        f"(--reason: {', '.join(vintage.REASONS)})"
    )
    return options.FINDINGS


def _write_note(period: periods.Period, number: int | None, output: Path | None) -> None:
    """Write the note as the name of the file asks for, or print it."""
    from halfyear import warehouse
    from halfyear.publishing import restatement_note
    from halfyear.publishing.report import half_year_report
    from halfyear.terminal import console

    write = half_year_report.writer(output or Path("note.md"))
    with warehouse.transaction(settings_module.load()) as connection:
        document = restatement_note.note(connection, period, number)
    if output is None:
        click.echo(write(document).decode())
    else:
        _save(output, write(document))
        console.say(f"已写入 wrote {output}")


def _save(output: Path, content: bytes) -> None:
    try:
        output.write_bytes(content)
    except OSError as error:
        raise options.cannot_write(output, error) from None
