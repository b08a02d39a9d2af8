"""Vintages: a half-year is proposed, approved by another person, sealed, and from then on only restated.

A vintage holds every figure with its definition and the deliveries that went in. Here are the questions that are asked
of it, of what moved since its seal, and of what speaks against the next.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from psycopg2.extensions import connection as Connection

from halfyear.contract import Title
from halfyear.errors import UsageError
from halfyear.period import Period
from halfyear.statement_file import statement

#: Why a figure may be restated: the words of revision policies of official statistics.
REASONS = {
    "late_data": Title(zh="数据迟报", en="late data"),
    "corrected_source": Title(zh="来源更正", en="corrected source"),
    "changed_definition": Title(zh="指标定义变更", en="changed definition"),
    "changed_scope": Title(zh="统计范围变更", en="changed scope"),
    "computation_fault": Title(zh="计算差错", en="computation fault"),
    "transcription_fault": Title(zh="誊录差错", en="transcription fault"),
}
#: Verdicts of a reconciliation that leave nothing open: equal, and printed before the figure was restated.
SETTLED = ("一致", "已重述")
_KINDS = {
    "completeness": Title(zh="完整性", en="completeness"),
    "anomaly": Title(zh="异动", en="anomaly"),
    "identity": Title(zh="勾稽关系", en="identity"),
    "reconciliation": Title(zh="对账", en="reconciliation"),
}


@dataclass(frozen=True)
class OpenPoint:
    """One thing that speaks against a seal; it has to be named to be sealed nevertheless.

    ``kind`` is completeness, anomaly, identity or reconciliation; ``name`` the source, the anomaly, the rule or the indicator
    code. ``explanation`` is what the preparer says of it (异动说明), without which no anomaly is sealed; ``indicator_codes`` are
    the published figures that a source or an anomaly touches.
    """

    kind: str
    name: str
    text_zh: str
    text_en: str
    indicator_codes: tuple[str, ...] = ()
    explanation: str = ""

    @property
    def line(self) -> str:
        title = _KINDS[self.kind]
        touched = (
            f"; 涉及指标 figures that it touches: {', '.join(self.indicator_codes)}" if self.indicator_codes else ""
        )
        said = f"; 说明 explanation: {self.explanation}" if self.explanation else ""
        return f"{self.name}: {title.zh} {self.text_zh} / {title.en}: {self.text_en}{touched}{said}"

    @property
    def needs_explanation(self) -> bool:
        return self.kind == "anomaly"

    def as_dict(self) -> dict[str, Any]:
        """What a seal holds of it; of codes and explanation only what is there."""
        given: dict[str, Any] = {
            "kind": self.kind, "name": self.name, "text_zh": self.text_zh, "text_en": self.text_en,
        }  # fmt: skip
        if self.indicator_codes:
            given["indicator_codes"] = list(self.indicator_codes)
        return given | ({"explanation": self.explanation} if self.explanation else {})


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
    proof: str | None
    note: str
    proposal_digest: str
    previous_hash: str | None
    hash: str
    figures: int
    restated: int


def latest(connection: Connection, period: Period) -> Vintage | None:
    """The newest vintage of a half-year; None while it is open."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select m.vintage, m.sequence, m.sealed_at, m.prepared_by, m.approved_by, m.proof, m.note, v.proposal_digest, "
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
    """The first rows because of which a figure would be restated; ``code`` may carry the reading.

    A record that counts neither now nor at the seal moves nothing, whatever else of it changed.
    """
    columns = (
        "change", "in_numerator", "in_denominator", "quantity", "excluded_because", "record_key", "file_name",
        "row_number", "snapshot_date", "body_code",
    )  # fmt: skip
    bare, _, reading = code.partition(".")
    with connection.cursor() as cursor:
        cursor.execute(
            f"select {', '.join(columns)} from (select *, bool_or(in_numerator or in_denominator) over "
            "(partition by source, record_key) as has_effect from mart.restatement_candidate_row "
            "where period = %s and indicator_code = %s and reading = %s) as moved where has_effect "
            "order by record_key, change desc, file_name, row_number limit %s",
            (str(period), bare, reading, limit),
        )
        return [dict(zip(columns, row, strict=True)) for row in cursor]


@dataclass(frozen=True)
class SealedFigure:
    """A figure as the newest vintage of its half-year holds it; ``printed`` is — where that has none.

    ``added`` and ``removed`` count the rows that the figure has now and had not at the seal, and the other way round.
    """

    vintage: int
    sealed_at: datetime
    printed: str
    numerator: Decimal | None
    denominator: Decimal | None
    added: int
    removed: int


def sealed_figure(
    connection: Connection, period: Period, code: str, reading: str, body: str | None = None
) -> SealedFigure | None:
    """A figure of the city or a body as it was sealed last, and how its rows differ now; None while the half-year is open."""
    asked = {"period": str(period), "code": code, "reading": reading, "body": body}
    with connection.cursor() as cursor:
        cursor.execute(
            "select v.vintage, v.sealed_at, coalesce(o.printed, '—'), o.numerator, o.denominator from indicators.vintage as v "
            "left join indicators.sealed_observation as o on v.period = o.period and v.vintage = o.vintage "
            "and o.indicator_code = %(code)s and o.reading = %(reading)s and o.body_code is not distinct from %(body)s "
            "where v.period = %(period)s order by v.vintage desc limit 1",
            asked,
        )
        held = cursor.fetchone()
        if held is None:
            return None
        cursor.execute(
            "select count(*) filter (where change = 'added'), count(*) filter (where change = 'removed') "
            "from mart.restatement_candidate_row where period = %(period)s and indicator_code = %(code)s "
            "and reading = %(reading)s and (%(body)s is null or body_code in "
            "(select part_code from core.body_part where body_code = %(body)s))",
            asked,
        )
        added, removed = cursor.fetchone() or (0, 0)
    number, instant, printed, numerator, denominator = held
    return SealedFigure(number, instant, printed, numerator, denominator, added, removed)


def open_points(connection: Connection, period: Period) -> list[OpenPoint]:
    """What speaks against sealing a half-year: deliveries, anomalies, identities, and what was or is to be printed."""
    found = [*_incomplete(connection, period), *_anomalies(connection, period)]
    with connection.cursor() as cursor:
        cursor.execute(
            "select rule, min(description_zh), min(description_en), count(*) from mart.identity "
            "where period = %s and not is_kept group by rule order by rule",
            (str(period),),
        )
        for rule, zh, en, count in cursor:
            found.append(OpenPoint("identity", rule, f"{zh}，{count} 处不成立", f"{en}: broken {count} times"))
        cursor.execute(
            "select indicator_code, verdict, published_printed, computed_printed, explanation_zh, explanation_en "
            "from mart.reconciliation where period = %s and verdict <> all(%s) order by sort_order",
            (str(period), list(SETTLED)),
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


#: What became of an expected delivery, where that leaves something open.
_STATES = {
    "refused": Title(zh="被拒", en="refused"),
    "empty": Title(zh="空报", en="without a row"),
    "absent": Title(zh="缺报", en="absent"),
}
#: Days or bodies that a text lists; the views have all.
_LISTED = 6


def _incomplete(connection: Connection, period: Period) -> list[OpenPoint]:
    """A point for each source of which an expected delivery is not there, or a file waits."""
    with connection.cursor() as cursor:
        cursor.execute(statement(__file__, "incomplete"), {"period": str(period)})
        rows = cursor.fetchall()
    found = []
    for (source, waiting, codes), group in itertools.groupby(rows, lambda row: (row[0], row[1], row[2])):
        zh = [f"有 {waiting} 个文件尚未装载"] if waiting else []
        en = [f"{waiting} files wait to be loaded"] if waiting else []
        for *_, state, days, files in group:
            if state is None:
                continue
            named = f" ({_listed(files)})" if files else ""
            zh.append(f"{_listed(map(str, days))} {_STATES[state].zh}{named}")
            en.append(f"{_listed(map(str, days))} {_STATES[state].en}{named}")
        found.append(OpenPoint("completeness", source, "，".join(zh), ", ".join(en), tuple(codes)))
    return found


def _anomalies(connection: Connection, period: Period) -> list[OpenPoint]:
    """A point for each source, or figure, and kind of anomaly."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select name, kind, indicator_codes, file_name, coalesce(body_name, body_code), value, median, smallest, "
            "largest, past from mart.anomaly where period = %s order by name, snapshot_date, body_code nulls first",
            (str(period),),
        )
        rows = cursor.fetchall()
    found = []
    for (name, kind, codes), group in itertools.groupby(rows, lambda row: (row[0], row[1], row[2])):
        texts = [_said_of(kind, *row[3:]) for row in group]
        zh, en = (_listed(words, "；" if place == 0 else "; ") for place, words in enumerate(zip(*texts, strict=True)))
        found.append(OpenPoint("anomaly", name, zh, en, tuple(codes)))
    return found


def _said_of(
    kind: str,
    file_name: str | None,
    body: str | None,
    value: float,
    median: float | None,
    smallest: float | None,
    largest: float | None,
    past: int,
) -> tuple[str, str]:
    of = f"{file_name} {body}" if body else f"{file_name}"
    if kind == "repeated_rows":
        return f"{of} 的行与此前一批完全相同", f"{of} has the very rows of an earlier delivery"
    if kind == "body_vanished":
        return (
            f"{of} 没有行，此前 {past} 批每批都有，中位数 {median:.4g}",
            f"{of} has no row and had some in each of {past} deliveries before, median {median:.4g}",
        )
    if kind == "figure_moved":
        return (
            f"变动 {value:.3g}，此前 {past} 次变动最大 {largest:.3g}，中位数 {median:.3g}",
            f"moved by {value:.3g}, in {past} moves before by {largest:.3g} at most, median {median:.3g}",
        )
    return (
        f"{of} 行数（事件按所涵每日计）{value:.4g}，此前 {past} 批为 {smallest:.4g} 至 {largest:.4g}，中位数 {median:.4g}",
        f"{of} has {value:.4g} rows (events: per covered day), in {past} deliveries before {smallest:.4g} to {largest:.4g}, "
        f"median {median:.4g}",
    )


def _listed(words: Iterable[str], separator: str = ", ") -> str:
    """The first words, and how many more there are."""
    given = list(words)
    more = [f"+{len(given) - _LISTED}"] if len(given) > _LISTED else []
    return separator.join(given[:_LISTED] + more)
