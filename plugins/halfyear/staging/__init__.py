"""Staging: the rows of one load, before anybody believes them.

``staging`` copies the typed rows of a file into a table of the load's own. ``rule`` says what the contract expects of
them, and ``validation`` asks Great Expectations that of the table, with the rules of our own in ``expectation``. The
rows that break one go to ``quarantine``, with their reasons.
"""

from halfyear.staging.staging import Staged, drop, hold, restage, stage, sweep

__all__ = ["Staged", "drop", "hold", "restage", "stage", "sweep"]
