"""Demo exports of ``cloud_migration``: the ledger of systems on their way to the government cloud."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from random import Random

from halfyear.period import Period, parse
from halfyear_demo import city, spelling
from halfyear_demo.city import Body, City
from halfyear_demo.exporting import Cell, Content, Export, Layout, Row, delivered, to_csv

SOURCE = "cloud_migration"
HEADERS = {
    "system_code": "系统编号",
    "system_name": "系统名称",
    "body_name": "建设单位",
    "body_code": "建设单位代码",
    "system_kind": "系统类型",
    "protection_level": "等保级别",
    "filing_no": "备案证明编号",
    "assessed_on": "测评日期",
    "applied_on": "申请上云日期",
    "migration": "迁移状态",
    "migrated_on": "完成上云日期",
    "vcpu": "vCPU",
    "memory_gb": "内存(GB)",
    "storage_gb": "存储(GB)",
    "cpu_utilisation_pct": "CPU平均利用率",
}


@dataclass(frozen=True)
class Target:
    """Of one half-year: systems applied for, of these migrated in it, and all migrations done in it."""

    added: int
    migrated: int
    done: int


TARGETS = {
    parse("2020-S2"): Target(11, 4, 6),
    parse("2021-S1"): Target(9, 4, 7),
    parse("2021-S2"): Target(10, 3, 6),
    parse("2022-S1"): Target(8, 5, 9),
}
DAYS = (
    date(2020, 12, 31),
    date(2021, 3, 31),
    date(2021, 6, 30),
    date(2021, 9, 30),
    date(2021, 12, 31),
    date(2022, 3, 31),
    date(2022, 6, 30),
)
#: In autumn 2021 the ledger moved to a system that writes UTF-8 with BOM and codes for 等保级别.
_UPGRADED = date(2021, 9, 30)
_CORRECTED_AT = datetime(2022, 7, 5, 17, 32)

_LEVELS = ("一级", "二级", "三级", "四级", "五级")
_SYSTEMS = [
    "综合业务管理平台",
    "公众服务平台",
    "视频监控平台",
    "档案管理系统",
    "协同办公系统",
    "监测预警平台",
    "行政审批系统",
    "执法办案系统",
    "指挥调度平台",
    "资产管理系统",
    "地理信息系统",
    "数据交换平台",
    "信用信息平台",
    "门户网站",
    "统计直报系统",
]


@dataclass(frozen=True)
class System:
    """One information system and its way to the cloud; it is listed from ``listed_from`` until ``listed_until``."""

    code: str
    name: str
    body: Body
    kind: str
    level: str | None
    filing_no: str | None
    assessed_on: date | None
    applied_on: date
    listed_from: date
    vcpu: int
    memory_gb: int
    storage_gb: float
    utilisation_pct: float
    migrated_on: date | None = None
    listed_until: date = date.max
    resting_state: str = ""
    is_steady: bool = False

    def migration(self, day: date) -> str:
        """迁移状态 on a day."""
        if self.migrated_on is not None and self.migrated_on <= day:
            return "已上云"
        if self.resting_state:
            return self.resting_state
        age = (day - self.applied_on).days
        return "未启动" if age < 25 else "迁移中" if age < 110 else "测试中"


def systems(town: City, seed: int) -> list[System]:
    """Every system that the ledger ever lists, by number."""
    rng = Random(f"{seed} {SOURCE}")
    bodies = [*town.of_kind("政府机关"), *town.of_kind("事业单位")[:8]]
    made: list[System] = []

    def add(applied_on: date, **changes: object) -> System:
        number = len(made) + 1
        body = rng.choice(bodies)
        kind = rng.choices(("自建", "国垂", "省垂"), (70, 8, 22))[0]
        level = rng.choices(_LEVELS[:3], (25, 45, 30))[0] if kind == "自建" or rng.random() < 0.6 else None
        is_filed = level in ("二级", "三级") or (level == "一级" and rng.random() < 0.3)
        cores = rng.choice((4, 8, 8, 16, 32, 64))
        short = body.name.removeprefix(city.NAME)
        assessed = city.day_between(rng, date(2019, 9, 1), date(2020, 6, 1))
        system = System(
            code=f"RWY{applied_on.year}{number:04d}",
            name=f"{short}{rng.choice(_SYSTEMS)}",
            body=body,
            kind=kind,
            level=level,
            filing_no=f"4412{rng.randint(10**10, 10**11 - 1)}-{rng.randint(1, 99):05d}" if is_filed else None,
            assessed_on=assessed if level in ("二级", "三级") else None,
            applied_on=applied_on,
            listed_from=applied_on,
            vcpu=cores,
            memory_gb=cores * rng.choice((2, 4)),
            storage_gb=rng.choice((100, 200, 500, 1024, 1536.5, 4096)),
            utilisation_pct=rng.randint(40, 620) / 10,
        )
        made.append(replace(system, **changes))  # type: ignore[arg-type]
        return made[-1]

    for number in range(36):
        applied = city.day_between(rng, date(2018, 3, 1), date(2019, 12, 31))
        done = applied + timedelta(days=rng.randint(30, 170))
        add(applied, migrated_on=done, is_steady=number < 4)
    for state in ("不上云", "不上云", "不上云", "不上云", "已暂停", "已暂停", "已暂停", *[""] * 13):
        add(city.day_between(rng, date(2019, 7, 1), date(2020, 6, 30)), resting_state=state)
    for half, target in TARGETS.items():
        _half_year(rng, made, add, half, target)

    ended = {made[10].code: date(2021, 9, 30), made[17].code: date(2022, 3, 31), made[36].code: date(2022, 6, 30)}
    made = [replace(system, listed_until=ended.get(system.code, date.max)) for system in made]
    made[5] = replace(made[5], name='智慧水务平台(一期,二期)"水眼"')
    _leave_duties_undone(made)
    # first listed long after the application: late registrations, in no half-year's figure of their own
    for code, applied, listed in (
        ("RWY20210901", date(2021, 5, 18), date(2021, 9, 30)),
        ("RWY20210902", date(2021, 11, 20), date(2022, 3, 31)),
    ):
        add(applied, code=code, listed_from=listed, resting_state="迁移中")
    return sorted(made, key=lambda system: system.code)


def _leave_duties_undone(made: list[System]) -> None:
    """Some of the city's own systems were never graded, and some of level two never filed; they count all the same."""
    own = [n for n, s in enumerate(made) if s.kind == "自建" and not s.is_steady and s.listed_until == date.max]
    for place in own[4::12]:
        made[place] = replace(made[place], level=None, filing_no=None, assessed_on=None)
    of_level_two = [place for place in own if made[place].level == "二级"]
    for place in of_level_two[2::8]:
        made[place] = replace(made[place], filing_no=None)


def _half_year(rng: Random, made: list[System], add: Callable[..., System], half: Period, target: Target) -> None:
    """Add one half-year's applications, and finish as many migrations of them and of older ones as it says."""
    first, last = half.first_day, half.last_day
    waiting = [n for n, s in enumerate(made) if s.migrated_on is None and not s.resting_state]
    for place in rng.sample(waiting, target.done - target.migrated):
        made[place] = replace(made[place], migrated_on=city.day_between(rng, first, last))
    for number in range(target.added):
        if number < target.migrated:
            applied = first if number == 0 else city.day_between(rng, first, first + timedelta(days=75))
            done = last if number == 1 else city.day_between(rng, applied + timedelta(days=30), last)
            add(applied, migrated_on=done)
        else:
            is_last = number == target.added - 1
            add(last if is_last else city.day_between(rng, first + timedelta(days=20), last))


def exports(town: City, seed: int) -> list[Export]:
    """The ledgers; that of 2022-06-30 was corrected five days later."""
    every = systems(town, seed)
    made = []
    for day in DAYS:
        rng = Random(f"{seed} {SOURCE} {day}")
        if day == DAYS[-1]:
            corrected = _ledger(day, every, town, rng)
            # the ledger was closed too early: the last application and the last migration were not in it yet
            early = [
                replace(system, migrated_on=None if system.migrated_on == day else system.migrated_on)
                for system in every
                if system.applied_on < day
            ]
            made.append(delivered(SOURCE, day, _ledger(day, early, town, Random(f"{seed} {SOURCE} {day}"))))
            made.append(delivered(SOURCE, day, corrected, sequence=2, arrived_at=_CORRECTED_AT))
        else:
            made.append(delivered(SOURCE, day, _ledger(day, every, town, rng)))
    return made


def _ledger(day: date, every: list[System], town: City, rng: Random) -> Content:
    listed = [system for system in every if system.listed_from <= day < system.listed_until]
    rows = list(_rows(day, listed, town, rng))
    headers = dict(HEADERS)
    if day in (DAYS[1], DAYS[5]):
        headers |= {"memory_gb": "内存（GB）", "storage_gb": "存储（GB）", "applied_on": "申请上云\n日期"}
    if day == DAYS[6]:
        headers |= {"system_code": "*系统编号", "system_name": "＊系统名称", "vcpu": "vCPU（核）", "remark": "运维单位"}
    title = f"{city.NAME}政务信息系统上云台账（截至{spelling.day(day, 'hanzi')}）"
    layout = Layout(
        headers,
        titles=(title,) if day in (DAYS[0], DAYS[6]) else (),
        notes=("填报人：市政数局基础设施股",) if day in (DAYS[0], DAYS[2], DAYS[6]) else (),
        has_blank_before_notes=day == DAYS[2],
    )
    if day == _UPGRADED:
        return to_csv(layout, rows, "utf-8-sig", "\n")
    return to_csv(layout, rows)


def _rows(day: date, listed: list[System], town: City, rng: Random) -> Iterator[Row]:
    steady = [system.code for system in listed if system.is_steady]
    unassessed = next(s.code for s in listed if s.level == "三级" and not s.is_steady)
    for system in listed:
        cells = _cells(day, system, town, rng)
        if day == DAYS[2] and system.code == steady[0]:
            yield Row({**cells, "migrated_on": None}, "quarantined", "migrated_on", "已上云 without a day")
        elif day == DAYS[4] and system.code == steady[1]:
            yield Row({**cells, "applied_on": "2019-02-29"}, "quarantined", "applied_on", "day that does not exist")
        elif day == DAYS[6] and system.code == steady[2]:
            yield Row({**cells, "protection_level": "六级"}, "quarantined", "protection_level", "unknown enumeration")
        elif day == DAYS[6] and system.code == steady[3]:
            yield Row({**cells, "migration": "迁移中"}, "quarantined", "migrated_on", "a day of completion, not 已上云")
        elif day == DAYS[6] and system.code == steady[0]:
            yield Row(
                {**cells, "cpu_utilisation_pct": "135%"}, "loaded", "cpu_utilisation_pct", "more than 100 per cent"
            )
        elif system.kind == "自建" and system.level is None:
            yield Row(cells, "loaded", "protection_level", "built by the city, without level")
        elif system.level == "二级" and system.filing_no is None:
            yield Row(cells, "loaded", "filing_no", "level two without filing certificate")
        elif system.code == unassessed:
            yield Row({**cells, "assessed_on": None}, "loaded", "assessed_on", "level three without assessment")
        elif system.level in _LEVELS[2:] and _is_outdated(_assessed_on(system, day), day):
            yield Row(cells, "loaded", "assessed_on", "assessment older than a year")
        else:
            yield Row(cells)
    for code, column, what, changes in _strays(day):
        template = next(system for system in listed if system.kind == "自建" and system.level == "二级")
        stray = replace(template, code=code, name="待核实系统", applied_on=day, migrated_on=None)
        yield Row({**_cells(day, stray, town, rng), **changes}, "quarantined", column, what)


def _strays(day: date) -> list[tuple[str, str, str, dict[str, Cell]]]:
    """Rows that belong in quarantine under numbers that no other file has; if they counted, applied for that day."""
    wrong = city.with_wrong_check(city.credit_code("11", city.REGION_CODE, "MB266666"))
    year = f"RWY{day.year}"
    if day == DAYS[0]:
        return [(f"{year}0991", "migration", "unknown enumeration", {"migration": "准备中"})]
    if day == DAYS[6]:
        return [
            (f"{year}0992", "body_code", "wrong check digit", {"body_code": wrong}),
            (f"{year}0993", "applied_on", "missing required", {"applied_on": None}),
        ]
    return []


def _assessed_on(system: System, day: date) -> date | None:
    """The newest yearly assessment by a day; one system in six has stopped at its first."""
    newest = system.assessed_on
    if newest is None:
        return None
    if int(system.code[-4:]) % 6 == 0:
        return newest
    while newest + timedelta(days=330) <= day:
        newest += timedelta(days=330)
    return newest


def _is_outdated(assessed_on: date | None, day: date) -> bool:
    return assessed_on is None or assessed_on < day.replace(year=day.year - 1)


def _cells(day: date, system: System, town: City, rng: Random) -> dict[str, Cell]:
    """One system as the ledger writes it: three ways to write a share, several for a day."""
    styles: list[spelling.DayStyle] = ["dash", "slash", "compact", "hanzi", "dot", "serial", "midnight"]
    style = styles[DAYS.index(day)] if rng.random() < 0.8 else rng.choice(styles)
    state = system.migration(day)
    share = system.utilisation_pct
    shares = (f"{share:.1f}%", f"{share:.1f}", f"{share / 100:.3f}")
    level = system.level
    if level is not None and (day == _UPGRADED or rng.random() < 0.15):
        level = str(_LEVELS.index(level) + 1)
    return {
        "system_code": system.code if rng.random() > 0.03 else system.code.lower(),
        "system_name": system.name,
        "body_name": system.body.name_on(day, town.valid_from) if rng.random() < 0.5 else system.body.name,
        "body_code": system.body.code,
        "system_kind": system.kind,
        "protection_level": level if level is not None else rng.choice(("", "-", "无")),
        "filing_no": system.filing_no,
        "assessed_on": spelling.day(_assessed_on(system, day), style),
        "applied_on": spelling.day(system.applied_on, style),
        "migration": state,
        "migrated_on": spelling.day(system.migrated_on if state == "已上云" else None, style),
        "vcpu": system.vcpu if rng.random() < 0.9 else f"{system.vcpu}.0",
        "memory_gb": system.memory_gb,
        "storage_gb": f"{system.storage_gb:,}",
        "cpu_utilisation_pct": shares[0] if rng.random() < 0.6 else rng.choice(shares),
        "remark": "云服务商甲",
    }
