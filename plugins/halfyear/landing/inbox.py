"""The inbox: where systems drop their files. What lies there is listed, named and told to be ready or not.

Names are data, never paths: a name is matched against the agreed pattern and otherwise only recorded.
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from upath import UPath

from halfyear.contract import Contract
from halfyear.errors import Finding, InfrastructureFault, UsageError
from halfyear.file_format import FORMATS, unfinished
from halfyear.settings import LOCAL_ZONE, Settings

#: A file younger than this may still be in the making.
YOUNG = timedelta(seconds=60)
#: Between the two looks at files that may still grow.
_LOOK_SECONDS = 1.0
_IGNORED = re.compile(r"(\.|~\$)|.*\.(part|tmp|swp)\Z", re.IGNORECASE)


@dataclass(frozen=True)
class Arrival:
    """One file in the inbox.

    ``fault`` says why its name cannot be used, ``unreadable`` why the system cannot even look at it. An ``ignored``
    file is passed over without a message. ``path`` is a universal_pathlib path, local or remote.
    """

    source: str
    file_name: str
    path: Any
    bytes: int
    modified_at: datetime
    snapshot_date: date | None = None
    sequence: int | None = None
    format: str | None = None
    fault: Finding | None = None
    ignored: bool = False
    unreadable: str | None = None


def _location(contract: Contract, settings: Settings) -> Any:
    try:
        return UPath(contract.server.path or settings.inbox)
    except (ImportError, ValueError) as error:
        raise UsageError(f"{settings.inbox}: 不是可用的收件箱位置 / no usable location of an inbox: {error}") from None


def scan(contract: Contract, settings: Settings, root: Any = None) -> tuple[list[Arrival], list[Arrival]]:
    """List a source's folder: the files that are ready, by name, and those that wait for the next run.

    The folder lies in ``root``, which opens like a path; None: in the path of the contract's server or ``HALFYEAR_INBOX``.
    A file waits when its size or time changes between two looks, or when it is younger than a minute and lacks
    its end. The folder of a source that has not delivered yet may be absent. Raises InfrastructureFault when the
    inbox itself is absent, as a share that is not mounted, or cannot be read.
    """
    root = root or _location(contract, settings)
    try:
        is_there = root.is_dir()
    except OSError:
        is_there = False
    if not is_there:
        raise InfrastructureFault(
            f"{contract.source}: 收件箱不存在或无法读取 / the inbox does not exist or cannot be read: {settings.inbox}"
        )
    folder = root / contract.source
    first = _look(folder, contract.source)
    now = datetime.now(LOCAL_ZONE)
    young = {a.file_name for a in first if now - a.modified_at < 10 * YOUNG}
    if young:
        time.sleep(_LOOK_SECONDS)
        seen = {a.file_name: (a.bytes, a.modified_at) for a in _look(folder, contract.source)}
    else:
        seen = {}
    ready: list[Arrival] = []
    waiting: list[Arrival] = []
    for arrival in first:
        moved = arrival.file_name in young and seen.get(arrival.file_name) != (arrival.bytes, arrival.modified_at)
        fresh = now - arrival.modified_at < YOUNG and arrival.format is not None
        if not (arrival.ignored or arrival.unreadable) and (
            moved or (fresh and unfinished(arrival.path, str(arrival.format)))
        ):
            waiting.append(arrival)
        else:
            ready.append(arrival)
    return ready, waiting


def lying(contract: Contract, settings: Settings) -> list[Arrival]:
    """What lies in a source's folder now, ready or not, without what needs no word; nothing where that cannot be seen.

    The folder that an Airflow connection names is not looked into.
    """
    if contract.server.connection:
        return []
    try:
        found = _look(_location(contract, settings) / contract.source, contract.source)
    except (InfrastructureFault, UsageError):
        return []
    return [arrival for arrival in found if not (arrival.ignored or arrival.unreadable)]


def _look(folder: Any, source: str) -> list[Arrival]:
    try:
        if not folder.exists():
            return []
        arrivals = []
        for path in folder.iterdir():
            try:
                if path.is_dir():
                    continue
                stat = path.stat()
                is_file = path.is_file()
            except FileNotFoundError:  # renamed since it was listed
                continue
            except OSError as error:
                name = printable(path.name)
                arrivals.append(
                    Arrival(source, name, path, 0, datetime.now(LOCAL_ZONE), unreadable=str(error.strerror))
                )
                continue
            arrival = named(source, path, stat.st_size, datetime.fromtimestamp(stat.st_mtime, LOCAL_ZONE))
            # A pipe or a device would be read for ever.
            arrivals.append(arrival if is_file else Arrival(**{**vars(arrival), "ignored": True}))
    except OSError as error:
        raise InfrastructureFault(
            f"{source}: 无法读取收件箱 / the inbox cannot be read: {type(error).__name__}: {error.strerror}"
        ) from None
    return sorted(arrivals, key=lambda a: a.file_name)


def named(source: str, path: Any, size: int, modified_at: datetime, today: date | None = None) -> Arrival:
    """Say what a file name means for ``source``; the pattern is ``<source>_<YYYYMMDD>[_<n>].<ext>``, exactly."""
    name: str = path.name
    base = Arrival(source, printable(name), path, size, modified_at)
    if _IGNORED.match(name):
        return Arrival(**{**vars(base), "ignored": True})
    pattern = rf"{re.escape(source)}_(\d{{8}})(?:_([1-9]\d*))?\.({'|'.join(FORMATS)})\Z"
    match = re.match(pattern, name, re.ASCII)
    day = _day(match[1]) if match else None
    sequence = int(match[2]) if match and match[2] else 1
    if match is None or day is None or (match[2] and sequence < 2):
        return Arrival(
            **{
                **vars(base),
                "fault": Finding(
                    rule="file_name",
                    severity="critical",
                    reason_zh="文件名不符合约定",
                    reason_en="the file name is not the agreed one",
                    remedy_zh=f"请命名为 {source}_YYYYMMDD[_n].csv（n 从 2 起）",
                    remedy_en=f"name it {source}_YYYYMMDD[_n].csv|xlsx|jsonl|parquet (n from 2)",
                ),
            }
        )
    fault = None
    if day > (today or datetime.now(LOCAL_ZONE).date()):
        fault = Finding(
            rule="snapshot_date_in_future",
            severity="critical",
            reason_zh="文件日期晚于今天",
            reason_en="the date in the file name is after today",
            remedy_zh="请核对导出日期后重新报送",
            remedy_en="check the date of the export and deliver it again",
        )
    return Arrival(**{**vars(base), "snapshot_date": day, "sequence": sequence, "format": match[3], "fault": fault})


def printable(name: str) -> str:
    """The name as it can be shown and stored: what is no printable character of UTF-8 is escaped."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in name)


def _day(text: str) -> date | None:
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        return None
