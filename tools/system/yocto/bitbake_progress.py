"""How far a build is, from what bitbake says."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

_RUNNING: Final = re.compile(r"NOTE: Running (?:setscene |noexec )?task (\d+) of (\d+) \((.*)\)")
_TASK: Final = re.compile(r"([^/:]+)\.bb:do_(\w+)")
_LINES: Final = 20
"""How many a log gets."""


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a build."""

    done: int
    total: int
    what: str
    """Recipe and task, such as ``qtbase compile``."""


def read_progress(line: str) -> Progress | None:
    """The step that a line of bitbake's output tells of."""
    found = _RUNNING.search(line)
    if found is None:
        return None
    task = _TASK.search(found[3])
    what = f"{task[1].partition('_')[0]} {task[2]}" if task else found[3]
    return Progress(int(found[1]), int(found[2]), what)


class ProgressView:
    """Shows steps on standard error: one line that changes on a terminal, some lines elsewhere."""

    def __init__(self, name: str, now: Callable[[], float] = time.monotonic) -> None:
        """Args: name: of the program, in front of each line; now: seconds on any clock."""
        self._name = name
        self._now = now
        self._began = now()
        self._shown = 0
        self._is_terminal = sys.stderr.isatty()

    def stage(self, what: str) -> None:
        """A new part of the work begins."""
        self.clear()
        print(f"{self._name}: {what} ...", file=sys.stderr, flush=True)
        self._shown = 0

    def show(self, progress: Progress) -> None:
        """A step was begun."""
        share = progress.done / max(progress.total, 1)
        minutes = (self._now() - self._began) / 60
        line = (
            f"{self._name}: {share:4.0%}, task {progress.done} of {progress.total}, {minutes:.0f} min, "
            f"{progress.what}"
        )
        if self._is_terminal:
            print(f"\r\033[K{line[:120]}", end="", file=sys.stderr, flush=True)
        # bitbake counts anew for what it takes from the shared state, so the share can fall.
        elif int(share * _LINES) != self._shown:
            self._shown = int(share * _LINES)
            print(f"{line} ...", file=sys.stderr, flush=True)

    def clear(self) -> None:
        """Leave the terminal's line free for something else."""
        if self._is_terminal:
            print("\r\033[K", end="", file=sys.stderr, flush=True)
