"""The home made ready for a command: its folders, its server, its warehouse."""

from __future__ import annotations

import os
from pathlib import Path

from halfyear.settings import Settings


def start(settings: Settings) -> None:
    """Start the embedded server, unless the warehouse is elsewhere; a new home gets its inbox."""
    from halfyear.warehouse import embedded

    if not settings.home.exists() and "HALFYEAR_INBOX" not in os.environ:
        # Later an absent inbox is a fault: a share that is not mounted, say.
        Path(settings.inbox).mkdir(mode=0o700, parents=True)
    if settings.warehouse is None:
        embedded.start_server(settings)


def ready(settings: Settings) -> None:
    """Start the warehouse and bring it up to date."""
    from halfyear import warehouse
    from halfyear.scheduling import night
    from halfyear.terminal import console

    start(settings)
    warehouse.migrate(settings, console.say)
    night.judge_references()
