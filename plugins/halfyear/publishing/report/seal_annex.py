"""Annexes that say what stands behind a seal: who sealed it and when, its hash, and the figures that were restated."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from halfyear.indicators.definition import CITY
from halfyear.indicators.rounding import DASH
from halfyear.publishing import person
from halfyear.publishing.report.cell import sentence, short_hash, text_cell
from halfyear.publishing.report.document import Block, Column, Table
from halfyear.publishing.report.scope import Row, Scope


def restatements(scope: Scope) -> list[Block]:
    """The restated figures of this half-year and of those that it is compared with."""
    rows = scope.rows("restatements")
    if not rows:
        return [sentence("本期及与之相比的半年期均无重述。")]
    city = [row for row in rows if row["body_code"] is None]
    said: list[Block] = [
        Table(
            "重述",
            "重述的指标",
            (
                Column("半年期与版次", 3, "center"),
                Column("指标", 3.6),
                Column("原值", 2, "right"),
                Column("新值", 2, "right"),
                Column("原因", 2.2),
                Column("说明", 4.2),
                Column("批准", 2, "center"),
            ),
            tuple(
                (
                    f"{row['period']} 第{row['vintage']}版",
                    text_cell(row["name_zh"]) + (f"（口径 {text_cell(row['reading'])}）" if row["reading"] else ""),
                    text_cell(row["old_printed"]),
                    text_cell(row["new_printed"]),
                    text_cell(row["reason_zh"]),
                    f"随{text_cell(row['follows'])}的重述而变" if row["follows"] else text_cell(row["note"]),
                    text_cell(row["approved_by"]),
                )
                for row in city
            ),
        )
    ]
    others = {row["body_name"] or row["body_code"] for row in rows if row["body_code"] is not None}
    if others:
        said.append(sentence(f"除{CITY}数外，另有{len(others)}个单位的指标值同时重述。"))
    return said


def _base(row: Row) -> str:
    """Which seal of another half-year the changes are against."""
    if row["vintage"] is None:
        return f"{row['period']} 未经封存，以数据仓库当时之值相比"
    return f"{row['period']} 第{row['vintage']}版，{row['sealed_at']} 封存，指纹 {short_hash(row['hash'])}"


def _proof(latest: Row) -> str:
    """How it was proved that two persons sealed, with both accounts."""
    proof = latest["proof"]
    if proof is None:
        return person.NOT_KEPT.zh
    evidence = f"，凭据 {latest['evidence']}" if latest["evidence"] else ""
    accounts = f"编制 {latest['preparer_account'] or DASH}，批准 {latest['approver_account'] or DASH}"
    return f"{person.PROOFS[proof].zh}：{accounts}{evidence}"


def _exception(point: Mapping[str, Any]) -> str:
    """What was open and sealed nevertheless, with what the preparer said of it."""
    said = f"（说明：{text_cell(point['explanation'])}）" if point.get("explanation") else ""
    named = f"{text_cell(point.get('name'))} " if point.get("kind") in ("completeness", "anomaly") else ""
    return f"{named}{text_cell(point.get('text_zh') or point.get('name'))}{said}"


def vintage(scope: Scope) -> list[Block]:
    """The seal itself: who, when, of what, and the hash that proves it."""
    if scope.seal is None:
        return [sentence("本期尚未封存，本稿不得作为公布依据。")]
    latest = scope.seal.latest
    exceptions = latest["exceptions"] or []
    facts = (
        ("半年期", str(scope.period)),
        ("版次", f"第{latest['vintage']}版"),
        ("封存序号", text_cell(latest["sequence"])),
        ("封存时间", text_cell(latest["sealed_at"])),
        ("编制人", text_cell(latest["prepared_by"])),
        ("批准人", text_cell(latest["approved_by"])),
        ("批准时间", text_cell(latest["approved_at"])),
        ("两人证明", _proof(latest)),
        ("程序版本", text_cell(latest["code_version"])),
        ("封存指标值数", f"{latest['observations']}（含各单位、各口径），其中全市公布指标 {latest['figures']} 个"),
        ("说明", text_cell(latest["note"])),
        ("未决事项", "；".join(map(_exception, exceptions)) or "无"),
        *((f"所比{row['compared']}", _base(row)) for row in scope.rows("bases")),
        ("前一封存指纹", text_cell(latest["previous_hash"])),
        ("本次封存指纹", text_cell(latest["hash"])),
    )
    said: list[Block] = [
        Table(
            "封存信息",
            "封存信息",
            (Column("事项", 3), Column("内容", 13)),
            facts,
            ("指纹覆盖本版次全部指标值、定义与交付文件，并与前一次封存相连；以 halfyear verify 验证。",),
        )
    ]
    if len(scope.seal.vintages) > 1:
        said.append(
            Table(
                "历次封存",
                "本期历次封存",
                (
                    Column("版次", 1.4, "center"),
                    Column("封存时间", 3.2, "center"),
                    Column("编制人", 2, "center"),
                    Column("批准人", 2, "center"),
                    Column("说明", 5),
                    Column("指纹", 2.6, "center"),
                ),
                tuple(
                    (
                        f"第{row['vintage']}版",
                        text_cell(row["sealed_at"]),
                        text_cell(row["prepared_by"]),
                        text_cell(row["approved_by"]),
                        text_cell(row["note"]),
                        short_hash(row["hash"]),
                    )
                    for row in scope.seal.vintages
                ),
            )
        )
    return said
