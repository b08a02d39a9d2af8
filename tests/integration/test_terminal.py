"""What people see: every command at 80 columns, in a pipe, on a small warehouse that was loaded once; and Ctrl-C."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
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
        patch.setenv("HALFYEAR_DECLARED_NAMES", "allow")
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
        (["trace", "2022-S1", "catalogue_units", "--limit", "2"], 0, ["rows not listed: 19"]),
        (["reconcile", "2022-S1"], 1, ["公布", "计算", "结论", "一致 equal", "无来源 no rows"]),
        (["audit"], 0, ["不符 differences: 0"]),
        (["accept", str(delivery), "--reason", "合并"], 0, ["读取 read 5 = 装载 loaded 5"]),
        (["replay"], 0, ["没有由旧合同判断的装载 / no load was judged by an older contract"]),
        (["replay", "--dry-run", "--since", "2022-06-30"], 0, ["会变动的指标 figures that would move: 全市 of the city 0"]),
        (["bodies"], 0, ["没有未知单位 / every body is known"]),
        (["publish", "2022-S1", *named], 0, ["未封存", "Figures", "上年同期"]),
        (["approve", "2022-S1"], 0, ["编制账号 prepared by the account peer:", "--digest"]),
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


def test_the_preparer_is_refused_before_anything_is_shown(small: Night) -> None:
    names = ["--prepared-by", "甲", "--approved-by", " 甲 "]
    for asked in (["publish", "2022-S1"], ["restate", "2022-S1", "--reason", "late_data"]):
        done = CliRunner().invoke(main, [*asked, *names])
        assert done.exit_code == 2 and "the preparer cannot approve" in done.stderr and done.stdout == ""


def test_an_instant_before_the_first_load_is_said(small: Night) -> None:
    for asked in (["indicators", "2022-S1"], ["trace", "2022-S1", "catalogue_units"]):
        early, late = (
            CliRunner().invoke(main, [*asked, "--as-known", instant]).stderr for instant in ("2022-07-05", "2099-01-01")
        )
        assert re.search(r"nothing was loaded by then; 首次装载 first load: 20\d\d-\d\d-\d\d \d\d:", early), early
        assert late == ""


def test_a_trace_says_which_figure_it_shows(small: Night) -> None:
    trace = ["trace", "2022-S1", "catalogue_units"]
    assert "the same as in the seal v1" in run(*trace, width=200)[1]
    assert "from the rows known at: 第 1 版封存时 the seal v1, 20" in run(*trace, "--as-known", "v1", width=200)[1]


def test_what_waits_in_the_inbox_is_counted(small: Night) -> None:
    path = write_units(Path(small.settings.inbox) / "catalogue_unit", "catalogue_unit_20220628.csv", unit_rows(3))
    try:
        waiting = {each["source"]: each["waiting"] for each in json.loads(run("status", "--json")[1])["sources"]}
    finally:
        path.unlink()
    assert waiting.pop("catalogue_unit") == 1
    # Those of `halfyear demo` that nobody loaded.
    assert waiting.pop("cloud_migration") == 3 and set(waiting.values()) == {0}


def test_a_changed_definition_is_named_with_what_it_makes_due(
    small: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("expectations", "sql"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    changed, gone = (
        tmp_path / "sql" / "indicators" / f"{n}.sql" for n in ("catalogue_units", "video_meeting_attendees")
    )
    changed.write_text(changed.read_text("utf-8").replace("\nunit:", "\ndecimals: 1\nunit:", 1), "utf-8")
    gone.unlink()
    with monkeypatch.context() as patch:
        patch.setenv("HALFYEAR_PROJECT", str(tmp_path))
        code, printed = run("migrate", width=200)
        assert code == 0 and "indicators with a changed definition: catalogue_units\n" in printed
        assert "indicators retired: video_meeting_attendees\n" in printed and "half-years due: 2022-S1;" in printed
        assert (
            "2022-S1 待算指标 indicators due: 2: catalogue_units, video_meeting_attendees"
            in run("status", width=200)[1]
        )
        assert json.loads(run("status", "--json")[1])["due"] == {
            "2022-S1": ["catalogue_units", "video_meeting_attendees"]
        }
    assert "indicators added: video_meeting_attendees" in run("migrate", width=200)[1]
    night.compute("2022-S1")
    assert "待算" not in run("status")[1]


def test_doctor_and_migrate_name_a_select_that_does_not_run(
    small: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("expectations", "sql"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    monkeypatch.setenv("HALFYEAR_PROJECT", str(tmp_path))
    assert re.search("正常 ok +声明 contracts and definitions", run("doctor", width=300)[1])
    for name, line, old, new in (
        ("populations/units_to_catalogue", 11, "not must_catalogue", "not must_catalog"),
        ("indicators/idle_kiosks", 16, "select served.kiosk_code", "select served.kiosk_cod"),
    ):
        path = tmp_path / "sql" / f"{name}.sql"
        whole = path.read_text("utf-8")
        path.write_text(whole.replace(old, new, 1), "utf-8")
        says = f"sql/{name}.sql: 行 line {line}: 查询无法执行 / the select does not run: column"
        code, printed = run("doctor", width=500)
        done = CliRunner().invoke(main, ["migrate"])
        path.write_text(whole, "utf-8")
        assert code == 3 and re.search("缺 MISSING +声明 contracts and definitions", printed)
        assert done.exit_code == 2
        for said in (printed, done.stderr):
            assert says in said and "Perhaps you meant to reference the column" in said, said


def test_what_moved_since_a_seal_is_told_with_its_rows(small: Night) -> None:
    """In `trace` beside the provisional value, in `restate` without rows that count neither then nor now."""
    rows = unit_rows(12)
    write_units(
        Path(small.settings.inbox) / "catalogue_unit",
        "catalogue_unit_20220630_3.csv",
        [*rows[:11], rows[11].replace(",是,", ",否,")],
    )
    run("ingest", "--source", "catalogue_unit")
    printed = run("trace", "2022-S1", "catalogue_units", width=300)[1]
    assert "\n11个\n" in printed and "published is the sealed value v1: 5个\n" in printed
    assert "rows since the seal: 增加 added 7, 减少 removed 0;" in printed
    code, printed = run("restate", "2022-S1")
    assert code == 1 and too_wide(printed) == []
    # The bodies that are there again have their rows of the day before; the twelfth counted neither then nor now.
    assert "catalogue_units " in printed and "catalogue_unit_20220629.csv:12" in printed
    assert "catalogue_unit_20220630_3.csv:13" not in printed
    with warehouse_module.transaction(small.settings) as connection, connection.cursor() as cursor:
        cursor.execute(
            "select count(*) from mart.restatement_candidate_row where row_number = 13 and indicator_code = 'catalogue_units'"
        )
        assert cursor.fetchone() == (1,)


def test_an_indicator_is_retired(small: Night, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/how-to/retire-an-indicator.md: the seal keeps the figure until it is restated."""
    for name in ("expectations", "sql"):
        shutil.copytree(PROJECT / name, tmp_path / name)
    monkeypatch.setenv("HALFYEAR_PROJECT", str(tmp_path))
    (tmp_path / "sql" / "indicators" / "catalogue_units.sql").unlink()
    assert "indicators retired: catalogue_units\n" in run("migrate", width=300)[1]
    run("ingest")
    assert "catalogue_units " in run("indicators", "2022-S1", width=300)[1]
    code, printed = run("restate", "2022-S1", width=300)
    assert code == 1 and re.search(r"catalogue_units +5个 +—", printed), printed
    restated = run(
        "restate",
        "2022-S1",
        "--reason",
        "changed_scope",
        "--note",
        "撤销",
        "--prepared-by",
        "甲",
        "--approved-by",
        "乙",
    )
    assert restated[0] == 0 and "sealed as vintage 2" in restated[1]
    assert run("verify")[0] == 0 and "catalogue_units " not in run("indicators", "2022-S1", width=300)[1]


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
    assert "已中断" in said and "interrupted; what was committed is kept: files" in said and "halfyear ingest" in said
    assert not [child for child in children if child.is_running() and child.status() != psutil.STATUS_ZOMBIE]
    with warehouse_module.transaction(warehouse) as connection, connection.cursor() as cursor:
        cursor.execute("select count(*) from lineage.delivery where verdict = 'loaded'")
        ((loaded,),) = cursor.fetchall()
        cursor.execute(
            "select count(*) from pg_stat_activity where application_name = %s", (f"halfyear {running.pid}",)
        )
        assert cursor.fetchall() == [(0,)]
    assert 2 <= loaded < 28 and f"files {loaded};" in said
    # The next night goes on with the file that was being read.
    pending = night.look("catalogue_unit", warehouse).pending
    assert len(pending) == 28 - loaded
    assert night.load_delivery(pending[0], warehouse).verdict == "loaded"
