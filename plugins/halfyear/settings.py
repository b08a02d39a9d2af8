"""Settings: environment variables with the prefix ``HALFYEAR_``, and the places that follow from them."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import timedelta, timezone
from pathlib import Path

from halfyear.errors import UsageError

#: Every date of the sources and every half-year is in this zone (UTC+8, no daylight saving).
LOCAL_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
LOCAL_ZONE_NAME = "Asia/Shanghai"
# The id of an agency in SDMX; that of an agency below another one has a point in it.
_AGENCY = re.compile(r"[A-Za-z][A-Za-z0-9_-]*(\.[A-Za-z][A-Za-z0-9_-]*)*\Z")


@dataclass(frozen=True)
class Settings:
    """Where Halfyear keeps and finds things.

    ``home`` holds everything that Halfyear writes; ``project`` is the checkout with ``expectations/``
    and ``sql/``; ``inbox`` and ``landing`` are folders or any
    fsspec location; ``warehouse`` is the URL of a PostgreSQL
    server, or None for the embedded one; ``token_key`` is the secret of the personal tokens, or None to
    use the key file in ``home``. ``agency`` is the SDMX id of the bureau in exports for statisticians.

    Of publishing: ``publisher`` is the URL by which seals are written, or None where that of the warehouse may do it;
    ``airflow`` is the URL of Airflow with a user who reads its records, or None for that of ``home``;
    ``declared_names`` lets one account name both persons, as a demo does.
    """

    home: Path
    project: Path
    inbox: str
    landing: str
    warehouse: str | None
    token_key: str | None
    parser_memory_mb: int
    parser_seconds: int
    agency: str
    publisher: str | None
    airflow: str | None
    declared_names: str | None

    @property
    def work(self) -> Path:
        """Temporary files of running loads; empty when nothing runs."""
        return self.home / "work"

    @property
    def expectations(self) -> Path:
        return self.project / "expectations"

    @property
    def sql(self) -> Path:
        return self.project / "sql"


def load() -> Settings:
    """Read the settings from the environment; nothing is created. Raises UsageError for one that cannot be read."""
    project = Path(os.environ.get("HALFYEAR_PROJECT", Path(__file__).resolve().parents[2]))
    home = Path(os.environ.get("HALFYEAR_HOME") or project / ".halfyear").absolute()
    if home.is_file():
        raise UsageError(
            f"HALFYEAR_HOME={home}: 是文件，不是文件夹，请改设为文件夹 / is a file; set HALFYEAR_HOME to a folder"
        )
    return Settings(
        home=home,
        project=project,
        inbox=os.environ.get("HALFYEAR_INBOX", str(home / "inbox")),
        landing=os.environ.get("HALFYEAR_LANDING", str(home / "landing")),
        warehouse=os.environ.get("HALFYEAR_WAREHOUSE") or None,
        token_key=os.environ.get("HALFYEAR_TOKEN_KEY") or None,
        parser_memory_mb=_whole("HALFYEAR_PARSER_MEMORY_MB", 2048),
        parser_seconds=_whole("HALFYEAR_PARSER_SECONDS", 1800),
        agency=_agency("HALFYEAR_AGENCY", "HALFYEAR"),
        publisher=os.environ.get("HALFYEAR_PUBLISHER") or None,
        airflow=os.environ.get("HALFYEAR_AIRFLOW") or None,
        declared_names=_switch("HALFYEAR_DECLARED_NAMES"),
    )


def _whole(name: str, default: int) -> int:
    text = os.environ.get(name, str(default))
    if not text.isdecimal() or int(text) == 0:
        raise UsageError(f"{name}={text}: 应为正整数 / must be a whole number above 0")
    return int(text)


def _switch(name: str) -> str | None:
    text = os.environ.get(name) or None
    if text not in (None, "allow"):
        raise UsageError(f"{name}={text}: 应为 allow，或不设 / must be allow, or not be set")
    return text


def _agency(name: str, default: str) -> str:
    text = os.environ.get(name) or default
    if not _AGENCY.match(text):
        raise UsageError(
            f"{name}={text}: 应以字母开头，只含字母、数字、_、- / must begin with a letter and hold letters, digits, _ and - only"
        )
    return text
