"""The synthetic export of the benchmarks: calls of a hotline, as many as asked for, always the same ones.

They are numbered in the order in which they come in, over the whole of their half-year.
"""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from halfyear.period import Period

ROOT = Path(__file__).resolve().parents[1]
#: Header of the file, in the order of its columns; the names are those of the contract.
HEADERS = {
    "call_no": "话单编号",
    "call_source": "来源",
    "request_kind": "诉求类型",
    "subject": "诉求主题",
    "mobile": "联系电话",
    "region_name": "所属区域",
    "body_name": "承办单位",
    "body_code": "承办单位代码",
    "operator_code": "坐席工号",
    "dispatched_at": "派单时间",
    "due_at": "办理时限",
    "replied_at": "回复时间",
    "closed_at": "办结时间",
    "revisited_on": "回访日期",
    "call_status": "处理状态",
    "satisfaction": "满意度",
    "call_seconds": "通话时长(秒)",
    "transfer_count": "转办次数",
    "cost_yuan": "处理成本(元)",
    "is_urgent": "是否加急",
}
#: The half-year of the calls, unless another one is asked for.
HALF = Period(2022, 1)

_BATCH = 200_000
_SECONDS = 160 * 86_400
#: A body as the reviewed list has it: name and code.
_BODY_COUNT = 60


@dataclass(frozen=True)
class Export:
    """One file to generate. Equal exports have equal bytes.

    ``kind``: utf-8 and gb18030 are encodings of CSV, parquet is Parquet. ``first`` is the number of the first call of
    ``rows``, of ``calls`` in the half-year (0: the file has all of them). With ``is_changed`` one call in a thousand
    has another state. Of every ``broken_one_in`` calls one breaks a rule of the contract that only the checks see
    (0: none).
    """

    source: str
    rows: int
    kind: str = "utf-8"
    snapshot_date: date = HALF.last_day
    half: Period = HALF
    first: int = 0
    calls: int = 0
    is_changed: bool = False
    broken_one_in: int = 0

    @property
    def format(self) -> str:
        return "parquet" if self.kind == "parquet" else "csv"

    @property
    def file_name(self) -> str:
        """The name that the source would give it."""
        return f"{self.source}_{self.snapshot_date:%Y%m%d}.{self.format}"


def batches(export: Export) -> Iterator[pa.RecordBatch]:
    """The rows in order, in text as CSV has them, under the headers of the file."""
    bodies = _bodies()
    end = export.first + export.rows
    for start in range(export.first - export.first % _BATCH, end, _BATCH):
        whole = _batch(export, start, bodies)
        begin = max(export.first, start)
        yield whole.slice(begin - start, min(end, start + _BATCH) - begin)


def write(export: Export, path: Path) -> None:
    """Write the file of an export."""
    if export.format == "parquet":
        with pq.ParquetWriter(path, _schema()) as writer:
            for batch in batches(export):
                writer.write_batch(batch)
        return
    with path.open("wb") as stream:
        stream.write((",".join(HEADERS.values()) + "\n").encode(export.kind))
        for batch in batches(export):
            lines = pc.binary_join_element_wise(*map(_quoted, batch.columns), ",")
            stream.write(("\n".join(lines.to_pylist()) + "\n").encode(export.kind))


def _bodies() -> list[tuple[str, str]]:
    """Bodies of the reviewed list, so that figures of bodies come out of the rows."""
    with (ROOT / "expectations" / "core" / "body.csv").open(encoding="utf-8-sig", newline="") as stream:
        return [(row["name"], row["code"]) for row in itertools.islice(csv.DictReader(stream), _BODY_COUNT)]


def _quoted(texts: pa.Array) -> pa.Array:
    """The texts as CSV: in quotes where they hold a comma or a quote, as RFC 4180 wants it."""
    needs = pc.match_substring_regex(texts, '[,"]')
    if not pc.any(needs).as_py():
        return texts
    return pc.if_else(needs, pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', ""), texts)


def _schema() -> pa.Schema:
    return pa.schema([(header, pa.string()) for header in HEADERS.values()])


def _batch(export: Export, first: int, bodies: list[tuple[str, str]]) -> pa.RecordBatch:
    count = _BATCH
    half = export.half
    # The same calls whatever the file: only half-year, number and how many there are decide.
    random = np.random.default_rng((half.year, half.semester, first))
    numbers = np.arange(first, first + count)
    begin = int(datetime.combine(half.first_day, time(), UTC).timestamp())  # local time, written without a zone
    place = (numbers + random.random(count)) / (export.calls or export.first + export.rows)
    dispatched = begin + (place * _SECONDS).astype(np.int64)
    replied = dispatched + random.integers(600, 5 * 86_400, count)
    closed = replied + random.integers(600, 10 * 86_400, count)
    asked = closed.copy()
    seconds = random.integers(10, 3600, count)
    cents = seconds * 7
    status = random.choice(6, count, p=[0.02, 0.05, 0.08, 0.80, 0.03, 0.02])
    if export.is_changed:
        status = np.where(numbers % 1000 == 0, (status + 1) % 6, status)
    no_close, no_question = random.random(count) < 0.15, random.random(count) < 0.4
    if export.broken_one_in:
        kind = np.where(numbers % export.broken_one_in == 0, numbers // export.broken_one_in % 5, -1)
        seconds = np.where(kind == 0, -seconds, seconds)
        cents = np.where(kind == 1, -1, cents)
        replied = np.where(kind == 2, dispatched - 3600, replied)
        closed = np.where(kind == 3, dispatched - 3600, closed)
        asked = np.where(kind == 4, asked + 3650 * 86_400, asked)
        no_close &= kind != 3
        no_question &= kind != 4
    names, codes = zip(*bodies, strict=True)
    columns = [
        pc.binary_join_element_wise(
            f"HC{half.year}{half.semester}", pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 9, "0"), ""
        ),
        _pick(random, ["省12345", "市12345", "本级"], count),
        _pick(random, ["咨询", "求助", "投诉", "举报", "建议", "其他"], count),
        _pick(random, _SUBJECTS, count),
        pa.array(13_000_000_000 + random.integers(0, 400_000, count) * 7919).cast(pa.string()),
        _pick(random, [f"第{n}镇" for n in range(1, 34)], count),
        *_pick_same(random, [list(names), list(codes)], count),
        _pick(random, [f"OP{n:04d}" for n in range(300)], count),
        _moments(dispatched),
        _moments(dispatched + 3 * 86_400),
        _moments(replied),
        _moments(closed, no_close),
        _days(asked, no_question),
        _taken(["待签收", "办理中", "已回复", "已办结", "已退单", "已改派"], status),
        _pick(random, ["满意", "基本满意", "不满意", "未评价", ""], count),
        pa.array(seconds).cast(pa.string()),
        pa.array(random.integers(0, 4, count)).cast(pa.string()),
        _cents(cents),
        _pick(random, ["1", "0", "0", "0"], count),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_schema())


_SUBJECTS = [
    *(f"关于第{n}号路段路灯不亮的问题" for n in range(4000)),
    *(f"业主反映“第{n}小区”物业收费,要求公开账目" for n in range(100)),
    *(f'咨询"{n}"号文件' for n in range(20)),
]


def _taken(values: list[str], places: np.ndarray) -> pa.Array:
    return pa.array(values, pa.string()).take(pa.array(places))


def _pick(random: np.random.Generator, values: list[str], count: int) -> pa.Array:
    return _taken(values, random.integers(0, len(values), count))


def _pick_same(random: np.random.Generator, lists: list[list[str]], count: int) -> list[pa.Array]:
    places = random.integers(0, len(lists[0]), count)
    return [_taken(values, places) for values in lists]


def _blank(texts: pa.Array, where: np.ndarray | None) -> pa.Array:
    return texts if where is None else pc.if_else(pa.array(where), "", texts)


def _moments(seconds: np.ndarray, blank: np.ndarray | None = None) -> pa.Array:
    return _blank(pa.array(seconds).cast(pa.timestamp("s")).cast(pa.string()), blank)


def _days(seconds: np.ndarray, blank: np.ndarray | None = None) -> pa.Array:
    return _blank(pc.utf8_slice_codeunits(pa.array(seconds).cast(pa.timestamp("s")).cast(pa.string()), 0, 10), blank)


def _cents(cents: np.ndarray) -> pa.Array:
    sign = _taken(["", "-"], (cents < 0).astype(int))
    whole = pa.array(abs(cents) // 100).cast(pa.string())
    rest = pc.utf8_lpad(pa.array(abs(cents) % 100).cast(pa.string()), 2, "0")
    return pc.binary_join_element_wise(pc.binary_join_element_wise(sign, whole, ""), rest, ".")
