"""What the command lines of all tools have in common.

A tool starts as ``rtap`` starts its commands: errors become one line and an exit status.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from rtap.guard import guarded


def run(main: Callable[[Sequence[str]], int]) -> NoReturn:
    """Run a tool's ``main`` on the process's arguments and exit with what it returns."""
    sys.exit(guarded(Path(sys.argv[0]).stem, lambda: main(sys.argv[1:])))


def positive_number(text: str) -> int:
    """For ``type=`` of an argument: a whole number from 1 on."""
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 1 on")
    return int(text)
