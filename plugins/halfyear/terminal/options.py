"""Options that several commands share, and what their values mean."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from halfyear.errors import UsageError
from halfyear.period import Period
from halfyear.settings import LOCAL_ZONE, Settings

if TYPE_CHECKING:
    from psycopg2.extensions import connection as Connection

#: The exit code of a command that found something wrong with data.
FINDINGS = 1
_Command = TypeVar("_Command", bound=Callable[..., Any])

SOURCE = click.option(
    "--source", "sources", multiple=True, metavar="S", help="只处理此来源，可重复 / Only this source; may be repeated."
)
BODY = click.option(
    "--body",
    metavar="CODE",
    help="一个单位，按统一社会信用代码或名称；默认全市 / One body, by its unified social credit code or name; default: "
    "the city.",
)
AS_KNOWN = click.option(
    "--as-known",
    metavar="INSTANT",
    help="按当时所知，例如 2022-07-05T18:00（未写时区即 Asia/Shanghai），或某次封存时 v1 / As the rows stood then, e.g. "
    "2022-07-05T18:00 (Asia/Shanghai unless it carries an offset), or at a seal: v1.",
)
PREPARED_BY = click.option(
    "--prepared-by",
    metavar="NAME",
    help="编制人姓名，默认为登录账号 / The name of the preparer; default: that of the account that is logged in.",
)
APPROVED_BY = click.option(
    "--approved-by",
    metavar="NAME",
    help="只供演示：同一账号另报批准人姓名，即予封存，并注明未证明 / For a demo: the name of an approver, of whom nothing is proved, "
    "seals at once; needs HALFYEAR_DECLARED_NAMES=allow.",
)
EXCEPT = click.option(
    "--except",
    "exceptions",
    multiple=True,
    metavar="NAME[=SENTENCE]",
    help="此来源、异动、勾稽关系或公布数未决仍予封存，可重复，随数封存；异动须附说明 / Seal although this source, anomaly, identity "
    "or draft figure is open; may be repeated. It is sealed with the figures; an anomaly needs the sentence that explains it.",
)


def form(*names: str) -> Callable[[_Command], _Command]:
    """``--format``: how to print; the first name is the default."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(names),
        default=names[0],
        show_default=True,
        help="格式 / How to print it.",
    )


def form_or_name(*names: str) -> Callable[[_Command], _Command]:
    """``--format`` of a command with ``-o``: without it the name of the file decides, see `chosen_form`."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(names),
        help=f"格式，默认看文件名，无文件则为 {names[0]} / How to print it; default: by the name of the file, else {names[0]}.",
    )


def chosen_form(form: str | None, output: Path | None, extensions: Mapping[str, str]) -> str:
    """The format that ``--format`` or the name of the file says; the first of ``extensions`` for neither.

    Raises UsageError when both say something else, or the name nothing.
    """
    if output is None:
        return form or next(iter(extensions.values()))
    named = extensions.get(output.suffix.lower())
    if named is None and form is None:
        listed = ", ".join(extensions)
        raise UsageError(
            f"{output.name}: 文件名应以下列之一结尾 / the name has to end in one of: {listed}; or add --format"
        )
    if named and form and named != form:
        raise UsageError(
            f"{output.name}: 文件名表示 {named}，--format 为 {form}，请去掉一个 / the name says {named} and --format says "
            f"{form}; leave one out"
        )
    return form or str(named)


def output(help_text: str = "写入文件 / Write to a file.", **more: Any) -> Callable[[_Command], _Command]:
    """``-o``: the file to write."""
    return click.option("-o", "--output", type=click.Path(dir_okay=False, path_type=Path), help=help_text, **more)


def cannot_write(output: Path, error: OSError) -> UsageError:
    """What to say of a file that cannot be written."""
    return UsageError(
        f"{output}: 无法写入，请换一个位置 / cannot be written, choose another place: {error.strerror or type(error).__name__}"
    )


def known_sources(sources: tuple[str, ...], settings: Settings) -> list[str]:
    """The sources that were named, or all. Raises UsageError for one that no contract declares."""
    from halfyear import contract as contracts

    known = contracts.load_all(settings.expectations)
    for source in sources:
        if source not in known:
            raise UsageError(f"{source}: 没有这个来源 / there is no such source; known are {', '.join(known)}")
    return list(sources) or list(known)


def instant(connection: Connection, period: Period, text: str | None) -> datetime | None:
    """An instant as it was typed, or the one at which a vintage of the half-year was sealed.

    Where nothing was known at that instant, a line on standard error says so, and since when something is.
    """
    from halfyear.publishing import vintage

    if text is None:
        return None
    if re.fullmatch(r"v[1-9]\d{0,8}", text):
        return vintage.sealed_at(connection, period, int(text[1:]))
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise UsageError(f"{text}: 不是时刻，例如 2022-07-05T18:00 / not an instant; write 2022-07-05T18:00") from None
    found = found if found.tzinfo else found.replace(tzinfo=LOCAL_ZONE)
    with connection.cursor() as cursor:
        cursor.execute("select min(lower(known_at)) from lineage.standing")
        (first,) = cursor.fetchone() or (None,)
    if first is None or found < first:
        since = "尚未装载 none yet" if first is None else f"{first.astimezone(LOCAL_ZONE):%Y-%m-%d %H:%M:%S}"
        click.echo(f"{text}: 此时尚未装载任何文件 / nothing was loaded by then; 首次装载 first load: {since}", err=True)
    return found
