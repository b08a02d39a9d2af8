"""How systems write the same day, time, number and answer: every spelling that ``sources.md`` lists."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

DayStyle = Literal["dash", "slash", "compact", "hanzi", "dot", "serial", "midnight"]
TimeStyle = Literal["dash", "iso_compact", "compact", "slash"]

#: Yes and no, as one export writes them.
YES_NO = {"hanzi": ("是", "否"), "digit": ("1", "0"), "letter": ("Y", "N"), "word": ("true", "false")}
#: Days before 1 January 1900 in the 1900 date system of spreadsheets, valid after February 1900.
_EPOCH = date(1899, 12, 30)


def day(value: date | None, style: DayStyle = "dash", missing: str | None = None) -> str | None:
    """A day in one of the listed spellings; ``missing`` where there is none."""
    if value is None:
        return missing
    match style:
        case "dash":
            return value.isoformat()
        case "slash":
            return f"{value.year}/{value.month}/{value.day}"
        case "compact":
            return f"{value:%Y%m%d}"
        case "hanzi":
            return f"{value.year}年{value.month}月{value.day}日"
        case "dot":
            return f"{value:%Y.%m.%d}"
        case "serial":
            return str(serial(value))
        case "midnight":
            return f"{value.isoformat()} 00:00:00"


def moment(value: datetime | None, style: TimeStyle = "dash") -> str | None:
    """A local time in one of the listed spellings, to the second."""
    if value is None:
        return None
    match style:
        case "dash":
            return f"{value:%Y-%m-%d %H:%M:%S}"
        case "iso_compact":
            return f"{value:%Y%m%dT%H%M%S}"
        case "compact":
            return f"{value:%Y%m%d%H%M%S}"
        case "slash":
            return f"{value.year}/{value.month}/{value.day} {value.hour}:{value:%M:%S}"


def serial(value: date) -> int:
    """The serial number of a day in a spreadsheet's 1900 date system."""
    return (value - _EPOCH).days


def yes_no(value: bool, style: str = "hanzi") -> str:
    """An answer as one export writes it; ``style`` is a key of YES_NO."""
    yes, no = YES_NO[style]
    return yes if value else no


def full_width(text: str) -> str:
    """ASCII digits as full-width digits, as an input method leaves them."""
    return "".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in text)
