"""Publishing: half-years that are approved, sealed, restated, printed and exported.

``vintage`` proposes, seals and verifies; ``publication`` is what an approver reads, ``restatement_note`` what is published
when a figure is restated. ``report`` prints the half-year, and ``sdmx`` exports it for statisticians.
"""
