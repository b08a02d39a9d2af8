"""Pages: what is printed of a half-year beside its figures, as it was sealed or as it is now.

Each ``pages/<name>.sql`` is a statement that gives the rows of one page. A seal keeps the rows of all of them, and from then on
they are printed as they were, whatever becomes of names, lists and definitions. Both ways give the rows in one form: numbers
as ``Decimal`` or int, everything else as text.
"""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

from psycopg2.extensions import connection as Connection
from psycopg2.extensions import cursor as Cursor

from halfyear.period import Period
from halfyear.statement_file import statement

#: The pages, by the names of their statements.
PAGES = tuple(sorted(path.stem for path in (Path(__file__).parent / "pages").glob("*.sql")))


def rows(connection: Connection, period: Period, name: str) -> list[dict[str, Any]]:
    """The rows of a page: as the newest vintage of the half-year keeps them, else as they are now."""
    with connection.cursor() as cursor:
        cursor.execute(
            "select v.vintage, p.content from indicators.vintage as v left join indicators.sealed_print as p "
            "on v.period = p.period and v.vintage = p.vintage and p.page = %s "
            "where v.period = %s order by v.vintage desc limit 1",
            (name, str(period)),
        )
        vintage, content = cursor.fetchone() or (None, None)
        found = json.loads(content or content_now(cursor, period, vintage, name), parse_float=Decimal)
    return list(found)


def content_now(cursor: Cursor, period: Period, vintage: int | None, name: str) -> str:
    """The rows of a page as they are now, as a JSON array; ``vintage`` is None where nothing is sealed."""
    values = {
        "period": str(period),
        "previous": str(period.previous),
        "year_ago": str(period.year_ago),
        "first_day": period.first_day,
        "last_day": period.last_day,
        "vintage": vintage,
    }
    select = statement(__file__, f"pages/{name}")
    cursor.execute(
        f"select coalesce(json_agg(to_jsonb(page)), '[]')::text from (\n{select}\n) as page",
        values,
    )
    (content,) = cursor.fetchone() or ("[]",)
    return str(content)
