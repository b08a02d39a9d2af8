"""Assets: what tells Airflow's DAGs of each other, by URI. Their partitions are half-years."""

from __future__ import annotations

#: The half-years that have to be computed; compute_indicators waits for it.
DUE = "halfyear://indicators/due"


def core(source: str) -> str:
    """The half-years of a source that its loads changed, for any DAG that waits for them."""
    return f"halfyear://core/{source}"
