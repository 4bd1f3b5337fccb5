"""A machine's serial console on the user's terminal."""

from __future__ import annotations

import contextlib
import os
import select
import sys
import termios
import time
from collections.abc import Iterator
from typing import Final

from tools.system.booting.boot_error import BootError
from tools.system.booting.machine import VirtualMachine

_PAUSE_SECONDS: Final = 0.5
_INPUT: Final = 0
_OUTPUT: Final = 1
_LOCAL: Final = 3
_CHARACTERS: Final = 6
"""Places in what termios returns."""
_INTERRUPT: Final = (b"\x1d", b"\x03")
"""Ctrl-] types Ctrl-C, as Ctrl-C itself switches off."""
HINT: Final = (
    "Ctrl-C switches it off like a power cut, Ctrl-] types Ctrl-C, `poweroff` shuts it down"
)


def attend(machine: VirtualMachine, seconds: float | None) -> bool:
    """Show the console, and type what the user types, until the machine is off.

    Args:
        seconds: from power-on, after which to return; None: never.

    Returns:
        Whether it is off.

    Raises:
        BootError: the machine can do no more.
        BrokenPipeError: nobody reads standard output.
    """
    screen = _Screen()
    machine.console.mirror(screen.show)
    keyboard = _keyboard()
    with _raw(keyboard):
        while machine.is_running():
            if seconds is not None and machine.seconds() >= seconds:
                return False
            if screen.is_broken:
                raise BrokenPipeError
            if trouble := machine.diagnosis():
                if machine.is_running():
                    raise BootError(trouble)
                break
            if not _type(machine, keyboard):
                keyboard = None
    return True


class _Screen:
    """Standard output, for the thread that reads the console and must not fail."""

    def __init__(self) -> None:
        self.is_broken = False

    def show(self, data: bytes) -> None:
        try:
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        except (OSError, ValueError, AttributeError):
            self.is_broken = True


def _keyboard() -> int | None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        return sys.stdin.fileno()
    return None


def _type(machine: VirtualMachine, keyboard: int | None) -> bool:
    """Pass on what is typed within a moment; False: nothing will be any more."""
    if keyboard is None:
        time.sleep(_PAUSE_SECONDS)
        return True
    if not select.select([keyboard], [], [], _PAUSE_SECONDS)[0]:
        return True
    data = os.read(keyboard, 4096)
    with contextlib.suppress(BootError):  # it has just ended
        machine.console.send(data.replace(*_INTERRUPT))
    return bool(data)


@contextlib.contextmanager
def _raw(keyboard: int | None) -> Iterator[None]:
    """Give every key to the guest but Ctrl-C; the guest echoes and ends lines."""
    if keyboard is None or not os.isatty(keyboard):
        yield
        return
    before = termios.tcgetattr(keyboard)
    changed = termios.tcgetattr(keyboard)
    changed[_INPUT] &= ~(termios.ICRNL | termios.IXON)
    changed[_OUTPUT] &= ~termios.OPOST
    changed[_LOCAL] &= ~(termios.ECHO | termios.ICANON | termios.IEXTEN)
    for key in (termios.VQUIT, termios.VSUSP):
        changed[_CHARACTERS][key] = b"\0"
    termios.tcsetattr(keyboard, termios.TCSADRAIN, changed)
    try:
        yield
    finally:
        termios.tcsetattr(keyboard, termios.TCSADRAIN, before)
