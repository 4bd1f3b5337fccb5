"""Which ports of this machine lead to the guest's."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from typing import Final

from rtap.errors import ConfigurationError
from tools.process.ports import HOST

GUEST_PORTS: Final = {
    22: ("SSH", "ssh"),
    5802: ("events over WebSocket", "ws"),
    6552: ("events over ZeroMQ", "tcp"),
    6553: ("transcripts over ZeroMQ", "tcp"),
    8000: ("REST", "http"),
    8080: ("health and metrics", "http"),
    10300: ("Wyoming", "tcp"),
}
"""What the device listens on, what that is, and the scheme of its address."""


def addresses(ports: Mapping[int, int]) -> list[str]:
    """A line about each.

    Args:
        ports: this machine's for the guest's.
    """
    lines = []
    for guest, host in ports.items():
        name, scheme = GUEST_PORTS.get(guest, (f"port {guest}", "tcp"))
        lines.append(f"{name}: {scheme}://{HOST}:{host}")
    return lines


def choose(guest_ports: Iterable[int], wanted: Mapping[int, int]) -> dict[int, int]:
    """A free port of this machine for each of the guest's: the wanted one, the same, or any.

    Raises:
        ConfigurationError: somebody listens on a wanted one.
    """
    chosen: dict[int, int] = {}
    with ExitStack() as held:
        # What is wanted comes first, lest another guest port takes it.
        for guest, host in wanted.items():
            chosen[guest] = _hold(held, host, guest)
        for guest in guest_ports:
            if guest not in chosen:
                chosen[guest] = _hold_any(held, guest)
    return dict(sorted(chosen.items()))


def _hold(held: ExitStack, host: int, guest: int) -> int:
    try:
        listener = held.enter_context(socket.create_server((HOST, host)))
    except OSError as error:
        reason = os.strerror(error.errno) if error.errno else str(error)
        raise ConfigurationError(
            f"port {host} of this machine cannot be had ({reason}): give another --port {guest}=PORT"
        ) from error
    return int(listener.getsockname()[1])


def _hold_any(held: ExitStack, guest: int) -> int:
    for port in (guest, 0):
        try:
            listener = held.enter_context(socket.create_server((HOST, port)))
        except OSError:
            continue
        return int(listener.getsockname()[1])
    raise ConfigurationError("this machine has no free port: end what holds them")
