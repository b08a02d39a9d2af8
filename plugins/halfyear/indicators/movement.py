"""Movement: the figures of two moments of one transaction compared, before and after something that may be rolled back."""

from __future__ import annotations

from dataclasses import dataclass

from psycopg2.extensions import cursor as Cursor

from halfyear.indicators import computation

#: A figure: half-year, indicator, reading and body (None: the city).
Key = tuple[str, str, str, str | None]


@dataclass(frozen=True)
class Moved:
    """A figure that is another one: as it is printed before and after."""

    key: Key
    before: str
    after: str


@dataclass(frozen=True)
class Figures:
    """Every figure as it is printed, and the sealed ones that the rows known now would give otherwise."""

    printed: dict[Key, str]
    candidates: dict[Key, tuple[str, str]]

    def moved(self, after: Figures) -> tuple[list[Moved], list[Moved]]:
        keys = sorted(self.printed.keys() | after.printed.keys(), key=lambda key: (*key[:3], key[3] or ""))
        figures = [Moved(key, self.printed.get(key, "—"), after.printed.get(key, "—")) for key in keys]
        new = sorted(
            after.candidates.items() - self.candidates.items(), key=lambda item: (*item[0][:3], item[0][3] or "")
        )
        return [each for each in figures if each.before != each.after], [Moved(key, *pair) for key, pair in new]


def figures(cursor: Cursor) -> Figures:
    """The figures of this moment, after what is due was computed within the transaction."""
    for period in computation.stale_periods(cursor.connection):
        computation.compute_within(cursor, period)
    cursor.execute(
        "select period, indicator_code, reading, body_code, printed from indicators.observation where superseded_at is null"
    )
    printed = {row[:4]: row[4] for row in cursor}
    cursor.execute(
        "select period, indicator_code, reading, body_code, sealed_printed, provisional_printed "
        "from mart.restatement_candidate"
    )
    return Figures(printed, {row[:4]: row[4:] for row in cursor})
