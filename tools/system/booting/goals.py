"""How far a boot shall get, and how long that takes."""

from __future__ import annotations

import enum
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Final

from tools.process.ports import HOST
from tools.system.booting.boot_error import BootError
from tools.system.booting.console import ConsoleError
from tools.system.booting.machine import VirtualMachine
from tools.system.booting.picture import is_drawn

_HEALTH_PORT: Final = 8080
_PAUSE_SECONDS: Final = 0.5
_REPLY_SECONDS: Final = 10


class Goal(enum.StrEnum):
    """What is waited for."""

    LOGIN = "login"
    """Somebody may log in on the serial console."""
    HEALTHY = "healthy"
    """The service says so."""
    SCREEN = "screen"
    """The screen shows more than a console."""


def wait_for(goal: Goal, machine: VirtualMachine, seconds: float) -> float:
    """Wait until it is reached.

    Returns:
        Seconds from power-on.

    Raises:
        BootError: it is not, or cannot be any more.
    """
    if goal is Goal.LOGIN:
        return machine.console.wait_for_login(seconds)
    obstacle = _no_health if goal is Goal.HEALTHY else _no_screen
    return _poll(machine, seconds, goal, obstacle)


def _poll(
    machine: VirtualMachine, seconds: float, goal: Goal, obstacle: Callable[[VirtualMachine], str]
) -> float:
    while why := obstacle(machine):
        lines = machine.console.last_lines()
        if trouble := machine.diagnosis():
            raise ConsoleError(f"waiting for {goal}: {trouble}", lines)
        if machine.seconds() > seconds:
            raise ConsoleError(f"waiting for {goal}: not within {seconds:.0f} s ({why})", lines)
        time.sleep(_PAUSE_SECONDS)
    return machine.seconds()


def _no_health(machine: VirtualMachine) -> str:
    """Why the service is not healthy; empty: it is."""
    if _HEALTH_PORT not in machine.ports:
        raise BootError("health is asked for over the network: leave --no-network out")
    url = f"http://{HOST}:{machine.ports[_HEALTH_PORT]}/health"
    try:
        with urllib.request.urlopen(url, timeout=_REPLY_SECONDS):
            return ""
    except urllib.error.HTTPError as error:
        with error:
            return _reason(error.read()) or f"HTTP status {error.code}"
    except (OSError, http.client.HTTPException) as error:
        return str(getattr(error, "reason", error))


def _reason(reply: bytes) -> str:
    try:
        return str(json.loads(reply).get("reason") or "")
    except (ValueError, AttributeError):
        return ""


def _no_screen(machine: VirtualMachine) -> str:
    """Why the screen shows nothing yet; empty: it does."""
    if not machine.is_running():
        return "the machine is off"
    return "" if is_drawn(machine.screen()) else "the screen is dark, or a console"
