"""What runs, what arrived, what waits: `halfyear status`; and what a night needs: `halfyear doctor`."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from halfyear import contract as contracts
from halfyear import warehouse
from halfyear.core import ledger
from halfyear.errors import ContractError, HalfyearError, InfrastructureFault
from halfyear.indicators.rounding import DASH
from halfyear.landing import inbox
from halfyear.scheduling import replay
from halfyear.settings import LOCAL_ZONE, Settings
from halfyear.terminal import console
from halfyear.terminal.account import VERDICTS
from halfyear.warehouse.connection import Role

#: With less free space than this a night may fill the disk.
_MINIMUM_FREE_BYTES = 2 * 1024**3
#: Indicators of a half-year that a line names; the JSON has all.
_NAMES = 5


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
        "due": {},
        "stale_periods": [],
        "outdated": {},
    }
    try:
        roles: tuple[Role, ...] = ("owner", "loader", "publisher", "reader")
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
            known = ledger.known_files(cursor, source)
            in_inbox = inbox.lying(contract, settings)
            waiting += sum((each.file_name, each.bytes, each.modified_at) not in known for each in in_inbox)
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
        cursor.execute(
            "select period, array_agg(indicator_code || case reading when '' then '' else '.' || reading end "
            "order by indicator_code, reading) from indicators.due group by period order by period"
        )
        found["due"] = dict(cursor.fetchall())
        found["stale_periods"] = list(found["due"])
    found["outdated"] = replay.outdated(settings)
    return found


def show(found: dict[str, Any]) -> None:
    """Print the report for people."""
    airflow, urls = found["airflow"], found["warehouse"]
    down = "未运行，启动用 / not running; start it with: halfyear up"
    alone = "，不要 Airflow 则用 / or without Airflow: halfyear migrate"
    console.say(f"主目录 home: {found['home']}")
    console.say(f"收件箱 inbox: {found['inbox']}")
    console.say(f"数据仓库 warehouse: {urls['reader'] if urls else down + alone}")
    console.say(f"Airflow: {airflow['url'] or down}")
    if airflow["url"]:
        console.say(f"Airflow 用户 user: {airflow['user']}; 密码在 password in: {airflow['password_file']}")
    if not found["sources"]:
        return
    table = console.table(
        ("来源 source", "名称 name"), ("最新快照\nnewest", "文件\nfiles", "等待\nwaiting", "拒收\nrefused")
    )
    table.columns[0].no_wrap = True
    for row in found["sources"]:
        numbers = (str(row[name]) for name in ("deliveries", "waiting", "refused"))
        table.add_row(row["source"], row["name_zh"], row["newest_snapshot"] or DASH, *numbers)
    console.say("")
    console.show(table)
    console.say("")
    for row in found["attention"]:
        console.say(
            f"报送 delivery {row['delivery']} {row['file_name']}: {VERDICTS['refused']}: {row['rule']}: {row['reason_zh']} / "
            f"{row['reason_en']}",
            "red",
        )
    for half in found["periods"]:
        console.say(_half_year_line(half))
    if found["outdated"]:
        console.say(outdated_line(found["outdated"]))
    for period, names in found["due"].items():
        more = f", 另有 more: {len(names) - _NAMES}" if len(names) > _NAMES else ""
        console.say(f"{period} 待算指标 indicators due: {len(names)}: {', '.join(names[:_NAMES])}{more}")
    if found["due"]:
        console.say("待算的下次夜间处理时计算 / what is due is computed by the next night, or now: halfyear ingest")


def outdated_line(loads: Mapping[str, int]) -> str:
    """That an older contract judged some loads, by source, and what to do."""
    named = ", ".join(f"{source} {count}" for source, count in loads.items())
    return (
        f"由旧合同判断的装载 loads that an older contract judged: {named}; 重新判断会有何变化 / what judging them again would change: "
        "halfyear replay --dry-run"
    )


def _half_year_line(half: dict[str, Any]) -> str:
    start = f"{half['period']} {half['title_zh']}: "
    if half["vintage"] is None:
        return f"{start}未封存 open"
    day = half["sealed_at"].astimezone(LOCAL_ZONE).date()
    moved = half["restatement_candidates"]
    return (
        f"{start}已封存 sealed v{half['vintage']} {day}, 批准人 approved by {half['approved_by']}"
        + f"; 此后有变动的数 figures that moved since: {moved}, 见 see: halfyear restate {half['period']}" * bool(moved)
    )


def doctor(settings: Settings) -> int:
    """Look at what a night needs; prints a line each and returns how many are missing."""
    looks: list[tuple[str, Callable[[], bool | str]]] = [
        ("Python ≥ 3.11", _python),
        ("声明 contracts and definitions", lambda: _declarations(settings)),
        ("主目录 home", lambda: _writable(settings.home)),
        ("收件箱 inbox", lambda: _inbox(settings)),
        ("磁盘 free disk", lambda: _free(settings.home)),
        ("令牌密钥 token key", lambda: _token_key(settings)),
        ("数据仓库 warehouse", lambda: _warehouse(settings)),
        ("Airflow", lambda: _airflow(settings)),
    ]
    problems = 0
    table = console.table(("", "所需 what a night needs", "怎么办 what to do"))
    table.columns[0].no_wrap = True
    for name, look in looks:
        try:
            answer = look()
        except HalfyearError as error:
            answer = str(error)
        problems += answer is not True
        table.add_row(*(("正常 ok", name, "") if answer is True else ("缺 MISSING", name, str(answer))))
    console.show(table)
    return problems


def _python() -> bool | str:
    found = sys.version.split()[0]
    return sys.version_info >= (3, 11) or f"现为 {found}，请安装较新版本 / this is {found}; install a newer one"


def _declarations(settings: Settings) -> bool | str:
    from halfyear.indicators import unit
    from halfyear.warehouse import migration

    try:
        unit.load_units(settings.expectations)
        migration.check(settings)
    except ContractError as error:
        return f"{error}; 改正后运行 / mend it, and run: halfyear migrate"
    except InfrastructureFault:  # which the line of the warehouse says
        pass
    return True


def _writable(home: Path) -> bool | str:
    probe = home / ".doctor"
    try:
        home.mkdir(parents=True, exist_ok=True)
        probe.write_text("")
        probe.unlink()
    except OSError as error:
        return f"{home}: {error.strerror}; 请将 HALFYEAR_HOME 设为自己的文件夹 / set HALFYEAR_HOME to a folder of yours"
    return True


def _inbox(settings: Settings) -> bool | str:
    from upath import UPath

    if UPath(settings.inbox).exists():
        return True
    return (
        f"{settings.inbox} 不存在，请新建、改设 HALFYEAR_INBOX，或写入演示数据 / does not exist; create it, set HALFYEAR_INBOX, or "
        "write the demo exports: halfyear demo"
    )


def _free(home: Path) -> bool | str:
    free = shutil.disk_usage(home).free
    gib = f"{free / 1024**3:.1f} GiB"
    return free >= _MINIMUM_FREE_BYTES or (
        f"只剩 {gib}，请为原始区和数据仓库腾出空间 / only {gib} are free; make room for landing and the warehouse"
    )


def _token_key(settings: Settings) -> bool | str:
    key_file = settings.home / "token.key"
    if settings.token_key or not key_file.exists() or key_file.stat().st_mode & 0o077 == 0:
        return True
    return f"他人可读 {key_file}，请运行 / others can read {key_file}; run: chmod 600 {key_file}"


def _warehouse(settings: Settings) -> bool | str:
    with warehouse.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute("select to_regclass('mart.indicator') is not null")
        row = cursor.fetchone()
    return bool(row and row[0]) or "尚未建表，请运行 / it is empty; run: halfyear migrate"


def _airflow(settings: Settings) -> bool | str:
    from halfyear.scheduling import airflow_service

    state = airflow_service.airflow_state(settings)
    return state.running or f"未运行，请启动 / not running ({', '.join(state.missing)}); run: halfyear up"
