"""The child process: it streams, keeps its limits, dies with its parent and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import psutil
import pytest
from reading_files import (
    KEY,
    SAMPLE,
    SHORT,
    csv_file,
    jsonl_file,
    parquet_file,
    raw_workbook,
    read_file,
    sheet_row,
    workbook,
)

from halfyear import reading
from halfyear import settings as settings_module
from halfyear.contract import Contract
from halfyear.errors import FileRefused, InfrastructureFault
from halfyear.reading import child
from halfyear.settings import Settings

HEAD = "编号,名称,数量\n"


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return replace(settings_module.load(), home=tmp_path / "home", parser_memory_mb=1024, parser_seconds=60)


@pytest.fixture(autouse=True)
def _nothing_remains(tmp_path: Path) -> Iterator[None]:
    """No test leaves a child, or a file below work."""
    yield
    assert not psutil.Process().children()
    work = tmp_path / "home" / "work"
    assert not work.exists() or not list(work.iterdir())


def open_file(path: Path, settings: Settings, source: Contract = SHORT, **facts: str) -> reading.Reading:
    return reading.open_file(path, source, settings, KEY, **facts)


def refusal(path: Path, settings: Settings, source: Contract = SHORT) -> str:
    with open_file(path, settings, source) as opened, pytest.raises(FileRefused) as refused:
        list(opened.batches())
    return refused.value.finding.rule


def test_batches_summary_and_rejected_cells(tmp_path: Path, settings: Settings) -> None:
    rows = "".join(f"A{i},甲,{i}\n" for i in range(45_000))
    path = csv_file(tmp_path, f"{HEAD}{rows}B,乙,x\n,丙,1\n合计,,\n", "gb18030")
    with open_file(path, settings) as opened:
        with pytest.raises(RuntimeError):
            _ = opened.summary
        batches = list(opened.batches())
        assert sum(b.num_rows for b in batches) == 45_000
        assert all(b.schema == reading.arrow_schema(SHORT) for b in batches)
        found = opened.summary
        assert (found.rows_read, found.rows_accepted, found.rows_rejected, found.rows_skipped) == (45_003, 45_000, 2, 1)
        assert found.encoding == "gb18030"
        cells = list(opened.rejected())
        assert [(c.row_number, c.record_key, c.rule) for c in cells] == [
            (45_002, "B", "number_form"),
            (45_003, None, "key_missing"),
        ]
        assert list(opened.rejected()) == cells


@pytest.mark.parametrize("file_format", ["xlsx", "jsonl", "parquet"])
def test_the_other_formats(tmp_path: Path, settings: Settings, file_format: str) -> None:
    made = {
        "xlsx": lambda: workbook(tmp_path, [["编号", "名称"], ["A", "甲"]]),
        "jsonl": lambda: jsonl_file(tmp_path, {"编号": "A", "名称": "甲"}),
        "parquet": lambda: parquet_file(tmp_path, {"编号": ["A"], "名称": ["甲"]}),
    }[file_format]()
    with open_file(made, settings) as opened:
        (batch,) = opened.batches()
        assert batch.to_pylist() == [
            {
                "row_number": 1 if file_format != "xlsx" else 2,
                "record_key": "A",
                "code": "A",
                "title": "甲",
                "amount": None,
            }
        ]
        assert opened.summary.missing_columns == ("数量",)


def test_landed_bytes_have_no_extension(tmp_path: Path, settings: Settings) -> None:
    path = csv_file(tmp_path, HEAD + "A,甲,1\n").rename(tmp_path / "content")
    with open_file(path, settings) as opened:
        assert sum(b.num_rows for b in opened.batches()) == 1
    with open_file(path, settings, file_format="xlsx") as opened, pytest.raises(FileRefused, match="content_differs"):
        list(opened.batches())


def test_a_refusal_may_come_after_some_batches(tmp_path: Path, settings: Settings) -> None:
    rows = "".join(f"A{i},{'甲' * 200},1\n" for i in range(25_000))
    path = csv_file(tmp_path, f"{HEAD}{rows}合计,,1\n")
    with open_file(path, settings) as opened:
        batches = opened.batches()
        assert 0 < next(batches).num_rows < 20_000
        with pytest.raises(FileRefused, match="control_total"):
            list(batches)


def test_what_cannot_be_read_at_all_is_an_infrastructure_fault(tmp_path: Path, settings: Settings) -> None:
    for path in (tmp_path / "absent.csv", tmp_path):
        with pytest.raises(InfrastructureFault):
            open_file(path, settings)


def test_a_workbook_that_needs_too_much_memory_refuses_itself(tmp_path: Path, settings: Settings) -> None:
    """Within the used area that is allowed, and yet calamine asks for gigabytes and aborts."""
    data = sheet_row(1, "编号", "名称", "数量") + '<row r="1048576"><c r="ALK1048576"><v>1</v></c></row>'
    assert refusal(raw_workbook(tmp_path, data), settings) == "parser_limit"


def test_a_line_that_needs_too_much_memory_refuses_the_file(tmp_path: Path, settings: Settings) -> None:
    path = csv_file(tmp_path, HEAD + "A," + "甲" * 60_000_000 + ",1\n")
    assert refusal(path, replace(settings, parser_memory_mb=420)) == "parser_limit"


def test_a_file_that_takes_too_long_is_refused(tmp_path: Path, settings: Settings) -> None:
    rows = "".join(f'A{i},"甲\n{i}",{i}\n' for i in range(600_000))  # read one by one, which takes longest
    path = csv_file(tmp_path, HEAD + rows)
    started = time.monotonic()
    assert refusal(path, replace(settings, parser_seconds=1)) == "parser_limit"
    assert time.monotonic() - started < 10


def test_a_slow_parent_is_not_the_files_fault(tmp_path: Path, settings: Settings) -> None:
    path = csv_file(tmp_path, HEAD + "".join(f"A{i},{'甲' * 200},{i}\n" for i in range(45_000)))
    with open_file(path, replace(settings, parser_seconds=3)) as opened:
        count = 0
        for batch in opened.batches():
            count += batch.num_rows
            time.sleep(1.2)
    assert count == 45_000


@pytest.mark.parametrize("memory", [40, 50, 60, 70])
def test_a_parser_that_cannot_start_is_no_fault_of_the_file(tmp_path: Path, settings: Settings, memory: int) -> None:
    """Whether it dies or still says that memory ran out."""
    path = csv_file(tmp_path, HEAD + "A,甲,1\n")
    with open_file(path, replace(settings, parser_memory_mb=memory)) as opened, pytest.raises(InfrastructureFault):
        list(opened.batches())


def test_a_parser_that_is_killed_from_outside_is_tried_again(tmp_path: Path, settings: Settings) -> None:
    path = csv_file(tmp_path, HEAD + "".join(f"A{i},甲,{i}\n" for i in range(300_000)))
    with open_file(path, settings) as opened:
        batches = opened.batches()
        next(batches)
        (child,) = psutil.Process().children()
        child.kill()
        with pytest.raises(InfrastructureFault):
            list(batches)


def test_leaving_early_kills_the_child(tmp_path: Path, settings: Settings) -> None:
    path = csv_file(tmp_path, HEAD + "".join(f"A{i},甲,{i}\n" for i in range(300_000)))
    with open_file(path, settings) as opened:
        next(opened.batches())
        (child,) = psutil.Process().children()
    assert not child.is_running()
    opened.close()


def test_a_parser_that_was_started_before_reads_one_file(tmp_path: Path, settings: Settings) -> None:
    path = csv_file(tmp_path, HEAD + "A1,甲,1\n")
    with reading.Parser(settings) as parser:
        (child,) = psutil.Process().children()
        with reading.open_file(path, SHORT, settings, KEY, parser=parser) as opened:
            assert sum(batch.num_rows for batch in opened.batches()) == 1
            assert parser.child.pid == child.pid
        assert not child.is_running()


def test_a_parser_without_a_task_is_ended_in_silence(settings: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    with reading.Parser(settings) as parser:
        assert parser.child.stdin is not None
        parser.child.stdin.close()
        assert parser.child.wait(timeout=30) == 0
    with reading.Parser(settings) as parser:
        assert parser.child.poll() is None
    assert parser.child.returncode == -signal.SIGKILL
    assert capfd.readouterr() == ("", "")


def test_a_parser_needs_room_below_work(tmp_path: Path, settings: Settings) -> None:
    (tmp_path / "home").write_text("no folder")
    with pytest.raises(InfrastructureFault, match="parser cannot be started"):
        reading.Parser(settings)


def test_the_key_and_the_secrets_of_the_parent_stay_out_of_sight(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HALFYEAR_TOKEN_KEY", "very-secret")
    path = csv_file(tmp_path, HEAD + "".join(f"A{i},{'甲' * 100},{i}\n" for i in range(300_000)))
    with open_file(path, settings, SAMPLE) as opened:
        next(opened.batches())
        (child,) = psutil.Process().children()
        seen = " ".join(child.cmdline()) + repr(child.environ())
    assert "very-secret" not in seen
    assert KEY.hex() not in seen
    assert KEY.decode() not in seen


def test_the_child_dies_with_its_parent(tmp_path: Path, settings: Settings) -> None:
    path = csv_file(tmp_path, HEAD + "".join(f"A{i},甲,{i}\n" for i in range(300_000)))
    script = textwrap.dedent(f"""
        import sys, time
        sys.path.insert(0, {str(Path(__file__).parent)!r})
        from dataclasses import replace
        from pathlib import Path
        from halfyear import reading, settings
        from reading_files import KEY, SHORT
        given = replace(settings.load(), home=Path({str(settings.home)!r}), parser_memory_mb=1024, parser_seconds=60)
        opened = reading.open_file(Path({str(path)!r}), SHORT, given, KEY)
        next(opened.batches())
        print(opened._parser.child.pid, flush=True)
        time.sleep(60)
    """)
    parent = subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = psutil.Process(int(parent.stdout.readline()))
    os.kill(parent.pid, signal.SIGKILL)
    parent.wait()
    parent.stdout.close()
    psutil.wait_procs([child], timeout=5)
    assert not child.is_running()
    assert not list(settings.work.iterdir())


# --- the second process, for the personal columns of large files ---------------------------------------------------

PEOPLE = "编号,名称,手机号,身份证号,姓名\n"


def people(folder: Path, rows: int, longest: int = 101_000) -> Path:
    """A file that is large enough for two processes from 16 MiB on; some tokens are of a wrong form, some rows bad.

    Where a cell is too long, all rows about it are read one by one.
    """
    made = "".join(
        f"{'' if i % 9999 == 7 else f'A{i}'},{'甲' * 60},{'无' if i % 10 == 3 else 13_000_000_000 + i % 7777 * 90001},"
        f"{'11010519491231002X' if i % 2 else i},{'张' if i % 5000 else '张' * longest}{i % 99}\n"
        for i in range(rows)
    )
    return csv_file(folder, PEOPLE + made)


@pytest.mark.parametrize(("longest", "rules"), [(101_000, {"key_missing", "cell_too_long"}), (9, {"key_missing"})])
def test_personal_columns_of_a_large_file_are_read_beside_the_others(
    tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch, longest: int, rules: set[str]
) -> None:
    path = people(tmp_path, 90_000, longest)
    assert path.stat().st_size > child.LARGE
    with open_file(path, settings, SAMPLE) as opened:
        batches = opened.batches()
        rows = next(batches).to_pylist()
        assert len(parsers()) == 2
        rows += [row for batch in batches for row in batch.to_pylist()]
        cells, summary = list(opened.rejected()), opened.summary
    monkeypatch.setattr(child, "LARGE", 1 << 40)
    alone = read_file(path, SAMPLE)
    assert sorted(rows, key=lambda row: row["row_number"]) == alone.rows
    assert cells == alone.cells
    assert {cell.rule for cell in cells} == rules
    assert summary == alone.summary
    assert [finding.rule for finding in summary.findings if finding.dimension == "accuracy"] == [
        "resident_id_check_digit"
    ]


@pytest.mark.parametrize("which", [0, 1])
def test_either_process_may_be_killed_from_outside(tmp_path: Path, settings: Settings, which: int) -> None:
    with open_file(people(tmp_path, 90_000), settings, SAMPLE) as opened:
        batches = opened.batches()
        next(batches)
        both = parsers()
        both[which].kill()
        with pytest.raises(InfrastructureFault):
            list(batches)
    psutil.wait_procs(both, timeout=5)
    assert not any(process.is_running() for process in both)


def test_leaving_early_and_the_end_leave_no_process(tmp_path: Path, settings: Settings) -> None:
    path = people(tmp_path, 90_000)
    for is_early in (True, False):
        with open_file(path, settings, SAMPLE) as opened:
            batches = opened.batches()
            next(batches)
            both = parsers()
            if not is_early:
                list(batches)
        psutil.wait_procs(both, timeout=5)
        assert not any(process.is_running() for process in both)


def test_the_second_process_keeps_the_limits(tmp_path: Path, settings: Settings) -> None:
    with open_file(people(tmp_path, 90_000), settings, SAMPLE) as opened:
        batches = opened.batches()
        next(batches)
        first, second = ((p.rlimit(psutil.RLIMIT_AS), p.rlimit(psutil.RLIMIT_CPU)) for p in parsers())
        assert first == second == ((1024 << 20,) * 2, (60, 65))
        # What it dies of is told as if there were one.
        parsers()[1].send_signal(signal.SIGXCPU)
        with pytest.raises(FileRefused, match="parser_limit"):
            list(batches)


def parsers() -> list[psutil.Process]:
    """The processes that read the one open file, the one that the others begin first."""
    return list(psutil.Process().children(recursive=True))


def test_memory_does_not_grow_with_the_file(tmp_path: Path, settings: Settings) -> None:
    """Eight times the rows, hardly more memory."""
    peaks = []
    name = "甲" * 150
    for count in (40_000, 320_000):
        path = csv_file(tmp_path, HEAD + "".join(f"A{i},{name}{i},{i}\n" for i in range(count)))
        with open_file(path, settings) as opened:
            (child,) = psutil.Process().children()
            peaks.append(max(child.memory_info().rss for _ in opened.batches()))
    assert peaks[1] < peaks[0] + 40_000_000
