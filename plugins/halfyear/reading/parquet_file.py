"""Parquet: streamed by batches of rows; the row number is the 1-based ordinal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from halfyear.errors import FileRefused
from halfyear.reading import header
from halfyear.reading.fault import NOT_TEXT, refusal
from halfyear.reading.header import Header, Matcher
from halfyear.reading.plan import Plan
from halfyear.reading.table import Row, Table
from halfyear.reading.value import Dialect
from halfyear.settings import LOCAL_ZONE_NAME

_BATCH = 20_000


def open_table(path: Path, plan: Plan) -> Table:
    """The header is the schema."""
    try:
        file = pq.ParquetFile(path, memory_map=False, buffer_size=1 << 20, pre_buffer=False)
        names = list(file.schema_arrow.names)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from None
    matcher = Matcher(plan)
    found = matcher.match(names)
    if not found.is_complete:
        header.refuse([(1, names)], matcher)
    return Table(found, _rows(file, found), dialect=Dialect(has_notes=False))


def _rows(file: pq.ParquetFile, found: Header) -> Iterator[Row]:
    wanted = {b.position for b in found.bindings}
    names = file.schema_arrow.names
    number = 0
    batches = file.iter_batches(batch_size=_BATCH, columns=[names[i] for i in sorted(wanted)], use_threads=False)
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            by_name = dict(zip(batch.schema.names, batch.columns, strict=True))
            columns = [
                _cells(by_name[name]) if i in wanted else [None] * batch.num_rows for i, name in enumerate(names)
            ]
        except (pa.ArrowException, OSError) as error:
            raise _damaged(error) from None
        for cells in zip(*columns, strict=True):
            number += 1
            yield number, cells, None


def _cells(array: pa.Array) -> list[object]:
    """A column as Python values: times with a zone in local time, without one as they are."""
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _cells(array.dictionary_decode())
    if pa.types.is_timestamp(kind):
        if kind.tz is not None:
            array = array.cast(pa.timestamp(kind.unit, LOCAL_ZONE_NAME))
            hours = pa.array([8 * 3600 * 1_000_000] * len(array), pa.int64())
            import pyarrow.compute as pc

            utc = array.cast(pa.timestamp("us", LOCAL_ZONE_NAME), safe=False).view(pa.int64())
            return list(pc.add(utc, hours).view(pa.timestamp("us")).to_pylist())
        return list(array.cast(pa.timestamp("us"), safe=False).to_pylist())
    if pa.types.is_time(kind) or pa.types.is_duration(kind) or pa.types.is_binary(kind) or pa.types.is_nested(kind):
        return [None if valid is False else NOT_TEXT for valid in array.is_valid().to_pylist()]
    if pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return [None if valid is False else NOT_TEXT for valid in array.is_valid().to_pylist()]
    return list(array.to_pylist())


def _damaged(error: Exception) -> FileRefused | OSError:
    """Arrow reports damage as OSError too, without an error number."""
    if isinstance(error, OSError) and error.errno:
        return error
    return refusal(
        "damaged_file",
        "Parquet 文件不完整或已损坏",
        "the Parquet file is incomplete or damaged",
        "请重新导出",
        "export it again",
    )
