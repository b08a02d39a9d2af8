"""Landing: the bytes as received, kept once under their SHA-256, with a manifest entry for every name they came by.

``<landing>/<ab>/<sha256>/content`` holds the bytes; beside it lies one JSON file per delivery with the source, the
file name, the times and the size, and one more where an operator let it stand though it was refused. Nothing here is ever
changed: with the token key and the declarations it is all that a warehouse is made of.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import uuid
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path

from upath import UPath

from halfyear.errors import InfrastructureFault
from halfyear.landing.inbox import Arrival
from halfyear.settings import LOCAL_ZONE, Settings

_BLOCK = 1 << 20
#: How the name of an acceptance ends; before it comes that of its delivery's entry.
_ACCEPTED = ".accepted.json"


@dataclass(frozen=True)
class Landed:
    """What was kept: the hash and size of the bytes, and whether they were new."""

    sha256: str
    bytes: int
    is_new: bool


def keep(arrival: Arrival, settings: Settings) -> Landed:
    """Copy a file's bytes into landing, once, and write its manifest entry.

    Raises InfrastructureFault when it cannot be read or kept, or when it changed while it was read.
    """
    root = UPath(settings.landing)
    incoming = root / "incoming" / uuid.uuid4().hex
    digest = hashlib.sha256()
    size = 0
    try:
        # The bytes hold personal data: nobody else may enter the folder.
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
        incoming.parent.mkdir(exist_ok=True)
        with arrival.path.open("rb") as source, incoming.open("wb") as target, ThreadPoolExecutor(1) as hasher:
            hashed = hasher.submit(digest.update, b"")
            while block := source.read(_BLOCK):
                hashed.result()
                hashed = hasher.submit(digest.update, block)  # while it is written: both let go of Python's lock
                target.write(block)
                size += len(block)
        if size != arrival.bytes:
            raise InfrastructureFault(
                f"{arrival.file_name}: 读取时文件大小变化 / the file changed while it was read; it is tried again"
            )
        folder = _folder(root, digest.hexdigest())
        is_new = not (folder / "content").exists()
        if is_new:
            folder.mkdir(parents=True, exist_ok=True)
            incoming.rename(folder / "content")
        _write_manifest(root, folder, arrival, digest.hexdigest(), size)
    except OSError as error:
        raise InfrastructureFault(
            f"{arrival.file_name}: 无法读取或保存 / cannot be read or kept: {error.strerror or type(error).__name__}"
        ) from None
    finally:
        if incoming.exists():
            incoming.unlink()
    return Landed(digest.hexdigest(), size, is_new)


@dataclass(frozen=True)
class Acceptance:
    """That an operator let a refused register snapshot stand: why, who and when."""

    reason: str
    accepted_by: str
    accepted_at: datetime


@dataclass(frozen=True)
class Kept:
    """A delivery as landing keeps it, with its acceptance where there was one."""

    source: str
    file_name: str
    sha256: str
    bytes: int
    modified_at: datetime
    received_at: datetime
    acceptance: Acceptance | None


def kept(settings: Settings) -> list[Kept]:
    """Every delivery that landing keeps, in the order in which they arrived.

    Raises InfrastructureFault when landing cannot be read, or an entry in it.
    """
    root = UPath(settings.landing)
    found: list[Kept] = []
    entry = root
    try:
        for entry in root.glob("*/*/*.json") if root.exists() else ():
            if entry.name.endswith(_ACCEPTED):
                continue
            manifest = json.loads(entry.read_text(encoding="utf-8"))
            accepted = entry.parent / entry.name.replace(".json", _ACCEPTED)
            acceptance = json.loads(accepted.read_text(encoding="utf-8")) if accepted.exists() else None
            found.append(
                Kept(
                    manifest["source"],
                    manifest["file_name"],
                    manifest["sha256"],
                    manifest["bytes"],
                    datetime.fromisoformat(manifest["modified_at"]),
                    datetime.fromisoformat(manifest["received_at"]),
                    acceptance
                    and Acceptance(
                        acceptance["reason"],
                        acceptance["accepted_by"],
                        datetime.fromisoformat(acceptance["accepted_at"]),
                    ),
                )
            )
    except (OSError, ValueError, KeyError) as error:
        raise InfrastructureFault(
            f"{entry}: 原始区的记录无法读取，请从备份恢复 / the entry of landing cannot be read; restore it from backup: "
            f"{type(error).__name__}"
        ) from None
    return sorted(found, key=lambda delivery: (delivery.received_at, delivery.source, delivery.file_name))


def note_acceptance(source: str, file_name: str, sha256: str, acceptance: Acceptance, settings: Settings) -> None:
    """Write beside a delivery that an operator let it stand, once. Raises InfrastructureFault when that cannot be written."""
    root = UPath(settings.landing)
    entry = _folder(root, sha256) / f"{_entry_name(source, file_name)}{_ACCEPTED}"
    text = {
        "reason": acceptance.reason,
        "accepted_by": acceptance.accepted_by,
        "accepted_at": acceptance.accepted_at.isoformat(),
    }
    try:
        if not entry.exists():
            _write(root, entry, text)
    except OSError as error:
        raise InfrastructureFault(
            f"{file_name}: 无法保存放行记录 / the acceptance cannot be kept: {error.strerror or type(error).__name__}"
        ) from None


@contextmanager
def local_copy(sha256: str, file_format: str, settings: Settings) -> Iterator[Path]:
    """The landed bytes as a local file; a copy below ``work`` when landing is somewhere else.

    They are compared with their hash while they are read. Raises InfrastructureFault when they are gone, and at the end, in
    place of whatever else was raised, when they have changed: what was made of them is void then.
    """
    content = _folder(UPath(settings.landing), sha256) / "content"
    gone = InfrastructureFault(
        f"landing/{sha256[:12]}: 原始文件缺失或已改变 / the landed bytes are gone or have changed; restore them from backup"
    )
    if not content.exists():
        raise gone
    with ExitStack() as stack:
        if content.protocol in ("", "file"):
            path = Path(str(content))
        else:
            settings.work.mkdir(parents=True, exist_ok=True)
            path = settings.work / f"{uuid.uuid4().hex}.{file_format}"
            stack.callback(path.unlink, missing_ok=True)
            with content.open("rb") as source, path.open("wb") as target:
                shutil.copyfileobj(source, target, _BLOCK)
        compared = stack.enter_context(ThreadPoolExecutor(1)).submit(_has_hash, path, sha256)
        try:
            yield path
        finally:
            if not compared.result():
                raise gone


def sweep(settings: Settings, age: timedelta = timedelta(minutes=10)) -> None:
    """Remove the files of killed copies: those that nobody has written to for ``age``."""
    incoming = UPath(settings.landing) / "incoming"
    now = datetime.now(LOCAL_ZONE)
    for path in incoming.iterdir() if incoming.exists() else ():
        try:
            if now - datetime.fromtimestamp(path.stat().st_mtime, LOCAL_ZONE) >= age:
                path.unlink()
        except FileNotFoundError:  # another sweep was here
            continue


def _has_hash(content: Path, sha256: str) -> bool:
    try:
        with content.open("rb") as stream:
            return hashlib.file_digest(stream, "sha256").hexdigest() == sha256
    except OSError:  # it has gone meanwhile
        return False


def _folder(root: UPath, sha256: str) -> UPath:
    return root / sha256[:2] / sha256


def _entry_name(source: str, file_name: str) -> str:
    # The delivered name is data: the entry's own name is a digest of it.
    return hashlib.sha256(f"{source}\0{file_name}".encode()).hexdigest()[:16]


def _write(root: UPath, entry: UPath, text: Mapping[str, object]) -> None:
    """Write an entry whole or not at all: what a killed night leaves is never half an entry."""
    incoming = root / "incoming" / uuid.uuid4().hex
    incoming.parent.mkdir(exist_ok=True)
    incoming.write_text(json.dumps(text, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    incoming.rename(entry)


def _write_manifest(root: UPath, folder: UPath, arrival: Arrival, sha256: str, size: int) -> None:
    entry = folder / f"{_entry_name(arrival.source, arrival.file_name)}.json"
    if entry.exists():
        return
    manifest = {
        "source": arrival.source,
        "file_name": arrival.file_name,
        "snapshot_date": arrival.snapshot_date.isoformat() if arrival.snapshot_date else None,
        "sequence": arrival.sequence,
        "sha256": sha256,
        "bytes": size,
        "modified_at": arrival.modified_at.isoformat(),
        "received_at": datetime.now(LOCAL_ZONE).isoformat(),
    }
    _write(root, entry, manifest)
