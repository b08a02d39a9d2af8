"""Runs an ``airflow`` command after importing what every task needs: ``python -m halfyear.scheduling.preloaded_airflow scheduler``.

The LocalExecutor forks its workers from the scheduler and each task from a worker, so that what is imported here is
there in every task. Great Expectations alone takes four seconds of a core otherwise, in every task that checks a file.
Of Halfyear itself nothing is imported that a task runs: it runs the code of its own hour.
"""

from __future__ import annotations

import importlib
import sys

from halfyear import late_import

MODULES = (
    "great_expectations.datasource.fluent",
    "great_expectations.expectations.core",
    "psycopg2.extras",
    "pydantic",
    "sqlalchemy.dialects.postgresql.psycopg2",
)


def preload() -> None:
    """Import what every task needs, and of it no more than that."""
    late_import.postpone_statistics()
    for name in MODULES:
        importlib.import_module(name)


def main() -> None:
    """Import, then hand over to Airflow with the arguments of the command line."""
    preload()
    from airflow.__main__ import main as airflow

    sys.argv[0] = "airflow"
    airflow()  # type: ignore[no-untyped-call]


if __name__ == "__main__":
    main()
