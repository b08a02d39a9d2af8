"""Which delivery stands for each day of a source: a pure function of the set of its deliveries.

The highest sequence number wins; a delivery that cannot stand is refused and the next lower one stands. A register
snapshot with no rows, or with fewer than half of those of the snapshot before it, is refused until an operator
accepts it. Two files with one day and number but different bytes are both refused. Nothing here depends on the
order in which the files arrived.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

from halfyear.contract import Contract
from halfyear.errors import Finding

if TYPE_CHECKING:
    from halfyear.staging.validation import CheckResult


@dataclass(frozen=True)
class Candidate:
    """One delivery as the judge sees it. ``load_id`` is that of the load of its bytes, for repeated ones too.

    ``rows`` are those that speak for a record: passed and quarantined.
    """

    delivery_id: int
    snapshot_date: date
    sequence: int
    sha256: str
    load_id: int
    is_loader: bool
    is_usable: bool
    rows: int
    rows_quarantined: int
    is_accepted: bool


@dataclass(frozen=True)
class Verdict:
    """What became of a delivery; ``rule`` and the reasons say why it was refused."""

    delivery_id: int
    verdict: str
    rule: str | None = None
    reason_zh: str | None = None
    reason_en: str | None = None


def refusal(contract: Contract, results: Sequence[CheckResult], rows: int, passed: int) -> Finding | None:
    """The reason why a file cannot be used though it could be read: a critical rule, or too many bad rows.

    ``rows`` are those that speak for a record, ``passed`` those of them that broke no rule.
    """
    for result in results:
        if result.severity == "critical" and not result.success:
            return Finding(
                rule=result.rule,
                severity="critical",
                reason_zh=result.description_zh,
                reason_en=result.description_en,
                remedy_zh=result.remedy_zh,
                remedy_en=result.remedy_en,
                column=result.column,
                dimension=result.dimension,
                count=result.unexpected_count,
            )
    share = contract.thresholds.max_rejected_share
    if rows and rows - passed > share * rows:
        return Finding(
            rule="max_rejected_share",
            severity="critical",
            reason_zh=f"{rows} 行中有 {rows - passed} 行不合格，超过 {share:.0%}",
            reason_en=f"{rows - passed} of {rows} rows are bad, more than {share:.0%}",
            remedy_zh="请按 quarantine.rejected_row 所列原因在来源系统更正后重新报送",
            remedy_en="correct what quarantine.rejected_row lists at the source and deliver again",
            dimension="accuracy",
            count=rows - passed,
        )
    if rows and not passed:
        return Finding(
            rule="no_usable_row",
            severity="critical",
            reason_zh="文件中没有可用的行",
            reason_en="no row of the file can be used",
            remedy_zh="请核对导出后重新报送",
            remedy_en="check the export and deliver it again",
            dimension="completeness",
        )
    return None


def judge(contract: Contract, candidates: Iterable[Candidate]) -> tuple[dict[date, int], list[Verdict]]:
    """Return the load that stands for each day, and a verdict on every delivery."""
    days: dict[date, list[Candidate]] = defaultdict(list)
    for candidate in candidates:
        days[candidate.snapshot_date].append(candidate)
    standing: dict[date, int] = {}
    verdicts: list[Verdict] = []
    rows_before: int | None = None
    for day in sorted(days):
        found = _judge_day(contract, days[day], rows_before, verdicts)
        if found:
            standing[day] = found.load_id
            rows_before = found.rows
    return standing, verdicts


def _judge_day(
    contract: Contract, deliveries: list[Candidate], rows_before: int | None, verdicts: list[Verdict]
) -> Candidate | None:
    contents: dict[int, set[str]] = defaultdict(set)
    for delivery in deliveries:
        contents[delivery.sequence].add(delivery.sha256)
    clear = [d for d in deliveries if len(contents[d.sequence]) == 1]
    for delivery in deliveries:
        if len(contents[delivery.sequence]) > 1:
            verdicts.append(
                Verdict(
                    delivery.delivery_id,
                    "refused",
                    "one_file_per_day_and_number",
                    f"同一天同一序号 {delivery.sequence} 有内容不同的文件；请以更大的序号重新报送",
                    f"several different files claim number {delivery.sequence} of this day; deliver again under a higher number",
                )
            )
    by_bytes: dict[str, list[Candidate]] = defaultdict(list)
    for delivery in clear:
        by_bytes[delivery.sha256].append(delivery)
    winner: Candidate | None = None
    for same in sorted(by_bytes.values(), key=lambda group: -max(d.sequence for d in group)):
        # The delivery whose bytes were read speaks for all with the same bytes, and the others repeat it.
        speaker = next((d for d in same if d.is_loader), min(same, key=lambda d: d.sequence))
        verdicts += [Verdict(d.delivery_id, "repeated") for d in same if d is not speaker]
        accepted = any(d.is_accepted for d in same)
        if not speaker.is_usable:
            verdicts.append(Verdict(speaker.delivery_id, "refused"))
        elif winner is not None:
            verdicts.append(Verdict(speaker.delivery_id, "superseded"))
        elif contract.mode == "register" and not accepted and _has_shrunk(contract, speaker.rows, rows_before):
            verdicts.append(
                Verdict(
                    speaker.delivery_id,
                    "refused",
                    "fewer_rows_than_before",
                    f"全量快照只有 {speaker.rows} 行，上一期为 {rows_before or 0} 行；核实后运行 halfyear accept "
                    f"{speaker.delivery_id} --reason …",
                    f"the full list has {speaker.rows} rows, the one before it {rows_before or 0}; when that is right, run "
                    f"halfyear accept {speaker.delivery_id} --reason …",
                )
            )
        else:
            winner = speaker
            kind = "loaded_with_quarantine" if speaker.rows_quarantined else "loaded"
            verdicts.append(Verdict(speaker.delivery_id, kind))
    return winner


def _has_shrunk(contract: Contract, rows: int, rows_before: int | None) -> bool:
    if rows == 0:
        return True
    return rows_before is not None and rows < contract.thresholds.min_share_of_previous * rows_before
