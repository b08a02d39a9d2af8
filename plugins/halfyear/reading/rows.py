"""Rows: each is data, a total, a note, a repeated header or blank; data becomes typed batches or rejected cells.

Every row below the header down to the last non-empty one is counted once: accepted, rejected or skipped.

In one module: what a row is depends on the rows around it, and the batches are made in the same pass.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal

import pyarrow as pa
import pyarrow.compute as pc

from halfyear.errors import Finding
from halfyear.reading import fault
from halfyear.reading.column import ColumnReader, Found, untyped
from halfyear.reading.fault import MASK, Bad, refusal, shown_value
from halfyear.reading.header import Binding, fold
from halfyear.reading.personal import PersonalColumns
from halfyear.reading.plan import Column, Plan
from halfyear.reading.result import RejectedCell, Summary
from halfyear.reading.table import Block, Cells, Row, Table
from halfyear.reading.value import NULLS, is_blank, is_empty, key_text, printed_number

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

#: The faults of the rows of a batch, by place: the column (None: the row), the reason, the cell.
_Faults = dict[int, list[tuple[Column | None, Bad, object]]]


@dataclass
class _Reader:
    """One bound column at work."""

    binding: Binding
    cells: ColumnReader
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


def read_rows(
    table: Table, plan: Plan, token_key: bytes, reject: Reject, is_large: bool = False
) -> Generator[pa.RecordBatch, None, Summary]:
    """Yield the batches of an open table, hand over its cells that cannot be used, return its account.

    Personal columns of a large table are read in a second process. Raises FileRefused when there are rows and none can be used, a required column turns out missing, or a control total differs.
    """
    work = _Work(table, plan, token_key, reject)
    if not is_large or not work.personal:
        return (yield from work.run())
    with PersonalColumns([reader.cells for reader in work.personal]) as work.beside:
        return (yield from work.run())


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
        self.personal = [r for r in self.readers if r.column.is_personal]
        #: Reads the personal columns, where it is there.
        self.beside: PersonalColumns | None = None
        self.tally = _Tally()
        self.buffer = _Buffer()
        self.totals: list[_Printed] = []
        self.subtotals: list[_Printed] = []
        self.subtotal_rows = 0
        self.data_after_subtotal = False
        self.findings: list[Finding] = []
        self.nameless_used: set[int] = set()

    def _reader(self, binding: Binding) -> _Reader:
        return _Reader(binding, self._column_reader(binding), binding.factor)

    def _column_reader(self, binding: Binding) -> ColumnReader:
        return ColumnReader(binding.column, self.table.dialect, self.token_key, binding.factor)

    # --- which row is what --------------------------------------------------------------------------------------

    def run(self) -> Generator[pa.RecordBatch, None, Summary]:
        suspects = _Suspects(self.header.texts[self.key_positions[0]] if self.header.texts else "")
        tally, buffer = self.tally, self.buffer
        blanks = 0
        characters = 0
        pending: list[Row] = []
        for part, personal in self._with_personal(self._parts(suspects)):
            if isinstance(part, Block):
                kind, rows = "data", len(part)
            else:
                kind, rows = self._kind_of(part, suspects), 1
            if kind == "blank":
                blanks += 1
                continue
            tally.read += blanks + rows
            tally.skipped += blanks
            blanks = 0
            if kind == "data":
                for earlier in pending:
                    self._take(*earlier)
                pending.clear()
            if isinstance(part, Block):
                tally.data += rows
                self.data_after_subtotal = True
                yield from self._accepted(self._convert(part, {}, personal))
                self._hand_over()
            elif kind == "data":
                self._take(*part)
                characters += _length(part[1])
                if len(buffer.numbers) >= _BATCH or characters >= _BATCH_CHARACTERS or len(buffer.loose) >= _BATCH:
                    characters = 0
                    yield from self._flush()
            elif kind == "lone":
                pending.append(part)
                if len(pending) > _MOST_PENDING:
                    for earlier in pending:
                        self._take(*earlier)
                    pending.clear()
            else:
                tally.skipped += 1
                if kind == "total" and part[1] is not None:
                    yield from self._flush()
                    characters = 0
                    self._total(part[0], part[1])
        tally.skipped += len(pending)
        yield from self._flush()
        self.table.finish()
        return self._summary()

    def _parts(self, suspects: _Suspects) -> Iterator[Row | Block]:
        """The rows of the table; of a block those that are no data come one by one."""
        for part in self.table.rows:
            if not isinstance(part, Block):
                yield part
                continue
            start = 0
            for place in self._no_data(part, suspects):
                if place > start:
                    yield part.part(start, place)
                yield part.numbers[place].as_py(), part.row(place), None
                start = place + 1
            if start == 0:
                yield part
            elif start < len(part):
                yield part.part(start, len(part))

    def _with_personal(self, parts: Iterator[Row | Block]) -> Iterator[tuple[Row | Block, list[Found] | None]]:
        """Each part, a block with its personal columns if they are read beside: during the work on the block before.

        While a row is worked on, nothing is being read there.
        """
        if self.beside is None:
            yield from ((part, None) for part in parts)
            return
        waiting: Block | None = None
        for part in parts:
            ready = None if waiting is None else (waiting, self.beside.found())
            waiting = part if isinstance(part, Block) else None
            if waiting is not None:
                self.beside.begin(self._personal_cells(waiting))
            if ready is not None:
                yield ready
            if waiting is None:
                yield part, None
        if waiting is not None:
            yield waiting, self.beside.found()

    def _no_data(self, block: Block, suspects: _Suspects) -> list[int]:
        """The places, in order, of a block's rows that are blank, a total, a header or a note, or may turn out to be one."""
        keys = block.columns[self.key_positions[0]]
        if isinstance(keys, pa.DictionaryArray):
            keys = keys.dictionary_decode()
        if not isinstance(keys, pa.Array):
            places = [i for i, key in enumerate(keys) if self._calls_for_a_look(key, suspects)]
        elif pa.types.is_string(keys.type):
            heads = pc.utf8_slice_codeunits(keys, 0, 1)
            odd = [head for head in pc.unique(heads).to_pylist() if self._calls_for_a_look(head, suspects)]
            places = (
                pc.indices_nonzero(pc.is_in(heads, value_set=pa.array(odd, pa.string()))).to_pylist() if odd else []
            )
        else:
            places = pc.indices_nonzero(pc.is_null(keys)).to_pylist()
        return [place for place in places if self._kind(block.row(place)) != "data"]

    def _kind_of(self, row: Row, suspects: _Suspects) -> str:
        cells = row[1]
        if cells is None:
            return "data"
        if len(cells) != self.header.width:
            return self._kind(cells)
        return self._kind(cells) if self._calls_for_a_look(cells[self.key_positions[0]], suspects) else "data"

    @staticmethod
    def _calls_for_a_look(key: object, suspects: _Suspects) -> bool:
        """Whether a row with this first key cell may be something else than data."""
        return key is None or (isinstance(key, str) and (not key or suspects[key[0]]))

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
            block = Block(pa.array(buffer.numbers, pa.int64()), list(zip(*buffer.cells, strict=True)))
            batch = self._convert(block, buffer.bad)
            buffer.numbers, buffer.cells = [], []
            buffer.bad.clear()
            yield from self._accepted(batch)
        self._hand_over()

    def _hand_over(self) -> None:
        for cell in self.buffer.loose:
            self.reject(cell)
        self.buffer.loose.clear()

    def _accepted(self, batch: pa.RecordBatch) -> Iterator[pa.RecordBatch]:
        self.tally.accepted += batch.num_rows
        if batch.num_rows:
            yield batch

    def _convert(self, block: Block, bad_rows: dict[int, Bad], personal: list[Found] | None = None) -> pa.RecordBatch:
        """Type rows column by column, but for personal columns that were; bad rows are rejected and left out."""
        count = len(block)
        values: dict[str, pa.Array] = {}
        wrong: list[tuple[_Reader, list[tuple[int, bool]]]] = []
        faults: _Faults = {}
        nulled: _Faults = {}
        for reader, found in zip(self.readers, self._read(block, personal), strict=True):
            for i, bad in found.bad:
                cell = _cell(block.columns[reader.binding.position], i)
                places = nulled if reader.column.null_when_invalid else faults
                places.setdefault(i, []).append((reader.column, bad, cell))
            reader.unreadable += len(found.bad)
            if found.wrong:
                wrong.append((reader, found.wrong))
            values[reader.column.name] = found.values
        for i, bad in bad_rows.items():
            if not any(cell_bad == bad for _, cell_bad, _ in (*faults.get(i, ()), *nulled.get(i, ()))):
                faults.setdefault(i, []).append((None, bad, None))
        for position in self.header.nameless:
            if position not in self.nameless_used and not _is_blank_column(block.columns[position]):
                self.nameless_used.add(position)
        keys = self._keys(values, faults)
        for i in faults.keys() & nulled.keys():
            faults[i] += nulled.pop(i)
        self.tally.rejected += len(faults)
        self._report(block.numbers, keys, faults)
        self._report(block.numbers, keys, nulled, row_loads=True)
        arrays = [block.numbers, keys]
        for column in self.plan.columns:
            bound = self.readers_by_name.get(column.name)
            array = pa.nulls(count, column.arrow_type) if bound is None else values[column.name]
            if bound is not None and column.is_summed:
                bound.sum += Decimal(pc.sum(array).as_py() or 0)
            if not column.is_dropped:
                arrays.append(array)
        for reader, found_wrong in wrong:
            legacy = [is_legacy for i, is_legacy in found_wrong if i not in faults]
            reader.legacy += sum(legacy)
            reader.wrong += len(legacy) - sum(legacy)
        batch = pa.RecordBatch.from_arrays(arrays, schema=self.schema)
        if faults:
            batch = batch.filter(pa.array([i not in faults for i in range(count)]))
        return batch

    def _read(self, block: Block, personal: list[Found] | None) -> list[Found]:
        """What each reader finds in its column."""
        for reader in self.readers:
            if reader.factor != reader.binding.factor:
                reader.cells, reader.factor = self._column_reader(reader.binding), reader.binding.factor
        if self.beside is not None and personal is None:
            self.beside.begin(self._personal_cells(block))
        found = [
            None
            if self.beside is not None and reader.column.is_personal
            else reader.cells.read(block.columns[reader.binding.position])
            for reader in self.readers
        ]
        if self.beside is not None and personal is None:
            personal = self.beside.found()
        rest = iter(personal or ())
        return [next(rest) if each is None else each for each in found]

    def _personal_cells(self, block: Block) -> list[Cells]:
        return [block.columns[reader.binding.position] for reader in self.personal]

    def _keys(self, values: dict[str, pa.Array], faults: _Faults) -> pa.Array:
        """The record keys; a row with an empty key field gets a fault, one with an unreadable key field no key."""
        parts: list[pa.Array] = []
        for reader in self.key:
            column = reader.column
            part = values[column.name]
            if column.logical_type != "string" or (column.identifies_person and not column.is_personal):
                part = _key_texts(column, part, self.token_key)
            for i in pc.indices_nonzero(pc.is_null(part)).to_pylist() if part.null_count else ():
                if not any(c is column for c, _, _ in faults.get(i, ())):
                    faults.setdefault(i, []).append((column, fault.MISSING_KEY, None))
            parts.append(part)
        if len(parts) == 1:
            return parts[0]
        escaped = [pc.replace_substring(pc.replace_substring(part, "\\", "\\\\"), "|", "\\|") for part in parts]
        return pc.binary_join_element_wise(*escaped, "|")

    def _report(self, numbers: pa.Array, keys: pa.Array, faults: _Faults, row_loads: bool = False) -> None:
        loose = self.buffer.loose
        for i, found in faults.items():
            number, key = numbers[i].as_py(), keys[i].as_py()
            for column, bad, raw in found:
                may_be_code = column is not None and column.format == _CREDIT_CODE and not self.plan.has_persons
                value = shown_value(raw, may_be_code=may_be_code)
                if value is not None and column is not None and column.is_masked:
                    value = MASK
                header = column.name if column else None
                loose.append(RejectedCell(number, key, header, bad.rule, bad.zh, bad.en, value, row_loads))
        loose.sort(key=lambda cell: cell.row_number)

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


def _cell(cells: Cells, place: int) -> object:
    return cells[place].as_py() if isinstance(cells, pa.Array) else cells[place]


def _is_blank_column(cells: Cells) -> bool:
    return all(is_blank(cell) for cell in (pc.unique(cells).to_pylist() if isinstance(cells, pa.Array) else cells))


def _key_texts(column: Column, values: pa.Array, token_key: bytes) -> pa.Array:
    """The values of a key column as they stand in ``record_key``."""
    encoded = untyped(column, values).dictionary_encode()
    texts = [key_text(column, value, token_key) for value in encoded.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(encoded.indices)


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
