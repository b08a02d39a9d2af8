"""Names in the inbox: what they mean, which are refused, and which files wait."""

from __future__ import annotations

import os
import stat
import time
from datetime import date, datetime
from pathlib import Path
from types import SimpleNamespace

import pytest
from upath import UPath

from halfyear import contract as contracts
from halfyear import landing
from halfyear import settings as settings_module
from halfyear.errors import InfrastructureFault
from halfyear.landing import inbox
from halfyear.settings import LOCAL_ZONE, Settings

TODAY = date(2022, 7, 1)


def named(name: str) -> inbox.Arrival:
    return inbox.named("kiosk", SimpleNamespace(name=name), 1, datetime.now(LOCAL_ZONE), TODAY)


@pytest.mark.parametrize(
    ("name", "day", "sequence", "form"),
    [
        ("kiosk_20220630.csv", date(2022, 6, 30), 1, "csv"),
        ("kiosk_20220701.xlsx", date(2022, 7, 1), 1, "xlsx"),
        ("kiosk_20220630_2.jsonl", date(2022, 6, 30), 2, "jsonl"),
        ("kiosk_20220630_10.parquet", date(2022, 6, 30), 10, "parquet"),
    ],
)
def test_agreed_names(name: str, day: date, sequence: int, form: str) -> None:
    found = named(name)
    assert (found.snapshot_date, found.sequence, found.format, found.fault, found.ignored) == (
        day,
        sequence,
        form,
        None,
        False,
    )


@pytest.mark.parametrize(
    "name",
    [
        "kiosk_20220630_1.csv",  # no suffix is 1; n starts at 2
        "kiosk_20220630_02.csv",
        "kiosk_20220630_0.csv",
        "kiosk_20220631.csv",
        "kiosk_2022063.csv",
        "Kiosk_20220630.csv",
        "kiosk_20220630.CSV",
        "kiosk_20220630.xls",
        "kiosk_２０２２０６３０.csv",
        "kiosk_20220630.csv\n",
        "kiosk-20220630.csv",
        "other_20220630.csv",
        "a\\kiosk_20220630.csv",
    ],
)
def test_other_names_are_refused(name: str) -> None:
    found = named(name)
    assert found.fault is not None and found.fault.rule == "file_name" and not found.ignored


def test_date_after_today_is_refused() -> None:
    found = named("kiosk_20220702.csv")
    assert found.fault is not None and found.fault.rule == "snapshot_date_in_future"


@pytest.mark.parametrize("name", [".hidden", "~$kiosk_20220630.xlsx", "kiosk_20220630.csv.part", "a.tmp", "b.SWP"])
def test_ignored_names(name: str) -> None:
    assert named(name).ignored


@pytest.fixture
def settings(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("HALFYEAR_HOME", str(tmp_path / "home"))
    monkeypatch.setattr(inbox, "_LOOK_SECONDS", 0.05)
    return settings_module.load()


def drop(settings: Settings, name: str, text: str, age: float) -> Path:
    path = Path(settings.inbox) / "catalogue_unit" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
    then = time.time() - age
    os.utime(path, (then, then))
    return path


def scan(settings: Settings) -> tuple[list[str], list[str]]:
    contract = contracts.load_all(settings.expectations)["catalogue_unit"]
    ready, waiting = inbox.scan(contract, settings)
    return [a.file_name for a in ready], [a.file_name for a in waiting]


def test_unfinished_young_file_waits(settings: Settings) -> None:
    drop(settings, "catalogue_unit_20220628.csv", "a,b\n1,2\n", age=5)
    drop(settings, "catalogue_unit_20220629.csv", "a,b\n1,", age=5)
    drop(settings, "catalogue_unit_20220630.csv", "a,b\n1,", age=90)
    assert scan(settings) == (
        ["catalogue_unit_20220628.csv", "catalogue_unit_20220630.csv"],
        ["catalogue_unit_20220629.csv"],
    )


def test_growing_file_waits(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    path = drop(settings, "catalogue_unit_20220628.csv", "a,b\n1,2\n", age=5)
    monkeypatch.setattr(inbox.time, "sleep", lambda seconds: path.write_text("a,b\n1,2\n3,4\n"))
    assert scan(settings) == ([], ["catalogue_unit_20220628.csv"])


def test_absent_folder_of_a_source_is_empty_and_an_absent_inbox_a_fault(settings: Settings) -> None:
    with pytest.raises(InfrastructureFault, match="inbox does not exist"):
        scan(settings)
    Path(settings.inbox).mkdir(parents=True)
    assert scan(settings) == ([], [])


def test_odd_things_in_the_inbox(settings: Settings) -> None:
    folder = drop(settings, "catalogue_unit_20220630.csv", "a\n", age=90).parent
    os.mkfifo(folder / "catalogue_unit_20220629.csv")
    (folder / "catalogue_unit_20220628.csv").symlink_to("catalogue_unit_20220628.csv")
    Path(os.fsdecode(os.fsencode(folder) + "/单位.csv".encode("gb18030"))).write_text("x\n")
    (folder / "two\nlines.csv").write_text("x\n")
    contract = contracts.load_all(settings.expectations)["catalogue_unit"]
    ready, waiting = inbox.scan(contract, settings)
    assert waiting == []
    found = {a.file_name: a for a in ready}
    assert found.keys() == {
        "catalogue_unit_20220628.csv",
        "catalogue_unit_20220629.csv",
        "catalogue_unit_20220630.csv",
        "\\udcb5\\udca5λ.csv",
        "two\\nlines.csv",
    }
    assert found["catalogue_unit_20220628.csv"].unreadable
    assert found["catalogue_unit_20220629.csv"].ignored
    assert {a.fault.rule for a in ready if a.fault} == {"file_name"}


def test_bytes_are_kept_once_with_a_manifest_per_name(settings: Settings) -> None:
    first = drop(settings, "catalogue_unit_20220630.csv", "same\n", age=90)
    second = drop(settings, "catalogue_unit_20220630_2.csv", "same\n", age=90)
    landed = []
    for path in (first, second, first):
        seen = path.stat()
        modified = datetime.fromtimestamp(seen.st_mtime, LOCAL_ZONE)
        landed.append(landing.keep(inbox.named("catalogue_unit", UPath(path), seen.st_size, modified), settings))
    assert [one.is_new for one in landed] == [True, False, False]
    folder = Path(settings.landing) / landed[0].sha256[:2] / landed[0].sha256
    assert (folder / "content").read_text() == "same\n"
    assert len(list(folder.glob("*.json"))) == 2
    assert list((Path(settings.landing) / "incoming").iterdir()) == []
    assert stat.S_IMODE(Path(settings.landing).stat().st_mode) == 0o700
    with landing.local_copy(landed[0].sha256, "csv", settings) as copy:
        assert copy.read_text() == "same\n"
    (folder / "content").write_text("other\n")
    with (
        pytest.raises(InfrastructureFault, match="have changed"),
        landing.local_copy(landed[0].sha256, "csv", settings),
    ):
        raise FileNotFoundError("whatever came of reading it")


def test_half_copies_of_killed_runs_are_swept(settings: Settings) -> None:
    incoming = Path(settings.landing) / "incoming"
    incoming.mkdir(parents=True)
    for name, age in (("dead", 3600), ("living", 1)):
        (incoming / name).write_text("half")
        then = time.time() - age
        os.utime(incoming / name, (then, then))
    landing.sweep(settings)
    assert [path.name for path in incoming.iterdir()] == ["living"]
