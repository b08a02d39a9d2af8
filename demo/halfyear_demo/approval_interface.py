"""Demo exports of ``approval_interface``: which vertical systems the construction approval system is connected to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date, timedelta
from random import Random

from halfyear_demo import city, spelling
from halfyear_demo.city import City
from halfyear_demo.exporting import Cell, Export, Layout, Row, delivered, to_xlsx

SOURCE = "approval_interface"
HEADERS = {
    "interface_code": "接口编号",
    "system_name": "系统名称",
    "system_level": "系统层级",
    "body_name": "主管部门",
    "status": "对接状态",
    "connected_on": "对接日期",
}
#: Interfaces that are connected, of those on the list.
CONNECTED: Mapping[date, int] = {
    date(2020, 12, 31): 9,
    date(2021, 6, 30): 15,
    date(2021, 12, 31): 21,
    date(2022, 6, 30): 27,
}
DAYS = tuple(CONNECTED)
_STYLES: dict[date, spelling.DayStyle] = dict(zip(DAYS, ("dash", "slash", "hanzi", "dash"), strict=True))
_SYSTEMS = (
    ("全国投资项目在线审批监管平台", "国垂", "发展和改革局"),
    ("全国建筑市场监管公共服务平台", "国垂", "住房和城乡建设局"),
    ("建设用地远程报批系统", "国垂", "自然资源局"),
    ("全国排污许可证管理信息平台", "国垂", "市生态环境局榕湾分局"),
    ("广东省投资项目在线审批监管平台", "省垂", "发展和改革局"),
    ("广东省三库一平台", "省垂", "住房和城乡建设局"),
    ("广东省数字化审图系统", "省垂", "住房和城乡建设局"),
    ("广东省用地审批系统", "省垂", "自然资源局"),
    ("广东省林地审核系统", "省垂", "林业局"),
    ("广东省水土保持系统", "省垂", "水利局"),
    ("广东省涉水许可系统", "省垂", "水利局"),
    ("广东省环评审批系统", "省垂", "市生态环境局榕湾分局"),
    ("广东省人防行政审批系统", "省垂", "住房和城乡建设局"),
    ("广东省消防设计审查系统", "省垂", "住房和城乡建设局"),
    ("广东省公路涉路施工许可系统", "省垂", "交通运输局"),
    ("广东省气象行政审批系统", "省垂", "气象局"),
)


def exports(town: City, seed: int) -> list[Export]:
    """The list of each half-year."""
    return [_export(day, town, seed) for day in DAYS]


def _export(day: date, town: City, seed: int) -> Export:
    headers = HEADERS | ({"connected_on": "对接\n日期", "status": "对接状态*"} if day == DAYS[3] else {})
    layout = Layout(
        headers,
        titles=(f"{city.NAME}工程建设项目审批系统对接台账", f"（截至{spelling.day(day, 'hanzi')}）"),
        notes=("备注：国垂、省垂系统以上级公布名录为准",),
    )
    return delivered(SOURCE, day, to_xlsx(layout, list(_rows(day, town, seed)), "对接台账"))


def _rows(day: date, town: City, seed: int) -> Iterator[Row]:
    """Two or three interfaces of each system; they are connected in the order of their numbers."""
    rng = Random(f"{seed} {SOURCE}")
    number = 0
    for system, (name, level, body_name) in enumerate(_SYSTEMS):
        for _ in range(2 + system % 2):
            number += 1
            is_connected = number <= CONNECTED[day]
            connected = date(2019, 8, 1) + timedelta(days=number * 30 + rng.randrange(20))
            state = "已对接" if is_connected else "联调中" if number <= CONNECTED[day] + 4 else "未对接"
            cells: dict[str, Cell] = {
                "interface_code": f"JK{number:04d}",
                "system_name": name,
                "system_level": level,
                "body_name": town.named(body_name).name,
                "status": state,
                "connected_on": spelling.day(min(connected, day), _STYLES[day]) if is_connected else None,
            }
            yield Row(cells)
    if day == DAYS[3]:
        new = {**cells, "system_name": "广东省地震安全性评价系统"}
        wrong = {**new, "interface_code": "JK9001", "status": "已对接", "connected_on": None}
        yield Row(wrong, "quarantined", "connected_on", "connected without its day")
        yield Row({**new, "interface_code": "JK9002", "system_level": "市垂"}, "quarantined", "system_level", "unknown")
