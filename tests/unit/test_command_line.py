"""The form of the command line: help that is whole at 80 columns, and a start that imports nothing slow."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from rich.cells import cell_len

from halfyear.errors import UsageError
from halfyear.terminal import options
from halfyear.terminal.command import main

HANZI = re.compile(r"[\u4e00-\u9fff]")
SLOW = {"airflow", "great_expectations", "openpyxl", "pandas", "psycopg2", "pyarrow", "pydantic", "rich", "sqlalchemy"}


def printed(*arguments: str) -> str:
    done = CliRunner().invoke(main, arguments, env={"COLUMNS": "80"}, catch_exceptions=False)
    assert done.exit_code == 0
    return done.output


def test_every_command_is_under_one_heading() -> None:
    listed = [command.name for section in main.sections for command in section.commands]
    assert sorted(listed) == sorted(main.commands)
    text = printed("--help")
    headings = [section.heading for section in main.sections]
    assert re.findall(r"^(\S.*):$", text, re.MULTILINE) == ["选项 Options", *headings]
    assert re.findall(r"^  ([a-z]+) {2,}\S", text, re.MULTILINE) == listed


def test_the_settings_are_named() -> None:
    text = printed("--help")
    assert all(f"HALFYEAR_{name}" in text for name in ("HOME", "PROJECT", "INBOX", "LANDING", "WAREHOUSE", "TOKEN_KEY"))


def test_no_summary_is_cut() -> None:
    words = " ".join(printed("--help").split())
    for command in main.commands.values():
        assert "..." not in words.replace("[ARGS]...", "") and "…" not in words
        assert " ".join(command.summary.split()) in words, command.name


@pytest.mark.parametrize("name", sorted(main.commands))
def test_help_speaks_both_languages_within_the_width(name: str) -> None:
    text = printed(name, "--help")
    assert [line for line in text.splitlines() if cell_len(line) > 80] == []
    command = main.commands[name]
    for said in (command.help, *(option.help for option in command.params if hasattr(option, "help") and option.help)):
        assert said and HANZI.search(said) and re.search(r"[A-Za-z]{2}", said), said


def test_the_start_imports_nothing_slow() -> None:
    program = "import sys, halfyear.terminal.command; print(*sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert not SLOW & set(done.stdout.split())


FORMS = {".txt": "table", ".json": "json", ".csv": "csv", ".xlsx": "xlsx"}


@pytest.mark.parametrize(
    ("form", "name", "chosen"),
    [
        (None, None, "table"),
        ("csv", None, "csv"),
        (None, "a.xlsx", "xlsx"),
        (None, "a.JSON", "json"),
        (None, "a.txt", "table"),
        ("csv", "a.csv", "csv"),
        ("csv", "a", "csv"),
        ("csv", "a.dat", "csv"),
    ],
)
def test_the_name_of_a_file_says_its_format(form: str | None, name: str | None, chosen: str) -> None:
    assert options.chosen_form(form, Path(name) if name else None, FORMS) == chosen


@pytest.mark.parametrize(("form", "name", "said"), [("csv", "a.xlsx", "leave one out"), (None, "a.pdf", ".txt, .json")])
def test_a_format_that_nothing_says_or_two_say_is_refused(form: str | None, name: str, said: str) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        options.chosen_form(form, Path(name), FORMS)


def test_no_file_of_another_kind_is_taken_for_a_folder() -> None:
    done = CliRunner().invoke(main, ["export", "2022-S1", "-o", "figures.xlsx"])
    assert done.exit_code == 2 and "sdmx-csv" in done.output
    done = CliRunner().invoke(main, ["restate", "2022-S1", "--reason", "late_data", "-o", "note.pdf"])
    assert done.exit_code == 2 and ".docx" in done.output
