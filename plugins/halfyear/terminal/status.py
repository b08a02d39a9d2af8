"""What runs, what arrived, what waits: `halfyear status`; and what a night needs: `halfyear doctor`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
from rich.box import SIMPLE
from rich.console import Console
from rich.table import Table

from halfyear import contract as contracts
from halfyear import warehouse
from halfyear.errors import HalfyearError
from halfyear.settings import LOCAL_ZONE, Settings
from halfyear.warehouse.connection import Role

#: Below this a night may run out of disk.
_MINIMUM_FREE_BYTES = 2 * 1024**3


def report(settings: Settings) -> dict[str, Any]:
    """The state of this home; ``warehouse`` holds the URL of each role, or null when it does not run."""
    from halfyear.scheduling import airflow_service

    airflow = airflow_service.airflow_state(settings)
    found: dict[str, Any] = {
        "home": str(settings.home),
        "inbox": settings.inbox,
        "airflow": {
            "running": airflow.running,
            "url": airflow.url if airflow.running else None,
            "user": airflow.user,
            "password_file": str(airflow.password_file),
            "logs": str(airflow.log_folder),
        },
        "warehouse": None,
        "sources": [],
        "attention": [],
        "periods": [],
        "stale_periods": [],
    }
    try:
        roles: tuple[Role, ...] = ("owner", "loader", "reader")
        found["warehouse"] = {role: warehouse.role_url(settings, role) for role in roles}
    except HalfyearError:
        return found
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('mart.indicator') is not null")
        row = cursor.fetchone()
        if not row or not row[0]:
            return found
        cursor.execute(
            "select source, max(snapshot_date) filter (where verdict in ('loaded', 'loaded_with_quarantine')), "
            "count(*) filter (where verdict is distinct from 'ignored'), count(*) filter (where verdict is null), "
            "count(*) filter (where verdict = 'refused') from lineage.delivery group by source"
        )
        arrived = {row[0]: row[1:] for row in cursor.fetchall()}
        for source, contract in contracts.load_all(settings.expectations).items():
            newest, deliveries, waiting, refused = arrived.get(source, (None, 0, 0, 0))
            found["sources"].append(
                {
                    "source": source,
                    "name_zh": contract.title_zh,
                    "newest_snapshot": newest.isoformat() if newest else None,
                    "deliveries": deliveries,
                    "waiting": waiting,
                    "refused": refused,
                }
            )
        cursor.execute(
            "select delivery_id, file_name, verdict, rule, reason_zh, reason_en from lineage.delivery "
            "where verdict = 'refused' and not exists (select from lineage.standing where upper_inf(known_at) "
            "and standing.source = delivery.source and standing.snapshot_date = delivery.snapshot_date) "
            "order by delivery_id desc limit 20"
        )
        names = ("delivery", "file_name", "verdict", "rule", "reason_zh", "reason_en")
        found["attention"] = [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
        cursor.execute(
            "select period.period, period.title_zh, period.status, period.vintage, vintage.sealed_at, "
            "vintage.approved_by, (select count(*) from mart.restatement_candidate as moved "
            "where moved.period = period.period and moved.body_code is null) "
            "from mart.period as period left join mart.vintage as vintage using (period, vintage) order by period"
        )
        columns = ("period", "title_zh", "status", "vintage", "sealed_at", "approved_by", "restatement_candidates")
        found["periods"] = [dict(zip(columns, row, strict=True)) for row in cursor.fetchall()]
        cursor.execute("select distinct period from indicators.stale order by period")
        found["stale_periods"] = [row[0] for row in cursor.fetchall()]
    return found


def show(found: dict[str, Any]) -> None:
    """Print the report for people."""
    console = Console()
    airflow, urls = found["airflow"], found["warehouse"]
    lines = [
        f"home       {found['home']}",
        f"inbox      {found['inbox']}",
        f"warehouse  {urls['reader'] if urls else 'not running; start it with: halfyear up'}",
        f"Airflow    {airflow['url'] or 'not running; start it with: halfyear up'}",
    ]
    if airflow["url"]:
        lines.append(f"           user {airflow['user']}, password in {airflow['password_file']}")
    for line in lines:
        console.print(line, markup=False, highlight=False, soft_wrap=True)
    if not found["sources"]:
        return
    table = Table(title="sources", title_justify="left", box=SIMPLE)
    table.add_column("source", no_wrap=True)
    table.add_column("", overflow="fold")
    table.add_column("newest", no_wrap=True)
    for name in ("files", "waiting", "refused"):
        table.add_column(name, justify="right", no_wrap=True)
    for row in found["sources"]:
        table.add_row(
            row["source"],
            row["name_zh"],
            row["newest_snapshot"] or "—",
            str(row["deliveries"]),
            str(row["waiting"]),
            str(row["refused"]),
        )
    console.print(table)
    for row in found["attention"]:
        console.print(
            f"delivery {row['delivery']} {row['file_name']}: refused: {row['rule']}: {row['reason_zh']} / {row['reason_en']}",
            style="red",
            markup=False,
            highlight=False,
            soft_wrap=True,
        )
    for half in found["periods"]:
        console.print(_half_year_line(half), markup=False, highlight=False, soft_wrap=True)
    if found["stale_periods"]:
        console.print(f"stale: {', '.join(found['stale_periods'])}; computed by the next night", highlight=False)


def _half_year_line(half: dict[str, Any]) -> str:
    start = f"{half['period']}  {half['title_zh']}  "
    if half["vintage"] is None:
        return f"{start}open"
    day = half["sealed_at"].astimezone(LOCAL_ZONE).date()
    moved = half["restatement_candidates"]
    return (
        f"{start}sealed as v{half['vintage']} on {day}, approved by {half['approved_by']}"
        + f"; {moved} figures moved since, see: halfyear restate {half['period']}" * bool(moved)
    )


def doctor(settings: Settings) -> int:
    """Look at what a night needs; prints a line each and returns how many are missing."""
    looks: list[tuple[str, Callable[[], bool | str]]] = [
        (
            "Python 3.11 or newer",
            lambda: sys.version_info >= (3, 11) or f"this is {sys.version.split()[0]}; install a newer one",
        ),
        ("contracts and indicator definitions", lambda: _declarations(settings)),
        ("home can be written", lambda: _writable(settings.home)),
        ("inbox can be read", lambda: _inbox(settings)),
        ("free disk", lambda: _free(settings.home)),
        ("token key", lambda: _token_key(settings)),
        ("warehouse", lambda: _warehouse(settings)),
        ("Airflow", lambda: _airflow(settings)),
    ]
    problems = 0
    for name, look in looks:
        try:
            answer = look()
        except HalfyearError as error:
            answer = str(error)
        problems += answer is not True
        click.echo(f"{'ok     ' if answer is True else 'MISSING'} {name}{'' if answer is True else f': {answer}'}")
    return problems


def _declarations(settings: Settings) -> bool | str:
    from halfyear.indicators import definition

    return bool(contracts.load_all(settings.expectations) and definition.load_all(settings.sql))


def _writable(home: Path) -> bool | str:
    home.mkdir(parents=True, exist_ok=True)
    probe = home / ".doctor"
    try:
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        return f"{home}: {error.strerror}; set HALFYEAR_HOME to a folder of yours"
    return True


def _inbox(settings: Settings) -> bool | str:
    from upath import UPath

    if UPath(settings.inbox).exists():
        return True
    return f"{settings.inbox} does not exist; create it, set HALFYEAR_INBOX, or write the demo exports: halfyear demo"


def _free(home: Path) -> bool | str:
    free = shutil.disk_usage(home).free
    return (
        free >= _MINIMUM_FREE_BYTES
        or f"only {free / 1024**3:.1f} GiB are free; make room for landing and the warehouse"
    )


def _token_key(settings: Settings) -> bool | str:
    key_file = settings.home / "token.key"
    if settings.token_key or not key_file.exists() or key_file.stat().st_mode & 0o077 == 0:
        return True
    return f"{key_file} can be read by others; run: chmod 600 {key_file}"


def _warehouse(settings: Settings) -> bool | str:
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('mart.indicator') is not null")
        row = cursor.fetchone()
    return bool(row and row[0]) or "it is empty; run: halfyear migrate"


def _airflow(settings: Settings) -> bool | str:
    from halfyear.scheduling import airflow_service

    state = airflow_service.airflow_state(settings)
    return state.running or f"not running ({', '.join(state.missing)}); run: halfyear up"
