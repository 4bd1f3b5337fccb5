"""Starts a tool as ``rtap`` starts its commands: errors become one line and an exit status."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import NoReturn

from rtap.errors import ConfigurationError
from rtap.guard import guarded


class ToolParser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        """Raises: ConfigurationError: always."""
        raise ConfigurationError(f"{message} (see `{self.prog} --help`)")


def run(main: Callable[[Sequence[str]], int]) -> NoReturn:
    """Run a tool's ``main`` on the process's arguments and exit with what it returns."""
    sys.exit(guarded(Path(sys.argv[0]).stem, lambda: main(sys.argv[1:])))
