"""Runs a command so that whatever goes wrong becomes one line and an exit status, never a traceback."""

from __future__ import annotations

import argparse
import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NoReturn

from rtap.cli import terminal
from rtap.errors import ConfigurationError, RTAPException


class OneLineParser(argparse.ArgumentParser):
    """An argument parser whose complaints are one line, as all others are."""

    def error(self, message: str) -> NoReturn:
        """Raises: ConfigurationError: always."""
        raise ConfigurationError(f"{message} (see `{self.prog} --help`)")


def guarded(program: str, command: Callable[[], int]) -> int:
    """Run a command.

    Args:
        program: named at the beginning of the line on standard error.

    Returns:
        The exit status: the command's own, 1 (our fault), 2 (the user's) or 128 + signal.
    """
    with _interrupts_counted() as interrupts:
        try:
            return command()
        except SystemExit as request:  # argparse, after --help and --version, and for wrong usage
            return int(request.code or 0)
        except BaseException as error:  # noqa: BLE001 (the last resort: nobody shall see a traceback)
            return _explain(program, error, interrupted=bool(interrupts))


@contextmanager
def _interrupts_counted() -> Iterator[list[int]]:
    """Ctrl-C raises KeyboardInterrupt, as ever, but is remembered.

    Extension modules that are being loaded turn the exception into an ImportError.
    """
    interrupts: list[int] = []

    def interrupt(number: int, _frame: object) -> NoReturn:
        interrupts.append(number)
        raise KeyboardInterrupt

    before = signal.getsignal(signal.SIGINT)
    if before is not signal.default_int_handler:  # ignored, or somebody else's: leave it so
        yield interrupts
        return
    signal.signal(signal.SIGINT, interrupt)
    try:
        yield interrupts
    finally:
        signal.signal(signal.SIGINT, before)


def _explain(program: str, error: BaseException, *, interrupted: bool) -> int:
    """Tell the user in one line what went wrong, and return the exit status."""
    if isinstance(error, BrokenPipeError):
        terminal.abandon_output()
        return terminal.BROKEN_PIPE_STATUS
    debug = os.environ.get("RTAP_LOG_LEVEL", "").upper() == "DEBUG"
    if debug:
        traceback.print_exception(error)
    if isinstance(error, RTAPException):
        terminal.report("error", error, program)
        return error.exit_status
    if interrupted or isinstance(error, KeyboardInterrupt):
        terminal.report("interrupted", "nothing was left half written", program)
        return terminal.INTERRUPTED_STATUS
    hint = "" if debug else " (run with RTAP_LOG_LEVEL=DEBUG for details)"
    terminal.report("internal error", f"{type(error).__name__}: {error}{hint}", program)
    return 1
