"""The connection to an MQTT broker, made anew whenever it ends."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final

from rtap import logs
from rtap.errors import VehicleUnreachableError
from rtap.vehicle.adapters.mqtt.connection import Broker, Connection, Owner

_SHORTEST_WAIT: Final = 0.25
_LONGEST_WAIT: Final = 5.0
"""Seconds between two attempts. They double; a car's broker may start after us, and a driver is waiting."""
_CLOSE_SECONDS: Final = 5.0
_log = logs.get("vehicle.mqtt")


class Link:
    """Keeps one connection. Any thread may publish."""

    def __init__(
        self, broker: Broker, topics: Sequence[str], echo: Callable[[str], str], owner: Owner
    ) -> None:
        """Begin to connect.

        Args:
            broker: where to.
            topics: what the owner wants to hear.
            echo: the topic on which a client of a name hears itself.
            owner: is told of it.
        """
        self._broker = broker
        self._topics = tuple(topics)
        self._echo = echo
        self._owner = owner
        self._closing = threading.Event()
        self._connection: Connection | None = None
        self._thread = threading.Thread(target=self._run, name="mqtt-link", daemon=True)
        self._thread.start()

    def publish(self, topic: str, payload: bytes, denied: Callable[[str], None]) -> None:
        """Say something, if there is a connection; it is said now or never.

        Args:
            topic: where.
            payload: what.
            denied: gets the broker's reason if it delivers it to nobody.

        Raises:
            VehicleUnreachableError: the connection is gone.
        """
        connection = self._connection
        if connection is None or not connection.was_up:
            raise VehicleUnreachableError(f"{self._broker} is not connected: try again")
        connection.say(topic, payload, denied)

    def close(self) -> None:
        """End it."""
        self._closing.set()
        connection = self._connection
        if connection is not None:
            connection.disconnect()
        self._thread.join(_CLOSE_SECONDS)

    def _run(self) -> None:
        wait = _SHORTEST_WAIT
        told = ""
        while not self._closing.is_set():
            connection = Connection(self._broker, self._topics, self._echo, self._owner)
            self._connection = connection
            reason = connection.serve(self._closing)
            self._connection = None
            if self._closing.is_set():
                return
            if connection.was_up:
                wait = _SHORTEST_WAIT
            if reason != told or connection.was_up:
                _log.warning("vehicle_not_connected", reason=reason)
                told = reason
            self._owner.lost(reason)
            self._closing.wait(wait)
            wait = min(2 * wait, _LONGEST_WAIT)
