"""One cell: from what a file holds to what the warehouse stores, or the reason why it cannot be read.

What a converter returns, by logical type: str, int, Decimal, bool, days since 1970 (date) and microseconds since
1970 UTC (timestamp); None for an empty cell; a ``Bad`` for one that cannot be read. Nothing is ever guessed.
Required columns, enumerations, limits and rules between columns are not judged here but in the warehouse.

In one module: a converter for each logical type, which share what is empty, what is null and what is refused.
"""

from __future__ import annotations

import decimal
import functools
import math
import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal

from halfyear.reading import fault
from halfyear.reading.fault import Bad
from halfyear.reading.plan import Column
from halfyear.reading.token import token
from halfyear.settings import LOCAL_ZONE

Converter = Callable[[object], object]

#: What stands for "nothing" in columns that are not free text. NA is a value.
NULLS = frozenset({"", "-", "—", "/", "无"})
#: What no cell may hold: NUL, U+FFFD, a BOM inside the file, lone surrogates.
DAMAGE = re.compile("[\x00\ufffd\ufeff\ud800-\udfff]")

_EPOCH = date(1970, 1, 1).toordinal()
#: Microseconds by which local time is ahead of UTC.
LOCAL_OFFSET = 8 * 3600 * 1_000_000
#: Serials below 61 fall on or before the 29 February 1900 that never was.
_FIRST_SERIAL, _END_SERIAL = 61, 2_958_466
#: Formats of texts that are normalised and upper-cased.
CODES = frozenset({"code", "unified_social_credit_code", "resident_id", "mobile", "region_code"})
_NUMBER = re.compile(r"[+-]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?|[+-]?\.\d+", re.ASCII)
_SCIENTIFIC = re.compile(r"[+-]?\d(?:\.\d+E[+-]?\d+|E\+\d+)", re.ASCII)
_YES_NO = {"是": True, "1": True, "Y": True, "TRUE": True, "否": False, "0": False, "N": False, "FALSE": False}
_MOMENT = re.compile(
    r"(?P<y>\d{4})(?:-(?P<m1>\d{1,2})-(?P<d1>\d{1,2})|/(?P<m2>\d{1,2})/(?P<d2>\d{1,2})|\.(?P<m3>\d{1,2})\.(?P<d3>\d{1,2})"
    r"|年(?P<m4>\d{1,2})月(?P<d4>\d{1,2})日|(?P<m5>\d{2})(?P<d5>\d{2}))"
    r"(?:(?: +|T)(?P<H>\d{1,2}):(?P<M>\d{2})(?::(?P<S>\d{2})(?:\.(?P<f>\d{1,6}))?)?(?P<z> ?(?:Z|[+-]\d{2}:?\d{2}))?)?",
    re.ASCII,
)
_COMPACT = re.compile(r"(\d{4})(\d{2})(\d{2})T?(\d{2})(\d{2})(\d{2})", re.ASCII)
_ISO = re.compile(r"\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d:\d\d)?", re.ASCII)
_MONTH = re.compile(r"(\d{4})(?:-(\d{1,2})|/(\d{1,2})|\.(\d{1,2})|年(\d{1,2})月|(\d{2}))", re.ASCII)
_SERIAL = re.compile(r"\d{5}", re.ASCII)
_MOBILE = re.compile(r"1[3-9]\d{9}", re.ASCII)
_RESIDENT_ID = re.compile(r"\d{17}[\dX]", re.ASCII)
_LEGACY_RESIDENT_ID = re.compile(r"\d{15}", re.ASCII)

_EXACT = decimal.Context(prec=60, rounding=decimal.ROUND_HALF_EVEN)
_STEP = Decimal("1E-10")
_LIMIT = Decimal(10) ** 28


class Wrong(str):
    """A personal identifier with a wrong form or check digit: its token loads and is counted.

    ``is_legacy``: a resident number of 15 digits, which is out of use since 2013; it is never made into 18 digits,
    since the century and the check digit would be guessed.
    """

    is_legacy: bool

    def __new__(cls, text: str, is_legacy: bool = False) -> Wrong:
        made = super().__new__(cls, text)
        made.is_legacy = is_legacy
        return made


class Percent(float):
    """A numeric spreadsheet cell that its style shows as per cent."""


@dataclass(frozen=True)
class Dialect:
    """What a format or workbook settles: the base of date serials, and whether lines for people may surround the data."""

    is_1904: bool = False
    has_notes: bool = True
    has_totals: bool = True


def normal(text: str) -> str:
    """NFKC, stripped."""
    return text.strip() if text.isascii() else unicodedata.normalize("NFKC", text).strip()


def is_empty(cell: object) -> bool:
    """The cell holds nothing, or a sign for nothing."""
    return cell is None or (isinstance(cell, str) and (not cell or normal(cell) in NULLS))


def is_blank(cell: object) -> bool:
    """The cell holds nothing at all."""
    return cell is None or (isinstance(cell, str) and not cell.strip())


def converter(column: Column, dialect: Dialect, factor: Decimal | None = None) -> Converter:
    """The function that reads the cells of one column. ``factor`` comes from a unit in the header."""
    if column.is_dropped:
        return _name
    if column.is_personal:
        return _personal(column)
    if column.logical_type == "integer":
        return lambda cell: _whole(_number(cell, factor))
    if column.logical_type == "number":
        if column.format == "percent":
            return lambda cell: _storable(_share(cell))
        return lambda cell: _storable(_number(cell, factor))
    if column.logical_type == "boolean":
        return _boolean
    if column.logical_type == "date":
        return _month(dialect) if column.format == "month" else _date(column, dialect)
    if column.logical_type == "timestamp":
        return _timestamp(column, dialect)
    if column.format == "enumeration":
        return _enumeration(column)
    return _code if column.format in CODES else _name


def key_text(column: Column, value: object, token_key: bytes) -> str:
    """A key field as it stands in ``record_key``: dates in ISO form, a person's key as a token."""
    if isinstance(value, str):
        text = value
    elif isinstance(value, bool):
        text = "true" if value else "false"
    elif isinstance(value, Decimal):
        text = format(value.normalize(_EXACT), "f")
    elif isinstance(value, int) and column.logical_type == "date":
        text = date.fromordinal(_EPOCH + value).isoformat()
    elif isinstance(value, int) and column.logical_type == "timestamp":
        text = (datetime(1970, 1, 1) + timedelta(microseconds=value + LOCAL_OFFSET)).isoformat()
    else:
        text = str(value)
    if column.identifies_person and not column.is_personal:
        return token(token_key, text)
    return text


def printed_number(cell: object, factor: Decimal | None = None) -> tuple[Decimal, Decimal] | Bad | None:
    """A control total and its tolerance, half a unit of its last printed digit."""
    raw = _number(cell, None)
    if not isinstance(raw, Decimal):
        return raw
    exponent = raw.as_tuple().exponent
    tolerance = Decimal((0, (5,), (exponent if isinstance(exponent, int) and exponent < 0 else 0) - 1))
    return (raw, tolerance) if factor is None else (_EXACT.multiply(raw, factor), _EXACT.multiply(tolerance, factor))


# --- text -------------------------------------------------------------------------------------------------------


def _text(cell: object, is_code: bool) -> str | Bad | None:
    """The cell as unstripped text."""
    if isinstance(cell, str):
        if len(cell) > fault.LONGEST_CELL:
            return fault.CELL_TOO_LONG
        if cell.isascii():
            return fault.DAMAGED_TEXT if "\x00" in cell else cell
        return fault.DAMAGED_TEXT if DAMAGE.search(cell) else cell
    if cell is None or isinstance(cell, Bad):
        return cell
    if isinstance(cell, bool):
        return "TRUE" if cell else "FALSE"
    if isinstance(cell, int | float | Decimal):
        exact = _exact(cell)
        if isinstance(exact, Bad):
            return exact
        return format(exact.normalize(_EXACT), "f")
    if isinstance(cell, datetime | date | time | timedelta):
        return fault.NOT_A_CODE if is_code else str(cell)
    return fault.NOT_TEXT


def _normalised(cell: object) -> str | Bad | None:
    """NFKC, stripped text; None where it stands for nothing."""
    text = _text(cell, is_code=True)
    if not isinstance(text, str):
        return text
    text = normal(text)
    return None if text in NULLS else text


def _name(cell: object) -> str | Bad | None:
    text = _text(cell, is_code=False)
    if not isinstance(text, str):
        return text
    text = text.strip()
    return None if text in NULLS or normal(text) in NULLS else text


def _code(cell: object) -> str | Bad | None:
    if isinstance(cell, str) and cell.isascii() and cell.isalnum() and len(cell) < 100:  # the usual case, cheaply
        return cell.upper()
    text = _normalised(cell)
    if not isinstance(text, str):
        return text
    text = text.upper()
    return fault.SCIENTIFIC if "E" in text and _SCIENTIFIC.fullmatch(text) else text


def _enumeration(column: Column) -> Converter:
    labels = {normal(spelling): label for label, spellings in column.values for spelling in (label, *spellings)}

    def convert(cell: object) -> object:
        text = _text(cell, is_code=True)
        if not isinstance(text, str):
            return text
        text = normal(text)
        label = labels.get(text)
        if label is not None:
            return label
        return None if text in NULLS else text

    return convert


def _personal(column: Column) -> Converter:
    """The normalised value of a person, which ``ColumnReader`` makes a token of."""
    if column.format in (None, "name", "free_text"):
        return _name
    has_form: Callable[[str], bool] | None = {"resident_id": _is_resident_id, "mobile": _is_mobile}.get(column.format)
    if has_form is None:
        return _code

    def convert(cell: object) -> object:
        value = _code(cell)
        if not isinstance(value, str) or has_form(value):
            return value
        return Wrong(value, is_legacy=column.format == "resident_id" and _is_legacy_resident_id(value))

    return convert


def _is_mobile(text: str) -> bool:
    return _MOBILE.fullmatch(text) is not None


def _is_resident_id(text: str) -> bool:
    """GB 11643: 18 characters with a day of birth and the right check digit.

    The region is not judged: it is that of the first registration, and no list has all of them.
    """
    if not _RESIDENT_ID.fullmatch(text) or not _is_day(text[6:14]):
        return False
    from stdnum.cn.ric import calc_check_digit

    return calc_check_digit(text) == text[-1]


def _is_legacy_resident_id(text: str) -> bool:
    """GB 11643-1989: 15 digits, with a day of birth of the last century and without check digit."""
    return _LEGACY_RESIDENT_ID.fullmatch(text) is not None and _is_day(f"19{text[6:12]}")


def _is_day(digits: str) -> bool:
    """Whether YYYYMMDD names a day that there was."""
    try:
        date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError:
        return False
    return True


# --- numbers ----------------------------------------------------------------------------------------------------


def _exact(cell: int | float | Decimal) -> Decimal | Bad:
    """The number that a numeric cell shows: 15 significant digits, as spreadsheets keep them."""
    if not math.isfinite(cell):
        return fault.NOT_A_NUMBER
    if not -(10**15) < cell < 10**15:
        return fault.TOO_MANY_DIGITS
    return Decimal(format(cell, ".15g")) if isinstance(cell, float) else Decimal(cell)


def _number(cell: object, factor: Decimal | None) -> Decimal | Bad | None:
    if isinstance(cell, str):
        text = _normalised(cell)
        if not isinstance(text, str):
            return text
        if text.isdigit() and text.isascii():
            number = Decimal(text)
        elif _NUMBER.fullmatch(text):
            number = Decimal(text.replace(",", ""))
        elif _SCIENTIFIC.fullmatch(text.upper()):
            return fault.SCIENTIFIC
        else:
            return fault.NOT_A_NUMBER
    elif cell is None or isinstance(cell, Bad):
        return cell
    elif isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        exact = _exact(cell)
        if isinstance(exact, Bad):
            return exact
        number = exact
    else:
        return fault.NOT_A_NUMBER
    return number if factor is None else _EXACT.multiply(number, factor)


def _whole(number: Decimal | Bad | None) -> int | Bad | None:
    if not isinstance(number, Decimal):
        return number
    if number.adjusted() > 18:
        return fault.TOO_LARGE
    whole = int(number)
    if whole != number:
        return fault.NOT_WHOLE
    return whole if -(2**63) <= whole < 2**63 else fault.TOO_LARGE


def _storable(number: Decimal | Bad | None) -> Decimal | Bad | None:
    if not isinstance(number, Decimal):
        return number
    return fault.TOO_LARGE if abs(number) >= _LIMIT else number.quantize(_STEP, context=_EXACT)


def _share(cell: object) -> Decimal | Bad | None:
    """Per cent: what is written with %, or above 1, is per cent already; anything up to 1 is a share."""
    if isinstance(cell, Percent):
        number = _number(cell, None)
        return _EXACT.multiply(number, Decimal(100)) if isinstance(number, Decimal) else number
    if isinstance(cell, str):
        text = _normalised(cell)
        if isinstance(text, str) and text.endswith("%"):
            number = _number(text[:-1], None)
            return number if isinstance(number, Decimal) else fault.NOT_A_SHARE
    number = _number(cell, None)
    if not isinstance(number, Decimal):
        return fault.NOT_A_SHARE if number is fault.NOT_A_NUMBER else number
    return _EXACT.multiply(number, Decimal(100)) if abs(number) <= 1 else number


def _boolean(cell: object) -> bool | Bad | None:
    if isinstance(cell, bool):
        return cell
    if isinstance(cell, datetime | date | time | timedelta):
        return fault.NOT_YES_NO
    text = _normalised(cell)
    if not isinstance(text, str):
        return text
    return _YES_NO.get(text.upper(), fault.NOT_YES_NO)


# --- dates and times --------------------------------------------------------------------------------------------


def _serial(number: float, dialect: Dialect) -> datetime | None:
    """A day number of the workbook's own system; fractions are times, kept to the millisecond."""
    if not _FIRST_SERIAL <= number < _END_SERIAL:
        return None
    base = datetime(1904, 1, 1) if dialect.is_1904 else datetime(1899, 12, 30)
    try:
        return base + timedelta(milliseconds=round(number * 86_400_000))
    except OverflowError:
        return None


def _moment(cell: object, dialect: Dialect, allow_offset: bool, unreadable: Bad) -> datetime | Bad | None:
    """A date with its time of day, 00:00 when there is none, in local time without a zone."""
    if isinstance(cell, str):
        text = _normalised(cell)
        return _moment_of_text(text, dialect, allow_offset, unreadable) if isinstance(text, str) else text
    if cell is None or isinstance(cell, Bad):
        return cell
    if isinstance(cell, datetime):
        moment = cell if cell.tzinfo is None else cell.astimezone(LOCAL_ZONE).replace(tzinfo=None)
        return moment if moment.date() >= first_day(dialect) else unreadable
    if isinstance(cell, date):
        return datetime(cell.year, cell.month, cell.day) if cell >= first_day(dialect) else unreadable
    if isinstance(cell, int | float | Decimal) and not isinstance(cell, bool):
        exact = _exact(cell)
        if isinstance(exact, Bad):
            return unreadable
        if exact >= 10_000_000:  # 20220630 or 20220630093000, stored as a number
            whole = exact == exact.to_integral_value()
            return _moment_of_text(str(int(exact)), dialect, allow_offset, unreadable) if whole else unreadable
        return _serial(float(exact), dialect) or unreadable
    return unreadable


def first_day(dialect: Dialect) -> date:
    return date(1904, 3, 2) if dialect.is_1904 else date(1900, 3, 1)


def _moment_of_text(text: str, dialect: Dialect, allow_offset: bool, unreadable: Bad) -> datetime | Bad:
    try:
        if _ISO.fullmatch(text):
            year, month, day = int(text[:4]), int(text[5:7]), int(text[8:10])
            if len(text) == 10:
                return datetime(year, month, day)
            return datetime(year, month, day, int(text[11:13]), int(text[14:16]), int(text[17:]))
        if _SERIAL.fullmatch(text):
            return _serial(int(text), dialect) or unreadable
        text = text.upper()
        compact = _COMPACT.fullmatch(text)
        if compact:
            return datetime(*map(int, compact.groups()))  # type: ignore[arg-type]
        match = _MOMENT.fullmatch(text)
        if not match:
            return unreadable
        part = match.groupdict()
        month_text = next(part[f"m{i}"] for i in range(1, 6) if part[f"m{i}"])
        day_text = next(part[f"d{i}"] for i in range(1, 6) if part[f"d{i}"])
        clock = (int(part["H"] or 0), int(part["M"] or 0), int(part["S"] or 0), int((part["f"] or "0").ljust(6, "0")))
        moment = datetime(int(part["y"]), int(month_text), int(day_text), *clock)
        if not part["z"]:
            return moment
        if not allow_offset:
            return fault.OFFSET
        return moment - _offset(part["z"].strip()) + timedelta(hours=8)
    except (ValueError, OverflowError):
        return unreadable


def _offset(text: str) -> timedelta:
    if text == "Z":
        return timedelta(0)
    hours, minutes = int(text[1:3]), int(text[-2:])
    if hours > 14 or minutes > 59:
        raise ValueError(text)
    return timedelta(hours=hours, minutes=minutes) * (-1 if text[0] == "-" else 1)


def _date(column: Column, dialect: Dialect) -> Converter:
    def convert(cell: object) -> object:
        moment = _moment(cell, dialect, column.allow_offset, fault.NOT_A_DATE)
        if not isinstance(moment, datetime):
            return moment
        if moment.hour or moment.minute or moment.second or moment.microsecond:
            return fault.TIME_IN_DATE
        return moment.toordinal() - _EPOCH

    return convert


@functools.lru_cache(maxsize=20_000)
def _start_of_day(text: str) -> int | None:
    """Seconds from 1970 to the day of an ISO date, None when there is no such day."""
    try:
        return (date(int(text[:4]), int(text[5:7]), int(text[8:])).toordinal() - _EPOCH) * 86400
    except ValueError:
        return None


def _timestamp(column: Column, dialect: Dialect) -> Converter:
    def convert(cell: object) -> object:
        if isinstance(cell, str) and len(cell) == 19 and _ISO.fullmatch(cell):  # the usual case, cheaply
            start = _start_of_day(cell[:10])
            hour, minute, second = int(cell[11:13]), int(cell[14:16]), int(cell[17:])
            if start is None or hour > 23 or minute > 59 or second > 59:
                return fault.NOT_A_TIME
            return (start + hour * 3600 + minute * 60 + second) * 1_000_000 - LOCAL_OFFSET
        moment = _moment(cell, dialect, column.allow_offset, fault.NOT_A_TIME)
        if not isinstance(moment, datetime):
            return moment
        seconds = (moment.toordinal() - _EPOCH) * 86400 + moment.hour * 3600 + moment.minute * 60 + moment.second
        return seconds * 1_000_000 + moment.microsecond - LOCAL_OFFSET

    return convert


def _month(dialect: Dialect) -> Converter:
    """2022-06, 202206, 2022年6月, or the first day of the month; stored as that day."""

    def convert(cell: object) -> object:
        if isinstance(cell, int | float) and not isinstance(cell, bool) and 100_000 < float(cell) < 1_000_000:
            cell = format(cell, ".15g")  # 202206, stored as a number
        if isinstance(cell, str):
            text = _normalised(cell)
            if not isinstance(text, str):
                return text
            match = _MONTH.fullmatch(text)
            if match:
                month = int(next(part for part in match.groups()[1:] if part))
                year = int(match[1])
                return date(year, month, 1).toordinal() - _EPOCH if 1 <= month <= 12 and year else fault.NOT_A_MONTH
        moment = _moment(cell, dialect, False, fault.NOT_A_MONTH)
        if not isinstance(moment, datetime):
            return moment
        is_first = moment == datetime(moment.year, moment.month, 1)
        return moment.toordinal() - _EPOCH if is_first else fault.NOT_A_MONTH

    return convert
