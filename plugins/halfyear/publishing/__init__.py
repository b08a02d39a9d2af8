"""Publishing: half-years that are approved, sealed, restated, printed and exported.

``vintage`` says what is sealed, what moved since and what is open. A ``proposal`` is what an approver reads
(``publication``); the ``seal`` keeps it, with a ``digest`` of every row, and ``verification`` walks the chain of all
seals. ``restatement_note`` is published when a figure is restated. ``report`` prints the half-year, and ``sdmx``
exports it for statisticians.
"""
