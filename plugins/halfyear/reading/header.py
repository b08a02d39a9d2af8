"""The header: which column of the file holds which property. Nothing is matched loosely.

A header cell is compared after NFKC, without spaces, line breaks, ``*`` and case. Brackets are dropped only when
they hold a unit (or 必填, 选填, a length or date pattern) that cannot change the meaning: 发布日期(计划) is not 发布日期.
Where the contract's own header has a unit in brackets, 内存(GB), unit is compared with unit: 内存(单位:GB) is the
same and 内存(MB) is not; 内存 without a unit is the same unless the row has another 内存. Where the contract reads the
unit (``headerUnits``), the brackets give the factor. The field's English name is accepted as well.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal

from halfyear.reading.fault import refusal, shown_name
from halfyear.reading.plan import Column, Plan

#: The header is looked for in this many rows.
SEARCHED_ROWS = 30


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


_COUNTS = _words("个 条 项 件 宗 次 人 人次 人数 台 台次 套 家 户 户次 份 张 本 颗 核 场 名 位 件次")
_OTHER_UNITS = _words(
    "元 千元 万元 亿元 kb mb gb tb k m g t kbps mbps gbps mb/s % ‰ 年 季度 月 周 日 天 工作日 个工作日 小时 时 分钟 分 秒 "
    "平方米 亩 公顷 平方公里 米 千米 公里 万 亿 万人 万人次 万次 万件 万条 万个 千个 百个"
)
_HARMLESS = re.compile(
    r"必填项?|选填项?|非必填项?|(?:格式:?)?[ymdhs年月日时分秒:/.\-]{4,}"
    r"|(?:日期|时间|日期时间|文本|数字|数值|字符)(?:型|格式)|(?:长度:?)?[0-9]{1,4}位(?:数字|字符|代码|编码)?"
)
_BRACKETS = re.compile(r"(.+?)[(\[【〔]([^()\[\]【】〔〕]*)[)\]】〕]\Z")


def fold(text: str) -> str:
    """A header cell as it is compared."""
    return "".join(unicodedata.normalize("NFKC", text).replace("*", "").split()).lower()


@dataclass
class Binding:
    """A property and the place in the row where it stands. ``factor`` comes from a unit in the header."""

    column: Column
    position: int
    factor: Decimal | None = None


@dataclass
class Header:
    """A header row that was understood.

    ``width`` is the number of fields of the row, ``named_width`` that without nameless columns at its end;
    ``texts`` the folded cells, by which a repeated header is known (empty in formats without a header row).
    """

    bindings: list[Binding]
    width: int
    named_width: int
    texts: list[str]
    unknown: list[str]
    nameless: list[int]
    missing: list[Column]
    twice: list[Column] = field(default_factory=list)

    @property
    def is_complete(self) -> bool:
        """Every required column is there, and every column once."""
        return not self.twice and not any(column.is_required for column in self.missing)


class Matcher:
    """Knows the headers of one contract."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._by_name = {fold(c.name): c for c in plan.columns}
        read = [c for c in plan.columns if c.header_units]
        self._by_header = {fold(h): c for c in plan.columns if not c.header_units for h in c.headers}
        self._by_base = {_split(fold(h))[0]: c for c in read for h in c.headers}
        stated: dict[tuple[str, str], list[Column]] = {}
        bare: dict[str, list[Column]] = {}
        for column in plan.columns:
            for base, inner in {_split(fold(h)) for h in column.headers}:
                bare.setdefault(base, []).append(column)
                if not column.header_units and _is_unit_of(column, _unit(inner)):
                    stated.setdefault((base, _unit(inner)), []).append(column)
        self._by_unit = {key: columns[0] for key, columns in stated.items() if len(columns) == 1}
        #: Headers that leave out the unit of the contract's header and can mean no other column.
        self._without_unit = {base: bare[base][0] for base, _ in stated if len(bare[base]) == 1}

    def find(self, text: str) -> tuple[Column, Decimal | None] | None:
        """The property that a header cell names, with the factor of its unit; None for an unknown column."""
        stated, inferred = self._stated(text), self.infer(text)
        return (inferred, None) if stated is None and inferred is not None else stated

    def infer(self, text: str) -> Column | None:
        """The property whose header has a unit in brackets that this cell leaves out."""
        return self._without_unit.get(_without_hints(fold(text)))

    def _stated(self, text: str) -> tuple[Column, Decimal | None] | None:
        folded = fold(text)
        if not folded:
            return None
        if folded in self._by_header:
            return self._by_header[folded], None
        base, inner = _split(folded)
        if base in self._by_base:
            column = self._by_base[base]
            factors = {fold(unit): Decimal(factor) for unit, factor in column.header_units}
            unit = _unit(inner)
            if unit in factors:
                factor = factors[unit]
                return column, None if factor == 1 else factor
        while inner:
            united = self._by_unit.get((base, _unit(inner)))
            if united is not None:
                return united, None
            candidate = self._by_header.get(base)
            if not _is_droppable(inner, candidate):
                return None
            if candidate is not None:
                return candidate, None
            base, inner = _split(base)
        named = self._by_name.get(folded)
        return (named, None) if named else None

    def match(self, cells: Sequence[object]) -> Header:
        """Read a row as a header; it may turn out not to be one."""
        texts = ["" if cell is None else str(cell) for cell in cells]
        folded = [fold(text) for text in texts]
        named_width = max((i + 1 for i, text in enumerate(folded) if text), default=0)
        bindings: list[Binding] = []
        unknown: list[str] = []
        twice: list[Column] = []
        stated = [self._stated(text) for text in texts]
        inferred = [None if found else self.infer(text) for found, text in zip(stated, texts, strict=True)]
        # A name without its unit stands back where another cell has the same name with one.
        taken = {found[0].name for found in stated if found}
        taken_bases = {_base(text) for text, column in zip(folded, inferred, strict=True) if column is None}
        for position, text in enumerate(texts[:named_width]):
            if not folded[position]:
                continue
            found = stated[position]
            column = inferred[position]
            if column is not None and column.name not in taken and _base(folded[position]) not in taken_bases:
                found = column, None
            if found is None:
                unknown.append(shown_name(text))
            elif any(b.column is found[0] for b in bindings):
                twice.append(found[0])
            else:
                bindings.append(Binding(found[0], position, found[1]))
        bound = {b.column.name for b in bindings}
        return Header(
            bindings=bindings,
            width=len(cells),
            named_width=named_width,
            texts=folded,
            unknown=unknown,
            nameless=[i for i, text in enumerate(folded) if not text],
            missing=[c for c in self.plan.columns if c.name not in bound],
            twice=twice,
        )


def locate(rows: Sequence[Sequence[object]], matcher: Matcher) -> tuple[int, Header] | None:
    """The first of the given rows that is a complete header; None when there is none."""
    for index, cells in enumerate(rows[:SEARCHED_ROWS]):
        header = matcher.match(cells)
        if header.bindings and header.is_complete:
            return index, header
    return None


def refuse(
    rows: Sequence[tuple[int, Sequence[object]]],
    matcher: Matcher,
    encoding: str | None = None,
    sheet: str | None = None,
) -> None:
    """Raise FileRefused saying what keeps the likeliest of these rows from being the header."""
    numbered = [(number, matcher.match(cells)) for number, cells in rows[:SEARCHED_ROWS]]
    required = [c for c in matcher.plan.columns if c.is_required]
    number, best = max(numbered, key=lambda item: len(item[1].bindings), default=(0, None))
    if best is None or len(best.bindings) < min(2, len(required)):
        decoded = f"（按 {encoding} 解码）" if encoding else ""
        raise refusal(
            "header_missing",
            f"前 {SEARCHED_ROWS} 行中没有表头{decoded}；必需的列：{'、'.join(c.header for c in required)}",
            f"no header within the first {SEARCHED_ROWS} rows{f' (decoded as {encoding})' if encoding else ''}; "
            f"required columns: {', '.join(c.header for c in required)}",
            "请核对编码与列名后重新导出",
            "check the encoding and the column names, and export it again",
            sheet=sheet,
        )
    refuse_columns(best, sheet, number)


def refuse_columns(header: Header, sheet: str | None, row: int | None) -> None:
    """Raise FileRefused when a required column is missing or a column is there twice."""
    if header.twice:
        column = header.twice[0]
        raise refusal(
            "column_twice",
            f"有两列都是“{column.header}”（{' / '.join(column.headers)}）",
            f"two columns stand for {column.header} ({' / '.join(column.headers)})",
            "请只保留一列",
            "leave only one of them",
            sheet=sheet,
            row=row,
            column=column.header,
        )
    missing = [c for c in header.missing if c.is_required]
    if missing:
        names = [" / ".join(c.headers) for c in missing]
        seen_zh = f"；未识别的列：{'、'.join(header.unknown[:10])}" if header.unknown else ""
        seen_en = f"; unknown columns: {', '.join(header.unknown[:10])}" if header.unknown else ""
        raise refusal(
            "column_missing",
            f"缺少必需的列：{'、'.join(names)}{seen_zh}",
            f"required column missing: {', '.join(names)}{seen_en}",
            "请补上该列，或在合同中登记新的列名",
            "add the column, or enter its new name in the contract",
            sheet=sheet,
            row=row,
            column=missing[0].header,
        )


def _split(folded: str) -> tuple[str, str]:
    """A folded header without its last brackets, and what they hold."""
    match = _BRACKETS.fullmatch(folded)
    return (match[1], match[2]) if match else (folded, "")


def _base(folded: str) -> str:
    """A folded header without any brackets at its end."""
    base, inner = _split(folded)
    while inner:
        base, inner = _split(base)
    return base


def _without_hints(folded: str) -> str:
    """A folded header without brackets that only say 必填 or how long a value is."""
    base, inner = _split(folded)
    while inner and _HARMLESS.fullmatch(inner):
        folded = base
        base, inner = _split(folded)
    return folded


def _unit(inner: str) -> str:
    return inner.removeprefix("单位").lstrip(":")


def _is_unit_of(column: Column, unit: str) -> bool:
    """Whether brackets in the contract's own header hold the unit of the column."""
    if not unit:
        return False
    if column.unit:
        return unit == fold(column.unit)
    return column.logical_type in ("integer", "number") and (unit in _COUNTS or unit in _OTHER_UNITS)


def _is_droppable(inner: str, column: Column | None) -> bool:
    """Whether brackets that hold ``inner`` can be left out without a change of meaning."""
    if _HARMLESS.fullmatch(inner):
        return True
    unit = _unit(inner)
    is_unit = inner != unit or unit in _COUNTS or unit in _OTHER_UNITS
    declared = fold(column.unit) if column is not None and column.unit else ""
    if unit == declared:
        return True
    if not is_unit:
        return False
    # A count may be called 个 or 条; any other unit than the declared one would change the number.
    return not declared or (unit in _COUNTS and declared in _COUNTS)
