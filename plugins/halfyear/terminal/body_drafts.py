"""Drafts of lines for bodies that no list knows, as a person reviews and copies them."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence

from halfyear.mart.bodies import Draft
from halfyear.mart.spreadsheet import csv_cell
from halfyear.terminal import console


def show(drafts: Mapping[str, Sequence[Draft]]) -> None:
    """Print the proposed lines of each list of bodies, ready to be added, with what they were drawn from."""
    if not drafts:
        console.say("没有未知单位 / every body is known")
    for name, found in drafts.items():
        console.say(f"expectations/core/{name}.csv: 待复核 to be reviewed: {len(found)}")
        for each in found:
            like = f"; 近似 resembles {each.resembles}" if each.resembles else ""
            seen = (
                f"{', '.join(each.unknown.sources)}: 行 rows {each.unknown.rows}, 始见 since {each.unknown.first_day}"
            )
            console.say(f"# {seen}{like}")
            console.copied(_line(each))


def _line(draft: Draft) -> str:
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\r\n").writerow([csv_cell(value) for value in draft.line.values()])
    return buffer.getvalue().removesuffix("\r\n")
