"""JSON lines: one strict object per line, in UTF-8, streamed. Names are the headers or the English fields."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from halfyear.reading import encoding, header
from halfyear.reading.fault import NOT_TEXT, Bad, broken_line, refusal, shown_name
from halfyear.reading.header import Binding, Header, Matcher
from halfyear.reading.plan import Plan
from halfyear.reading.table import Row, Table
from halfyear.reading.value import Dialect


def open_table(path: Path, plan: Plan) -> Table:
    """Every property has its place; which of them the file has is known when its rows are through."""
    found = encoding.examine(path, allow_gb18030=False)
    objects = _Objects(path, plan, found.has_bom)
    return Table(
        objects.header,
        iter(objects),
        dialect=Dialect(has_notes=False, has_totals=False),
        encoding=found.label,
        finish=objects.finish,
    )


class _Objects:
    def __init__(self, path: Path, plan: Plan, has_bom: bool) -> None:
        self._path = path
        self._has_bom = has_bom
        self._matcher = Matcher(plan)
        self._position = {c.name: i for i, c in enumerate(plan.columns)}
        self._places: dict[str, int | None] = {}
        self._seen: set[int] = set()
        self._is_inferred: dict[int, bool] = {}
        self._count = 0
        width = len(plan.columns)
        bindings = [Binding(c, i) for i, c in enumerate(plan.columns)]
        self.header = Header(bindings, width, width, [], [], [], [])

    def __iter__(self) -> Iterator[Row]:
        decode = json.JSONDecoder(object_pairs_hook=_strict_object, parse_constant=_no_constant).decode
        width = self.header.width
        places, seen = self._places, self._seen
        with self._path.open("rb") as stream:
            if self._has_bom:
                stream.read(3)
            for number, line in enumerate(stream, start=1):
                text = line.decode().strip(" \t\r\n")
                if not text:
                    yield number, (), None
                    continue
                self._count += 1
                bad = None
                try:
                    value = decode(text)
                except _Broken as error:
                    bad = error.bad
                except (ValueError, RecursionError):
                    bad = broken_line("无法解析", "it cannot be parsed")
                if bad is None and not isinstance(value, dict):
                    bad = broken_line("不是对象", "it is something else")
                if bad is not None:
                    yield number, None, bad
                    continue
                cells: list[object] = [None] * width
                taken: set[int] = set()
                for name, cell in value.items():
                    place = places[name] if name in places else self._place(name)
                    if place is None:
                        continue
                    if place in taken:
                        self._refuse_twice(place, number)
                    taken.add(place)
                    cells[place] = NOT_TEXT if isinstance(cell, dict | list) else cell
                if not taken <= seen:
                    seen |= taken
                yield number, cells, None

    def finish(self) -> None:
        """Say which columns no object had; raises FileRefused when a required one is among them."""
        if not self._count:
            return
        self.header.missing = [b.column for b in self.header.bindings if b.position not in self._seen]
        header.refuse_columns(self.header, None, None)

    def _place(self, name: str) -> int | None:
        found = self._matcher.find(name)
        place = None
        if found is None:
            if len(self._places) < 10_000:
                self.header.unknown.append(shown_name(name))
        else:
            column, factor = found
            place = self._position[column.name]
            is_inferred = self._matcher.infer(name) is not None
            if self._is_inferred.setdefault(place, is_inferred) != is_inferred:
                self._refuse_twice(place, None)
            binding = self.header.bindings[place]
            if place in self._seen and binding.factor != factor:
                raise refusal(
                    "column_twice",
                    f"“{column.header}”在不同行中使用了不同的单位",
                    f"{column.header} is given in different units in different lines",
                    column=column.header,
                )
            binding.factor = factor
        if len(self._places) < 20_000:
            self._places[name] = place
        return place

    def _refuse_twice(self, place: int, number: int | None) -> NoReturn:
        self.header.twice = [self.header.bindings[place].column]
        header.refuse_columns(self.header, None, number)
        raise AssertionError("a column that is there twice raises")


class _Broken(Exception):
    def __init__(self, bad: Bad) -> None:
        super().__init__(bad.rule)
        self.bad = bad


def _strict_object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise _Broken(broken_line("同一名称出现两次", "a name occurs twice"))
    return found


def _no_constant(name: str) -> NoReturn:
    raise _Broken(broken_line(f"{name} 不是 JSON 值", f"{name} is no JSON value"))
