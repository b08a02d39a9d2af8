"""The hash of a vintage: what a seal of before holds does not move it, and every part of a proof does."""

from __future__ import annotations

import pytest

from halfyear.publishing.digest import HELD, PROOF, digest_of, own_digest

FACTS = ["2022-S1", 1, "x"]
HASHES = {"sealed_observation": ["b", "a"]}
PROVED = ["os_account", "peer:zhang", "peer:li", ""]


def test_a_vintage_without_a_proof_keeps_its_hash() -> None:
    first = [["a", "b"], *([] for table in list(HELD)[1:] if table not in ("sealed_comparison", "sealed_print"))]
    assert own_digest(FACTS, [None] * len(PROOF), HASHES) == digest_of([*FACTS, *first])


@pytest.mark.parametrize("place", range(len(PROOF)))
def test_every_part_of_a_proof_is_hashed(place: int) -> None:
    for other in ("y", None):
        changed = [*PROVED[:place], other, *PROVED[place + 1 :]]
        assert own_digest(FACTS, changed, HASHES) != own_digest(FACTS, PROVED, HASHES)
    assert own_digest(FACTS, PROVED, HASHES) != own_digest(FACTS, [None] * len(PROOF), HASHES)
