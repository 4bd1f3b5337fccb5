"""Pages of 2 MiB for the model's weights, which every token reads all of.

With pages of 4 KiB the processor looks up thousands of addresses per token: 4.0 ms for one token of base in
int8, on one thread, instead of 2.7. glibc asks the kernel for large ones when its environment says so. It
reads that before there is a program, so whoever starts the process sets it, as the container does.
"""

from __future__ import annotations

import os
from types import MappingProxyType
from typing import Final

VARIABLE: Final = "GLIBC_TUNABLES"
SETTING: Final = "glibc.malloc.hugetlb=1"
"""From glibc's manual, "Memory Allocation Tunables": madvise with MADV_HUGEPAGE; since glibc 2.35."""
ENVIRONMENT: Final = MappingProxyType({VARIABLE: SETTING})


def are_asked_for() -> bool:
    """Whether this process was started with the setting."""
    return SETTING in os.environ.get(VARIABLE, "").split(":")
