"""Staging: the rows of one load, before anybody believes them.

``staging`` copies the typed rows of a file into a table of the load's own; ``validation`` asks Great Expectations every rule
of the contract of that table, with the rules of our own in ``expectation``; the rows that break one go to quarantine,
with their reasons.
"""

from halfyear.staging.staging import Staged, drop, hold, quarantine, restage, stage, sweep

__all__ = ["Staged", "drop", "hold", "quarantine", "restage", "stage", "sweep"]
