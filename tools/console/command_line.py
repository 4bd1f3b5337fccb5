"""What the command lines of all tools have in common.

A tool starts as ``rtap`` starts its commands: errors become one line and an exit status.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from rtap.cli.arguments import positive_number
from rtap.cli.guard import guarded

__all__ = ["positive_number", "report_step", "run"]


def run(main: Callable[[Sequence[str]], int]) -> NoReturn:
    """Run a tool's ``main`` on the process's arguments and exit with what it returns."""
    sys.exit(guarded(Path(sys.argv[0]).stem, lambda: main(sys.argv[1:])))


def report_step(program: str, step: str) -> None:
    """Say on standard error what a tool does now; standard output is for its result."""
    print(f"{program}: {step} ...", file=sys.stderr, flush=True)
