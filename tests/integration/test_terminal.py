"""What people see: every command at 80 columns, in a pipe, on a small warehouse that was loaded once; and Ctrl-C."""

from __future__ import annotations

import csv
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import psutil
import psycopg2
import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from halfyear import settings as settings_module
from halfyear import warehouse as warehouse_module
from halfyear.scheduling import night
from halfyear.settings import Settings
from halfyear.terminal.command import main
from halfyear.warehouse import embedded

HANZI = re.compile(r"[\u4e00-\u9fff]")
HALFYEAR = [sys.executable, "-c", "from halfyear.terminal.command import main; main()"]
PROJECT = Path(__file__).resolve().parents[2]
REFUSED = "catalogue_unit_20220630_2.csv"
BAD_NAME = "编目挂接单位清单（二〇二二年上半年，市政务服务数据管理局各科室汇总后报送的最终版本）.csv"
#: Airflow starts in a minute: tests/integration/test_scheduler.py has these two.
ELSEWHERE = {"up", "run"}


def unit_rows(count: int) -> list[str]:
    with (PROJECT / "expectations" / "core" / "body.csv").open(encoding="utf-8-sig") as stream:
        return [f"{row['name']},{row['code']},是,10,8,5" for row in csv.DictReader(stream)][:count]


def write_units(folder: Path, name: str, rows: list[str]) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(
        "\n".join(["单位名称,统一社会信用代码,是否需编目挂接,应编目数,已编目数,已挂接数", *rows, ""]), "utf-8"
    )
    os.utime(path, (1_656_600_000,) * 2)
    return path


def run(*arguments: str, width: int = 80) -> tuple[int, str]:
    """The exit code of a command and what it writes to standard output, which is no terminal."""
    done = CliRunner().invoke(main, arguments, env={"COLUMNS": str(width)}, catch_exceptions=False)
    return done.exit_code, done.stdout


def joined(text: str) -> str:
    """A text without its blanks and the ends of its lines."""
    return "".join(text.split())


def too_wide(text: str, width: int = 80) -> list[str]:
    """The lines that are wider than the terminal. One word alone, such as a path or URL, is never broken."""
    return [line for line in text.splitlines() if cell_len(line) > width and " " in line.strip()]


@dataclass(frozen=True)
class Night:
    """A warehouse after a night of `halfyear ingest`, with what that printed."""

    settings: Settings
    exit_code: int
    printed: str


@pytest.fixture(scope="module")
def small(settings: Settings, template: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Night]:
    home = tmp_path_factory.mktemp("terminal")
    database = f"terminal_{os.getpid()}"
    server, url = embedded.server_url(settings, "postgres"), embedded.server_url(settings, database)
    assert server and url
    with pytest.MonkeyPatch.context() as patch, closing(psycopg2.connect(server)) as connection:
        connection.autocommit = True
        connection.cursor().execute(f"create database {database} template {template}")
        patch.setenv("HALFYEAR_HOME", str(home))
        patch.setenv("HALFYEAR_WAREHOUSE", url)
        rows = unit_rows(20)
        folder = home / "inbox" / "catalogue_unit"
        write_units(folder, "catalogue_unit_20220629.csv", [*rows, *rows[:1]])
        write_units(folder, "catalogue_unit_20220630.csv", [rows[0].replace(",10,", ",十,"), *rows[1:]])
        write_units(folder, REFUSED, rows[:5])
        write_units(folder, BAD_NAME, rows)
        exit_code, printed = run("ingest")
        yield Night(settings_module.load(), exit_code, printed)
        connection.cursor().execute(f"drop database {database} with (force)")


def test_the_night_keeps_its_account(small: Night) -> None:
    assert small.exit_code == 1 and "…" not in small.printed.replace("--reason …", "")
    assert too_wide(small.printed) == []
    for heading in ("读取", "装载", "隔离", "跳过", "read", "loaded", "bad", "skip"):
        assert heading in small.printed
    rows = {
        line.split()[0]: line.split()[-4:] for line in small.printed.splitlines() if re.search(r"(\d+ +){3}\d+$", line)
    }
    assert rows["catalogue_unit_20220629.csv"] == ["21", "20", "0", "1"]
    assert rows["catalogue_unit_20220630.csv"] == ["20", "19", "1", "0"]
    for read, loaded, bad, skipped in rows.values():
        assert int(read) == int(loaded) + int(bad) + int(skipped)
    # A name that is longer than the terminal is there whole, over several lines.
    assert BAD_NAME in "".join(re.sub(r"  .*", "", line) for line in small.printed.splitlines()).replace("\n", "")


def test_every_command_at_80_columns_in_a_pipe(small: Night, tmp_path: Path) -> None:
    settings = small.settings
    with warehouse_module.transaction(settings) as connection, connection.cursor() as cursor:
        cursor.execute("select delivery_id from lineage.delivery where file_name = %s", (REFUSED,))
        ((delivery,),) = cursor.fetchall()
    refused = CliRunner().invoke(main, ["publish", "2022-S1"])
    assert refused.exit_code == 2
    named = re.findall(r"--except|(?<=--except )\S+", refused.stderr)
    seen = set()
    # The command, its exit code, what it has to print.
    for arguments, exit_code, said in (
        (["demo", "--periods", "1", "--source", "cloud_migration"], 0, ["已写入的演示文件 demo exports written: 3"]),
        (["status"], 0, ["最新快照", "newest", "files", "waiting", "refused", "2022-S1 2022年上半年: 未封存 open"]),
        (["doctor"], 3, ["缺 MISSING", "怎么办 what to do"]),
        (["check", str(Path(settings.inbox) / "catalogue_unit" / "catalogue_unit_20220630.csv")], 1,
         ["读取 read 20 = 装载 loaded 19 + 隔离", "quarantined 1 + 跳过 skipped 0"]),
        (["indicators", "2022-S1"], 0, ["本期", "上期", "环比", "上年同期", "同比", "编目", "catalogue_units"]),
        (["trace", "2022-S1", "catalogue_units"], 0, ["来自", "数量", "单位", "记录", "catalogue_unit_20220629.csv:3"]),
        (["trace", "2022-S1", "catalogue_units", "--limit", "2"], 0, ["rows not listed: 18"]),
        (["reconcile", "2022-S1"], 1, ["公布", "计算", "结论", "一致 equal", "无来源 no rows"]),
        (["audit"], 0, ["不符 differences: 0"]),
        (["accept", str(delivery), "--reason", "合并"], 0, ["读取 read 5 = 装载 loaded 5"]),
        (["replay"], 0, ["没有由旧合同判断的装载 / no load was judged by an older contract"]),
        (["replay", "--dry-run", "--since", "2022-06-30"], 0, ["会变动的指标 figures that would move: 全市 of the city 0"]),
        (["bodies"], 0, ["没有未知单位 / every body is known"]),
        (["publish", "2022-S1", *named], 0, ["未封存", "Figures", "上年同期"]),
        (["publish", "2022-S1", "--approved-by", "审核人", *named], 0, ["已封存第 1 版 / sealed as vintage 1"]),
        (["restate", "2022-S1"], 0, ["没有变动 / nothing moved since"]),
        (["verify"], 0, ["版次 vintages 1", "不符 differences: 0"]),
        (["report", "2022-S1", "--draft", "-o", str(tmp_path / "r.docx")], 0, ["已写入 wrote"]),
        (["export", "2022-S1", "-o", str(tmp_path / "x")], 0, ["已写入 wrote", "指标 figures:"]),
        (["note", "2022-S1"], 2, []),
        (["docs", "--check"], None, []),
        (["migrate"], 0, ["已是最新，无需迁移 / nothing to migrate"]),
        (["down"], 0, ["没有在运行的 / nothing was running"]),
        (["status"], 0, ["已封存 sealed v1"]),
    ):  # fmt: skip
        code, printed = run(*arguments)
        seen.add(arguments[0])
        assert exit_code in (None, code), (arguments, code, printed)
        for words in said:
            assert joined(words) in joined(printed), (arguments, printed)
        assert too_wide(printed) == [], arguments
        assert "…" not in re.sub(r"…( \(|$)|--reason …", "", printed, flags=re.MULTILINE), arguments
        assert not printed or HANZI.search(printed), arguments
    assert seen | ELSEWHERE | {"ingest"} == set(main.commands)


def test_a_wide_terminal_says_the_same(small: Night) -> None:
    code, printed = run("indicators", "2022-S1", width=200)
    (line,) = (line for line in printed.splitlines() if line.startswith("catalogue_units "))
    assert code == 0 and len(line.split()) == 7
    wide, narrow = (sorted(joined(run("status", width=width)[1]).replace("─", "")) for width in (200, 80))
    assert wide == narrow


def test_ctrl_c_ends_ingest_at_once(warehouse: Settings) -> None:
    """What was committed is kept, one line says what to do next, no process is left, and the next night goes on."""
    folder = Path(warehouse.inbox) / "catalogue_unit"
    rows = unit_rows(20)
    for day in range(1, 29):
        write_units(folder, f"catalogue_unit_202206{day:02d}.csv", rows)
    running = subprocess.Popen(
        [*HALFYEAR, "ingest", "--source", "catalogue_unit"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        # A test run in the background ignores Ctrl-C, and so would its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert running.stderr is not None
    for line in running.stderr:
        if "catalogue_unit_20220602.csv" in line:
            break
    children = psutil.Process(running.pid).children(recursive=True)
    started = time.monotonic()
    os.killpg(running.pid, signal.SIGINT)
    _, errors = running.communicate(timeout=60)
    assert time.monotonic() - started < 15
    assert running.returncode == 130 and "Traceback" not in errors
    (said,) = (line for line in errors.splitlines() if line.startswith("halfyear: "))
    assert (
        "已中断" in said and "interrupted; what was committed is kept: deliveries" in said and "halfyear ingest" in said
    )
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    with warehouse_module.transaction(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from lineage.delivery where verdict = 'loaded'")
        ((loaded,),) = cursor.fetchall()
        cursor.execute(
            "select count(*) from pg_stat_activity where application_name = %s", (f"halfyear {running.pid}",)
        )
        assert cursor.fetchall() == [(0,)]
    assert 2 <= loaded < 28 and f"deliveries {loaded};" in said
    # The next night goes on with the file that was being read.
    pending = night.look("catalogue_unit", warehouse).pending
    assert len(pending) == 28 - loaded
    assert night.load_delivery(pending[0], warehouse).verdict == "loaded"
