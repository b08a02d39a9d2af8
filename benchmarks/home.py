"""The home of one benchmark run: a project, a PostgreSQL and generated files, all of which leave with it."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from time import time

import psycopg2

from benchmarks import generate
from benchmarks.generate import ROOT, Export
from benchmarks.repetition import say
from halfyear import contract, warehouse
from halfyear import settings as settings_module
from halfyear.contract import Contract
from halfyear.settings import Settings
from halfyear.warehouse import embedded

#: Older than what an inbox looks at twice.
_AGE = timedelta(hours=1)
_EMPTY = "empty"
#: PostgreSQL's own template, for what needs nothing of ours.
BARE = "template0"


@dataclass
class Home:
    """A running server over a temporary project: the checkout's declarations and those of the benchmarks.

    ``rows`` is the size of the run. Databases are copies of templates, so that every repetition begins alike.
    """

    settings: Settings
    rows: int
    _templates: set[str] = field(default_factory=set)
    _databases: int = 0

    def contract(self, source: str) -> Contract:
        return contract.load_all(self.settings.expectations)[source]

    def file(self, export: Export) -> Path:
        """The file of an export, generated at the first call; named as the source would."""
        path = self._folder(export) / export.file_name
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            say(f"  generating {export.file_name} ({export.kind}, {export.rows:,} rows)")
            generate.write(export, path)
            old = time() - _AGE.total_seconds()
            os.utime(path, (old, old))
        return path

    def forget(self, *kept: Export) -> None:
        """Remove the generated files of all other exports: at full size one takes 5 GB."""
        folders = [self._folder(export) for export in kept]
        for path in (self.settings.home / "files").glob("*"):
            if path not in folders:
                shutil.rmtree(path)

    def _folder(self, export: Export) -> Path:
        return self.settings.home / "files" / f"{abs(hash(export)):x}"

    @contextmanager
    def warehouse(self, template: str = _EMPTY) -> Iterator[Settings]:
        """A warehouse of its own, copied from a template, with its own inbox and landing; gone afterwards."""
        self._databases += 1
        name = f"run_{self._databases}"
        folder = self.settings.home / name
        (folder / "inbox").mkdir(parents=True)
        # Small ones through the log; copying files forces checkpoints.
        strategy = "wal_log" if template in (BARE, _EMPTY) else "file_copy"
        self.on_server(f"create database {name} template {template} strategy {strategy}")
        self.settle()
        try:
            yield replace(
                self.settings,
                inbox=str(folder / "inbox"),
                landing=str(folder / "landing"),
                warehouse=self._url(name),
            )
        finally:
            self.on_server(f"drop database {name} with (force)")
            shutil.rmtree(folder)

    def template(self, name: str, prepare: Callable[[Settings], None]) -> str:
        """The name of a warehouse that ``prepare`` has filled, made at the first call."""
        if name not in self._templates:
            with self.warehouse() as made:
                prepare(made)
                database = str(made.warehouse).partition("@/")[2].partition("?")[0]
                # As the nights in between would leave it.
                self.on_server("vacuum analyze", database)
                self.on_server(f"create database {name} template {database} strategy file_copy")
            self._templates.add(name)
        return name

    def drop_template(self, name: str) -> None:
        self.on_server(f"drop database {name}")
        self._templates.remove(name)

    def migrate(self) -> None:
        """Make the template of an empty, migrated warehouse."""
        self.on_server(f"create database {_EMPTY}")
        warehouse.migrate(replace(self.settings, warehouse=self._url(_EMPTY)), lambda line: None)
        self._templates.add(_EMPTY)

    def settle(self) -> None:
        """Write out what earlier work left to be written, so that it costs the next one nothing."""
        self.on_server("checkpoint")

    def on_server(self, statement: str, database: str = "postgres") -> None:
        """Run one statement as the superuser, outside any transaction."""
        with closing(psycopg2.connect(self._url(database))) as connection, connection.cursor() as cursor:
            connection.autocommit = True
            cursor.execute(statement)

    def _url(self, database: str) -> str:
        url = embedded.server_url(self.settings, database)
        assert url is not None
        return url


@contextmanager
def opened(rows: int, folder: Path | None = None) -> Iterator[Home]:
    """A fresh home below ``folder`` (default: the temporary folder); server and files are gone afterwards, in any case."""
    root = Path(tempfile.mkdtemp(prefix="halfyear-bench-", dir=folder))
    try:
        for name in [name for name in os.environ if name.startswith(("HALFYEAR_", "AIRFLOW"))]:
            del os.environ[name]
        os.environ["HALFYEAR_HOME"] = str(root)
        os.environ["HALFYEAR_PROJECT"] = str(_project(root / "project"))
        os.environ["HALFYEAR_TOKEN_KEY"] = "a key of the benchmarks, sixty-four characters, as it should be."
        home = Home(settings_module.load(), rows)
        try:
            say(f"starting PostgreSQL in {root}")
            embedded.start_server(home.settings)
            home.migrate()
            yield home
        finally:
            embedded.stop_server(home.settings)
    finally:
        shutil.rmtree(root)


def _project(project: Path) -> Path:
    """The checkout's declarations, with the contracts, populations and indicators of the benchmarks among them."""
    for name in ("expectations", "sql"):
        shutil.copytree(ROOT / name, project / name)
    for name in ("expectations/sources", "sql/populations", "sql/indicators"):
        shutil.copytree(ROOT / "benchmarks" / name, project / name, dirs_exist_ok=True)
    return project
