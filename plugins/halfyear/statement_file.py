"""Statements that are too long for a line of Python: each is a ``.sql`` file beside the module that runs it."""

from __future__ import annotations

import functools
from pathlib import Path


@functools.cache
def statement(module_file: str, name: str) -> str:
    """The text of ``<name>.sql`` in the folder of a module, which passes its ``__file__``; values are ``%(name)s``."""
    return (Path(module_file).parent / f"{name}.sql").read_text("utf-8")
