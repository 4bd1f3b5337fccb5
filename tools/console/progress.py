"""How far it is: a bar on a terminal, a line every tenth of the way elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from tqdm import tqdm

from tools.console.quantities import size

_UNKNOWN_TOTAL: Final = 10**9
Advance = Callable[[int], None]
"""Takes the bytes done since the last call."""


@contextmanager
def progress(what: str, total: int | None, program: str = "flash") -> Iterator[Advance]:
    """Show the progress of some work on standard error.

    Args:
        total: bytes; None where they are not known beforehand.
        program: named at the beginning of each line.
    """
    if sys.stderr.isatty():
        with tqdm(
            desc=what, total=total, unit="B", unit_scale=True, dynamic_ncols=True, file=sys.stderr
        ) as bar:

            def advance(count: int) -> None:
                bar.update(count)

            yield advance
    else:
        yield _Lines(f"{program}: {what}", total).advance


class _Lines:
    """For logs: few lines, each complete."""

    def __init__(self, what: str, total: int | None) -> None:
        self._what = what
        self._total = total
        self._done = 0
        self._tenths = 0
        self._start = time.monotonic()
        print(f"{what} ...", file=sys.stderr, flush=True)

    def advance(self, count: int) -> None:
        self._done += count
        tenths = 10 * self._done // (self._total or _UNKNOWN_TOTAL)
        if tenths == self._tenths:
            return
        self._tenths = tenths
        share = f"{10 * tenths} %, " if self._total else ""
        rate = self._done / max(time.monotonic() - self._start, 1e-6)
        line = f"{self._what}: {share}{size(self._done)}, {size(rate)}/s ..."
        print(line, file=sys.stderr, flush=True)
