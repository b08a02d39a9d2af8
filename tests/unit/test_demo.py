"""The demo exports, read back without Halfyear: do their rows give the figures, and only their rows?

The small reading below shares nothing with the package: it counts what a person would count in the files.
"""

from __future__ import annotations

import csv
import functools
import hashlib
import io
import json
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

import openpyxl
import pyarrow.parquet
import pytest
from stdnum.cn import uscc

import halfyear_demo as demo
from halfyear.errors import UsageError
from halfyear.settings import LOCAL_ZONE
from halfyear_demo import city

CORE = Path(__file__).parents[2] / "expectations" / "core"
LAST_DAY = date(2022, 6, 30)
ONLINE = {"已发布", "撤销待审核", "撤销已驳回"}
ALIASES = {
    "目录代码": "信息资源代码",
    "资源代码": "信息资源代码",
    "数源单位": "信息资源提供方",
    "提供单位": "信息资源提供方",
    "提供单位代码": "信息资源提供方代码",
    "发布状态": "目录发布状态",
}
ENGLISH = {"body_code": "统一社会信用代码", "must_catalogue": "是否需编目挂接"} | {
    "entries_due": "应编目数",
    "entries_catalogued": "已编目数",
}
KEYS = {
    "data_catalogue": ["信息资源代码"],
    "catalogue_unit": ["统一社会信用代码"],
    "cloud_migration": ["系统编号"],
    "account_activation": ["用户ID", "组织全路径"],
}
#: The sources that are counted here by hand; the nightly test compares every source with the loader's account.
SOURCES = tuple(KEYS)
Record = dict[str, str]


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> list[demo.Written]:
    return demo.write(tmp_path_factory.mktemp("inbox"), sources=SOURCES)


@pytest.fixture(scope="module")
def inbox(written: list[demo.Written]) -> Path:
    return written[0].path.parents[1]


# --- a small reading of the files -------------------------------------------------------------------


def text(cell: Any) -> str:
    if cell is None:
        return ""
    if isinstance(cell, datetime):
        return f"{cell:%Y-%m-%d %H:%M:%S}"
    return unicodedata.normalize("NFKC", str(cell)).strip()


@functools.cache
def table(path: Path) -> tuple[list[str], list[list[str]]]:
    """Header and rows of a file, whatever its format."""
    lines: list[list[Any]]
    if path.suffix == ".parquet":
        columns = pyarrow.parquet.read_table(path).to_pydict()
        lines = [list(columns), *map(list, zip(*columns.values(), strict=True))]
    elif path.suffix == ".jsonl":
        objects = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
        lines = [list(objects[0]), *(list(o.values()) for o in objects)]
    elif path.suffix == ".xlsx":
        lines = [list(line) for line in openpyxl.load_workbook(path)["目录清单"].iter_rows(values_only=True)]
    else:
        data = path.read_bytes()
        encoding = "utf-8-sig" if data.startswith(b"\xef\xbb\xbf") else "gb18030"
        lines = list(csv.reader(io.StringIO(data.decode(encoding), newline="")))
    found = [[text(cell) for cell in line] for line in lines]
    at = next(n for n, line in enumerate(found) if sum(map(bool, line)) > 3)
    header = [re.sub(r"\s|[*]|\((?!GB).*\)", "", cell) for cell in found[at]]
    return [ENGLISH.get(name, ALIASES.get(name, name)) for name in header], found[at + 1 :]


@functools.cache
def day(value: str) -> date | None:
    """A listed spelling of a day or time, as its day; None for empty and for what is no day."""
    if re.fullmatch(r"\d{5}", value):
        return date(1899, 12, 30) + timedelta(days=int(value))
    digits = re.match(r"(\d{4})\D?(\d{1,2})\D?(\d{1,2})", value)
    try:
        return date(*map(int, digits.groups())) if digits else None
    except ValueError:
        return None


def is_good_code(value: str) -> bool:
    return len(value) == 18 and uscc.calc_check_digit(value) == value[-1]


def is_good_entry(r: Record) -> bool:
    total, *parts = (r[f"{kind}资源数量"] for kind in ("挂接", "接口", "文件", "库表"))
    return (
        re.fullmatch(r"\d{1,15}|\d+/\d+|4\d{19}|44\d{15,}|99\d{11}", r["信息资源代码"]) is not None
        and is_good_code(r["信息资源提供方代码"].upper())
        and r["共享类型"] in {"无条件共享", "有条件共享", "不予共享"}
        and r["更新周期"] in ["实时", "每日", "每周", "每月", "每季度", "每半年", "每年", "不定期", "不更新"]
        and total.isdigit()
        and int(total) == sum(map(int, parts))
    )


def is_good_unit(r: Record) -> bool:
    yes_no = {"是", "否", "1", "0", "Y", "N", "True", "False"}
    return r["是否需编目挂接"] in yes_no and int(r["应编目数"]) >= int(r["已编目数"])


def is_good_system(r: Record) -> bool:
    level = {"1": "一级", "2": "二级", "3": "三级"}.get(r["等保级别"], r["等保级别"])
    done = day(r["完成上云日期"])
    return (
        is_good_code(r["建设单位代码"])
        and level in {"一级", "二级", "三级", "", "-", "无"}
        and day(r["申请上云日期"]) is not None
        and r["迁移状态"] in {"未启动", "迁移中", "测试中", "已上云", "已暂停", "不上云"}
        and (r["迁移状态"] == "已上云") == (done is not None)
    )


def is_good_account(r: Record) -> bool:
    opened, activated = day(r["开通时间"]), day(r["激活时间"])
    return (
        all(r[name] for name in ("用户ID", "组织全路径", "组织机构"))
        and r["单位类型"] in ["政府机关", "事业单位", "下属机构", "镇街", "村居", "国有企业", "其他"]
        and opened is not None
        and (r["激活状态"] == "已激活") == (activated is not None)
        and (activated is None or activated >= opened)
        and r["账号状态"] in {"正常", "停用", "注销"}
    )


GOOD: dict[str, Callable[[Record], bool]] = {
    "data_catalogue": is_good_entry,
    "catalogue_unit": is_good_unit,
    "cloud_migration": is_good_system,
    "account_activation": is_good_account,
}


@functools.cache
def sorted_out(path: Path) -> tuple[list[Record], list[Record], int]:
    """Good records, bad records and the number of other rows (totals, notes, blanks, duplicates)."""
    source = path.parent.name
    header, lines = table(path)
    records, others, seen = [], 0, set()
    for line in lines:
        first = next((cell for cell in line if cell), "")
        if first == "合计" or first.startswith(("填报人", "备注")) or not any(line) or tuple(line) in seen:
            others += 1
            continue
        seen.add(tuple(line))
        records.append(dict(zip(header, line, strict=True)))
    times = Counter(key(source, record) for record in records)
    good: list[Record] = []
    bad: list[Record] = []
    for record in records:
        (good if times[key(source, record)] == 1 and GOOD[source](record) else bad).append(record)
    return good, bad, others


def key(source: str, record: Record) -> tuple[str, ...]:
    return tuple(record[name].upper() for name in KEYS[source])


def newest_first(inbox: Path, source: str, last_day: date) -> list[Path]:
    """The standing file of each day up to ``last_day``: of several the one with the highest number."""
    standing: dict[str, Path] = {}
    for path in sorted((inbox / source).iterdir()):
        _, on, *_ = re.split(r"_(?=\d)", path.stem)
        if on <= f"{last_day:%Y%m%d}":
            standing[on] = max(standing.get(on, path), path, key=lambda p: len(p.stem))
    return [standing[on] for on in sorted(standing, reverse=True)]


def the_list(inbox: Path, source: str, last_day: date) -> list[Record]:
    """The register on a day: the newest list; a bad row of a known record leaves that as it was."""
    newest, *older = newest_first(inbox, source, last_day)
    good, bad, _ = sorted_out(newest)
    found = {key(source, record): record for record in good}
    missing = {key(source, record) for record in bad} - set(found)
    for path in older:
        for record in sorted_out(path)[0] if missing else []:
            if key(source, record) in missing:
                found[key(source, record)] = record
                missing.discard(key(source, record))
    return list(found.values())


def figures(inbox: Path, first_day: date, last_day: date) -> dict[str, Any]:
    """The ten figures, and the readings that must differ from them, counted straight from the files."""
    entries = the_list(inbox, "data_catalogue", last_day)
    confirmed = [r for r in entries if r["确认状态"] == "已确认"]
    systems = the_list(inbox, "cloud_migration", last_day)
    added = [r for r in systems if in_period(r["申请上云日期"], first_day, last_day)]
    posts = [r for r in the_list(inbox, "account_activation", last_day) if r["账号状态"] != "注销"]
    opened = {r["用户ID"].upper() for r in posts}
    activated = {r["用户ID"].upper() for r in posts if r["激活时间"]}
    rate = Decimal(len(activated) * 100) / Decimal(len(opened))
    return {
        "cloud_systems_added": len(added),
        "cloud_systems_migrated": sum(r["迁移状态"] == "已上云" for r in added),
        "cloud_systems_migrated.flow": sum(in_period(r["完成上云日期"], first_day, last_day) for r in systems),
        "catalogue_units": sum(
            r["是否需编目挂接"] in {"是", "1", "Y", "True"} for r in the_list(inbox, "catalogue_unit", last_day)
        ),
        "catalogue_entries_confirmed": len(confirmed),
        "catalogue_entries_vertical": sum(r["所属系统类型"] == "垂直系统" for r in confirmed),
        "catalogue_entries_self_built": sum(r["所属系统类型"] == "自建系统" for r in confirmed),
        "catalogue_entries_online": sum(r["目录发布状态"] in ONLINE for r in entries),
        "catalogue_entries_online.published_only": sum(r["目录发布状态"] == "已发布" for r in entries),
        "online but not confirmed": sum(r["目录发布状态"] in ONLINE and r["确认状态"] != "已确认" for r in entries),
        "accounts_opened": len(opened),
        "accounts_activated": len(activated),
        "account_activation_rate": f"{rate.quantize(Decimal('0.01'), ROUND_HALF_UP)}%",
    }


def in_period(value: str, first_day: date, last_day: date) -> bool:
    on = day(value)
    return on is not None and first_day <= on <= last_day


# --- what must hold ---------------------------------------------------------------------------------

HALF_YEARS = {
    "2020-S2": (date(2020, 7, 1), date(2020, 12, 31)),
    "2021-S1": (date(2021, 1, 1), date(2021, 6, 30)),
    "2021-S2": (date(2021, 7, 1), date(2021, 12, 31)),
    "2022-S1": (date(2022, 1, 1), LAST_DAY),
}
EXPECTED = {
    "2020-S2": (11, 4, 6, 28, 372, 214, 158, 41, 38, 2, 7412, 6871, "92.70%"),
    "2021-S1": (9, 4, 7, 29, 441, 252, 189, 60, 56, 3, 7688, 7304, "95.01%"),
    "2021-S2": (10, 3, 6, 31, 504, 281, 223, 79, 74, 3, 7897, 7675, "97.19%"),
    "2022-S1": (8, 5, 9, 32, 571, 309, 262, 98, 91, 5, 8043, 7909, "98.33%"),
}


@pytest.mark.parametrize("period", HALF_YEARS)
def test_the_rows_give_the_figures(inbox: Path, period: str) -> None:
    assert tuple(figures(inbox, *HALF_YEARS[period]).values()) == EXPECTED[period]


def test_the_rows_of_one_half_year_alone_give_its_figures(tmp_path: Path) -> None:
    demo.write(tmp_path, periods=1, sources=SOURCES)
    assert {path.name.split("_")[2][:4] for path in tmp_path.glob("*/*")} == {"2022"}
    assert tuple(figures(tmp_path, *HALF_YEARS["2022-S1"]).values()) == EXPECTED["2022-S1"]


def test_another_seed_gives_other_rows_and_the_same_figures(tmp_path: Path, inbox: Path) -> None:
    demo.write(tmp_path, seed=7, sources=SOURCES)
    assert tuple(figures(tmp_path, *HALF_YEARS["2022-S1"]).values()) == EXPECTED["2022-S1"]
    name = "account_activation/account_activation_20220630.csv"
    assert (tmp_path / name).read_bytes() != (inbox / name).read_bytes()


def test_every_file_says_what_becomes_of_its_rows(written: list[demo.Written]) -> None:
    for path, export in ((one.path, one.export) for one in written):
        good, bad, others = sorted_out(path)
        made = export.made
        assert (len(good), len(bad), others) == (made.rows_loaded, made.rows_quarantined, made.rows_skipped), path.name
        assert export.rows_read == len(table(path)[1]), path.name


def test_trouble_is_where_it_is_said_to_be(written: list[demo.Written]) -> None:
    """Row numbers are those of the file: physical lines in CSV, sheet rows in a workbook."""
    exports = {one.path.name: one.export for one in written}
    ledger = exports["cloud_migration_20220630_2.csv"]
    lines = ledger.content.decode("gb18030").splitlines()
    numbers = {trouble.what: trouble.row_number for trouble in ledger.made.troubles}
    assert "六级" in lines[numbers["unknown enumeration"] - 1]
    assert "135%" in lines[numbers["more than 100 per cent"] - 1]
    accounts = exports["account_activation_20220630.csv"]
    lines = accounts.content.decode("gb18030").splitlines()
    numbers = {trouble.what: trouble.row_number for trouble in accounts.made.troubles}
    assert "冻结" in lines[numbers["unknown enumeration"] - 1]
    workbook = exports["data_catalogue_20220630.xlsx"]
    page = openpyxl.load_workbook(io.BytesIO(workbook.content))["目录清单"]
    numbers = {trouble.what: trouble.row_number for trouble in workbook.made.troubles}
    assert page.cell(numbers["lost digits: 1.59E+17"], 1).value == "1.59E+17"
    assert {str(merged) for merged in page.merged_cells.ranges} == {"A1:S1", "A2:S2"}


def test_every_source_has_the_same_bytes_for_the_same_seed_and_others_for_another() -> None:
    first, again, other = (
        {export.file_name: export.content for export in demo.exports(periods=1, seed=seed)}
        for seed in (demo.SEED, demo.SEED, 7)
    )
    assert first == again
    assert sorted({name.rpartition("_2022")[0] for name in first}) == sorted(demo.SOURCES)
    assert not {name for name in first if other.get(name) == first[name]}


def test_a_source_that_the_demo_does_not_have_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no_such_source"):
        demo.write(tmp_path, sources=["no_such_source"])


def test_totals_are_the_sums_of_the_rows(inbox: Path) -> None:
    """With and without the quarantined rows, so that the control total does not depend on them."""
    checked = 0
    for path in [*(inbox / "catalogue_unit").glob("*.csv"), *(inbox / "data_catalogue").glob("*.xlsx")]:
        header, lines = table(path)
        total = next((line for line in lines if "合计" in line), None)
        if total is None:
            continue
        good, bad, _ = sorted_out(path)
        for name in ("应编目数", "已编目数", "已挂接数", "挂接资源数量"):
            if name in header and total[header.index(name)]:
                printed = int(total[header.index(name)])
                assert printed == sum(int(r[name]) for r in good)
                assert all(r[name] in {"0", "=1-1"} for r in bad)
                checked += 1
    assert checked == 5 * 3 + 5


def digests(folder: Path) -> dict[str, str]:
    paths = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in paths}


def test_the_same_seed_gives_the_same_bytes(inbox: Path, tmp_path: Path) -> None:
    assert all(one.is_new for one in demo.write(tmp_path, sources=SOURCES))
    assert digests(tmp_path) == digests(inbox)


def test_a_second_call_writes_nothing_and_mends_what_differs(tmp_path: Path) -> None:
    demo.write(tmp_path, periods=1, sources=SOURCES)
    other = tmp_path / "catalogue_unit" / "mine.txt"
    other.write_text("mine")
    broken = tmp_path / "catalogue_unit" / "catalogue_unit_20220630.csv"
    broken.write_bytes(broken.read_bytes()[:100])
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    again = demo.write(tmp_path, periods=1, sources=SOURCES)
    assert [one.path for one in again if one.is_new] == [broken]
    assert not any(one.is_new for one in demo.write(tmp_path, periods=1, sources=SOURCES))
    after = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*") if path.is_file()}
    assert {path for path in after if after[path] != before.get(path)} == {broken}
    assert other.read_text() == "mine"


def test_files_carry_the_time_of_their_arrival(inbox: Path) -> None:
    def arrived(name: str) -> date:
        path = inbox / re.split(r"_(?=\d)", name)[0] / name
        return datetime.fromtimestamp(path.stat().st_mtime, tz=LOCAL_ZONE).date()

    assert arrived("account_activation_20220630.csv") == date(2022, 7, 1)
    assert arrived("data_catalogue_20220331.xlsx") > arrived("data_catalogue_20220630.xlsx")
    assert arrived("cloud_migration_20220630_2.csv") == date(2022, 7, 5)


def test_formats_and_re_deliveries(inbox: Path) -> None:
    names = {path.name for path in inbox.glob("*/*")}
    assert {"catalogue_unit_20220331.jsonl", "account_activation_20220331.parquet"} <= names
    units = inbox / "catalogue_unit"
    first, second = (units / f"catalogue_unit_20211231{suffix}.csv" for suffix in ("", "_2"))
    assert first.read_bytes() == second.read_bytes()
    ledgers = inbox / "cloud_migration"
    first, second = (ledgers / f"cloud_migration_20220630{suffix}.csv" for suffix in ("", "_2"))
    assert first.read_bytes() != second.read_bytes()
    assert (ledgers / "cloud_migration_20210930.csv").read_bytes().startswith(b"\xef\xbb\xbf")
    with pytest.raises(UnicodeDecodeError):
        second.read_bytes().decode("utf-8")


@pytest.mark.parametrize("periods", [0, 5])
def test_there_are_one_to_four_half_years(periods: int, tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        demo.write(tmp_path, periods)


# --- the list of bodies -----------------------------------------------------------------------------


def records(name: str) -> list[Record]:
    with (CORE / name).open(encoding="utf-8", newline="") as lines:
        return list(csv.DictReader(lines))


def test_every_body_has_a_valid_code_of_its_own() -> None:
    bodies = records("body.csv")
    codes = [body["code"] for body in bodies]
    assert len(set(codes)) == len(codes) == len({body["name"] for body in bodies})
    for code in codes:
        assert uscc.calc_check_digit(code) == code[-1]
        assert city.organisation_code(code[8:16]) == code[8:17]
    assert {"1", "5", "9", "A", "N", "Y"} <= {code[0] for code in codes}


def test_bodies_have_parents_regions_and_levels() -> None:
    bodies = {body["code"]: body for body in records("body.csv")}
    assert [body["name"] for body in bodies.values() if not body["parent_code"]] == [f"{city.NAME}人民政府"]
    for body in bodies.values():
        assert re.fullmatch(r"441289(\d{3}(\d{3})?)?", body["region_code"])
        assert len(body["region_code"]) == {"市": 6, "镇": 9, "村": 12}[body["level"]]
        assert body["parent_code"] in {"", *bodies}
        if body["level"] == "村":
            assert body["region_code"].startswith(bodies[body["parent_code"]]["region_code"])


def test_an_alias_means_one_body_and_is_reviewed() -> None:
    aliases, bodies = records("body_alias.csv"), records("body.csv")
    names = [row["name"] for row in (*aliases, *bodies)]
    assert len(set(names)) == len(names)
    for alias in aliases:
        assert alias["code"] in {body["code"] for body in bodies}
        assert date.fromisoformat(alias["valid_from"]) and alias["reviewed_by"]


def test_no_person_or_number_can_be_real(inbox: Path) -> None:
    """County 441289 and mobile range 154 do not exist."""
    good, _, _ = sorted_out(inbox / "account_activation" / "account_activation_20220630.csv")
    numbers: Iterable[str] = (r["身份证号"] for r in good)
    assert all(number.startswith("441289") and len(number) == 18 for number in numbers)
    assert all(r["手机号"].startswith("154") for r in good)
