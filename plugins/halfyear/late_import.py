"""``scipy.stats``, which Great Expectations imports and Halfyear never uses, loads when something of it is used.

It serves a few kinds of rules about distributions, which still work, and is 40% of the time that importing Great
Expectations takes, and 56 MB of every process that checks.
"""

from __future__ import annotations

import importlib.util
import sys


def postpone_statistics() -> None:
    """To be called before Great Expectations is imported; where the module is loaded already, it stays so."""
    if "scipy.stats" in sys.modules or (spec := importlib.util.find_spec("scipy.stats")) is None:
        return
    assert spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = sys.modules["scipy"].stats = module  # type: ignore[attr-defined]
    spec.loader.exec_module(module)
