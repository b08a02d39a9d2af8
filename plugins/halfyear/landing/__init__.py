"""Landing: what arrived, and its bytes, kept once.

``inbox`` lists what the systems dropped, reads each name for its source, day and number, and leaves alone what is still
being written. ``landing`` keeps the bytes under their SHA-256, where they are never changed: a figure can be traced to
them, and a late file makes its neighbours be read again.
"""

from halfyear.landing.landing import Acceptance, Kept, Landed, keep, kept, local_copy, note_acceptance, sweep

__all__ = ["Acceptance", "Kept", "Landed", "keep", "kept", "local_copy", "note_acceptance", "sweep"]
