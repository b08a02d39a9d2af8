"""The table of a contract, ``core.<source>``: its columns, both time axes, its indexes and its comments."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from psycopg2 import sql as pgsql
from psycopg2.extensions import cursor as Cursor
from psycopg2.sql import SQL, Composed, Identifier

from halfyear.contract import Contract
from halfyear.errors import ContractError

_COMMENTS = {
    "record_key": "The key fields as one text, joined by |",
    "row_number": "The number of the row that a person sees in the file",
    "load_id": "The load that first showed this version (lineage.load)",
    "valid_at": "The days on which this version was true",
    "known_at": "The instants at which this was what we knew; without an end: now",
}


def derive(cursor: Cursor, contract: Contract, progress: Callable[[str], None]) -> None:
    """Create ``core.<source>`` or add the columns that its contract gained.

    Raises ContractError when a column changed its type, which needs a numbered migration.
    """
    wanted = {p.column: p.postgres_type for p in contract.columns}
    cursor.execute(
        "select column_name, case when data_type = 'timestamp with time zone' then 'timestamptz' else data_type end "
        "from information_schema.columns where table_schema = 'core' and table_name = %s",
        (contract.source,),
    )
    present = dict(cursor.fetchall())
    if present:
        _add_columns(cursor, contract, wanted, present, progress)
    else:
        progress(f"表 table core.{contract.source}")
        _create(cursor, contract, wanted)
    if contract.mode == "events":
        _index_events(cursor, contract)
    if contract.period_group is not None:
        _index(cursor, contract, "group", SQL("({})").format(Identifier(contract.named(contract.period_group).column)))
    _comment(cursor, contract)


def _axes(contract: Contract) -> dict[str, str]:
    axes = {"record_key": "text not null", "row_number": "bigint not null", "load_id": "bigint not null"}
    if contract.mode == "register":
        axes["valid_at"] = "daterange not null"
    return {**axes, "known_at": "tstzrange not null"}


def _create(cursor: Cursor, contract: Contract, wanted: Mapping[str, str]) -> None:
    table = Identifier("core", contract.source)
    columns = [_column(name, kind) for name, kind in {**wanted, **_axes(contract)}.items()]
    day = Identifier(contract.period_property or "")
    partition = SQL(" partition by range ({})").format(day) if contract.mode == "events" else SQL("")
    cursor.execute(SQL("create table {} ({}){}").format(table, SQL(", ").join(columns), partition))
    if contract.mode == "events" and not contract.named(contract.period_property or "").is_required:
        undated = Identifier("core", f"{contract.source}_undated")
        cursor.execute(SQL("create table {} partition of {} default").format(undated, table))
    place = SQL("lower(valid_at)") if contract.mode == "register" else day
    cursor.execute(SQL("create unique index on {} (record_key, {}) where upper_inf(known_at)").format(table, place))
    cursor.execute(SQL("create index on {} using brin (load_id)").format(table))


def _column(name: str, kind: str) -> Composed:
    return SQL("{} {}").format(Identifier(name), SQL(kind))


def _add_columns(
    cursor: Cursor,
    contract: Contract,
    wanted: Mapping[str, str],
    present: Mapping[str, str],
    progress: Callable[[str], None],
) -> None:
    table = Identifier("core", contract.source)
    for name, kind in wanted.items():
        if name not in present:
            progress(f"列 column core.{contract.source}.{name}")
            cursor.execute(SQL("alter table {} add column {}").format(table, _column(name, kind)))
        elif present[name] != kind:
            raise ContractError(
                f"expectations/sources/{contract.source}.yaml: {name}: 类型由 {present[name]} 改为 {kind}，"
                "请在 sql/migrations 中新增迁移 / the type changed; write a numbered migration for it"
            )


def _index_events(cursor: Cursor, contract: Contract) -> None:
    # With the unique index of rows that are known now, this finds all versions of a record; a first load closes none.
    _index(cursor, contract, "closed", SQL("(record_key) where not upper_inf(known_at)"))
    # A question by another time of the rows then need not scan the partition of every half-year.
    times: Iterable[pgsql.Composable] = [
        Identifier(p.column)
        for p in contract.columns
        if p.postgres_type in ("date", "timestamptz") and p.name != contract.period_property
    ]
    if times:
        _index(cursor, contract, "times", SQL("using brin ({})").format(SQL(", ").join(times)))


def _index(cursor: Cursor, contract: Contract, name: str, what: pgsql.Composable) -> None:
    cursor.execute(
        SQL("create index if not exists {} on {} {}").format(
            Identifier(f"{contract.source}_{name}_idx"), Identifier("core", contract.source), what
        )
    )


def _comment(cursor: Cursor, contract: Contract) -> None:
    cursor.execute(
        SQL("comment on table {} is %s").format(Identifier("core", contract.source)),
        (f"{contract.title_zh} {contract.title_en}: {contract.grain}",),
    )
    own = _axes(contract)
    comments = {p.column: _comment_of(contract, p.column) for p in contract.columns}
    for name, comment in (comments | {name: text for name, text in _COMMENTS.items() if name in own}).items():
        cursor.execute(SQL("comment on column {} is %s").format(Identifier("core", contract.source, name)), (comment,))


def _comment_of(contract: Contract, column: str) -> str:
    field = next(p for p in contract.columns if p.column == column)
    parts = [field.business_name, field.description]
    if field.unit:
        parts.append(f"({field.unit})")
    if field.is_personal:
        parts.append("(keyed token)")
    return " ".join(part for part in parts if part)
