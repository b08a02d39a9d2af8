"""A workbook of 100,000 rows and 15 columns, read by our reader with its child process, and by calamine alone."""

from __future__ import annotations

import sys
from datetime import date, datetime
from pathlib import Path
from subprocess import run as run_process

import openpyxl

from benchmarks import generate
from benchmarks.generate import HEADERS, Export
from benchmarks.home import Home
from benchmarks.measurement import Measurement
from benchmarks.repetition import Run, medians, say, seconds
from halfyear import reading
from halfyear.contract import Contract

_COLUMNS = 15
_MOST_ROWS = 100_000
_CALAMINE = "python-calamine alone"
_OURS = "our reader"
#: Each reads the first sheet of the workbook whose path it gets, in a process of its own, and counts its rows.
_SCRIPTS = {
    _CALAMINE: (
        "import sys, python_calamine as c\n"
        "rows = c.load_workbook(sys.argv[1]).get_sheet_by_index(0).to_python()\n"
        "assert len(rows) == int(sys.argv[2])"
    ),
    "pandas with calamine": (
        "import sys, pandas\n"
        "rows = pandas.read_excel(sys.argv[1], engine='calamine')\n"
        "assert len(rows) + 1 == int(sys.argv[2])"
    ),
    "openpyxl, read-only": (
        "import sys, openpyxl\n"
        "sheet = openpyxl.load_workbook(sys.argv[1], read_only=True).worksheets[0]\n"
        "assert sum(1 for _ in sheet.iter_rows(values_only=True)) == int(sys.argv[2])"
    ),
}


def measure(home: Home) -> list[Measurement]:
    export = Export("hotline_call", min(home.rows, _MOST_ROWS))
    contract = _narrow(home.contract(export.source))
    path = home.settings.home / "files" / "workbook" / "workbook.xlsx"
    path.parent.mkdir(parents=True, exist_ok=True)
    say(f"  generating {path.name} ({export.rows:,} rows)")
    _write(path, export, contract)
    key = reading.load_key(home.settings)

    def ours() -> None:
        with reading.open_file(path, contract, home.settings, key) as opened:
            if sum(batch.num_rows for batch in opened.batches()) != export.rows:
                raise AssertionError(opened.summary)

    taken = medians({_CALAMINE: _script(path, _CALAMINE, export.rows), _OURS: lambda: seconds(ours)})
    others = [name for name in _SCRIPTS if name != _CALAMINE]
    taken |= medians({name: _script(path, name, export.rows) for name in others}, repetitions=1)
    limit = taken[_CALAMINE]
    what = f"workbook of {export.rows:,} × {_COLUMNS} cells"
    return [
        Measurement(what, taken[_OURS], _CALAMINE, limit, 1.5),
        *(Measurement(f"{name} on it", taken[name], _CALAMINE, limit, note="information; once") for name in others),
    ]


def _script(path: Path, name: str, rows: int) -> Run:
    command = [sys.executable, "-c", _SCRIPTS[name], str(path), str(rows + 1)]
    return lambda: seconds(lambda: run_process(command, check=True))


def _narrow(contract: Contract) -> Contract:
    """The first columns of a contract; its rules are not asked here."""
    return contract.model_copy(update={"properties": contract.properties[:_COLUMNS], "quality": ()})


def _write(path: Path, export: Export, contract: Contract) -> None:
    """Cells as a system would write them: times and dates as such, the rest as text."""
    book = openpyxl.Workbook(write_only=True)
    sheet = book.create_sheet("话单")
    sheet.append(list(HEADERS.values())[:_COLUMNS])
    kinds = [p.logical_type for p in contract.properties]
    for batch in generate.batches(export):
        columns = [
            [_cell(text, kind) for text in column.to_pylist()]
            for column, kind in zip(batch.columns[:_COLUMNS], kinds, strict=True)
        ]
        for row in zip(*columns, strict=True):
            sheet.append(row)
    book.save(path)


def _cell(text: str, kind: str) -> str | datetime | date | None:
    if not text:
        return None
    if kind == "timestamp":
        return datetime.fromisoformat(text)
    return date.fromisoformat(text) if kind == "date" else text
