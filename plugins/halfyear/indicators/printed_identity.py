"""Identities over printed figures: whether what was printed agrees with itself, as far as its digits tell.

They are declared beside the others, with ``of: printed``. What was printed only changes when ``migrate`` takes over the file
of it, so ``migrate`` asks them, in plain SQL: Great Expectations is imported by nights only, and no rule of it knows a
tolerance that differs from row to row.
"""

from __future__ import annotations

from collections.abc import Sequence

import psycopg2
from psycopg2 import sql as pgsql
from psycopg2.extensions import cursor as Cursor

from halfyear.contract import place
from halfyear.errors import ContractError
from halfyear.indicators import identity
from halfyear.indicators.identity import Identity
from halfyear.indicators.published_figure import Figure


def check(cursor: Cursor, identities: Sequence[Identity], figures: Sequence[Figure]) -> list[str]:
    """Ask every identity over printed figures of every period that it holds of; a line for each that is newly broken.

    The answers are replaced: one that was known before is not told again. Of a period that does not give both sides nothing is said. Raises ContractError for a side that
    PostgreSQL cannot evaluate.
    """
    spans = {figure.period: figure.span for figure in figures}
    before = _broken(cursor)
    cursor.execute("delete from indicators.printed_identity")
    for each in identities:
        periods = sorted(period for period, span in spans.items() if each.holds_of(span))
        if each.of == "printed" and periods:
            try:
                _ask(cursor, each, periods)
            except (psycopg2.DataError, psycopg2.ProgrammingError) as error:
                said = str(error).partition("\n")[0]
                raise ContractError(
                    f"{place(identity.FILE)}: {each.rule}: 无法计算 left 或 right / left or right cannot be evaluated: {said}"
                ) from None
    return [line for line in _broken(cursor) if line not in before]


def _broken(cursor: Cursor) -> list[str]:
    cursor.execute(
        "select period, rule, description_zh, description_en, trim_scale(difference)::text, trim_scale(tolerance)::text "
        "from indicators.printed_identity where not is_kept order by period, rule"
    )
    return [
        f"{period} {rule}: {zh} / {en}: 差 difference {difference}, 容差 tolerance {tolerance}"
        for period, rule, zh, en, difference, tolerance in cursor
    ]


def _ask(cursor: Cursor, asked: Identity, periods: Sequence[str]) -> None:
    """One identity of all its periods.

    A side may be any arithmetic. How far a figure's margin moves the difference is what comes of the difference with the
    figure moved by its margin, up or down; the tolerance is the sum of that over the figures. For sums it is the margins times
    their coefficients.
    """

    def difference(of: Identity) -> pgsql.Composable:
        # As for computed figures, sides are compared at nine decimals.
        return pgsql.SQL("(round(({})::numeric, 9) - round(({})::numeric, 9))").format(
            pgsql.SQL(of.left), pgsql.SQL(of.right)
        )

    columns = pgsql.SQL(", ").join(
        pgsql.SQL(
            "max(value) filter (where indicator_code = {code}) as {name}, "
            "max(margin) filter (where indicator_code = {code}) as {margin}"
        ).format(code=pgsql.Literal(code), name=pgsql.Identifier(code), margin=pgsql.Identifier(_margin(code)))
        for code in asked.codes()
    )
    moves = pgsql.SQL(" + ").join(
        pgsql.SQL(
            "coalesce(case when {margin} > 0 then greatest(abs({up} - {whole}), abs({down} - {whole})) end, 0)"
        ).format(
            margin=pgsql.Identifier(_margin(code)),
            whole=difference(asked),
            up=difference(asked.moved(code, f'"{_margin(code)}"')),
            down=difference(asked.moved(code, f'-"{_margin(code)}"')),
        )
        for code in asked.codes()
    )
    cursor.execute(
        pgsql.SQL(
            "insert into indicators.printed_identity "
            "(period, rule, period_kind, description_zh, description_en, is_kept, figures, difference, tolerance) "
            "with figure as (select period, jsonb_object_agg(indicator_code, printed) as printed_figures, {columns} "
            "from indicators.printed_margin where period = any({periods}) and indicator_code = any({codes}) "
            "group by period), "
            "side as (select period, printed_figures, {difference} as difference, {moves} as tolerance from figure) "
            "select period, {rule}, {kind}, {zh}, {en}, {is_kept}, printed_figures, difference, tolerance "
            "from side where difference is not null"
        ).format(
            columns=columns,
            periods=pgsql.Literal(list(periods)),
            codes=pgsql.Literal(asked.codes()),
            difference=difference(asked),
            moves=moves,
            rule=pgsql.Literal(asked.rule),
            kind=pgsql.Literal(asked.periods),
            zh=pgsql.Literal(asked.description.zh),
            en=pgsql.Literal(asked.description.en),
            is_kept=pgsql.SQL(
                "abs(difference) <= tolerance" if asked.relation == "equal" else "difference <= tolerance"
            ),
        )
    )


def _margin(code: str) -> str:
    """The column of a figure's margin; no code has a blank in it."""
    return f"{code} margin"
