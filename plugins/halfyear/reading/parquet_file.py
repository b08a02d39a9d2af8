"""Parquet: streamed by batches of rows; the row number is the 1-based ordinal."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from halfyear.errors import FileRefused
from halfyear.reading import header
from halfyear.reading.fault import NOT_TEXT, refusal
from halfyear.reading.header import Header, Matcher
from halfyear.reading.plan import Plan
from halfyear.reading.table import Block, Cells, Table
from halfyear.reading.value import LOCAL_OFFSET, Dialect

_BATCH = 20_000
#: Bytes of a list of texts in the file. Where they outgrow a megabyte, unpacked, writers give the list up half-way.
_SHORT_LIST = 1 << 16


def open_table(path: Path, plan: Plan) -> Table:
    """The header is the schema."""
    try:
        metadata = pq.read_metadata(path)
        file = pq.ParquetFile(
            path,
            metadata=metadata,
            memory_map=False,
            buffer_size=1 << 20,
            pre_buffer=False,
            read_dictionary=_repetitive(metadata),
        )
        names = list(file.schema_arrow.names)
    except (pa.ArrowException, OSError) as error:
        raise _damaged(error) from None
    matcher = Matcher(plan)
    found = matcher.match(names)
    if not found.is_complete:
        header.refuse([(1, names)], matcher)
    return Table(found, _blocks(file, found), dialect=Dialect(has_notes=False))


def _blocks(file: pq.ParquetFile, found: Header) -> Iterator[Block]:
    wanted = {b.position for b in found.bindings}
    names = file.schema_arrow.names
    batches = file.iter_batches(batch_size=_BATCH, columns=[names[i] for i in sorted(wanted)], use_threads=False)
    done = 0
    while True:
        try:
            batch = next(batches, None)
            if batch is None:
                return
            by_name = dict(zip(batch.schema.names, batch.columns, strict=True))
            columns: list[Cells] = [
                _cells(by_name[name]) if i in wanted else pa.nulls(batch.num_rows, pa.string())
                for i, name in enumerate(names)
            ]
        except (pa.ArrowException, OSError) as error:
            raise _damaged(error) from None
        numbers = pa.arange(done + 1, done + batch.num_rows + 1)
        done += batch.num_rows
        yield Block(numbers, columns)


def _repetitive(metadata: pq.FileMetaData) -> list[str]:
    """The columns of texts that lie in the file as a short list and places in it; they are read as that."""
    if not metadata.num_row_groups:
        return []
    names = set(metadata.schema.to_arrow_schema().names)
    chunks = map(metadata.row_group(0).column, range(metadata.num_columns))
    return [
        chunk.path_in_schema
        for place, chunk in enumerate(chunks)
        if chunk.path_in_schema in names
        and metadata.schema.column(place).logical_type.type == "STRING"
        and chunk.has_dictionary_page
        and 0 < chunk.data_page_offset - chunk.dictionary_page_offset < _SHORT_LIST
    ]


def _cells(array: pa.Array) -> Cells:
    """A column as texts, whole numbers, dates or local times; what is of another type as Python values.

    Texts that repeat stay a list and places in it, as long as the list is the shorter one.
    """
    kind = array.type
    if pa.types.is_dictionary(kind):
        texts = array.dictionary
        if not _is_text(texts.type) or texts.null_count or len(texts) > len(array) // 2:
            return _cells(array.dictionary_decode())
        array.validate(full=True)
        return pa.DictionaryArray.from_arrays(array.indices, texts.cast(pa.string()))
    if _is_text(kind):
        array.validate(full=True)
        return array.cast(pa.string())
    if pa.types.is_signed_integer(kind):
        return array.cast(pa.int64())
    if pa.types.is_timestamp(kind):
        moments = array.cast(pa.timestamp("us", kind.tz), safe=False)
        if kind.tz is not None:
            moments = pc.add(moments.view(pa.int64()), LOCAL_OFFSET).view(pa.timestamp("us"))
        return moments if _fits(moments) else list(moments.to_pylist())
    if pa.types.is_date32(kind):
        return array
    if pa.types.is_time(kind) or pa.types.is_duration(kind) or pa.types.is_binary(kind) or pa.types.is_nested(kind):
        return [None if valid is False else NOT_TEXT for valid in array.is_valid().to_pylist()]
    if pa.types.is_large_binary(kind) or pa.types.is_fixed_size_binary(kind):
        return [None if valid is False else NOT_TEXT for valid in array.is_valid().to_pylist()]
    return list(array.to_pylist())


def _is_text(kind: pa.DataType) -> bool:
    return bool(pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind))


def _fits(moments: pa.Array) -> bool:
    """Whether Python has these times; it has none before the year 1 or after 9999."""
    try:
        return pc.min_max(moments).as_py() is not None
    except (ValueError, OverflowError):
        return False


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
