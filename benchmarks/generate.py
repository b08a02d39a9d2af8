"""The synthetic export of the benchmarks: calls of a hotline, as many as asked for, always the same ones.

Rows 1 to n of a larger file are those of a smaller one. ``write`` makes the formats that sources deliver.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

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
#: The snapshot date of the export: every call was made in the half-year before it.
SNAPSHOT_DATE = "2022-06-30"

_BATCH = 200_000
_FIRST_SECOND = 1_640_966_400  # 2022-01-01 00:00, written without a zone
_SECONDS = 180 * 86_400


def batches(rows: int, changed_from: int | None = None) -> Iterator[pa.RecordBatch]:
    """The rows in order. From row ``changed_from`` on, one in a thousand has another state."""
    for first in range(0, rows, _BATCH):
        yield _batch(first, min(_BATCH, rows - first), changed_from)


def write(folder: Path, rows: int, file_format: str, changed: bool = False) -> Path:
    """Write ``hotline_call_<date>_001.<format>`` into a folder; utf-8 and gb18030 are encodings of csv."""
    suffix = "parquet" if file_format == "parquet" else "csv"
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"hotline_call_{SNAPSHOT_DATE.replace('-', '')}_001.{suffix}"
    found = batches(rows, 0 if changed else None)
    if file_format == "parquet":
        with pq.ParquetWriter(path, _schema()) as writer:
            for batch in found:
                writer.write_batch(batch)
        return path
    with path.open("wb") as stream:
        header = ",".join(HEADERS.values()) + "\n"
        stream.write(header.encode(file_format))
        for batch in found:
            lines = pc.binary_join_element_wise(*map(_quoted, batch.columns), ",")
            text = "\n".join(lines.to_pylist()) + "\n"
            stream.write(text.encode(file_format))
    return path


def _quoted(texts: pa.Array) -> pa.Array:
    """The texts as CSV: in quotes where they hold a comma or a quote, as RFC 4180 wants it."""
    needs = pc.match_substring_regex(texts, '[,"]')
    if not pc.any(needs).as_py():
        return texts
    return pc.if_else(needs, pc.binary_join_element_wise('"', pc.replace_substring(texts, '"', '""'), '"', ""), texts)


def _schema() -> pa.Schema:
    return pa.schema([(header, pa.string()) for header in HEADERS.values()])


def _batch(first: int, count: int, changed_from: int | None) -> pa.RecordBatch:
    random = np.random.default_rng(first)
    numbers = np.arange(first, first + count)
    dispatched = _FIRST_SECOND + random.integers(0, _SECONDS - 20 * 86_400, count)
    replied = dispatched + random.integers(600, 5 * 86_400, count)
    closed = replied + random.integers(600, 10 * 86_400, count)
    seconds = random.integers(10, 3600, count)
    status = random.choice(6, count, p=[0.02, 0.05, 0.08, 0.80, 0.03, 0.02])
    if changed_from is not None:
        status = np.where((numbers % 1000 == 0) & (numbers >= changed_from), (status + 1) % 6, status)
    columns = [
        pc.binary_join_element_wise("HC2022", pc.utf8_lpad(pa.array(numbers).cast(pa.string()), 10, "0"), ""),
        _pick(random, ["省12345", "市12345", "本级"], count),
        _pick(random, ["咨询", "求助", "投诉", "举报", "建议", "其他"], count),
        _pick(random, _SUBJECTS, count),
        pa.array(13_000_000_000 + random.integers(0, 400_000, count) * 7919).cast(pa.string()),
        _pick(random, [f"第{n}镇" for n in range(1, 34)], count),
        *_pick_same(random, [_BODIES, _CODES], count),
        _pick(random, [f"OP{n:04d}" for n in range(300)], count),
        _moments(dispatched),
        _moments(dispatched + 15 * 86_400),
        _moments(replied),
        _moments(closed, random.random(count) < 0.15),
        _days(closed, random.random(count) < 0.4),
        _taken(["待签收", "办理中", "已回复", "已办结", "已退单", "已改派"], status),
        _pick(random, ["满意", "基本满意", "不满意", "未评价", ""], count),
        pa.array(seconds).cast(pa.string()),
        pa.array(random.integers(0, 4, count)).cast(pa.string()),
        _cents(seconds * 7),
        _pick(random, ["1", "0", "0", "0"], count),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_schema())


_SUBJECTS = [
    *(f"关于第{n}号路段路灯不亮的问题" for n in range(4000)),
    *(f"业主反映“第{n}小区”物业收费,要求公开账目" for n in range(100)),
    *(f'咨询"{n}"号文件' for n in range(20)),
]
_BODIES = [f"第{n}局" for n in range(60)]
_CODES = [f"11440{n:03d}MB2C{n:05d}X"[:18] for n in range(60)]


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
    whole = pa.array(cents // 100).cast(pa.string())
    rest = pc.utf8_lpad(pa.array(cents % 100).cast(pa.string()), 2, "0")
    return pc.binary_join_element_wise(whole, rest, ".")
