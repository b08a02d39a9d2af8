"""Migration: a warehouse is brought forward without loss, and only what changed is applied."""

from __future__ import annotations

import lzma
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg2
import pytest
from click.testing import CliRunner
from psycopg2.sql import SQL, Identifier

from halfyear import warehouse as warehouse_module
from halfyear.errors import ContractError, InfrastructureFault, UsageError
from halfyear.settings import Settings
from halfyear.terminal import command
from halfyear.warehouse import embedded

DUMP = Path(__file__).resolve().parents[1] / "earlier_warehouse" / "warehouse.sql.xz"
LAYERS = ["core", "indicators", "lineage", "quarantine", "mart", "staging"]
#: What migrate writes from the declarations of today.
DERIVED = {
    "core.body", "core.body_alias", "core.county", "core.region", "core.value_set", "indicators.published_figure",
    "indicators.definition", "indicators.in_force", "indicators.stale", "lineage.declaration", "lineage.migration", "lineage.source",
}  # fmt: skip
FIGURES = """
select period, indicator_code, body_code, numerator, denominator, value, printed,
    status, vintage, computed_at
from mart.indicator order by period, indicator_code, body_code"""


def ask(settings: Settings, statement: Any, *values: Any) -> list[tuple[Any, ...]]:
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        cursor.execute(statement, values or None)
        return cursor.fetchall() if cursor.description else []


def migrate(settings: Settings) -> list[str]:
    """What a migration says that it did."""
    lines: list[str] = []
    assert warehouse_module.migrate(settings, lines.append) == bool(lines)
    return lines


# ---------------------------------------------------------------- a warehouse of an earlier version


@pytest.fixture
def earlier(settings: Settings, warehouse: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[Settings]:
    """The dump, restored."""
    name = "earlier_warehouse"
    url = embedded.server_url(settings, name)
    assert url is not None
    monkeypatch.setenv("HALFYEAR_WAREHOUSE", url)
    on_server(settings, f"create database {name}")
    restore = [
        embedded._PROGRAMS / "psql",
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--single-transaction",
        url,
    ]
    subprocess.run(restore, input=lzma.decompress(DUMP.read_bytes()), check=True, stdout=subprocess.DEVNULL)
    yield replace(warehouse, warehouse=url)
    on_server(settings, f"drop database {name} with (force)")


def on_server(settings: Settings, statement: str) -> None:
    with closing(psycopg2.connect(embedded.server_url(settings, "postgres") or "")) as connection:
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)


Columns = dict[tuple[str, str], list[str]]


def columns(settings: Settings) -> Columns:
    """The columns of every table that is not derived from declarations."""
    found = ask(
        settings,
        "select n.nspname, c.relname, array_agg(a.attname::text order by a.attnum) from pg_class as c "
        "join pg_namespace as n on n.oid = c.relnamespace "
        "join pg_attribute as a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped "
        "where n.nspname = any(%s) and c.relkind in ('r', 'p') group by 1, 2 order by 1, 2",
        LAYERS,
    )
    return {(schema, name): names for schema, name, names in found if f"{schema}.{name}" not in DERIVED}


def rows(settings: Settings, wanted: Columns) -> dict[str, list[tuple[str]]]:
    """The rows of tables in these columns, as text."""
    return {
        f"{schema}.{name}": ask(
            settings,
            SQL("select row({})::text from {} as t order by 1").format(
                SQL(", ").join(map(Identifier, names)), Identifier(schema, name)
            ),
        )
        for (schema, name), names in wanted.items()
    }


CATALOGUE = """
with relation as (
    -- Half-years are partitions where rows came; of these only the one of rows without a day is always there.
    select c.oid, c.relname, c.relkind, c.relacl, c.relowner, n.nspname || '.' || c.relname as name
    from pg_class as c
    inner join pg_namespace as n on c.relnamespace = n.oid
    where n.nspname = any(%s) and (not c.relispartition or c.relname like '%%\\_undated')
)
select 'column', r.name, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull::text, a.attidentity::text,
    a.attgenerated::text, pg_get_expr(d.adbin, d.adrelid)
from relation as r
inner join pg_attribute as a on r.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
left join pg_attrdef as d on a.attrelid = d.adrelid and a.attnum = d.adnum
where r.relkind in ('r', 'p', 'v', 'S')
union all
select 'place', r.name, string_agg(a.attname, ' ' order by a.attnum), '', '', '', '', ''
from relation as r
inner join pg_attribute as a on r.oid = a.attrelid and a.attnum > 0 and not a.attisdropped
where r.relkind in ('r', 'v') and r.name !~ '^core\\.'
group by r.name
union all
select 'constraint', r.name, k.conname, pg_get_constraintdef(k.oid), '', '', '', ''
from relation as r
inner join pg_constraint as k on r.oid = k.conrelid
union all
select 'index', r.name, pg_get_indexdef(i.indexrelid), '', '', '', '', ''
from relation as r
inner join pg_index as i on r.oid = i.indrelid
union all
select 'view', r.name, pg_get_viewdef(r.oid), '', '', '', '', ''
from relation as r
where r.relkind = 'v'
union all
select 'trigger', r.name, t.tgname, pg_get_triggerdef(t.oid), t.tgenabled::text, '', '', ''
from relation as r
inner join pg_trigger as t on r.oid = t.tgrelid and not t.tgisinternal
union all
select 'comment', r.name, coalesce(a.attname, ''), d.description, '', '', '', ''
from relation as r
inner join pg_description as d on r.oid = d.objoid and d.classoid = 'pg_class'::regclass
left join pg_attribute as a on r.oid = a.attrelid and d.objsubid = a.attnum
union all
select 'grant', r.name, coalesce(g.grantee::regrole::text, 'public'), g.privilege_type, '', '', '', ''
from relation as r
cross join aclexplode(coalesce(r.relacl, acldefault((case r.relkind when 'S' then 's' else 'r' end)::"char", r.relowner))) as g
where r.relkind in ('r', 'p', 'v', 'S')
union all
select 'function', p.oid::regprocedure::text, pg_get_functiondef(p.oid), obj_description(p.oid, 'pg_proc'), '', '', '', ''
from pg_proc as p
where p.pronamespace::regnamespace::text = any(%s)
union all
select 'grant', p.oid::regprocedure::text, coalesce(nullif(g.grantee, 0)::regrole::text, 'public'), g.privilege_type,
    '', '', '', ''
from pg_proc as p
cross join aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) as g
where p.pronamespace::regnamespace::text = any(%s)
union all
select 'schema', n.nspname, obj_description(n.oid, 'pg_namespace'), coalesce(nullif(g.grantee, 0)::regrole::text, 'public'),
    g.privilege_type, '', '', ''
from pg_namespace as n
cross join aclexplode(coalesce(n.nspacl, acldefault('n', n.nspowner))) as g
where n.nspname = any(%s)"""


def catalogue(settings: Settings) -> set[tuple[Any, ...]]:
    """Everything that the schemas consist of, rows apart."""
    return set(ask(settings, CATALOGUE, *[LAYERS] * 4))


def test_an_earlier_warehouse_is_brought_forward_without_loss(earlier: Settings, warehouse: Settings) -> None:
    wanted = columns(earlier)
    before, figures = rows(earlier, wanted), ask(earlier, FIGURES)
    assert len(figures) > 500 and {row[-3] for row in figures} == {"sealed", "provisional"}
    assert len(before["core.hotline_ticket"]) > 100 and before["quarantine.rejected_row"]

    assert {"迁移 migration 0005_sources.sql", "视图 view mart.indicator"} <= set(migrate(earlier))

    assert rows(earlier, wanted) == before
    assert ask(earlier, "select distinct values_nulled from lineage.load") == [(0,)]
    # A provisional figure of a body stood among the sealed ones of its indicator; now the seal alone is in force.
    left = set(figures) - set(ask(earlier, FIGURES))
    assert set(ask(earlier, FIGURES)) < set(figures)
    assert {(row[0], row[-3]) for row in left} == {("2021-S2", "provisional")}
    fresh = catalogue(warehouse)
    assert len(fresh) > 2000 and catalogue(earlier) ^ fresh == set()
    done = CliRunner().invoke(command.main, ["verify"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert migrate(earlier) == []


@pytest.mark.parametrize(
    "change",
    [
        "delete from lineage.migration where name = '0008_one_scan.sql'",
        "update lineage.migration set sha256 = 'another' where name = '0008_one_scan.sql'",
    ],
)
def test_an_incomplete_earlier_warehouse_is_left_as_it_is(earlier: Settings, change: str) -> None:
    ask(earlier, change)
    before = catalogue(earlier)
    with pytest.raises(
        UsageError, match=r"0008_one_scan\.sql.*先.*halfyear migrate.*lacks.*0008_one_scan\.sql.*run"
    ) as refused:
        warehouse_module.migrate(earlier, print)
    assert "\n" not in str(refused.value)
    assert catalogue(earlier) == before


# ---------------------------------------------------------------- declarations


@pytest.fixture
def project(warehouse: Settings, tmp_path: Path) -> Settings:
    """A copy of the declarations in ``sql/``, of which the warehouse knows."""
    folder = tmp_path / "project"
    folder.mkdir()
    shutil.copytree(warehouse.sql, folder / "sql")
    (folder / "expectations").symlink_to(warehouse.expectations)
    return replace(warehouse, project=folder)


def rewrite(path: Path, change: Callable[[str], str]) -> None:
    text = path.read_text("utf-8")
    assert change(text) != text
    path.write_text(change(text), "utf-8")


def views(settings: Settings) -> dict[str, int]:
    return dict(
        ask(
            settings,
            "select c.oid::regclass::text, c.oid from pg_class as c where c.relkind = 'v' "
            "and c.relnamespace::regnamespace::text = any(%s)",
            LAYERS,
        )
    )


def test_with_nothing_changed_nothing_is_applied(project: Settings) -> None:
    assert migrate(project) == []
    # A change elsewhere applies no declaration.
    rewrite(project.sql / "roles" / "roles.sql", lambda text: text + "\n")
    assert migrate(project) == ["数据仓库已是最新 / the warehouse is up to date"]


def test_a_changed_view_is_made_again_with_all_that_read_it(project: Settings) -> None:
    before = views(project)
    rewrite(
        project.sql / "indicators" / "schema" / "coverage.sql",
        lambda text: text.replace("    p.period,\n    d.indicator_code,", "    d.indicator_code,\n    p.period,"),
    )
    assert migrate(project) == [
        "视图 view indicators.coverage",
        "视图 view indicators.due",
        "数据仓库已是最新 / the warehouse is up to date",
    ]
    after = views(project)
    assert after.keys() == before.keys()
    assert {name for name in after if after[name] != before[name]} == {"indicators.coverage", "indicators.due"}
    assert ask(project, "select has_table_privilege('halfyear_loader', 'indicators.due', 'select')") == [(True,)]


def test_a_changed_function_is_replaced_in_place(project: Settings) -> None:
    oid = ask(project, "select 'core.new_partition'::regproc::oid")
    rewrite(project.sql / "core" / "new_partition.sql", lambda text: text.replace("half-year'", "half of a year'"))
    assert migrate(project) == ["函数 function core.new_partition", "数据仓库已是最新 / the warehouse is up to date"]
    assert ask(project, "select 'core.new_partition'::regproc::oid") == oid


def test_a_view_that_is_gone_goes_and_one_that_is_missing_comes_back(project: Settings) -> None:
    ask(project, "drop view mart.period")
    (project.sql / "mart" / "vintage.sql").unlink()
    assert migrate(project) == ["视图 view mart.period", "数据仓库已是最新 / the warehouse is up to date"]
    assert "mart.period" in views(project) and "mart.vintage" not in views(project)


def test_a_view_of_core_that_changed_makes_figures_due(project: Settings) -> None:
    ask(
        project,
        "insert into lineage.delivery (source, file_name, verdict) values ('x', 'x', 'loaded'); "
        "insert into lineage.load (load_id, delivery_id, contract_version, contract_fingerprint, code_version, rows_read, "
        "rows_passed, rows_loaded, rows_quarantined, rows_skipped, state, started_at) "
        "select 1, delivery_id, '', '', '', 0, 0, 0, 0, 0, 'checked', now() from lineage.delivery; "
        "insert into lineage.standing values ('x', '2022-06-30', 1, '[2022-07-01,)')",
    )
    rewrite(project.sql / "core" / "body_part.sql", lambda text: f"-- As it was.\n{text}")
    assert "视图 view core.body_part" in migrate(project)
    assert ask(project, "select count(*) from indicators.stale") == [(0,)]
    rewrite(project.sql / "core" / "body_part.sql", lambda text: text.replace("'村'", "'镇'"))
    migrate(project)
    assert ask(project, "select count(*) > 50 from indicators.stale") == [(True,)]


def test_a_numbered_migration_may_change_what_views_read(project: Settings) -> None:
    (project.sql / "migrations" / "0099_sequence.sql").write_text(
        "alter table lineage.delivery alter column sequence type bigint;\n", "utf-8"
    )
    lines = migrate(project)
    assert lines[0] == "迁移 migration 0099_sequence.sql" and "视图 view mart.sealed_delivery" in lines
    rewrite(project.sql / "migrations" / "0099_sequence.sql", lambda text: text + "\n")
    with pytest.raises(ContractError, match=r"0099_sequence\.sql"):
        warehouse_module.migrate(project, print)


def test_a_view_of_somebody_else_stops_the_migration(project: Settings) -> None:
    ask(project, "create view staging.mine as select * from mart.period")
    rewrite(project.sql / "mart" / "period.sql", lambda text: text.replace("'open'", "'still open'"))
    before = views(project)
    with pytest.raises(InfrastructureFault, match="depend"):
        warehouse_module.migrate(project, print)
    assert views(project) == before


def test_a_file_declares_what_its_name_says(project: Settings) -> None:
    (project.sql / "core" / "body_part.sql").rename(project.sql / "core" / "part.sql")
    with pytest.raises(ContractError, match=r"part\.sql.*core\.part"):
        warehouse_module.migrate(project, print)


def test_declarations_and_migrations_keep_apart(warehouse: Settings) -> None:
    """Tables change by migration, views and functions are declared; no declaration drops a function."""
    for path in (warehouse.sql / "migrations").glob("*.sql"):
        text = path.read_text("utf-8")
        assert not any(f"create {what}" in text for what in ("view", "function", "trigger", "or replace")), path.name
    for path in warehouse.sql.rglob("*.sql"):
        assert path.parent.name == "migrations" or "drop function" not in path.read_text("utf-8"), path
