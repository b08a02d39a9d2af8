"""Identities between figures: what must hold among the observations of one half-year, for the city and every body.

They are declared in ``expectations/indicators/identities.yaml`` and asked by Great Expectations of a staging table
with one row per body and one column per indicator, made from ``indicators.observation``. What does not hold is kept
with its difference; a figure is never held back for it. Those over what was printed are asked by ``printed_identity``.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any, Literal, Self

import yaml
from psycopg2 import sql as pgsql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from halfyear import staging
from halfyear.contract import Rule, Title, meant, place, read_yaml
from halfyear.errors import ContractError, UsageError
from halfyear.indicators import indicator, published_figure
from halfyear.indicators.definition import Definition
from halfyear.period import Period, Span, SpanKind, span
from halfyear.staging import validation
from halfyear.staging.validation import CheckResult

FILE = Path("indicators") / "identities.yaml"
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_FUNCTIONS = {"round", "abs", "coalesce", "nullif"}
_TYPES = {
    "equal": "expect_column_pair_values_to_be_equal",
    "at_most": "expect_column_pair_values_a_to_be_greater_than_b",
}


class Identity(BaseModel):
    """One statement: ``left`` = ``right`` or ``left`` <= ``right``, in indicator codes and arithmetic.

    ``of``: the figures that it speaks of, computed ones or what was printed. ``scope`` city: it speaks of the whole city
    only. ``periods``: of which periods printed figures are asked. ``valid_from``, ``valid_to``: a day, or a period by its
    code; it holds of periods whose last day lies between, both included. A side that is null (nothing known, not printed)
    breaks nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str = Field(pattern=r"^[a-z][a-z0-9_]{0,49}$")
    of: Literal["computed", "printed"] = "computed"
    left: str
    relation: Literal["equal", "at_most"]
    right: str
    scope: Literal["all", "city"] = "all"
    periods: SpanKind = "half_year"
    valid_from: date | None = None
    valid_to: date | None = None
    description: Title

    @field_validator("valid_from", "valid_to", mode="before")
    @classmethod
    def _as_day(cls, value: Any, info: Any) -> Any:
        """A period is its first day as ``valid_from``, and its last as ``valid_to``."""
        if value is None or isinstance(value, date):
            return value
        try:
            return date.fromisoformat(str(value))
        except ValueError:
            pass
        try:
            named = span(str(value))
        except UsageError as error:
            raise ValueError(str(error)) from None
        return named.first_day if info.field_name == "valid_from" else named.last_day

    @model_validator(mode="after")
    def _coherent(self) -> Self:
        if self.of == "computed" and self.periods != "half_year":
            raise ValueError("periods: 只有半年期的数是计算的 / only figures of half-years are computed")
        if self.valid_from and self.valid_to and self.valid_from > self.valid_to:
            raise ValueError("valid_from, valid_to: 起止颠倒 / the end lies before the beginning")
        return self

    def codes(self) -> list[str]:
        """The indicators that it speaks of."""
        words = _WORD.findall(f"{self.left} {self.right}")
        return list(dict.fromkeys(word for word in words if word not in _FUNCTIONS))

    def holds_of(self, period: Span) -> bool:
        """Whether it is asked of a period: of the kind that it speaks of, and valid on its last day, as definitions are."""
        return (
            period.kind == self.periods
            and (self.valid_from is None or self.valid_from <= period.last_day)
            and (self.valid_to is None or period.last_day <= self.valid_to)
        )

    def moved(self, code: str, by: str) -> Self:
        """The identity with ``by`` added to one figure, wherever it stands."""

        def shift(side: str) -> str:
            return _WORD.sub(lambda word: f"({code} + {by})" if word[0] == code else word[0], side)

        return self.model_copy(update={"left": shift(self.left), "right": shift(self.right)})

    @property
    def expectation(self) -> Rule:
        """The identity as a rule of Great Expectations, over the two columns that hold its sides."""
        left, right = f"{self.rule}_left", f"{self.rule}_right"
        if self.relation == "equal":
            kwargs: dict[str, object] = {"column_A": left, "column_B": right}
        else:
            kwargs = {"column_A": right, "column_B": left, "or_equal": True}
        return Rule(
            rule=self.rule,
            type=_TYPES[self.relation],
            kwargs={**kwargs, "ignore_row_if": "either_value_is_missing"},
            dimension="consistency",
            description=self.description,
        )


def declared(expectations: Path) -> list[Identity]:
    """The identities of the file. Raises ContractError for a statement that is not well formed."""
    path = expectations / FILE
    try:
        return [Identity.model_validate(each) for each in read_yaml(path.read_text("utf-8")) or ()]
    except (yaml.YAMLError, ValidationError) as error:
        raise ContractError(f"{place(path)}: {' '.join(str(error).split())}") from None


def load_all(expectations: Path, definitions: Mapping[tuple[str, str], Definition]) -> list[Identity]:
    """The declared identities, then for every share that might be that it is not above 100.

    Raises ContractError for a statement that is not well formed or speaks of an unknown figure.
    """
    path = expectations / FILE
    found = declared(expectations)
    known = {d.code for d in definitions.values() if d.is_published}
    printed: set[str] = set()
    if any(each.of == "printed" for each in found):
        printed = known | published_figure.printed_only(expectations, known)
        printed |= {figure.code for figure in published_figure.load(expectations, known)}
    for each in found:
        names = known if each.of == "computed" else printed
        unknown = [code for code in each.codes() if code not in names]
        if unknown and each.of == "computed":
            raise ContractError(
                f"{place(path)}: {each.rule}: 没有这个指标 / no such indicator: {', '.join(unknown)}; "
                f"see: halfyear indicators PERIOD{meant(unknown[0], names)}"
            )
        if unknown:
            raise ContractError(
                f"{place(path)}: {each.rule}: 没有这个指标，也没有这个公布数 / neither an indicator nor a printed figure: "
                f"{', '.join(unknown)}; 只在公布数中有的代码录入 / enter a code that is only printed in "
                f"{place(expectations / published_figure.PRINTED_ONLY_FILE)}{meant(unknown[0], names)}"
            )
    found += [
        Identity(
            rule=f"{d.code}_at_most_100",
            left=d.code,
            relation="at_most",
            right="100",
            description=Title(zh=f"{d.name_zh}不超过100", en=f"{d.name_en} is not above 100"),
        )
        for d in definitions.values()
        if d.is_published and d.kind == "ratio" and not _is_a_part_of_its_whole(d)
    ]
    twice = {each.rule for each in found if sum(other.rule == each.rule for other in found) > 1}
    if twice:
        raise ContractError(f"{place(path)}: 规则重名 / named twice: {', '.join(sorted(twice))}")
    return found


def _is_a_part_of_its_whole(share: Definition) -> bool:
    """Whether a share cannot be above 100, so that to ask says nothing: some of the rows that it counts, over all of them.

    Where rows add a quantity it may be negative, and where they add another one below the line, smaller.
    """
    return share.parts is not None and share.parts.quantity == share.parts.over == "1" and share.scale == 100


def check(connection: Connection, sqlalchemy_url: str, expectations: Path, period: Period) -> list[CheckResult]:
    """Ask every identity of one half-year and keep the answers; commits.

    Safe to repeat: the answers of the half-year are replaced.
    """
    definitions = indicator.definitions(connection)
    identities = [
        each
        for each in load_all(expectations, definitions)
        if each.of == "computed" and each.holds_of(span(str(period)))
    ]
    with connection.cursor() as cursor:
        cursor.execute("select nextval('lineage.load_id')")
        row = cursor.fetchone()
    assert row is not None
    staging.hold(connection, row[0])
    table = f"identity_{row[0]}"
    codes = [d.code for d in definitions.values() if d.is_published]
    with connection.cursor() as cursor:
        _stage(cursor, table, codes, identities, period)
    connection.commit()
    rules = [each.expectation for each in identities]
    try:
        results = validation.ask(connection, sqlalchemy_url, "staging", table, FILE.stem, rules) if rules else []
        with connection.cursor() as cursor:
            _keep(cursor, table, identities, results, period)
        connection.commit()
    finally:
        connection.rollback()
        with connection.cursor() as cursor:
            staging.drop(cursor, table)
        connection.commit()
    return results


def _stage(cursor: Cursor, table: str, codes: Sequence[str], identities: Sequence[Identity], period: Period) -> None:
    """A row for the city and each body: every indicator's value and both sides of every identity."""
    values = pgsql.SQL(", ").join(
        pgsql.SQL("max(o.value) filter (where o.indicator_code = {}) as {}").format(
            pgsql.Literal(code), pgsql.Identifier(code)
        )
        for code in codes
    )
    sides = pgsql.SQL("").join(
        pgsql.SQL(", {} as {}").format(pgsql.SQL(_side(each, side)), pgsql.Identifier(f"{each.rule}_{name}"))
        for each in identities
        for name, side in (("left", each.left), ("right", each.right))
    )
    cursor.execute(
        pgsql.SQL(
            "create unlogged table {table} as with figure as (select o.body_code, {values} "
            "from indicators.observation as o inner join indicators.definition as d "
            "on o.indicator_code = d.indicator_code and o.reading = d.reading and d.is_published "
            "where o.period = {period} and o.superseded_at is null group by o.body_code) "
            "select row_number() over (order by body_code nulls first) as row_number, figure.*{sides} from figure"
        ).format(
            table=pgsql.Identifier("staging", table),
            values=values,
            period=pgsql.Literal(str(period)),
            sides=sides,
        )
    )


def _side(identity: Identity, side: str) -> str:
    # Shares keep 30 digits, so that sums of them are off by as little.
    side = f"round(({side})::numeric, 9)"
    return f"case when body_code is null then {side} end" if identity.scope == "city" else side


def _keep(
    cursor: Cursor, table: str, identities: Sequence[Identity], results: Sequence[CheckResult], period: Period
) -> None:
    cursor.execute("delete from indicators.identity_check where period = %s", (str(period),))
    for each, result in zip(identities, results, strict=True):
        cursor.execute(
            pgsql.SQL("select count(*) filter (where {} is not null and {} is not null) from {}").format(
                pgsql.Identifier(f"{each.rule}_left"),
                pgsql.Identifier(f"{each.rule}_right"),
                pgsql.Identifier("staging", table),
            )
        )
        asked = cursor.fetchone()
        assert asked is not None
        cursor.execute(
            "insert into indicators.identity_check (period, rule, expectation_type, description_zh, description_en, "
            "success, element_count, unexpected_count) values (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                str(period),
                result.rule,
                result.expectation_type,
                result.description_zh,
                result.description_en,
                result.success,
                asked[0],
                result.unexpected_count,
            ),
        )
        if result.success:
            continue
        figures = pgsql.SQL(", ").join(
            pgsql.SQL("{}, {}").format(pgsql.Literal(code), pgsql.Identifier("t", code)) for code in each.codes()
        )
        cursor.execute(
            pgsql.SQL(
                "insert into indicators.identity_breach (period, rule, body_code, figures, difference) "
                "select {period}, {rule}, t.body_code, jsonb_build_object({figures}), {left} - {right} from {table} as t "
                # Great Expectations leaves rows with an unknown side out of its verdict, but not out of this query.
                "where {left} is not null and {right} is not null "
                "and t.row_number in (select failing.row_number from ({query}\n) as failing)"
            ).format(
                period=pgsql.Literal(str(period)),
                rule=pgsql.Literal(each.rule),
                figures=figures,
                left=pgsql.Identifier("t", f"{each.rule}_left"),
                right=pgsql.Identifier("t", f"{each.rule}_right"),
                table=pgsql.Identifier("staging", table),
                query=pgsql.SQL(result.failing_rows_query or ""),
            )
        )
