"""Every damaged file under tests/damaged gets the verdict that lies beside it: file, row, column, rule and remedy.

A folder is a case: one file, and ``findings.txt`` with exactly what ``halfyear check`` prints of it. To add a case,
put the file there, run ``COLUMNS=10000 halfyear check FILE``, read what it says, and keep it as ``findings.txt``.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from halfyear import warehouse as warehouse_module
from halfyear.settings import Settings
from halfyear.terminal import file_check

CASES = sorted(p for p in (Path(__file__).resolve().parents[1] / "damaged").iterdir() if p.is_dir())


@pytest.fixture(autouse=True)
def wide(monkeypatch: pytest.MonkeyPatch) -> None:
    """A line per finding."""
    monkeypatch.setenv("COLUMNS", "10000")


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_findings(case: Path, warehouse: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    (file,) = (p for p in case.iterdir() if p.name != "findings.txt")
    verdict = file_check.check(file, None, warehouse)
    file_check.show(verdict, limit=0)
    printed = capsys.readouterr().out
    assert printed == (case / "findings.txt").read_text("utf-8")
    assert verdict.findings
    assert verdict.is_clean == all(finding.severity == "info" for finding in verdict.findings)
    for finding in verdict.findings:
        assert finding.rule and finding.reason_zh and finding.reason_en
        assert (finding.remedy_zh and finding.remedy_en) or finding.severity != "critical"
        assert finding.row is not None or finding.severity != "warning" or finding.rule == "column_missing"
    _touched_nothing(warehouse)


def _touched_nothing(settings: Settings) -> None:
    with warehouse_module.transaction(settings, "owner") as connection, connection.cursor() as cursor:
        for name in ("lineage.delivery", "lineage.load", "lineage.check_result", "quarantine.rejected_row"):
            cursor.execute(f"select count(*) from {name}")
            assert cursor.fetchone() == (0,), name
        cursor.execute("select count(*) from pg_tables where schemaname = 'staging'")
        assert cursor.fetchone() == (0,)


def test_personal_values_are_not_printed(warehouse: Settings, capsys: pytest.CaptureFixture[str]) -> None:
    file = next((CASES[0].parent / "personal_values").glob("*.csv"))
    file_check.show(file_check.check(file, None, warehouse), limit=0)
    printed = capsys.readouterr().out
    for line in file.read_text("gb18030").splitlines()[1:]:
        _, name, mobile, resident_id, *_ = line.split(",")
        assert not [value for value in (name, mobile, resident_id) if value in printed]
