"""Reading: one file of any of the four formats, against a contract, becomes typed rows and rejected cells.

``open_file`` parses in a child process with limits and streams Arrow batches; every row below the header down to
the last non-empty one is accepted, rejected or skipped, and the summary says how many of each. In the order that
data meets them: ``content`` (is it what the extension says), ``encoding`` and the four ``*_file`` modules, ``header``,
``rows`` (titles, totals, notes, batches), ``column`` (many cells), ``value`` (one cell), ``token`` and ``personal`` (personal
data), ``child`` and ``process``.

Light to import: the child imports this package too, and it needs neither pydantic nor pandas.
"""

from halfyear.reading.plan import arrow_schema
from halfyear.reading.process import Parser, Reading, open_file
from halfyear.reading.result import RejectedCell, Summary
from halfyear.reading.token import load_key, token

__all__ = [
    "Parser",
    "Reading",
    "RejectedCell",
    "Summary",
    "arrow_schema",
    "load_key",
    "open_file",
    "token",
]
