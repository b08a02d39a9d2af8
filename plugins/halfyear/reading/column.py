"""Columns: the cells of one column of many rows at once, each read as ``value`` reads it.

What has the usual form (a plain code or name, an ISO time, a plain number) is read by Arrow's kernels, which agree
with the converters on it. Everything else goes through the converter of the column: texts once for each different
one, and columns of mixed kinds cell by cell. So no rule is written twice, and a column costs by what is odd in it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

import pyarrow as pa
import pyarrow.compute as pc

from halfyear.reading.fault import LONGEST_CELL, Bad
from halfyear.reading.plan import Column
from halfyear.reading.table import Cells
from halfyear.reading.token import tokens
from halfyear.reading.value import CODES, LOCAL_OFFSET, Converter, Dialect, Wrong, converter, first_day

#: Values in the usual form, and for each cell whether it has it (null where there is no cell).
_Usual = tuple[pa.Array, pa.Array]
_Kernel = Callable[[pa.Array], _Usual]
T = TypeVar("T")

#: Texts whose values are remembered for the next rows of a column.
_REMEMBERED = 50_000
_REMEMBERED_LENGTH = 200
#: From this share of different texts on, a column is read by its kernel and not text by text.
_VARIED = 0.3
_FEW = 1000
#: All that Python's ``str.strip`` removes.
WHITESPACE = (
    "\t\n\x0b\x0c\r\x1c\x1d\x1e\x1f \x85\xa0\u1680"
    + "".join(map(chr, range(0x2000, 0x200B)))
    + ("\u2028\u2029\u202f\u205f\u3000")
)
_SPACE = "".join(f"\\x{{{ord(c):x}}}" for c in WHITESPACE)
#: A text that is not taken as it stands: it begins or ends with a space, or has what no cell may have.
_NOT_PLAIN = f"^[{_SPACE}]|[{_SPACE}]$|[\\x00\\x{{fffd}}\\x{{feff}}]"
#: Moments that there are in every year and month.
_SURE_MOMENT = r"^[12]\d{3}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8])[ T](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d$"
_MOBILE = r"^1[3-9][0-9]{9}$"
#: Days that there are in every month.
_SURE_RESIDENT_ID = r"^[0-9]{6}(?:19|20)[0-9]{2}(?:0[1-9]|1[0-2])(?:0[1-9]|1[0-9]|2[0-8])[0-9]{3}[0-9X]$"
#: Too short for ``_names``, but nothing else than a name.
_SHORT_NAME = r"^\p{Han}{2,3}$"
_PLAIN_NUMBER = r"^[0-9]{1,15}(?:\.[0-9]{1,10})?$"
_MOST_DIGITS = 10**15
_FIRST_MOMENT = datetime(1, 1, 1)


@dataclass(frozen=True)
class Found:
    """A column that was read: its typed values, null where nothing is or nothing can be read.

    ``bad`` has the place and reason of each cell that cannot be read, in order; ``wrong`` the place of each personal
    identifier with a wrong form, and whether it is a legacy number.
    """

    values: pa.Array
    bad: list[tuple[int, Bad]] = field(default_factory=list)
    wrong: list[tuple[int, bool]] = field(default_factory=list)


class ColumnReader:
    """Reads one bound column. ``factor`` comes from a unit in the header."""

    def __init__(self, column: Column, dialect: Dialect, token_key: bytes, factor: Decimal | None) -> None:
        self._column = column
        self._convert = converter(column, dialect, factor)
        self._tokens = tokens(token_key) if column.is_personal and not column.is_dropped else None
        self._memo = _Memo(self._convert)
        self._text_kernel = _text_kernel(column, factor)
        self._typed_kernels = _typed_kernels(column, dialect, factor)
        # Names and amounts mostly repeat; codes, times and counts cost less than looking for repetitions.
        self._is_varied = self._tokens is None and (
            column.logical_type in ("integer", "timestamp") or column.format in CODES
        )

    def read(self, cells: Cells) -> Found:
        """The values of the cells, one for each; tokens, where they are persons'."""
        array = cells if isinstance(cells, pa.Array) else _of_one_kind(cells, self._column)
        if array is None:
            memo = self._memo
            return self._found([memo[c] if c.__class__ is str else self._convert(c) for c in cells])
        if pa.types.is_string(array.type):
            return self._read_texts(array)
        if pa.types.is_dictionary(array.type):
            return self._read_encoded(array)
        kernel = self._typed_kernels.get(array.type.id)
        if kernel is None:
            return self._each(array)
        return self._rest(array, *kernel(array))

    def _read_texts(self, texts: pa.Array) -> Found:
        kernel = self._text_kernel
        if kernel is not None and self._is_varied:
            return self._rest(texts, *kernel(texts))
        encoded = texts.dictionary_encode()
        if kernel is not None and len(encoded.dictionary) > max(_FEW, _VARIED * len(texts)):
            self._is_varied = True
            return self._rest(texts, *kernel(texts))
        return self._read_encoded(encoded)

    def _read_encoded(self, encoded: pa.DictionaryArray) -> Found:
        kernel, different = self._text_kernel, encoded.dictionary
        if kernel is None or len(different) <= _FEW:
            return self._decoded(encoded)
        return _spread(self._rest(different, *kernel(different)), encoded.indices)

    def _rest(self, cells: pa.Array, values: pa.Array, usual: pa.Array) -> Found:
        """The values of the kernel, with those of the converter where the form is not the usual one."""
        odd = pc.invert(pc.fill_null(usual, True))
        if not pc.any(odd).as_py():
            return Found(self._given(values))
        found = self._each(cells.filter(odd))
        places = pc.indices_nonzero(odd).to_pylist()
        return Found(
            pc.replace_with_mask(self._given(_where(usual, values)), odd, found.values),
            [(places[i], bad) for i, bad in found.bad],
            [(places[i], is_legacy) for i, is_legacy in found.wrong],
        )

    def _each(self, cells: pa.Array) -> Found:
        return self._decoded(cells.dictionary_encode())

    def _decoded(self, encoded: pa.DictionaryArray) -> Found:
        """Every different cell is read once."""
        cells = encoded.dictionary.to_pylist()
        is_text = pa.types.is_string(encoded.dictionary.type)
        return _spread(
            self._found(list(map(self._memo.__getitem__ if is_text else self._convert, cells))), encoded.indices
        )

    def _found(self, values: list[object]) -> Found:
        kinds = set(map(type, values))
        bad = [(i, v) for i, v in enumerate(values) if isinstance(v, Bad)] if Bad in kinds else []
        wrong = [(i, v.is_legacy) for i, v in enumerate(values) if isinstance(v, Wrong)] if Wrong in kinds else []
        for i, _ in bad:
            values[i] = None
        return Found(self._given(typed(self._column, values)), bad, wrong)

    def _given(self, values: pa.Array) -> pa.Array:
        """The values as they are given away."""
        return values if self._tokens is None else self._tokens(values)


class _Memo(dict[str, object]):
    """Converts texts and remembers them."""

    def __init__(self, convert: Converter) -> None:
        super().__init__()
        self._convert = convert

    def __missing__(self, cell: str) -> object:
        value = self._convert(cell)
        if len(cell) <= _REMEMBERED_LENGTH:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[cell] = value
        return value


def typed(column: Column, values: Sequence[object]) -> pa.Array:
    """What the converter of a column returned, as an array of the column's type."""
    if column.is_personal or column.logical_type == "string":
        return pa.array(values, pa.string())
    if column.logical_type == "date":
        return pa.array(values, pa.int32()).view(pa.date32())
    if column.logical_type == "timestamp":
        return pa.array(values, pa.int64()).view(column.arrow_type)
    return pa.array(values, column.arrow_type)


def untyped(column: Column, values: pa.Array) -> pa.Array:
    """The array as ``typed`` was given it: dates as days, times as microseconds."""
    if column.is_personal or column.logical_type not in ("date", "timestamp"):
        return values
    return values.view(pa.int32() if column.logical_type == "date" else pa.int64())


def _of_one_kind(cells: Sequence[object], column: Column) -> pa.Array | None:
    """The cells as an array of texts, numbers, dates or moments; None when they are of other kinds, or of several."""
    kinds = set(map(type, cells)) - {type(None)}
    if len(kinds) > 1 and str in kinds:  # spreadsheets have '' for nothing, in columns of numbers too
        cells = [None if cell == "" else cell for cell in cells]
        kinds = set(map(type, cells)) - {type(None)}
    if kinds == {date, datetime} and column.logical_type in ("date", "timestamp"):  # a date is its midnight
        cells = [datetime(c.year, c.month, c.day) if c.__class__ is date else c for c in cells]
        kinds = {datetime}
    if len(kinds) != 1 or (kind := _ARROW_KIND.get(kinds.pop())) is None:
        return None
    try:
        return pa.array(cells, kind)
    except (UnicodeEncodeError, OverflowError, pa.ArrowException):  # a lone surrogate, a huge number
        return None


_ARROW_KIND: dict[type, pa.DataType] = {
    str: pa.string(),
    int: pa.int64(),
    float: pa.float64(),
    date: pa.date32(),
    datetime: pa.timestamp("us"),
}


def _spread(found: Found, indices: pa.Array) -> Found:
    """From the different cells of a column to all of them."""
    return Found(found.values.take(indices), _places(found.bad, indices), _places(found.wrong, indices))


def _places(found: list[tuple[int, T]], indices: pa.Array) -> list[tuple[int, T]]:
    """From places in a dictionary to places in the column."""
    if not found:
        return []
    by_index = dict(found)
    places = pc.indices_nonzero(pc.is_in(indices, value_set=pa.array(by_index, indices.type)))
    return [(i, by_index[index]) for i, index in zip(places.to_pylist(), indices.take(places).to_pylist(), strict=True)]


# --- the usual forms --------------------------------------------------------------------------------------------


def _text_kernel(column: Column, factor: Decimal | None) -> _Kernel | None:
    """The kernel for the texts of a column; None when they are few."""
    if column.is_dropped:
        return _names
    if column.is_personal:
        if column.format in (None, "name", "free_text"):
            return _names_of_persons
        return _mobiles if column.format == "mobile" else _resident_ids if column.format == "resident_id" else _codes
    if factor is not None:
        return None
    if column.logical_type == "string":
        return _codes if column.format in CODES else None if column.format == "enumeration" else _names
    if column.logical_type == "timestamp":
        return _moments
    if column.logical_type == "integer":
        return _wholes
    return _numbers if column.logical_type == "number" and column.format != "percent" else None


def _codes(texts: pa.Array) -> _Usual:
    return pc.ascii_upper(texts), pc.and_(pc.ascii_is_alnum(texts), pc.less(pc.binary_length(texts), 100))


def _names(texts: pa.Array) -> _Usual:
    # What stands for nothing has one character, and up to three with what normalisation drops.
    length = pc.utf8_length(texts)
    is_plain = pc.invert(pc.match_substring_regex(texts, _NOT_PLAIN))
    return texts, pc.and_(is_plain, pc.and_(pc.greater(length, 3), pc.less_equal(length, LONGEST_CELL)))


def _names_of_persons(texts: pa.Array) -> _Usual:
    _, usual = _names(texts)
    return texts, pc.or_(usual, pc.match_substring_regex(texts, _SHORT_NAME))


def _mobiles(texts: pa.Array) -> _Usual:
    return texts, pc.match_substring_regex(texts, _MOBILE)


def _resident_ids(texts: pa.Array) -> _Usual:
    """GB 11643, with the check digit of ISO 7064, MOD 11-2: the n-th digit from the right counts 2 to the power of n."""
    usual = pc.match_substring_regex(texts, _SURE_RESIDENT_ID)
    sure = _where(usual, texts)
    rest = pc.utf8_slice_codeunits(sure, 0, 17).cast(pa.int64())
    total: pa.Array = pa.scalar(0, pa.int64())
    for place in range(1, 18):
        tenth = pc.divide(rest, 10)
        digit = pc.subtract(rest, pc.multiply(tenth, 10))
        total = pc.add(total, pc.multiply(digit, 2**place % 11))
        rest = tenth
    remainder = pc.subtract(total, pc.multiply(pc.divide(total, 11), 11))
    is_right = pc.equal(pa.array(list("10X98765432")).take(remainder), pc.utf8_slice_codeunits(sure, 17, 18))
    return texts, pc.and_(usual, pc.fill_null(is_right, False))


def _moments(texts: pa.Array) -> _Usual:
    usual = pc.equal(pc.binary_length(texts), 19)
    try:
        seconds = _where(usual, texts).cast(pa.timestamp("s"))
        is_right = (pc.min(seconds).as_py() or _FIRST_MOMENT) >= _FIRST_MOMENT
    except (pa.ArrowInvalid, ValueError, OverflowError):
        is_right = False
    if not is_right:
        usual = pc.match_substring_regex(texts, _SURE_MOMENT)
        seconds = _where(usual, texts).cast(pa.timestamp("s"))
    return _at(pc.multiply(seconds.view(pa.int64()), 1_000_000)), usual


def _wholes(texts: pa.Array) -> _Usual:
    usual = pc.and_(pc.ascii_is_decimal(texts), pc.less_equal(pc.binary_length(texts), 18))
    return _where(usual, texts).cast(pa.int64()), usual


def _numbers(texts: pa.Array) -> _Usual:
    usual = pc.match_substring_regex(texts, _PLAIN_NUMBER)
    return _where(usual, texts).cast(pa.decimal128(38, 10)), usual


def _typed_kernels(column: Column, dialect: Dialect, factor: Decimal | None) -> dict[int, _Kernel]:
    """The kernels for cells that are numbers, dates or times already, by the id of their Arrow type."""
    if column.is_personal or column.is_dropped:
        return {}
    first = first_day(dialect)

    def moments(cells: pa.Array) -> _Usual:
        return _at(cells.view(pa.int64())), pc.greater_equal(
            cells, pa.scalar(datetime(*first.timetuple()[:3]), cells.type)
        )

    def days(cells: pa.Array) -> _Usual:
        values = cells.cast(pa.date32(), safe=False)
        at_midnight = pc.equal(values.cast(cells.type), cells)
        return values, pc.and_(at_midnight, pc.greater_equal(values, pa.scalar(first, pa.date32())))

    def dates(cells: pa.Array) -> _Usual:
        is_known = pc.less_equal(cells, pa.scalar(date.max, pa.date32()))
        return cells, pc.and_(is_known, pc.greater_equal(cells, pa.scalar(first, pa.date32())))

    if column.logical_type == "timestamp":
        return {pa.timestamp("us").id: moments}
    if column.logical_type == "date" and column.format != "month":
        return {pa.timestamp("us").id: days, pa.date32().id: dates}
    if column.logical_type == "integer" and factor is None:
        return {pa.int64().id: _whole_numbers, pa.float64().id: _whole_floats}
    return {}


def _whole_numbers(cells: pa.Array) -> _Usual:
    return cells, pc.and_(pc.greater(cells, -_MOST_DIGITS), pc.less(cells, _MOST_DIGITS))


def _whole_floats(cells: pa.Array) -> _Usual:
    usual = pc.and_(pc.equal(pc.floor(cells), cells), pc.less(pc.abs(cells), float(_MOST_DIGITS)))
    return _where(usual, cells).cast(pa.int64()), usual


def _where(usual: pa.Array, cells: pa.Array) -> pa.Array:
    return pc.if_else(usual, cells, pa.scalar(None, cells.type))


def _at(local: pa.Array) -> pa.Array:
    """Microseconds of local time as a moment."""
    return pc.subtract(local, LOCAL_OFFSET).view(pa.timestamp("us", "Asia/Shanghai"))
