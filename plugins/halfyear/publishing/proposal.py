"""Proposals: what a preparer asks to be sealed, and what an approver is shown before it is.

A proposal names the open points that are sealed nevertheless and gives every figure that changes its reason. Its digest
is over all that would be sealed, so that an approval holds for that alone.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json

from halfyear.errors import HalfyearError, UsageError
from halfyear.indicators import figure, indicator
from halfyear.indicators.definition import Definition
from halfyear.indicators.rounding import DASH
from halfyear.period import Period, parse
from halfyear.publishing import holding, person
from halfyear.publishing.digest import digest_of
from halfyear.publishing.vintage import REASONS, Change, OpenPoint, Vintage, candidates, latest, open_points
from halfyear.statement_file import statement


class StillDue(HalfyearError):
    """Figures of the half-year have to be computed before anything can be proposed or sealed; worth another try."""

    exit_code = 3


@dataclass(frozen=True)
class Request:
    """What a preparer asks to be sealed: the first publication of a half-year, or a restatement of it.

    ``exceptions`` name the open points that are to be sealed nevertheless, as NAME or NAME=SENTENCE; those of the vintage before
    stay named. An anomaly needs the sentence.
    ``reason`` (of `REASONS`) holds for every figure that a restatement changes, ``reasons`` for single ones by code.
    """

    period: Period
    prepared_by: str
    is_restatement: bool = False
    exceptions: tuple[str, ...] = ()
    note: str = ""
    reason: str | None = None
    reasons: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Proposal:
    """What an approver is shown and what then is sealed: the figures that stand now, and what is said of them.

    ``reasons`` gives each figure that changes its reason, by code with reading; ``restatements`` are the rows that say so. ``figures`` are those of the city as
    columns of mart.indicator, as they would stand then. ``digest`` is over all that is sealed: when a file arrives between proposal and
    approval, it no longer fits.
    """

    request: Request
    vintage: int
    exceptions: tuple[OpenPoint, ...]
    changes: tuple[Change, ...]
    reasons: Mapping[str, str]
    restatements: tuple[tuple[Any, ...], ...]
    figures: tuple[dict[str, Any], ...]
    observations: int
    digest: str


def propose(connection: Connection, request: Request) -> Proposal | None:
    """What would be sealed now; None for a publication of what is sealed already and did not move.

    Raises UsageError for an open point that is not named, a name that is none, a figure that changes without a
    reason, and where there is nothing to publish or to restate; StillDue when something has to be computed first.
    """
    period = request.period
    before = latest(connection, period)
    with connection.cursor() as cursor:
        _refuse_due(cursor, period)
        if not figure.figures(connection, period):
            raise UsageError(f"{period}: 没有指标数据 / nothing was computed for this half-year; run: halfyear run")
        changes = candidates(connection, period) if before else []
        if request.is_restatement:
            _refuse_restatement(request, before, changes)
        elif before and changes:
            raise UsageError(
                f"{period}: 已封存为第 {before.vintage} 版，其后有 {len(changes)} 个数变动，只能重述 / is sealed as vintage "
                f"{before.vintage} and {len(changes)} figures moved since; see: halfyear restate {period}"
            )
        elif before:
            return None
        reasons = _reasons(request, changes)
        vintage = before.vintage + 1 if before else 1
        preparer = request.prepared_by.strip() or DASH
        definitions = indicator.definitions(connection)
        restatements = _restatements(cursor, request, changes, reasons, definitions)
        held = holding.collect(cursor, period, vintage, definitions, restatements)
        with holding.rehearsed(cursor, holding.facts_of(cursor, period, vintage, preparer, f"{preparer} {DASH}"), held):
            shown = tuple(figure.figures(connection, period))
            points = open_points(connection, period)
            compared = holding.comparisons(cursor, period)
        exceptions = _exceptions(cursor, request, points)
    observations = held["sealed_observation"]
    digest = digest_of(
        [
            str(period),
            vintage,
            before.hash if before else None,
            request.prepared_by.strip(),
            request.note.strip(),
            [point.as_dict() for point in exceptions],
            sorted(reasons.items()),
            # When a figure was computed says nothing to the approver: computing it again does not void an approval.
            [row[2:-1] for row in observations],
            compared,
        ]
    )
    return Proposal(
        request, vintage, exceptions, tuple(changes), reasons, tuple(restatements), shown, len(observations), digest
    )


@dataclass(frozen=True)
class Stored:
    """A proposal as the warehouse keeps it until it is approved or expires.

    ``way`` is where it is approved: airflow, in the run that ``reference`` names, or terminal. ``account`` is who made it, as
    Airflow or the server says. ``title`` and ``text`` are what the approver is shown.
    """

    request: Request
    vintage: int
    digest: str
    way: str
    account: str
    reference: str
    title: str
    text: str
    expires_at: datetime


def store(connection: Connection, proposal: Proposal, title: str, text: str, reference: str = "") -> None:
    """Keep a proposal, so that somebody else may approve it; ``reference`` names the run of Airflow that asks."""
    request = proposal.request
    if not person.key(request.prepared_by):
        raise UsageError(f"{request.period}: 须写明编制人 / the preparer has to be named: --prepared-by NAME")
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into indicators.proposal (period, vintage, digest, way, prepared_by, account, login, reference, "
            "request, title, content, prepared_at, expires_at) "
            # Account of a terminal, login and instants are the server's to say: its trigger note_account writes them.
            "values (%s, %s, %s, %s, %s, %s, '', %s, %s, %s, %s, now(), now())",
            (
                str(request.period), proposal.vintage, proposal.digest, "airflow" if reference else "terminal",
                request.prepared_by.strip(), request.prepared_by.strip(), reference,
                Json({**vars(request), "period": str(request.period), "reasons": dict(request.reasons)}), title, text,
            ),
        )  # fmt: skip


def stored(connection: Connection, *, period: Period | None = None, reference: str = "") -> list[Stored]:
    """The proposals that hold, newest first: those of a half-year on terminals, or those of a run of Airflow."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select request, vintage, digest, way, account, reference, title, content, expires_at from indicators.proposal "
            "where (period = %s and way = 'terminal' or reference = %s and way = 'airflow') "
            "and expires_at > clock_timestamp() order by proposal_id desc",
            (str(period), reference),
        )
        return [Stored(_request(request), *rest) for request, *rest in cursor.fetchall()]


def _request(kept: Mapping[str, Any]) -> Request:
    return Request(**{**kept, "period": parse(kept["period"]), "exceptions": tuple(kept["exceptions"])})


def _refuse_restatement(request: Request, before: Vintage | None, changes: Sequence[Change]) -> None:
    period = request.period
    if before is None:
        raise UsageError(f"{period}: 尚未封存，无可重述 / is not sealed yet; run: halfyear publish {period}")
    if not changes:
        raise UsageError(f"{period}: 没有变动，无可重述 / no figure moved since the seal; nothing to restate")
    if not request.note.strip():
        raise UsageError(f"{period}: 重述须附说明 / a restatement needs a note; add: --note TEXT")


def _refuse_due(cursor: Cursor, period: Period) -> None:
    cursor.execute("select count(*) from indicators.due where period = %s", (str(period),))
    row = cursor.fetchone()
    if row and row[0]:
        raise StillDue(
            f"{period}: 须先计算的指标 / indicators that have to be computed first: {row[0]}; run: halfyear ingest"
        )


def _reasons(request: Request, changes: Sequence[Change]) -> dict[str, str]:
    """The reason of every figure that changes, by code with reading."""
    for given in (request.reason, *request.reasons.values()):
        if given is not None and given not in REASONS:
            raise UsageError(f"{given}: 没有这个重述原因 / no such reason; one of: {', '.join(REASONS)}")
    moved = list(dict.fromkeys(c.code for c in changes))
    strange = sorted(set(request.reasons) - set(moved))
    if strange:
        raise UsageError(
            f"{request.period}: 这些指标没有变动 / these figures did not move: {', '.join(strange)}; "
            f"those that did: {', '.join(moved) or 'none'}"
        )
    found = {code: request.reasons.get(code) or request.reason for code in moved}
    without = [code for code, given in found.items() if not given]
    if without:
        raise UsageError(
            f"{request.period}: 这些变动的指标没有原因 / no reason is given for figures that moved: {', '.join(without)}; "
            "add: --reason CODE for all, or --figure CODE=REASON"
        )
    return {code: given for code, given in found.items() if given}


def _exceptions(cursor: Cursor, request: Request, points: Sequence[OpenPoint]) -> tuple[OpenPoint, ...]:
    """The open points with their explanations, all of them named now or in an earlier vintage of the half-year."""
    cursor.execute(
        "select each ->> 'name', coalesce(each ->> 'explanation', '') from indicators.vintage as v "
        "cross join jsonb_array_elements(v.exceptions) as each where v.period = %s order by v.vintage",
        (str(request.period),),
    )
    earlier: dict[str, str] = dict(cursor.fetchall())
    named = {name.strip(): said.strip() for name, _, said in (each.partition("=") for each in request.exceptions)}
    strange = sorted(named.keys() - earlier.keys() - {point.name for point in points})
    if strange:
        raise UsageError(f"{request.period}: 不是未决事项 / not among the open points: {', '.join(strange)}")
    unnamed = [point for point in points if point.name not in named.keys() | earlier.keys()]
    if unnamed:
        raise UsageError(
            f"{request.period}: 未决事项 open points: {len(unnamed)}: {'; '.join(point.line for point in unnamed)}; "
            "请处理，或仍予封存并加 / mend them, or seal nevertheless with: "
            + " ".join(dict.fromkeys(_option(point) for point in unnamed))
        )
    explained = tuple(
        replace(point, explanation=named.get(point.name) or earlier.get(point.name, "")) for point in points
    )
    without = [point for point in explained if point.needs_explanation and not point.explanation]
    if without:
        raise UsageError(
            f"{request.period}: 异动须附说明 / an anomaly is only sealed with a sentence that explains it: "
            + " ".join(_option(point) for point in without)
        )
    return explained


def _option(point: OpenPoint) -> str:
    return f"--except {point.name}=SENTENCE" if point.needs_explanation else f"--except {point.name}"


def _restatements(
    cursor: Cursor,
    request: Request,
    changes: Sequence[Change],
    reasons: Mapping[str, str],
    definitions: Mapping[tuple[str, str], Definition],
) -> list[tuple[Any, ...]]:
    """A row per figure that changes, as indicators.restatement holds it.

    A ratio or average names the counts that it follows: those that are its numerator or denominator, before and now.
    """
    cursor.execute(statement(__file__, "sums_before_and_now"), {"period": str(request.period)})
    sums = {(code, reading): (above, below) for code, reading, above, below in cursor}
    counts = [c for c in changes if c.kind in ("stock", "flow") and c.body_code is None]

    def sources(change: Change) -> set[str]:
        known = definitions.get((change.indicator_code, change.reading))
        return set(known.sources) if known else set()

    def follows(change: Change) -> list[str]:
        if change.kind not in ("ratio", "average"):
            return []
        own = sums.get((change.indicator_code, change.reading), ())
        return sorted(
            {c.code for c in counts if sources(c) & sources(change) and sums[c.indicator_code, c.reading][0] in own}
        )

    return [
        (
            change.indicator_code, change.reading, change.body_code, reasons[change.code], request.note.strip(),
            follows(change), change.old_value, change.old_printed, change.new_value, change.new_printed,
        )
        for change in changes
    ]  # fmt: skip
