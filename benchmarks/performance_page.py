"""docs/performance.md: the table between the markers, from docs/performance.json, which keeps every section's last run."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.generate import ROOT
from benchmarks.measurement import Measurement

PAGE = ROOT / "docs" / "performance.md"
DATA = PAGE.with_suffix(".json")
_BEGIN, _END = "<!-- begin: written by make bench -->", "<!-- end -->"


@dataclass(frozen=True)
class Section:
    """What one run measured of one section: on which day, with how many rows, where, and how it came out."""

    measured_on: str
    rows: int | None
    machine: Mapping[str, str]
    measurements: tuple[Measurement, ...]


def write(sections: Mapping[str, Section], order: tuple[str, ...]) -> None:
    """Put the sections in the place of their last run and write data and table; other sections stay as they are."""
    kept = {**_read(), **sections}
    ordered = {name: kept[name] for name in order if name in kept}
    data = {
        name: {
            **asdict(section),
            "measurements": [{**asdict(m), "ratio": m.ratio, "is_met": m.is_met} for m in section.measurements],
        }
        for name, section in ordered.items()
    }
    DATA.write_text(json.dumps(data, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")
    text = PAGE.read_text("utf-8")
    begin, end = text.index(_BEGIN) + len(_BEGIN), text.index(_END)
    PAGE.write_text(f"{text[:begin]}\n\n{_tables(ordered)}\n{text[end:]}", encoding="utf-8")


def _read() -> dict[str, Section]:
    if not DATA.exists():
        return {}
    found: dict[str, Any] = json.loads(DATA.read_text("utf-8"))
    return {
        name: Section(
            section["measured_on"],
            section["rows"],
            section["machine"],
            tuple(
                Measurement(**{key: value for key, value in m.items() if key not in ("ratio", "is_met")})
                for m in section["measurements"]
            ),
        )
        for name, section in found.items()
    }


def _tables(sections: Mapping[str, Section]) -> str:
    """One table for each machine, day and size on which something was measured last."""
    runs: dict[str, list[tuple[str, Section]]] = {}
    for name, section in sections.items():
        runs.setdefault(_heading(section), []).append((name, section))
    return "\n".join(f"{heading}\n\n{table(found)}" for heading, found in runs.items())


def _heading(section: Section) -> str:
    rows = f", {section.rows:,} rows" if section.rows else ""
    facts = "; ".join(f"{name}: {text}" for name, text in section.machine.items())
    return f"**{section.measured_on}{rows}.** {facts}."


def table(sections: list[tuple[str, Section]]) -> str:
    """The measurements as a Markdown table."""
    lines = [
        "| section | what | measured | against | limit | ratio | goal | met | |",
        "|---|---|--:|---|--:|--:|--:|---|---|",
    ]
    for name, section in sections:
        for m in section.measurements:
            cells = [
                f"`{name}`",
                m.what,
                _amount(m.value, m.unit),
                m.limit or "",
                "" if m.limit_value is None else _amount(m.limit_value, m.unit),
                "" if m.ratio is None else _ratio(m.ratio),
                "" if m.goal is None else f"≤ {_ratio(m.goal)}",
                {True: "yes", False: "**no**", None: ""}[m.is_met],
                m.note,
            ]
            lines.append("| " + " | ".join(cells) + " |")
    return re.sub(r" +\|", " |", "\n".join(lines)) + "\n"


def _amount(value: float, unit: str) -> str:
    return f"{value:,.0f} {unit}" if unit == "MB" or value >= 100 else f"{value:.3g} {unit}"


def _ratio(value: float) -> str:
    return f"{value:.2f}"
