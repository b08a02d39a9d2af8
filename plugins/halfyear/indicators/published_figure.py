"""Printed figures: ``expectations/indicators/published_figure.csv``, and whether each line says what was printed.

A line holds the words as printed and the number that a person read in them. Where the words hold a number, it has to be
that one, in the unit and with the decimals of the line; where they hold none (每周, 全覆盖), the person's reading stands.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from pathlib import Path

from halfyear import period as periods
from halfyear.contract import meant, place
from halfyear.errors import ContractError, UsageError
from halfyear.period import Span

FILE = Path("indicators") / "published_figure.csv"
#: The codes that are only printed and that no indicator has.
PRINTED_ONLY_FILE = Path("indicators") / "printed_only.csv"
COLUMNS = ("period", "published_no", "indicator_code", "section", "printed", "value", "unit", "decimals", "shares_of")
PRINTED_ONLY_COLUMNS = ("indicator_code", "name_zh", "name_en")

_CODE = re.compile(r"[a-z_][a-z0-9_]*\Z")
_FACTOR = r"(?P<factor>[十百千]?[万亿]|万亿)"
_NUMBER = re.compile(
    r"(?P<ordinal>第)?(?P<number>(?:(?<!\d)-)?(?:\d{1,3}(?:,\d{3})+(?![\d,])|\d+)(?:\.\d+)?) ?" + f"{_FACTOR}?"
)
_NUMERAL = re.compile(r"(?P<ordinal>第)?(?P<number>[零〇一二两三四五六七八九十百千万亿]+)")
_PART = re.compile("([一二两三四五六七八九]?)([十百千])")
_DIGITS = {hanzi: digit for digit, hanzi in enumerate("零一二三四五六七八九")} | {"〇": 0, "两": 2}
_PLACES = {"十": 1, "百": 2, "千": 3, "万": 4, "亿": 8}
#: Words that stand for one number in whatever unit.
_WORDS = {"未收到": 0, "没有": 0, "无": 0, "零": 0, "全覆盖": 100}


@dataclass(frozen=True)
class Figure:
    """One line of the file: one row per period and code. ``span`` is the period."""

    line: int
    period: str
    span: Span
    code: str
    printed: str
    value: Decimal
    unit: str
    decimals: int


def load(expectations: Path, indicators: Collection[str]) -> list[Figure]:
    """The printed figures. ``indicators``: the codes of the published indicators.

    Raises ContractError, naming file, line and column, for a period that does not exist, for a value or decimals that are
    not what was printed, for two lines of one figure, and for a code that nobody can know: one of a quarter or a month that
    is neither an indicator's nor in ``printed_only.csv``. (A half-year's figure without an indicator is 无来源.)
    """
    path = expectations / FILE
    only = printed_only(expectations, indicators)
    known = {*indicators, *only}
    figures: dict[tuple[str, str], Figure] = {}
    for line, row in _rows(path, COLUMNS):
        where = f"{place(path)}: 行 line {line}"
        figure = _figure(where, line, row)
        if figure.span.kind != "half_year" and figure.code not in known:
            raise ContractError(
                f"{where}: indicator_code: {figure.code}: 没有这个指标；只在公布数中有的代码请录入 / no indicator has this "
                f"code; enter a code that is only printed in {place(expectations / PRINTED_ONLY_FILE)}"
                f"{meant(figure.code, known)}"
            )
        earlier = figures.setdefault((figure.period, figure.code), figure)
        if earlier is not figure:
            raise ContractError(
                f"{where}: {figure.period} {figure.code}: 与第 {earlier.line} 行重复，请删去一行 / stands in line "
                f"{earlier.line} already; remove one of the two"
            )
    return list(figures.values())


def printed_only(expectations: Path, indicators: Collection[str]) -> frozenset[str]:
    """The codes that are only printed. Raises ContractError for one that an indicator has."""
    path = expectations / PRINTED_ONLY_FILE
    codes = set()
    for line, row in _rows(path, PRINTED_ONLY_COLUMNS):
        code = row["indicator_code"]
        where = f"{place(path)}: 行 line {line}: indicator_code: {code}"
        if not _CODE.match(code):
            raise ContractError(f"{where}: 只用小写字母、数字和下划线 / write it in lower case letters, digits and _")
        if code in indicators:
            raise ContractError(
                f"{where}: 已是指标的代码，请删去此行或改名 / an indicator has this code; remove the line or rename it"
            )
        codes.add(code)
    return frozenset(codes)


def _rows(path: Path, columns: Collection[str]) -> Iterator[tuple[int, dict[str, str]]]:
    """Each line of a list with its number in the file; ContractError where a column or a cell is missing."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream)
        lacking = [column for column in columns if column not in (reader.fieldnames or ())]
        if lacking:
            raise ContractError(f"{place(path)}: 行 line 1: 缺少列 / columns are missing: {', '.join(lacking)}")
        for row in reader:
            if None in row or None in row.values():
                raise ContractError(
                    f"{place(path)}: 行 line {reader.line_num}: 应有 {len(columns)} 格 / must have {len(columns)} cells"
                )
            yield reader.line_num, {column: row[column].strip() for column in columns}


def _figure(where: str, line: int, row: dict[str, str]) -> Figure:
    try:
        span = periods.span(row["period"])
    except UsageError as error:
        raise ContractError(f"{where}: period: {error}") from None
    try:
        value, decimals = Decimal(row["value"]), int(row["decimals"])
    except (InvalidOperation, ValueError):
        raise ContractError(
            f"{where}: value, decimals: {row['value']}, {row['decimals']}: 应为数字和整数 / must be a number and a whole number"
        ) from None
    meanings = read(row["printed"], row["unit"])
    if meanings is None:
        is_printed = decimals == 0 and value == value.to_integral_value()
        said = "整数 a whole number"
    else:
        is_printed = (value, decimals) in meanings
        said = (
            " / ".join(f"{number:f} ({places})" for number, places in meanings)
            or "不是此单位的数 no number in this unit"
        )
    if not is_printed:
        raise ContractError(
            f"{where}: value: {row['value']} (decimals {decimals}, unit {row['unit']}): 与公布文字不符 / is not what was "
            f"printed: {row['printed']} = {said}; 请按公布文字改正 value、unit、decimals / correct value, unit, decimals by it"
        )
    return Figure(line, row["period"], span, row["indicator_code"], row["printed"], value, row["unit"], decimals)


# ---------------------------------------------------------------- words


def read(printed: str, unit: str) -> list[tuple[Decimal, int]] | None:
    """The numbers that printed words may mean in a unit, each with the decimals that were printed; None: they hold none.

    Digits with thousands separators, 万 and 亿, a per cent sign, and Chinese numerals before the unit are numbers. 第二次 is
    none. Where one stands right before the unit, the others (a year, a month) are not meant. 1.2万件 is 12000 件 with -3
    decimals, or 1.2 万件 with one.
    """
    text = re.sub(r"[()\s]", "", unicodedata.normalize("NFKC", printed)).replace("−", "-")
    own = re.match(f"{_FACTOR}?(?P<base>[^/]*)", unicodedata.normalize("NFKC", unit))
    assert own is not None
    base, own_places = own["base"], _places(own["factor"])
    found: list[tuple[Decimal, int]] = []
    before_unit: list[tuple[Decimal, int]] = []
    is_number = False
    for match in _NUMBER.finditer(text):
        if match["ordinal"]:
            continue
        is_number = True
        rest = text[match.end() :]
        if rest[:1] in tuple("%‰") and not base.startswith(rest[0]):
            continue
        number, places = Decimal(match["number"].replace(",", "")), _places(match["factor"]) - own_places
        decimals = len(match["number"].partition(".")[2]) - places
        meaning = (number.scaleb(places), decimals)
        found.append(meaning)
        if base and rest.startswith(base):
            before_unit.append(meaning)
    for match in [] if is_number or not base else _NUMERAL.finditer(text):
        if not match["ordinal"] and text.startswith(base, match.end()):
            number = Decimal(numeral(match["number"])).scaleb(-own_places).normalize()
            before_unit.append((number, max(-int(number.as_tuple().exponent), 0)))
    if not is_number and not before_unit and text in _WORDS:
        return [(Decimal(_WORDS[text]), 0)]
    return before_unit or found or ([] if is_number else None)


def _places(factor: str | None) -> int:
    return sum(_PLACES[each] for each in factor or "")


def numeral(text: str) -> int:
    """A Chinese numeral as a number: 一百二十 is 120, 三万五千 35000, and 二〇二二 2022."""
    if not set(text) & _PLACES.keys():
        return int("".join(str(_DIGITS[each]) for each in text) or 0)
    for factor in "亿万":
        above, has_it, below = text.rpartition(factor)
        if has_it:
            return (numeral(above) or 1) * int(10 ** _PLACES[factor]) + numeral(below)
    found = sum(_DIGITS[digit or "一"] * int(10 ** _PLACES[each]) for digit, each in _PART.findall(text))
    return found + numeral(_PART.sub("", text).strip("零〇"))
