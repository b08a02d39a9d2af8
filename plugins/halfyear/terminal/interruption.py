"""Ctrl-C at once: the statement that the server works on is cancelled, and everything unwinds as after any error.

Python hears of a signal between two of its own instructions; a thread that waits for PostgreSQL's answer has none.
"""

from __future__ import annotations

import contextlib
import os
import signal
import threading
from collections.abc import Iterator

from halfyear import warehouse
from halfyear.errors import HalfyearError
from halfyear.settings import Settings

_AGAIN_SECONDS = 0.2
_CANCEL = (
    "select pg_cancel_backend(pid) from pg_stat_activity "
    "where application_name = current_setting('application_name') and pid <> pg_backend_pid()"
)


@contextlib.contextmanager
def at_once(settings: Settings) -> Iterator[threading.Event]:
    """Within this, Ctrl-C cancels what the server does for this process, and KeyboardInterrupt follows at once.

    The event is set from then on: a library may keep the interrupt to itself, and what comes out of it is the error of a
    cancelled statement. Whatever leaves this block after Ctrl-C is a KeyboardInterrupt. Only the main thread hears of
    signals; elsewhere nothing changes.
    """
    is_asked = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield is_asked
        return
    name = os.environ.get("PGAPPNAME")
    # Every connection of this process bears it, those of Great Expectations too.
    os.environ["PGAPPNAME"] = f"halfyear {os.getpid()}"
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    is_over = threading.Event()
    watcher = threading.Thread(target=_watch, args=(reading, is_asked, is_over, settings), daemon=True)
    watcher.start()
    before = signal.set_wakeup_fd(writing, warn_on_full_buffer=False)
    try:
        yield is_asked
    except Exception:
        if is_asked.is_set():
            raise KeyboardInterrupt from None
        raise
    finally:
        signal.set_wakeup_fd(before)
        is_over.set()
        os.close(writing)
        watcher.join()
        os.close(reading)
        if name is None:
            del os.environ["PGAPPNAME"]
        else:
            os.environ["PGAPPNAME"] = name


def _watch(reading: int, is_asked: threading.Event, is_over: threading.Event, settings: Settings) -> None:
    """Read the numbers of the signals that arrive; from the first Ctrl-C on, cancel whatever runs until it is over."""
    while number := os.read(reading, 1):
        if number[0] == signal.SIGINT:
            is_asked.set()
            while not is_over.is_set():
                with (
                    contextlib.suppress(HalfyearError),
                    warehouse.transaction(settings, "owner") as connection,
                    connection.cursor() as cursor,
                ):
                    cursor.execute(_CANCEL)
                is_over.wait(_AGAIN_SECONDS)
            return
