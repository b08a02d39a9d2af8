"""One load in a process of its own, whose memory is then its own: ``python -m benchmarks.load_once SOURCE``.

Prints the greatest resident size of this process, in MB.
"""

from __future__ import annotations

import sys

from benchmarks import delivery
from benchmarks.memory import peak_mb
from halfyear import settings
from halfyear.staging import validation

if __name__ == "__main__":
    validation.import_great_expectations()
    for outcome in delivery.load(settings.load(), sys.argv[1]):
        if outcome.rows_loaded != outcome.rows_read:
            sys.exit(outcome.line)
    print(peak_mb("self"))
