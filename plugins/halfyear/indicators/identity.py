"""Identities between figures: what must hold among the observations of one half-year, for the city and every body.

They are declared in ``expectations/indicators/identities.yaml`` and asked by Great Expectations of a staging table
with one row per body and one column per indicator, made from ``indicators.observation``. What does not hold is kept
with its difference; a figure is never held back for it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal

import yaml
from psycopg2 import sql as pgsql
from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor
from pydantic import BaseModel, ConfigDict, ValidationError

from halfyear import staging
from halfyear.contract import Rule, Title, meant, place, read_yaml
from halfyear.errors import ContractError
from halfyear.indicators import indicator
from halfyear.indicators.definition import Definition
from halfyear.period import Period
from halfyear.staging import validation
from halfyear.staging.validation import CheckResult

FILE = Path("indicators") / "identities.yaml"
_WORD = re.compile(r"[a-z_][a-z0-9_]*")
_FUNCTIONS = {"round", "abs", "coalesce"}
_TYPES = {
    "equal": "expect_column_pair_values_to_be_equal",
    "at_most": "expect_column_pair_values_a_to_be_greater_than_b",
}


class Identity(BaseModel):
    """One statement: ``left`` = ``right`` or ``left`` <= ``right``, in indicator codes and arithmetic.

    ``scope`` city: it speaks of the whole city only. A side that is null (nothing known) breaks nothing.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    rule: str
    left: str
    relation: Literal["equal", "at_most"]
    right: str
    scope: Literal["all", "city"] = "all"
    description: Title

    def codes(self) -> list[str]:
        """The indicators that it speaks of."""
        words = _WORD.findall(f"{self.left} {self.right}")
        return list(dict.fromkeys(word for word in words if word not in _FUNCTIONS))

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


def load_all(expectations: Path, definitions: Mapping[tuple[str, str], Definition]) -> list[Identity]:
    """The declared identities, then for every share that it is not above 100.

    Raises ContractError for a statement that is not well formed or speaks of an unknown indicator.
    """
    path = expectations / FILE
    try:
        declared = [Identity.model_validate(each) for each in read_yaml(path.read_text("utf-8"))]
    except (yaml.YAMLError, ValidationError) as error:
        raise ContractError(f"{place(path)}: {' '.join(str(error).split())}") from None
    known = {d.code for d in definitions.values() if d.is_published}
    for each in declared:
        unknown = [code for code in each.codes() if code not in known]
        if unknown:
            raise ContractError(
                f"{place(path)}: {each.rule}: 没有这个指标 / no such indicator: {', '.join(unknown)}; "
                f"see: halfyear indicators PERIOD{meant(unknown[0], known)}"
            )
    shares = [
        Identity(
            rule=f"{d.code}_at_most_100",
            left=d.code,
            relation="at_most",
            right="100",
            description=Title(zh=f"{d.name_zh}不超过100", en=f"{d.name_en} is not above 100"),
        )
        for d in definitions.values()
        if d.is_published and d.kind == "ratio"
    ]
    found = [*declared, *shares]
    twice = {each.rule for each in found if sum(other.rule == each.rule for other in found) > 1}
    if twice:
        raise ContractError(f"{place(path)}: 规则重名 / named twice: {', '.join(sorted(twice))}")
    return found


def check(connection: Connection, sqlalchemy_url: str, expectations: Path, period: Period) -> list[CheckResult]:
    """Ask every identity of one half-year and keep the answers; commits.

    Safe to repeat: the answers of the half-year are replaced.
    """
    definitions = indicator.definitions(connection)
    identities = load_all(expectations, definitions)
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
        results = validation.ask(connection, sqlalchemy_url, "staging", table, FILE.stem, rules)
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
            "insert into indicators.identity_check (period, rule, expectation_type, description_zh, description_en, "
            "success, element_count, unexpected_count) values (%s, %s, %s, %s, %s, %s, %s, %s)",
            (
                str(period),
                result.rule,
                result.expectation_type,
                result.description_zh,
                result.description_en,
                result.success,
                result.element_count,
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
                "where t.row_number in (select failing.row_number from ({query}\n) as failing)"
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
