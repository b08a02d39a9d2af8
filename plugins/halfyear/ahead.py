"""Ahead: a thread makes the next items of an iterator while the present one is used."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")


def ahead(items: Iterator[T], count: int) -> Iterator[T]:
    """The items in order, up to ``count`` of them made in advance; what the iterator raises is raised in its place.

    Worth it where making and using both leave Python: in Arrow, in a pipe or socket.
    """
    end = object()
    pool = ThreadPoolExecutor(1)
    try:
        following = deque(pool.submit(next, items, end) for _ in range(count))
        while (item := following.popleft().result()) is not end:
            following.append(pool.submit(next, items, end))
            yield item  # type: ignore[misc]  # it is not the end
    finally:
        pool.shutdown(cancel_futures=True)
