"""Repetition: things that are measured in turn, again and again, and the median of each."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping

REPETITIONS = 3

#: Does one thing once and returns what it cost: seconds, from a clock around what counts and nothing else.
Run = Callable[[], float]


def seconds(work: Callable[[], object]) -> float:
    """The wall-clock seconds that ``work`` takes."""
    began = time.perf_counter()
    work()
    return time.perf_counter() - began


def medians(runs: Mapping[str, Run], repetitions: int = REPETITIONS) -> dict[str, float]:
    """Every run in turn, ``repetitions`` times; the median seconds of each, by name.

    Interleaved, so that whatever else the machine does meets all of them alike.
    """
    taken: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(1, repetitions + 1):
        for name, run in runs.items():
            taken[name].append(run())
            say(f"  {turn}/{repetitions}  {name}: {taken[name][-1]:.2f} s")
    return {name: statistics.median(values) for name, values in taken.items()}


def say(line: str) -> None:
    """Progress, at once."""
    print(line, flush=True)
