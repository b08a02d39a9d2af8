"""The faults that the reader finds, each with its rule and a reason in Chinese and English.

A ``Bad`` stands where a cell or a row could not be read and makes the row rejected; ``refusal`` makes the
exception for a fault of the whole file.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from typing import Final

from halfyear.errors import FileRefused, Finding

#: Cells above this many characters make the row bad.
LONGEST_CELL = 100_000
#: What stands in place of a value that concerns a person.
MASK: Final = "***"
#: A number of an identity document (15 or 18 places), a mobile number, or one of them in scientific notation, alone or
#: inside a longer text. Read alike by Python and PostgreSQL, after NFKC.
PERSONAL_SHAPE: Final = (
    "(?<![0-9])[0-9](?:[ -]?[0-9]){14}(?![0-9])"
    "|(?<![0-9])[0-9](?:[ -]?[0-9]){16}[ -]?[0-9Xx](?![0-9])"
    "|(?<![0-9])(?:0|86|0086)?[ -]?1[ -]?[3-9](?:[ -]?[0-9]){9}(?![0-9])"
    "|[0-9][.][0-9]{6,}[Ee][+]?1[047](?![0-9])"
)
#: A whole value of 18 places that may be a unified social credit code as well as an identity number.
CODE_SHAPE: Final = "^[0-9]{17}[0-9Xx]$"
_PERSONAL = re.compile(PERSONAL_SHAPE)
_CODE = re.compile(CODE_SHAPE)


@dataclass(frozen=True, slots=True)
class Bad:
    """Why a cell or a row cannot be used."""

    rule: str
    zh: str
    en: str


MISSING_KEY = Bad("key_missing", "主键为空", "the key is empty")
NOT_A_NUMBER = Bad(
    "number_form",
    "不是可识别的数字（金额单位、货币符号不能写在单元格里）",
    "not a number (no currency sign or unit in the cell)",
)
NOT_WHOLE = Bad("whole_number", "应为整数", "not a whole number")
TOO_LARGE = Bad("number_range", "数字超出可存储的范围", "the number is too large to be stored")
TOO_MANY_DIGITS = Bad(
    "number_digits",
    "数字单元格超过 15 位，末尾已丢失，请以文本导出",
    "a numeric cell of more than 15 digits has lost its last ones; export it as text",
)
SCIENTIFIC = Bad(
    "scientific_notation",
    "科学计数法已丢失位数，请以文本导出",
    "scientific notation has lost digits; export it as text",
)
NOT_A_DATE = Bad("date_form", "不是可识别的日期", "not a date in a known form")
NOT_A_TIME = Bad("timestamp_form", "不是可识别的时间", "not a time in a known form")
NOT_A_MONTH = Bad("month_form", "不是可识别的月份", "not a month in a known form")
TIME_IN_DATE = Bad("date_with_time", "日期列中带有时间", "a time of day in a column of dates")
OFFSET = Bad(
    "time_offset",
    "时间带有时区偏移，本列约定为北京时间",
    "the time carries an offset; this column is agreed as local time",
)
NOT_YES_NO = Bad("boolean_form", "不是 是/否、1/0、Y/N、true/false", "none of 是/否, 1/0, Y/N, true/false")
NOT_A_SHARE = Bad("percent_form", "不是可识别的比例", "not a share in a known form")
NOT_A_CODE = Bad(
    "code_is_date", "代码单元格是日期，原文已丢失，请以文本导出", "the code was turned into a date; export it as text"
)
NOT_TEXT = Bad("nested_value", "单元格含有嵌套或二进制内容", "a nested or binary value")
ERROR_CELL = Bad("error_cell", "单元格是公式错误（如 #REF!）", "an error cell such as #REF!")
NO_VALUE = Bad(
    "formula_without_value",
    "公式单元格没有计算结果，请用表格软件打开并保存后再导出",
    "a formula cell without a value; open and save the workbook, then export it again",
)
DAMAGED_TEXT = Bad(
    "damaged_text",
    "含有 NUL、替换字符、孤立代理项或文件中间的 BOM",
    "NUL, a replacement character, a lone surrogate or a BOM inside the file",
)
CELL_TOO_LONG = Bad(
    "cell_too_long", f"单元格超过 {LONGEST_CELL:,} 个字符", f"a cell of more than {LONGEST_CELL:,} characters"
)
TEXT_AFTER_QUOTE = Bad("quoting", "引号结束后还有文字", "text after a closing quote")


def field_count(expected: int, found: int) -> Bad:
    """Another number of fields than the header has."""
    return Bad(
        "field_count", f"有 {found} 个字段，表头有 {expected} 个", f"{found} fields where the header has {expected}"
    )


def broken_line(zh: str, en: str) -> Bad:
    """A line that is no JSON object."""
    return Bad("json_line", f"本行不是合法的 JSON 对象：{zh}", f"the line is no JSON object: {en}")


def refusal(
    rule: str,
    zh: str,
    en: str,
    remedy_zh: str = "请更正后重新报送",
    remedy_en: str = "correct it and deliver it again",
    *,
    sheet: str | None = None,
    row: int | None = None,
    column: str | None = None,
    value: str | None = None,
) -> FileRefused:
    """The exception for a fault of the whole file; nothing in it quotes a personal value."""
    finding = Finding(
        rule=rule,
        severity="critical",
        reason_zh=zh,
        reason_en=en,
        remedy_zh=remedy_zh,
        remedy_en=remedy_en,
        sheet=sheet,
        row=row,
        column=column,
        value=value,
    )
    return FileRefused(finding)


_SHOWN = 60
_UNSHOWABLE = {0: "␀", 0xFEFF: "[BOM]"} | {code: f"[U+{code:04X}]" for code in range(0xD800, 0xE000)}


def shown(cell: object) -> str | None:
    """A cell as a message may show it: one short line that every database and terminal can hold."""
    if cell is None or cell == "" or isinstance(cell, Bad):
        return None
    text = " ".join(str(cell)[: 2 * _SHOWN].translate(_UNSHOWABLE).split())
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"


def shown_value(cell: object, *, may_be_code: bool = False) -> str | None:
    """As ``shown``, but hidden when it has the shape of a personal number.

    ``may_be_code``: 18 digits are a unified social credit code here.
    """
    value = shown(cell)
    if value is None:
        return None
    text = unicodedata.normalize("NFKC", str(cell))
    if not _PERSONAL.search(text) or (may_be_code and _CODE.fullmatch(text.strip())):
        return value
    return MASK


_LONGEST_NAME = 20
_DIGITS = re.compile("[0-9]{6}")


def shown_name(text: str) -> str:
    """The name of a column that no contract knows, hidden when it may be a value: a long one, or one with a number."""
    name = unicodedata.normalize("NFKC", text)
    if len(name.strip()) > _LONGEST_NAME or _DIGITS.search(name) or _PERSONAL.search(name):
        return MASK
    return shown(text) or ""
