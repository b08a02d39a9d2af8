"""The limit: PostgreSQL's own COPY of the UTF-8 CSV file, as it lies there, into a typed table with a primary key.

The table is logged, and made and committed before the copy begins: COPY into a table of its own transaction would
write no log at all where ``wal_level`` is minimal. Nothing is checked, decoded, tokenised or remembered.
"""

from __future__ import annotations

import io
import itertools
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import psycopg2
from psycopg2 import sql
from psycopg2.extensions import connection as Connection

from benchmarks.generate import HEADERS
from benchmarks.home import BARE, Home
from benchmarks.repetition import Run, seconds
from halfyear.settings import LOCAL_ZONE_NAME, Settings

NAME = "raw COPY"
_COPY = "copy raw_copy from stdin with (format csv)"
_BLOCK = 1 << 20


def run(home: Home, file: Path, rows: int, streams: int = 1) -> Run:
    """Copies a generated CSV file of ``rows`` rows into a new table, in so many streams; its seconds."""

    def copied() -> float:
        with home.warehouse(BARE) as settings, _table(home, settings):
            taken = seconds(lambda: _copy(settings, file, streams))
            with closing(_connect(settings)) as connection, connection.cursor() as cursor:
                cursor.execute("select count(*) from raw_copy")
                if cursor.fetchone() != (rows,):
                    raise AssertionError(f"COPY did not take {rows} rows")
            return taken

    return copied


@contextmanager
def _table(home: Home, settings: Settings) -> Iterator[None]:
    contract = home.contract("hotline_call")
    types = [contract.named(name).postgres_type for name in HEADERS]
    key = contract.key[0].name
    columns = sql.SQL(", ").join(
        sql.SQL("{} {}").format(sql.Identifier(name), sql.SQL(kind + (" primary key" if name == key else "")))
        for name, kind in zip(HEADERS, types, strict=True)
    )
    with closing(_connect(settings)) as connection:
        with connection, connection.cursor() as cursor:
            cursor.execute(sql.SQL("create table raw_copy ({})").format(columns))
        yield


def _copy(settings: Settings, file: Path, streams: int) -> None:
    parts = _parts(file, streams)
    with ThreadPoolExecutor(streams) as threads:
        for future in [threads.submit(_copy_part, settings, part) for part in parts]:
            future.result()


def _copy_part(settings: Settings, part: _Part) -> None:
    with part, closing(_connect(settings)) as connection, connection, connection.cursor() as cursor:
        cursor.copy_expert(_COPY, part, size=_BLOCK)


class _Part(io.RawIOBase):
    """The bytes of a file from one line's beginning to another's."""

    def __init__(self, file: Path, begin: int, end: int) -> None:
        self._stream = file.open("rb", buffering=0)
        self._stream.seek(begin)
        self._left = end - begin

    def read(self, size: int = -1) -> bytes:
        block = self._stream.read(self._left if size < 0 else min(size, self._left)) or b""
        self._left -= len(block)
        return block

    def close(self) -> None:
        self._stream.close()
        super().close()


def _parts(file: Path, count: int) -> list[_Part]:
    """The file below its header, cut at line ends; no value of the export holds a line break."""
    size = file.stat().st_size
    ends = []
    with file.open("rb") as stream:
        stream.readline()
        begin = stream.tell()
        for place in range(1, count):
            stream.seek(begin + (size - begin) * place // count, os.SEEK_SET)
            stream.readline()
            ends.append(stream.tell())
    bounds = [begin, *ends, size]
    return [_Part(file, low, high) for low, high in itertools.pairwise(bounds)]


def _connect(settings: Settings) -> Connection:
    return psycopg2.connect(settings.warehouse, options=f"-c timezone={LOCAL_ZONE_NAME}")
