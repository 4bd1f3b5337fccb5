"""Changes for one listener, through all failures of the connection."""

from __future__ import annotations

import threading
from collections.abc import Collection, Mapping
from typing import Any, Final

from rtap import logs
from rtap.errors import UnknownSignalError, VehicleError
from rtap.intents.intent import Value
from rtap.vehicle.adapters.kuksa.databroker import Changes, Databroker
from rtap.vehicle.adapters.kuksa.values import Reader
from rtap.vehicle.protocol import Listener

_SHORTEST_WAIT: Final = 0.25
_LONGEST_WAIT: Final = 5.0
"""Seconds between two attempts; they double."""
_ASK_SECONDS: Final = 2.0
_log = logs.get("vehicle.kuksa")


class Watch:
    """Calls a listener from a thread of its own until it is ended."""

    def __init__(
        self, broker: Databroker, reader: Reader, paths: Collection[str], listener: Listener
    ) -> None:
        """Begin.

        Args:
            broker: has the signals.
            reader: reads their values.
            paths: those that matter; the log names those that the databroker lacks.
            listener: hears of changes.
        """
        self._broker = broker
        self._reader = reader
        self._paths = list(paths)
        self._listener = listener
        self._last: dict[str, Value | None] = {}
        self._has_heard = False
        self._over = threading.Event()
        self._changes: Changes | None = None
        self._thread = threading.Thread(target=self._run, name="kuksa-watch", daemon=True)
        self._thread.start()

    def end(self) -> None:
        """Hear of no more."""
        self._over.set()
        changes = self._changes
        if changes is not None:
            changes.cancel()

    def _run(self) -> None:
        wait, told = _SHORTEST_WAIT, ""
        while self._paths and not self._over.is_set():
            self._has_heard = False
            reason = self._follow()
            if self._over.is_set():
                return
            if self._has_heard:
                wait, told = _SHORTEST_WAIT, ""
            if reason != told:
                _log.warning("vehicle_not_watched", reason=reason)
                told = reason
            self._over.wait(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _follow(self) -> str:
        """Hear of changes until that ends; returns why."""
        try:
            self._changes = self._broker.changes(self._paths)
            if self._over.is_set():
                self._changes.cancel()
            for datapoints in self._changes:
                self._has_heard = True
                self._tell(datapoints)
        except UnknownSignalError:
            return self._leave_out_missing()
        except (VehicleError, TimeoutError) as error:
            return str(error)
        return "the databroker has ended the subscription"

    def _tell(self, datapoints: Mapping[str, Any]) -> None:
        for path, datapoint in datapoints.items():
            if path not in self._paths:
                continue
            value = self._reader.read(path, datapoint)
            is_news = path in self._last and value != self._last[path]
            self._last[path] = value
            if is_news and value is not None and not self._over.is_set():
                self._listener(path, value)

    def _leave_out_missing(self) -> str:
        """One that is missing fails all; returns which are."""
        missing = []
        for path in self._paths:
            try:
                self._broker.values([path], _ASK_SECONDS)
            except UnknownSignalError:
                missing.append(path)
            except (VehicleError, TimeoutError) as error:
                return str(error)
        self._paths = [path for path in self._paths if path not in missing]
        return f"the car has no {', '.join(missing)}"
