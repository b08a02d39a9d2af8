"""Rounding: how exact values and their changes become the digits that are printed."""

from __future__ import annotations

from decimal import MAX_EMAX, MAX_PREC, MIN_EMIN, ROUND_HALF_UP, Context, Decimal, Inexact

MOST_DECIMALS = 12
#: What a null value prints.
DASH = "—"

# Sums keep every digit that PostgreSQL's numeric may have.
EXACT = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN, traps=[Inexact])
_ROUNDED = Context(prec=MAX_PREC, Emax=MAX_EMAX, Emin=MIN_EMIN)


def plain(value: Decimal) -> Decimal:
    """Without trailing zeros and exponent, so that 5 and 5.0 are one value."""
    value = value.normalize(EXACT)
    return value.quantize(Decimal(1), context=EXACT) if value == value.to_integral_value() else value


def rounded(value: Decimal, decimals: int) -> Decimal:
    """Half up, and never minus zero."""
    found = value.quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP, context=_ROUNDED)
    return abs(found) if found == 0 else found


def shown(value: Decimal, decimals: int, unit: str) -> Decimal:
    """The value rounded half up to its decimals; 0 and 100% stand for exact values only.

    Where the decimals would give one of these for another value, it gets two decimals, or more until it is told apart.
    """
    bounds = (0, 100) if unit == "%" else (0,)
    for places in (decimals, *range(max(decimals + 1, 2), MOST_DECIMALS + 1)):
        found = rounded(value, places)
        if found == value or found not in bounds:
            return found
    return found


def change_shown(change: Decimal, decimals: int) -> Decimal:
    """The size of a 环比 or 同比 as it is printed: at the decimals of the figure, 0 and 100 for exact values only."""
    return shown(abs(change), decimals, "%")


def printed_change(change: Decimal | None, kind: str, decimals: int) -> str:
    """A 环比 or 同比 with sign and unit: per cent, of a ratio 百分点; — for null."""
    if change is None:
        return DASH
    sign = "+" if change > 0 else "-" if change < 0 else ""
    return f"{sign}{change_shown(change, decimals):f}{'百分点' if kind == 'ratio' else '%'}"


def digits(value: Decimal) -> int:
    """How many decimals a rounded value is written with."""
    exponent = value.as_tuple().exponent
    return max(-exponent, 0) if isinstance(exponent, int) else 0
