"""Vintages: a half-year is proposed, approved by another person, sealed, and from then on only restated.

A vintage holds every figure with its definition and the deliveries that went in. The hash of each row is kept with
it, and that of the vintage covers them all and the hash of the vintage before: one chain over all half-years, which
``verify`` walks. Triggers of the warehouse refuse every change, the owner's too; the chain finds what was done
without them.

A seal holds the figures as the rows stood at one instant, ``sealed_at``: no load is under way then, and nothing is
due. So the figures as known at that instant are the sealed ones for ever.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from psycopg2.extras import Json, execute_values

from halfyear import period as periods
from halfyear.contract import Title
from halfyear.core import loading
from halfyear.errors import HalfyearError, UsageError
from halfyear.indicators import audit, computation, figure, indicator
from halfyear.indicators.definition import DASH, Definition
from halfyear.period import Period

#: Why a figure may be restated: the words of revision policies of official statistics.
REASONS = {
    "late_data": Title(zh="数据迟报", en="late data"),
    "corrected_source": Title(zh="来源更正", en="corrected source"),
    "changed_definition": Title(zh="指标定义变更", en="changed definition"),
    "changed_scope": Title(zh="统计范围变更", en="changed scope"),
    "computation_fault": Title(zh="计算差错", en="computation fault"),
    "transcription_fault": Title(zh="誊录差错", en="transcription fault"),
}
_KINDS = {
    "completeness": Title(zh="完整性", en="completeness"),
    "identity": Title(zh="勾稽关系", en="identity"),
    "reconciliation": Title(zh="对账", en="reconciliation"),
}
_LOCK = 8_150_004
#: What a seal holds, and by which columns; their row_hash is over these in this order.
_HELD = {
    "sealed_observation": (
        "period", "vintage", "indicator_code", "reading", "body_code", "numerator", "denominator", "value", "printed",
        "definition_hash", "computed_at",
    ),
    "sealed_definition": ("period", "vintage", "indicator_code", "reading", "definition", "definition_hash"),
    "sealed_delivery": (
        "period", "vintage", "load_id", "delivery_id", "source", "snapshot_date", "sequence", "file_name", "sha256",
        "received_at", "indicator_codes",
    ),
    "restatement": (
        "period", "vintage", "indicator_code", "reading", "body_code", "reason", "note", "follows", "old_value",
        "old_printed", "new_value", "new_printed",
    ),
}  # fmt: skip
_FACTS = (
    "period", "vintage", "sequence", "sealed_at", "prepared_by", "approved_by", "approved_at", "code_version", "note",
    "exceptions", "declarations", "proposal_digest", "previous_hash",
)  # fmt: skip
_GUARDED = ("vintage", *_HELD)

#: Rows by table, without their hashes.
_Held = Mapping[str, Sequence[tuple[Any, ...]]]


class StillDue(HalfyearError):
    """Figures of the half-year have to be computed before anything can be proposed or sealed; worth another try."""

    exit_code = 3


@dataclass(frozen=True)
class OpenPoint:
    """One thing that speaks against a seal; it has to be named to be sealed nevertheless.

    ``kind`` is completeness, identity or reconciliation; ``name`` the source, the rule or the indicator code.
    """

    kind: str
    name: str
    text_zh: str
    text_en: str

    @property
    def line(self) -> str:
        title = _KINDS[self.kind]
        return f"{self.name}: {title.zh} {self.text_zh} / {title.en}: {self.text_en}"

    def as_dict(self) -> dict[str, str]:
        return {"kind": self.kind, "name": self.name, "text_zh": self.text_zh, "text_en": self.text_en}


@dataclass(frozen=True)
class Change:
    """One figure of a sealed half-year that the rows known now give otherwise: a row of mart.restatement_candidate."""

    indicator_code: str
    reading: str
    name_zh: str
    kind: str
    body_code: str | None
    body_name: str | None
    old_value: Decimal | None
    old_printed: str
    new_value: Decimal | None
    new_printed: str

    @property
    def code(self) -> str:
        """The code with its reading, as people write it: ``cloud_systems_migrated.flow``."""
        return ".".join(filter(None, (self.indicator_code, self.reading)))


@dataclass(frozen=True)
class Vintage:
    """One seal of a half-year."""

    period: Period
    vintage: int
    sequence: int
    sealed_at: datetime
    prepared_by: str
    approved_by: str
    note: str
    proposal_digest: str
    previous_hash: str | None
    hash: str
    figures: int
    restated: int


@dataclass(frozen=True)
class Request:
    """What a preparer asks to be sealed: the first publication of a half-year, or a restatement of it.

    ``exceptions`` name the open points that are to be sealed nevertheless; those of the vintage before stay named.
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

    ``reasons`` gives each figure that changes its reason, by code with reading. ``figures`` are those of the city as
    columns of mart.indicator, and ``previous_printed`` and ``year_ago_printed``. ``digest`` is over all that is sealed: when a file arrives between proposal and
    approval, it no longer fits.
    """

    request: Request
    vintage: int
    exceptions: tuple[OpenPoint, ...]
    changes: tuple[Change, ...]
    reasons: Mapping[str, str]
    figures: tuple[dict[str, Any], ...]
    observations: int
    digest: str


@dataclass(frozen=True)
class Fault:
    """One thing that ``verify`` found: what was changed, added or taken away, in which vintage."""

    period: str
    vintage: int
    what: str
    text_zh: str
    text_en: str

    @property
    def line(self) -> str:
        return f"{self.period} v{self.vintage} {self.what}: {self.text_zh} / {self.text_en}"


@dataclass(frozen=True)
class Verification:
    """The chain as it was walked: how many vintages and rows, the last hash, and what is wrong."""

    vintages: int
    rows: int
    last_hash: str | None
    hashes: frozenset[str]
    faults: tuple[Fault, ...] = field(default=())


# ---------------------------------------------------------------- questions


def latest(connection: Connection, period: Period) -> Vintage | None:
    """The newest vintage of a half-year; None while it is open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select m.vintage, m.sequence, m.sealed_at, m.prepared_by, m.approved_by, m.note, v.proposal_digest, "
            "m.previous_hash, m.hash, m.figures, m.restated from mart.vintage as m "
            "inner join indicators.vintage as v on m.period = v.period and m.vintage = v.vintage "
            "where m.period = %s order by m.vintage desc limit 1",
            (str(period),),
        )
        row = cursor.fetchone()
    return Vintage(period, *row) if row else None


def sealed_at(connection: Connection, period: Period, vintage: int) -> datetime:
    """The instant at which a vintage was sealed; UsageError when there is none of this number."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select sealed_at from indicators.vintage where period = %s and vintage = %s", (str(period), vintage)
        )
        row = cursor.fetchone()
    if row is None:
        raise UsageError(f"{period}: 没有第 {vintage} 版 / has no vintage {vintage}; see: mart.vintage")
    found: datetime = row[0]
    return found


def candidates(connection: Connection, period: Period) -> list[Change]:
    """The sealed figures that the rows known now give otherwise, in the order of the tables, the city first."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select c.indicator_code, c.reading, c.name_zh, c.kind, c.body_code, c.body_name, c.sealed_value, "
            "c.sealed_printed, c.provisional_value, c.provisional_printed from mart.restatement_candidate as c "
            "left join mart.definition as d on c.indicator_code = d.indicator_code and c.reading = d.reading "
            "where c.period = %s order by d.sort_order, c.indicator_code, c.reading, c.body_code nulls first",
            (str(period),),
        )
        return [Change(*row) for row in cursor]


def candidate_rows(connection: Connection, period: Period, code: str, limit: int = 21) -> list[dict[str, Any]]:
    """The first rows because of which a figure would be restated; ``code`` may carry the reading."""
    columns = (
        "change", "in_numerator", "in_denominator", "quantity", "excluded_because", "record_key", "file_name",
        "row_number", "snapshot_date", "body_code",
    )  # fmt: skip
    bare, _, reading = code.partition(".")
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {', '.join(columns)} from mart.restatement_candidate_row "
            "where period = %s and indicator_code = %s and reading = %s "
            "order by record_key, change desc, file_name, row_number limit %s",
            (str(period), bare, reading, limit),
        )
        return [dict(zip(columns, row, strict=True)) for row in cursor]


def open_points(connection: Connection, period: Period, is_restatement: bool = False) -> list[OpenPoint]:
    """What speaks against sealing a half-year: sources, identities, and for a first publication the draft."""
    found = []
    with connection.cursor() as cursor:
        cursor.execute(
            "select source, snapshot_date, files_waiting, last_day from mart.completeness "
            "where period = %s and not is_complete order by source",
            (str(period),),
        )
        for source, newest, waiting, last_day in cursor:
            if waiting:
                zh, en = f"有 {waiting} 个文件尚未装载", f"{waiting} files wait to be loaded"
            elif newest is None:
                zh, en = "从未报送", "has never delivered"
            else:
                zh, en = f"报送到 {newest}，未到 {last_day}", f"delivered up to {newest}, not up to {last_day}"
            found.append(OpenPoint("completeness", source, zh, en))
        cursor.execute(
            "select rule, min(description_zh), min(description_en), count(*) from mart.identity "
            "where period = %s and not is_kept group by rule order by rule",
            (str(period),),
        )
        for rule, zh, en, count in cursor:
            found.append(OpenPoint("identity", rule, f"{zh}，{count} 处不成立", f"{en}: broken {count} times"))
        if not is_restatement:
            cursor.execute(
                "select indicator_code, verdict, published_printed, computed_printed, explanation_zh, explanation_en "
                "from mart.reconciliation where period = %s and verdict <> '一致' order by sort_order",
                (str(period),),
            )
            for code, verdict, printed, computed, zh, en in cursor:
                found.append(
                    OpenPoint(
                        "reconciliation",
                        code,
                        f"{verdict}：稿中 {printed}，计算 {computed}（{zh}）",
                        f"the draft has {printed}, the rows {computed} ({en})",
                    )
                )
    return found


# ---------------------------------------------------------------- proposal


def propose(connection: Connection, request: Request) -> Proposal | None:
    """What would be sealed now; None for a publication of what is sealed already and did not move.

    Raises UsageError for an open point that is not named, a name that is none, a figure that changes without a
    reason, and where there is nothing to publish or to restate; StillDue when something has to be computed first.
    """
    period = request.period
    before = latest(connection, period)
    with connection.cursor() as cursor:
        _refuse_due(cursor, period)
        figures = figure.figures(connection, period)
        if not figures:
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
        exceptions = _exceptions(cursor, request, open_points(connection, period, request.is_restatement))
        observations = _observations(cursor, period)
    vintage = before.vintage + 1 if before else 1
    digest = _digest(
        [
            str(period),
            vintage,
            before.hash if before else None,
            request.prepared_by.strip(),
            request.note.strip(),
            [point.as_dict() for point in exceptions],
            sorted(reasons.items()),
            # When a figure was computed says nothing to the approver: computing it again does not void an approval.
            [row[:-1] for row in observations],
        ]
    )
    shown = tuple(_as_they_would_be(figures, changes, indicator.definitions(connection)))
    return Proposal(request, vintage, exceptions, tuple(changes), reasons, shown, len(observations), digest)


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


def _as_they_would_be(
    figures: Sequence[dict[str, Any]],
    changes: Sequence[Change],
    definitions: Mapping[tuple[str, str], Definition],
) -> Iterator[dict[str, Any]]:
    """The figures of the city with what a restatement makes of them, and the values compared with as printed."""
    published = {d.code: d for d in definitions.values() if d.is_published}
    known = {d.pair for d in published.values()}
    new = {c.indicator_code: c for c in changes if c.body_code is None and (c.indicator_code, c.reading) in known}
    for each in figures:
        code = each["indicator_code"]
        yield {
            **each,
            **({"value": new[code].new_value, "printed": new[code].new_printed} if code in new else {}),
            "previous_printed": published[code].printed(each["previous_value"]) if code in published else DASH,
            "year_ago_printed": published[code].printed(each["year_ago_value"]) if code in published else DASH,
        }


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
    """The open points, all of them named now or in an earlier vintage of the half-year."""
    cursor.execute(
        "select distinct each ->> 'name' from indicators.vintage as v "
        "cross join jsonb_array_elements(v.exceptions) as each where v.period = %s",
        (str(request.period),),
    )
    earlier = {name for (name,) in cursor}
    named = set(request.exceptions)
    strange = sorted(named - earlier - {point.name for point in points})
    if strange:
        raise UsageError(f"{request.period}: 不是未决事项 / not among the open points: {', '.join(strange)}")
    unnamed = [point for point in points if point.name not in named | earlier]
    if unnamed:
        raise UsageError(
            f"{request.period}: 未决事项 open points: {len(unnamed)}: {'; '.join(point.line for point in unnamed)}; "
            "请处理，或仍予封存并加 / mend them, or seal nevertheless with: "
            + " ".join(f"--except {name}" for name in dict.fromkeys(point.name for point in unnamed))
        )
    return tuple(points)


def _observations(cursor: Cursor, period: Period) -> list[tuple[Any, ...]]:
    """The current observations of a half-year: every indicator, reading and body."""
    columns = _HELD["sealed_observation"][2:]
    cursor.execute(
        f"select {', '.join(columns)} from indicators.observation where period = %s and superseded_at is null "
        "order by indicator_code, reading, body_code nulls first",
        (str(period),),
    )
    return cursor.fetchall()


# ---------------------------------------------------------------- seal


def seal(
    connection: Connection,
    request: Request,
    digest: str,
    *,
    approved_by: str,
    code_version: str,
    approved_at: datetime | None = None,
) -> Vintage:
    """Seal what was proposed under this digest and approved, and commit; a repeated call gives the same vintage.

    Loads wait meanwhile, so that the seal is the state of one instant. Raises UsageError when the approver is the
    preparer, or when anything moved since the proposal; nothing is sealed then.
    """
    period, approver, preparer = request.period, approved_by.strip(), request.prepared_by.strip()
    if not approver or not preparer:
        raise UsageError("须写明编制人和批准人 / preparer and approver have to be named: --prepared-by, --approved-by")
    if approver.casefold() == preparer.casefold():
        raise UsageError(
            f"{approver}: 编制人不能批准自己的编制 / the preparer cannot approve; somebody else has to: --approved-by NAME"
        )
    with connection, connection.cursor() as cursor:
        cursor.execute(
            "select distinct source from indicators.definition cross join unnest(sources) as source order by 1"
        )
        for (source,) in cursor.fetchall():
            loading.lock(cursor, source)
        computation.lock(cursor, period)
        cursor.execute("select pg_advisory_xact_lock(%s)", (_LOCK,))
        before = latest(connection, period)
        if before and before.proposal_digest == digest:
            return before
        _refuse_differences(connection, period)
        proposal = propose(connection, request)
        if proposal is None or proposal.digest != digest:
            raise UsageError(
                f"{period}: 提请批准后数据或事项有变，未封存，请重新编制 / something moved since the proposal was made; "
                "nothing was sealed, propose it again"
            )
        _seal(cursor, proposal, indicator.definitions(connection), approver, approved_at, code_version)
        sealed = latest(connection, period)
    assert sealed is not None
    return sealed


def _refuse_differences(connection: Connection, period: Period) -> None:
    """No stored value is trusted: each is computed anew from its rows, which no load can move now."""
    found = audit.provisional(connection, period).differences
    if found:
        raise UsageError(
            f"{period}: {len(found)} 个存数与按行重算不符，未封存 / {len(found)} stored values are not what their rows give; "
            f"nothing was sealed: {found[0].line}; run: halfyear audit {period} --recompute"
        )


def _seal(
    cursor: Cursor,
    proposal: Proposal,
    definitions: Mapping[tuple[str, str], Definition],
    approver: str,
    approved_at: datetime | None,
    code_version: str,
) -> None:
    period, vintage = str(proposal.request.period), proposal.vintage
    # No row is known later than this instant, and whatever is loaded after this transaction is.
    cursor.execute(
        "select greatest(clock_timestamp(), max(greatest(lower(known_at), upper(known_at)))) from lineage.standing"
    )
    sealed_at = _one(cursor)
    cursor.execute("select sequence, hash from indicators.vintage order by sequence desc limit 1")
    sequence, previous_hash = cursor.fetchone() or (0, None)
    held: dict[str, list[tuple[Any, ...]]] = {
        "sealed_observation": [(period, vintage, *row) for row in _observations(cursor, proposal.request.period)],
        "sealed_definition": [(period, vintage, *key, _definition(d), d.hash) for key, d in definitions.items()],
        "sealed_delivery": _deliveries(cursor, period, vintage),
        "restatement": _restatements(proposal, definitions),
    }
    facts = (
        period, vintage, sequence + 1, sealed_at, proposal.request.prepared_by.strip(), approver,
        approved_at or sealed_at, code_version, proposal.request.note.strip(),
        [point.as_dict() for point in proposal.exceptions], _declarations(cursor), proposal.digest, previous_hash,
    )  # fmt: skip
    hashes = {table: [_digest(row) for row in rows] for table, rows in held.items()}
    own = _digest([*facts, *(sorted(hashes[table]) for table in _HELD)])
    cursor.execute(
        f"insert into indicators.vintage ({', '.join(_FACTS)}, hash) values ({', '.join(['%s'] * len(_FACTS))}, %s)",
        [*(Json(v) if name == "exceptions" else v for name, v in zip(_FACTS, facts, strict=True)), own],
    )
    for table, rows in held.items():
        execute_values(
            cursor,
            f"insert into indicators.{table} ({', '.join(_HELD[table])}, row_hash) values %s",
            [
                (*(Json(v) if isinstance(v, dict) else v for v in row), row_hash)
                for row, row_hash in zip(rows, hashes[table], strict=True)
            ],
            # One statement a table: what it adds is looked at by one call of its trigger.
            page_size=len(rows) + 1,
        )


def _declarations(cursor: Cursor) -> str:
    """The fingerprint of all declarations that the warehouse was last derived from: lists, views, definitions."""
    cursor.execute("select fingerprint from lineage.declaration where name = 'warehouse'")
    row = cursor.fetchone()
    return str(row[0]) if row else ""


def _one(cursor: Cursor) -> Any:
    row = cursor.fetchone()
    assert row is not None
    return row[0]


def _definition(definition: Definition) -> dict[str, Any]:
    """A definition as the seal keeps it: every field but the parts of its select, numbers as they were written."""
    return {
        name: format(value, "f") if isinstance(value, Decimal) else list(value) if isinstance(value, tuple) else value
        for name, value in vars(definition).items()
        if name != "parts"
    }


def _deliveries(cursor: Cursor, period: str, vintage: int) -> list[tuple[Any, ...]]:
    cursor.execute(
        "select i.load_id, d.delivery_id, d.source, d.snapshot_date, d.sequence, d.file_name, d.sha256, d.received_at, "
        "array_agg(distinct i.indicator_code order by i.indicator_code) "
        "from lineage.observation_input as i inner join lineage.load as l using (load_id) "
        "inner join lineage.delivery as d using (delivery_id) where i.period = %s "
        "group by i.load_id, d.delivery_id order by d.source, d.snapshot_date, d.sequence, i.load_id",
        (period,),
    )
    return [(period, vintage, *row) for row in cursor]


def _restatements(proposal: Proposal, definitions: Mapping[tuple[str, str], Definition]) -> list[tuple[Any, ...]]:
    """A row per figure that changes; ratios and averages name the counts of their sources that moved with them."""

    def sources(change: Change) -> set[str]:
        known = definitions.get((change.indicator_code, change.reading))
        return set(known.sources) if known else set()

    counts = [c for c in proposal.changes if c.kind in ("stock", "flow") and c.body_code is None]
    rows = []
    for change in proposal.changes:
        is_downstream = change.kind in ("ratio", "average")
        follows = sorted({c.code for c in counts if is_downstream and sources(c) & sources(change)})
        rows.append(
            (
                str(proposal.request.period),
                proposal.vintage,
                change.indicator_code,
                change.reading,
                change.body_code,
                proposal.reasons[change.code],
                proposal.request.note.strip(),
                follows,
                change.old_value,
                change.old_printed,
                change.new_value,
                change.new_printed,
            )
        )
    return rows


# ---------------------------------------------------------------- verify


def verify(connection: Connection) -> Verification:
    """Walk the chain of all vintages and hold every row against its hash; nothing is changed.

    Found are a changed, added or missing row, a changed vintage, a break in the chain, and a guard that is gone.
    Whoever changes a row and every hash after it makes another chain: its last hash is then not the one that was
    printed with the report.
    """
    faults: list[Fault] = []
    with connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute(f"select {', '.join(_FACTS)}, hash from indicators.vintage order by sequence")
        vintages = cursor.fetchall()
        hashes: dict[tuple[str, int], dict[str, list[str]]] = {}
        count = 0
        for table, columns in _HELD.items():
            cursor.execute(
                f"select {', '.join(columns)}, row_hash from indicators.{table} order by {', '.join(columns[:5])}"
            )
            for *row, row_hash in cursor:
                count += 1
                hashes.setdefault((row[0], row[1]), {}).setdefault(table, []).append(row_hash)
                if _digest(row) != row_hash:
                    what = " ".join(
                        str(v) for v in (table, *row[2:5]) if v not in (None, "") and not isinstance(v, dict)
                    )
                    faults.append(
                        Fault(row[0], row[1], what, "该行与封存时不同", "the row is not the one that was sealed")
                    )
        before: tuple[int, str | None] = (0, None)
        latest_of: dict[str, int] = {}
        for *facts, own in vintages:
            period, vintage, sequence = facts[:3]
            kept = hashes.pop((period, vintage), {})
            if sequence != before[0] + 1 or facts[-1] != before[1] or vintage != latest_of.get(period, 0) + 1:
                faults.append(
                    Fault(period, vintage, "chain", "与前一版次不衔接", "does not continue the vintage before it")
                )
            if _digest([*facts, *(sorted(kept.get(table, [])) for table in _HELD)]) != own:
                faults.append(
                    Fault(
                        period,
                        vintage,
                        "hash",
                        "版次内容与其指纹不符，有行被改、增或删",
                        "what it holds does not have its hash: something was changed, added or taken away",
                    )
                )
            before = (sequence, own)
            latest_of[period] = vintage
        faults += [
            Fault(period, vintage, "vintage", "版次已不存在而其内容仍在", "the vintage is gone, its rows are not")
            for period, vintage in sorted(hashes)
        ]
        faults += _guards_gone(cursor)
    connection.rollback()
    return Verification(len(vintages), count, before[1], frozenset(v[-1] for v in vintages), tuple(faults))


def audit_seals(connection: Connection) -> audit.Audit:
    """Compute the figures of every seal in force anew, by its own definitions and the rows known at its instant."""
    with connection.cursor() as cursor:
        cursor.execute("set transaction isolation level repeatable read, read only")
        cursor.execute("select distinct period from indicators.vintage order by 1")
        sealed = [periods.parse(row[0]) for row in cursor]
    found = sum((audit.sealed(connection, period) for period in sealed), audit.NOTHING)
    connection.rollback()
    return found


def _guards_gone(cursor: Cursor) -> list[Fault]:
    wanted = {(table, "refuse_change") for table in _GUARDED} | {(table, "refuse_addition") for table in _HELD}
    wanted.add(("vintage", "continue_chain"))
    cursor.execute(
        "select c.relname, t.tgname from pg_catalog.pg_trigger as t inner join pg_catalog.pg_class as c on t.tgrelid = c.oid "
        "where c.relnamespace = 'indicators'::regnamespace and t.tgenabled = 'A'"
    )
    return [
        Fault("*", 0, f"indicators.{table}", f"防改触发器 {name} 不在或已停用", f"its guard {name} is gone or disabled")
        for table, name in sorted(wanted - set(cursor.fetchall()))
    ]


# ---------------------------------------------------------------- hashes


def _digest(value: object) -> str:
    """SHA-256 over the canonical JSON of a value (RFC 8785 in spirit: sorted names, no spaces, UTF-8)."""
    text = json.dumps(value, default=_canonical, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _canonical(value: object) -> str:
    """Numbers with every digit that PostgreSQL keeps, instants in UTC."""
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    if isinstance(value, date):
        return value.isoformat()
    raise TypeError(type(value).__name__)
