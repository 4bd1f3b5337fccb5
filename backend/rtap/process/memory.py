"""Memory that is free again goes back to the system, where the C library lets one ask for that."""

from __future__ import annotations

import ctypes


def give_back() -> bool:
    """Return free memory to the system; whether any was. May take some milliseconds.

    glibc keeps what was freed in the middle of its heaps for the next burst, which in a car may never come.
    Other C libraries have no such call.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    return bool(trim is not None and trim(0))
