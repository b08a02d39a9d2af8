"""The mart: the views that dashboards read, hand-written in ``sql/mart`` or generated from the declarations.

A file of ``sql/mart`` is a YAML header in the leading comment (name, grain, a comment for every column) and
one ``select``. Generated are the wide view of each domain, and the rows whose bodies or references nobody knows. This module only writes SQL; ``warehouse.declaration`` runs it.

Views run with the rights of their owner, functions in them with those of the reader, who may call two of ours
(``sql/roles/roles.sql``).
"""

from __future__ import annotations

import functools
import itertools
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

import yaml
from croniter import croniter
from psycopg2.sql import SQL, Composable, Composed, Identifier, Literal
from pydantic import BaseModel, ConfigDict, ValidationError

from halfyear import settings
from halfyear.contract import Contract, place, read_yaml, relationships
from halfyear.errors import ContractError
from halfyear.indicators.definition import Definition
from halfyear.indicators.population import own_day, resolved

_HEADER = re.compile(r"\s*/\*(?P<header>.*?)\*/(?P<select>.*)\Z", re.DOTALL)
#: The day from which on the nights of a schedule are counted; any day would do.
_FIRST_NIGHT = datetime(2023, 1, 1)


class _Header(BaseModel):
    """The header of a file of ``sql/mart``: the comments are the documentation of the view."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    view: str
    description: str
    columns: dict[str, str]


@dataclass(frozen=True)
class View:
    """One view of the mart: its select, what one row is, and a comment for every column in order."""

    name: str
    description: str
    columns: Mapping[str, str]
    select: str

    @property
    def text(self) -> str:
        """What its statements say."""
        return "\n".join(
            [self.description, *(f"{name}: {comment}" for name, comment in self.columns.items()), self.select]
        )

    @property
    def statements(self) -> list[Composed]:
        """The statements that create and comment it; the column list makes a missing comment an error."""
        view = Identifier("mart", self.name)
        columns = SQL(", ").join(map(Identifier, self.columns))
        comments = [
            SQL("comment on column {} is {}").format(Identifier("mart", self.name, column), _one_line(comment))
            for column, comment in self.columns.items()
        ]
        return [
            SQL("create view {} ({}) as\n{}").format(view, columns, SQL(self.select)),
            SQL("comment on view {} is {}").format(view, _one_line(self.description)),
            *comments,
        ]


def _one_line(text: str) -> Composable:
    return Literal(" ".join(text.split()))


# ---------------------------------------------------------------- core


def resolved_view_sql(contract: Contract) -> str:
    """``core.<source>_resolved``: the table plus ``resolved_body_code``, the body on the day on which the row itself holds."""
    return f"create view core.{contract.source}_resolved as\n{resolved(contract, own_day(contract))}"


# ---------------------------------------------------------------- generated views


def _domain_views(definitions: Iterable[Definition]) -> list[View]:
    """``mart.<domain>``: a row per period and body, a column per published indicator; null for a value in another unit."""
    views: dict[str, list[Definition]] = {}
    for definition in definitions:
        if definition.is_published:
            views.setdefault(definition.domain, []).append(definition)
    result = []
    for domain, members in views.items():
        columns = {
            "period": "半年期 SDMX code of the half-year",
            "body_code": "单位代码 Unified social credit code of the body; null for the whole city",
            "body_name": "单位名称 Name of the body; 全市 for the whole city",
            "status": "状态 sealed when every value of the row is sealed, else provisional",
        } | {d.code: f"{d.name_zh} {d.name_en} ({d.unit}): {d.description_en}" for d in members}
        values = ",\n".join(
            f"    max(f.value) filter (where f.indicator_code = '{d.code}' and f.unit = '{d.unit}') as {d.code}"
            for d in members
        )
        codes = ", ".join(f"'{d.code}'" for d in members)
        select = (
            "select\n    f.period,\n    f.body_code,\n"
            "    min(f.body_name) as body_name,\n"
            "    case when bool_and(f.vintage is not null) then 'sealed' else 'provisional' end as status,\n"
            f"{values}\nfrom indicators.compared_figure as f\n"
            f"where f.indicator_code in ({codes})\ngroup by f.period, f.body_code"
        )
        first = members[0]
        description = f"{first.domain_zh} {first.domain_en}: one row per period and body, a column per indicator"
        result.append(View(domain, description, columns, select))
    return result


def _unknown_body_row(contracts: Iterable[Contract]) -> View:
    """``mart.unknown_body_row``: rows that hold now and whose body neither list knows."""
    branches = []
    for contract in contracts:
        columns = {p.column for p in contract.columns}
        if not {"body_code", "body_name"} & columns:
            continue
        code = "body_code" if "body_code" in columns else "null::text"
        name = "body_name" if "body_name" in columns else "null::text"
        given = " or ".join(f"{c} is not null" for c in ("body_code", "body_name") if c in columns)
        ended = " and upper_inf(valid_at)" if contract.mode == "register" else ""
        branches.append(
            f"select '{contract.source}'::text, {code}, {name}, record_key, load_id, row_number\n"
            f"from core.{contract.source}_resolved\n"
            f"where upper_inf(known_at){ended} and resolved_body_code is null and ({given})"
        )
    empty = "select null::text, null::text, null::text, null::text, null::bigint, null::bigint where false"
    return View(
        "unknown_body_row",
        "未知单位明细 One row per row that holds now and belongs to no body, because no list knows its code or name",
        {
            "source": "来源 Source",
            "body_code": "单位代码 Code as delivered, where the source has one",
            "body_name": "单位名称 Name as delivered, where the source has one",
            "record_key": "记录键 Key of the record; persons as tokens",
            "load_id": "装载编号 The load that first showed this version",
            "row_number": "行号 Number of the row that a person sees in the file",
        },
        "\nunion all\n".join(branches) or empty,
    )


def _unknown_reference_row(contracts: Mapping[str, Contract]) -> View:
    """``mart.unknown_reference_row``: rows that hold now and refer to a record that no accepted snapshot ever named."""
    branches = []
    for contract, field, to in relationships(contracts):
        target, key = to.split(".")
        ended = " and upper_inf(r.valid_at)" if contract.mode == "register" else ""
        branches.append(
            f"select '{contract.source}'::text, '{field.column}'::text, r.{field.column}::text, '{to}'::text,\n"
            f"    r.record_key, r.load_id, r.row_number\n"
            f"from core.{contract.source} as r\n"
            f"where upper_inf(r.known_at){ended} and r.{field.column} is not null\n"
            f"    and not exists (select from core.{target} as t\n"
            f"        where upper_inf(t.known_at) and t.{key} = r.{field.column})"
        )
    empty = "select null::text, null::text, null::text, null::text, null::text, null::bigint, null::bigint where false"
    return View(
        "unknown_reference_row",
        "未知引用明细 One row per row that holds now and refers to a record that no accepted snapshot ever named",
        {
            "source": "来源 Source whose row refers",
            "column_name": "列 Its column",
            "value": "值 What it names",
            "refers_to": "引用 Source and key that should know it",
            "record_key": "记录键 Key of the record; persons as tokens",
            "load_id": "装载编号 The load that first showed this version",
            "row_number": "行号 Number of the row that a person sees in the file",
        },
        "\nunion all\n".join(branches) or empty,
    )


@functools.cache
def days_between(schedule: str) -> int:
    """The longest gap in days between two nights of a cron expression, in five years or 400 nights."""
    _, _, *dates = schedule.split()
    nights = croniter(f"0 0 {' '.join(dates)}", _FIRST_NIGHT)
    found: list[datetime] = [nights.get_next(datetime)]
    while len(found) < 2 or (len(found) <= 400 and found[-1] < _FIRST_NIGHT + timedelta(days=5 * 366)):
        found.append(nights.get_next(datetime))
    return max((after - before).days for before, after in itertools.pairwise(found))


# ---------------------------------------------------------------- all of it


def load(path: Path) -> View:
    """Read one file of ``sql/mart``; ContractError with the file and what is wrong with it."""
    match = _HEADER.match(path.read_text("utf-8"))
    if not match:
        raise ContractError(f"{place(path)}: 开头应为 /* YAML */ 注释 / opens with a /* YAML */ comment")
    try:
        header = _Header.model_validate(read_yaml(match["header"]))
    except (yaml.YAMLError, ValidationError) as error:
        raise ContractError(
            f"{place(path)}: 表头不符合格式 / the header breaks its schema: {' '.join(str(error).split())}"
        ) from None
    if header.view != path.stem:
        raise ContractError(f"{place(path)}: view 应与文件名一致 / view is {header.view}; it must be the file's name")
    return View(header.view, header.description, header.columns, match["select"].strip().removesuffix(";"))


def views(
    contracts: Mapping[str, Contract], definitions: Mapping[tuple[str, str], Definition], sql: Path | None = None
) -> list[View]:
    """Every view of the mart."""
    folder = (sql or settings.load().sql) / "mart"
    found = [load(path) for path in sorted(folder.glob("*.sql"))]
    found += _domain_views(definitions.values())
    found += [_unknown_body_row(contracts.values()), _unknown_reference_row(contracts)]
    if len({view.name for view in found}) < len(found):
        raise ContractError("mart: 视图重名 / two views of the mart have one name")
    return found
