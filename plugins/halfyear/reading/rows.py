"""Rows: each is data, a total, a note, a repeated header or blank; data becomes typed batches or rejected cells.

Every row below the header down to the last non-empty one is counted once: accepted, rejected or skipped.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa

from halfyear.errors import Finding
from halfyear.reading import fault
from halfyear.reading.fault import MASK, Bad, refusal, shown_value
from halfyear.reading.header import Binding, fold
from halfyear.reading.plan import Column, Plan
from halfyear.reading.result import RejectedCell, Summary
from halfyear.reading.table import Table
from halfyear.reading.value import (
    NULLS,
    Converter,
    Wrong,
    converter,
    is_blank,
    is_empty,
    key_text,
    printed_number,
)

Reject = Callable[[RejectedCell], None]

_BATCH = 20_000
#: A batch is also closed after this many characters, so that long texts do not pile up.
_BATCH_CHARACTERS = 16_000_000
_TOTALS = ("合计", "总计")
_SUBTOTAL = "小计"
_NOTES = (
    "填报人", "填表人", "填报单位", "填表单位", "填报日期", "填表日期", "填报时间", "填表时间", "备注", "说明", "注:", "附注",
    "审核人", "审核", "复核", "审批人", "制表", "制单", "经办人", "负责人", "单位负责人", "部门负责人", "联系人", "联系电话", "数据来源",
    "统计时间", "统计日期", "导出时间", "导出日期", "打印时间", "打印日期", "报送单位", "编制",
)  # fmt: skip
#: One of these words, as a label: alone or before a colon.
_LABEL = re.compile(f"(?:{'|'.join(word.rstrip(':') for word in _NOTES)})[人员者表]?(?::|$)")
#: Lone cells at the end of the data that may turn out to be notes; more are data.
_MOST_PENDING = 1000
_CREDIT_CODE = "unified_social_credit_code"
_CACHED = 50_000
_CACHED_LENGTH = 200


class _Memo(dict[str, object]):
    """Converts texts of one column and remembers them; ``is_bad`` is set when one could not be read."""

    def __init__(self, convert: Converter) -> None:
        super().__init__()
        self.convert = convert
        self.is_bad = False
        self.is_wrong = False

    def __missing__(self, cell: str) -> object:
        value = self.convert(cell)
        if value.__class__ is Bad:
            self.is_bad = True
            return value
        if value.__class__ is Wrong:
            self.is_wrong = True
        if len(cell) <= _CACHED_LENGTH:
            if len(self) >= _CACHED:
                self.clear()
            self[cell] = value
        return value

    def of(self, cell: object) -> object:
        if cell.__class__ is str:
            return self[cell]
        if cell is None:
            return None
        value = self.convert(cell)
        if isinstance(value, Bad):
            self.is_bad = True
        elif isinstance(value, Wrong):
            self.is_wrong = True
        return value


@dataclass
class _Reader:
    """One bound column at work."""

    binding: Binding
    memo: _Memo
    factor: Decimal | None
    sum: Decimal = Decimal(0)
    unreadable: int = 0
    sum_at_subtotal: Decimal = Decimal(0)
    unreadable_at_subtotal: int = 0
    wrong: int = 0
    legacy: int = 0

    @property
    def column(self) -> Column:
        return self.binding.column


@dataclass
class _Printed:
    """A control total of one column as the file prints it, with what the rows add up to for a subtotal."""

    reader: _Reader
    row: int
    label: str
    value: Decimal
    tolerance: Decimal
    rows_sum: Decimal = Decimal(0)
    unreadable: int = 0


@dataclass
class _Tally:
    read: int = 0
    accepted: int = 0
    rejected: int = 0
    skipped: int = 0
    data: int = 0


@dataclass
class _Buffer:
    numbers: list[int] = field(default_factory=list)
    cells: list[Sequence[object]] = field(default_factory=list)
    bad: dict[int, Bad] = field(default_factory=dict)
    loose: list[RejectedCell] = field(default_factory=list)


def read_rows(table: Table, plan: Plan, token_key: bytes, reject: Reject) -> Generator[pa.RecordBatch, None, Summary]:
    """Yield the batches of an open table, hand over its rejected cells, return its account.

    Raises FileRefused when there are rows and none can be used, a required column turns out missing, or a control total differs.
    """
    return (yield from _Work(table, plan, token_key, reject).run())


class _Work:
    def __init__(self, table: Table, plan: Plan, token_key: bytes, reject: Reject) -> None:
        self.table, self.plan, self.token_key, self.reject = table, plan, token_key, reject
        self.header = table.header
        self.schema = plan.schema
        self.readers = [self._reader(b) for b in self.header.bindings]
        by_name = {r.column.name: r for r in self.readers}
        self.key = [by_name[c.name] for c in plan.key]
        self.key_positions = [r.binding.position for r in self.key]
        self.readers_by_name = by_name
        self.key_texts = [_KeyTexts(r.column, token_key) for r in self.key]
        self.tally = _Tally()
        self.buffer = _Buffer()
        self.totals: list[_Printed] = []
        self.subtotals: list[_Printed] = []
        self.subtotal_rows = 0
        self.data_after_subtotal = False
        self.findings: list[Finding] = []
        self.nameless_used: set[int] = set()

    def _reader(self, binding: Binding) -> _Reader:
        return _Reader(
            binding,
            _Memo(converter(binding.column, self.table.dialect, self.token_key, binding.factor)),
            binding.factor,
        )

    # --- which row is what --------------------------------------------------------------------------------------

    def run(self) -> Generator[pa.RecordBatch, None, Summary]:
        width = self.header.width
        first_key = self.key_positions[0]
        suspects = _Suspects(self.header.texts[first_key] if self.header.texts else "")
        tally, buffer = self.tally, self.buffer
        blanks = 0
        characters = 0
        pending: list[tuple[int, Sequence[object], Bad | None]] = []
        for row in self.table.rows:
            number, cells, bad = row
            if cells is not None and len(cells) == width:
                cell = cells[first_key]
                if isinstance(cell, str):
                    kind = self._kind(cells) if not cell or suspects[cell[0]] else "data"
                else:
                    kind = self._kind(cells) if cell is None else "data"
            elif cells is None:
                kind = "data"
            else:
                kind = self._kind(cells)
            if kind == "blank":
                blanks += 1
                continue
            tally.read += 1 + blanks
            tally.skipped += blanks
            blanks = 0
            if kind == "data":
                if pending:
                    for earlier in pending:
                        self._take(*earlier)
                    pending.clear()
                self._take(number, cells, bad)
                characters += _length(cells)
                if len(buffer.numbers) >= _BATCH or characters >= _BATCH_CHARACTERS or len(buffer.loose) >= _BATCH:
                    characters = 0
                    yield from self._flush()
            elif kind == "lone":
                pending.append((number, cells or (), bad))
                if len(pending) > _MOST_PENDING:
                    for earlier in pending:
                        self._take(*earlier)
                    pending.clear()
            else:
                tally.skipped += 1
                if kind == "total" and cells is not None:
                    yield from self._flush()
                    characters = 0
                    self._total(number, cells)
        tally.skipped += len(pending)
        yield from self._flush()
        self.table.finish()
        return self._summary()

    def _kind(self, cells: Sequence[object]) -> str:
        """blank, total, header, note, lone (a note if no data follows) or data."""
        filled = [i for i, cell in enumerate(cells) if not is_blank(cell)]
        if not self.table.dialect.has_totals:
            return "data" if cells else "blank"  # an object without values is an object all the same
        if not filled:
            return "blank"
        first = filled[0]
        opening = cells[first]
        label = fold(opening).strip(":") if isinstance(opening, str) else ""
        keys_are_empty = all(i == first or i >= len(cells) or is_empty(cells[i]) for i in self.key_positions)
        if keys_are_empty and label in (*_TOTALS, _SUBTOTAL):
            return "total"
        if not self.table.dialect.has_notes:
            return "data"
        if label and self._is_header(cells):
            return "header"
        if not keys_are_empty:
            return "data"
        if self._is_note(cells, filled):
            return "note"
        is_lone = len(filled) == 1 and len(cells) > 1 and len(self.readers) >= 3 and first not in self.key_positions
        is_text = isinstance(opening, str) and isinstance(printed_number(opening), Bad)
        return "lone" if is_lone and is_text else "data"

    def _is_header(self, cells: Sequence[object]) -> bool:
        texts = self.header.texts
        for reader in self.readers:
            position = reader.binding.position
            cell = cells[position] if position < len(cells) else None
            if not isinstance(cell, str) or fold(cell) != texts[position]:
                return False
        return True

    def _is_note(self, cells: Sequence[object], filled: list[int]) -> bool:
        """A line such as 填报人：张三 or 填报人 | 张三; a body called 编制委员会办公室 whose code is missing is none."""
        texts = [fold(str(cells[i])) for i in filled]
        if _LABEL.match(texts[0]):
            return True
        return all(text.startswith(_NOTES) for text in texts) and not self._has_all_required(cells)

    def _has_all_required(self, cells: Sequence[object]) -> bool:
        return all(
            r.binding.position < len(cells) and not is_empty(cells[r.binding.position])
            for r in self.readers
            if r.column.is_required
        )

    # --- data ---------------------------------------------------------------------------------------------------

    def _take(self, number: int, cells: Sequence[object] | None, bad: Bad | None) -> None:
        """Put a data row into the buffer, or reject it when it cannot be taken apart."""
        self.tally.data += 1
        self.data_after_subtotal = True
        buffer = self.buffer
        width = self.header.width
        if cells is not None and len(cells) != width:
            fitted = _fitted(cells, width, self.header.named_width)
            if fitted is None:
                bad = bad or fault.field_count(self.header.named_width, len(cells))
            cells = fitted
        if cells is None:
            reason = bad or fault.field_count(self.header.named_width, 0)
            self.tally.rejected += 1
            for reader in self.readers:
                reader.unreadable += 1
            buffer.loose.append(RejectedCell(number, None, None, reason.rule, reason.zh, reason.en, None))
            return
        if bad is not None:
            buffer.bad[len(buffer.numbers)] = bad
        buffer.numbers.append(number)
        buffer.cells.append(cells)

    def _flush(self) -> Iterator[pa.RecordBatch]:
        buffer = self.buffer
        if buffer.numbers:
            batch = self._convert(buffer)
            self.tally.accepted += batch.num_rows
            if batch.num_rows:
                yield batch
        for cell in buffer.loose:
            self.reject(cell)
        buffer.numbers, buffer.cells = [], []
        buffer.bad.clear()
        buffer.loose.clear()

    def _convert(self, buffer: _Buffer) -> pa.RecordBatch:
        """Type a buffer of rows column by column; bad rows are rejected and left out of the batch."""
        count = len(buffer.numbers)
        columns = list(zip(*buffer.cells, strict=True))
        values: dict[str, list[object]] = {}
        faults: dict[int, list[tuple[Column | None, Bad, object]]] = {}
        for reader in self.readers:
            if reader.factor != reader.binding.factor:
                reader.memo.convert = converter(
                    reader.column, self.table.dialect, self.token_key, reader.binding.factor
                )
                reader.factor = reader.binding.factor
            raw = columns[reader.binding.position]
            memo = reader.memo
            memo.is_bad = False
            convert = memo.__getitem__ if set(map(type, raw)) == {str} else memo.of
            found = list(map(convert, raw))
            if memo.is_bad:
                for i, value in enumerate(found):
                    if value.__class__ is Bad:
                        faults.setdefault(i, []).append((reader.column, value, raw[i]))
                        found[i] = None
                        reader.unreadable += 1
            values[reader.column.name] = found
        for i, bad in buffer.bad.items():
            if not any(cell_bad == bad for _, cell_bad, _ in faults.get(i, ())):
                faults.setdefault(i, []).append((None, bad, None))
        for position in self.header.nameless:
            if position not in self.nameless_used and any(not is_blank(cell) for cell in columns[position]):
                self.nameless_used.add(position)
        keys = self._keys(values, faults)
        self._reject(buffer, keys, faults)
        arrays = [pa.array(buffer.numbers, pa.int64()), pa.array(keys, pa.string())]
        for column in self.plan.columns:
            bound = self.readers_by_name.get(column.name)
            if bound is not None and (column.is_summed or not column.is_dropped):
                array = _array(column, values[column.name])
                if column.is_summed:
                    bound.sum += Decimal(array.sum().as_py() or 0)
                if bound.memo.is_wrong:
                    wrong = [v for i, v in enumerate(values[column.name]) if isinstance(v, Wrong) and i not in faults]
                    legacy = sum(v.is_legacy for v in wrong)
                    bound.legacy += legacy
                    bound.wrong += len(wrong) - legacy
            else:
                array = pa.nulls(count, column.arrow_type)
            if not column.is_dropped:
                arrays.append(array)
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        if faults:
            batch = batch.filter(pa.array([i not in faults for i in range(count)]))
        return batch

    def _keys(
        self, values: dict[str, list[object]], faults: dict[int, list[tuple[Column | None, Bad, object]]]
    ) -> list[str | None]:
        """The record keys; a row with an empty key field gets a fault, one with an unreadable key field no key."""
        parts: list[list[str | None]] = []
        for reader, texts in zip(self.key, self.key_texts, strict=True):
            found = values[reader.column.name]
            part: list[str | None]
            part = found if texts.is_plain else [None if v is None else texts[v] for v in found]  # type: ignore[assignment]
            if None in part:
                for i, text in enumerate(part):
                    if text is None and not any(c is reader.column for c, _, _ in faults.get(i, ())):
                        faults.setdefault(i, []).append((reader.column, fault.MISSING_KEY, None))
            parts.append(part)
        if len(parts) == 1:
            return parts[0]
        return [None if None in fields else "|".join(map(_escaped, fields)) for fields in zip(*parts, strict=True)]

    def _reject(
        self,
        buffer: _Buffer,
        keys: list[str | None],
        faults: dict[int, list[tuple[Column | None, Bad, object]]],
    ) -> None:
        self.tally.rejected += len(faults)
        for i, found in faults.items():
            for column, bad, raw in found:
                may_be_code = column is not None and column.format == _CREDIT_CODE and not self.plan.has_persons
                value = shown_value(raw, may_be_code=may_be_code)
                if value is not None and column is not None and column.is_masked:
                    value = MASK
                header = column.name if column else None
                buffer.loose.append(RejectedCell(buffer.numbers[i], keys[i], header, bad.rule, bad.zh, bad.en, value))
        buffer.loose.sort(key=lambda cell: cell.row_number)

    # --- totals -------------------------------------------------------------------------------------------------

    def _total(self, number: int, cells: Sequence[object]) -> None:
        """Note what a total row prints; it is compared when all rows are through (a subtotal knows its rows now)."""
        first = next(cell for cell in cells if not is_blank(cell))
        label = fold(str(first)).strip(":")
        is_subtotal = label == _SUBTOTAL
        for reader in self.readers:
            if not reader.column.is_summed or reader.binding.position >= len(cells):
                continue
            cell = cells[reader.binding.position]
            if isinstance(cell, str) and fold(cell).strip(":") == label:
                continue
            printed = printed_number(cell, reader.binding.factor)
            if isinstance(printed, Bad):
                self._remark(
                    "control_total_unreadable",
                    f"第 {number} 行的{label}无法读取，未核对：{printed.zh}",
                    f"the total of row {number} cannot be read and was not compared: {printed.en}",
                    row=number,
                    column=reader.column.name,
                )
            elif printed is not None:
                target = self.subtotals if is_subtotal else self.totals
                target.append(
                    _Printed(
                        reader,
                        number,
                        label,
                        *printed,
                        rows_sum=reader.sum - reader.sum_at_subtotal,
                        unreadable=reader.unreadable - reader.unreadable_at_subtotal,
                    )
                )
        if is_subtotal:
            self.subtotal_rows += 1
            self.data_after_subtotal = False
            for reader in self.readers:
                reader.sum_at_subtotal, reader.unreadable_at_subtotal = reader.sum, reader.unreadable

    def _compare_totals(self) -> None:
        """Totals speak for all rows of the file; a subtotal for those since the subtotal before it.

        A single subtotal with all rows above it is a total in other words. Of several, one that differs may belong
        to another grouping than the order of the rows shows, so it is a warning and never refuses.
        """
        for total in self.totals:
            total.rows_sum, total.unreadable = total.reader.sum, total.reader.unreadable
        is_sole = self.subtotal_rows == 1 and not self.data_after_subtotal and not self.totals
        for total in (*self.totals, *self.subtotals):
            if abs(total.value - total.rows_sum) <= total.tolerance:
                continue
            shown_total, shown_sum = (format(n.normalize(), "f") for n in (total.value, total.rows_sum))
            zh = f"{total.label} {shown_total} 与各行之和 {shown_sum} 不一致"
            en = f"the total {shown_total} ({total.label}) differs from the sum of the rows, {shown_sum}"
            column = total.reader.column
            if total.unreadable:
                self._remark(
                    "control_total_not_comparable",
                    f"{zh}；其中 {total.unreadable} 行的该列无法读取",
                    f"{en}; this column cannot be read in {total.unreadable} of them",
                    row=total.row,
                    column=column.name,
                )
            elif self.plan.control_total == "refuse" and (total in self.totals or is_sole):
                raise refusal(
                    "control_total",
                    zh,
                    en,
                    "请核对导出是否完整",
                    "check that the export is complete",
                    sheet=self.table.sheet,
                    row=total.row,
                    column=column.name,
                )
            else:
                self._remark("control_total", zh, en, row=total.row, column=column.name)

    # --- the account --------------------------------------------------------------------------------------------

    def _remark(
        self,
        rule: str,
        zh: str,
        en: str,
        *,
        severity: str = "warning",
        row: int | None = None,
        column: str | None = None,
        dimension: str = "consistency",
        count: int = 1,
    ) -> None:
        self.findings.append(
            Finding(
                rule=rule,
                severity=severity,
                reason_zh=zh,
                reason_en=en,
                sheet=self.table.sheet,
                row=row,
                column=column,
                dimension=dimension,
                count=count,
            )
        )

    def _summary(self) -> Summary:
        tally = self.tally
        if tally.read != tally.accepted + tally.rejected + tally.skipped:
            raise AssertionError(f"rows do not add up: {tally}")
        # A register without data is judged where an operator can accept it.
        if tally.data and not tally.accepted:
            raise refusal(
                "no_usable_row",
                f"{tally.data} 行数据全部不可用",
                f"none of the {tally.data} rows can be used",
                "请查看被拒行的原因后重新导出",
                "see why the rows were rejected, and export the file again",
                sheet=self.table.sheet,
            )
        self._compare_totals()
        header = self.header
        unknown = [*header.unknown, *(f"#{position + 1}" for position in sorted(self.nameless_used))]
        for column in header.missing:
            self._remark(
                "column_missing",
                f"缺少可选列“{column.header}”，按空值载入",
                f"the optional column {column.header} is missing and loads as null",
                column=column.name,
                dimension="completeness",
            )
        for name, times in Counter(unknown).items():
            self._remark(
                "column_unknown",
                f"合同中没有的列“{name}”，已忽略",
                f"the column {name} is not in the contract and is ignored",
                severity="info",
                dimension="normative",
                count=times,
            )
        for name in self.table.hidden_sheets:
            self._remark(
                "sheet_hidden",
                f"隐藏的工作表“{name}”，已忽略",
                f"the hidden sheet {name} is ignored",
                severity="info",
                dimension="normative",
            )
        for reader in self.readers:
            if reader.wrong:
                what = "check_digit" if reader.column.format == "resident_id" else "form"
                self._remark(
                    f"{reader.column.name}_{what}",
                    f"{reader.wrong} 行的“{reader.column.header}”格式或校验位有误（仍予载入）",
                    f"{reader.column.header} has a wrong form or check digit in {reader.wrong} rows, which load",
                    severity="info",
                    column=reader.column.name,
                    dimension="accuracy",
                    count=reader.wrong,
                )
            if reader.legacy:
                self._remark(
                    f"{reader.column.name}_legacy",
                    f"{reader.legacy} 行的“{reader.column.header}”是已停用的15位号码（仍予载入，不换算）",
                    f"{reader.column.header} is a number of 15 digits, out of use, in {reader.legacy} rows, which load; "
                    "it is not converted",
                    severity="info",
                    column=reader.column.name,
                    dimension="normative",
                    count=reader.legacy,
                )
        return Summary(
            rows_read=tally.read,
            rows_accepted=tally.accepted,
            rows_rejected=tally.rejected,
            rows_skipped=tally.skipped,
            sheet=self.table.sheet,
            encoding=self.table.encoding,
            header_row=self.table.header_row,
            unknown_columns=tuple(dict.fromkeys(unknown)),
            missing_columns=tuple(c.header for c in header.missing),
            hidden_sheets=self.table.hidden_sheets,
            findings=tuple(self.findings),
        )


class _Suspects(dict[str, bool]):
    """Whether a key cell with this first character calls for a closer look at its row; all others begin data."""

    def __init__(self, header: str) -> None:
        super().__init__()
        words = (*_TOTALS, _SUBTOTAL, *_NOTES, "注", *NULLS, "*", header)
        self._firsts = {word[0] for word in words if word}

    def __missing__(self, character: str) -> bool:
        first = unicodedata.normalize("NFKC", character).lower()[:1]
        found = self[character] = first in self._firsts or first.isspace() or character.isspace()
        return found


class _KeyTexts(dict[object, str]):
    """The texts of one key column's values, remembered."""

    def __init__(self, column: Column, token_key: bytes) -> None:
        super().__init__()
        self._column = column
        self._token_key = token_key
        self.is_plain = column.logical_type == "string" and (column.is_personal or not column.identifies_person)

    def __missing__(self, value: object) -> str:
        if len(self) >= _CACHED:
            self.clear()
        text = self[value] = key_text(self._column, value, self._token_key)
        return text


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|") if "\\" in text or "|" in text else text


def _fitted(cells: Sequence[object], width: int, named_width: int) -> Sequence[object] | None:
    """The row with as many fields as the header has; None when nameless fields hold values or named ones are gone."""
    kept = list(cells)
    while len(kept) > named_width and is_blank(kept[-1]):
        kept.pop()
    if not named_width <= len(kept) <= width:
        return None
    return kept + [""] * (width - len(kept))


def _length(cells: Sequence[object] | None) -> int:
    """The characters of a row's texts."""
    if cells is None:
        return 0
    try:
        return sum(map(len, cells))  # type: ignore[arg-type]
    except TypeError:
        return sum(len(cell) for cell in cells if isinstance(cell, str))


def _array(column: Column, values: list[object]) -> pa.Array:
    if column.is_personal or column.logical_type == "string":
        return pa.array(values, pa.string())
    if column.logical_type == "date":
        return pa.array(values, pa.int32()).view(pa.date32())
    if column.logical_type == "timestamp":
        return pa.array(values, pa.int64()).view(column.arrow_type)
    return pa.array(values, column.arrow_type)
