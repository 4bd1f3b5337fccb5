"""A car in memory, which a file keeps: for trying things out, and for tests."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from threading import Lock
from typing import Final

from rtap import atomic_file, logs
from rtap.errors import StorageError, VehicleError
from rtap.intents.intent import Value
from rtap.vehicle.adapters.checks import accepted, known, settable
from rtap.vehicle.adapters.listeners import Listeners, tell
from rtap.vehicle.protocol import Listener, Values
from rtap.vehicle.signals import Catalog

_LARGEST_FILE: Final = 1_000_000
"""Bytes; a car with a thousand signals has 80,000."""
_log = logs.get("vehicle.simulated")


class SimulatedVehicle:
    """A car that does at once what it is told, within the limits of its signals. Any thread may call it.

    Its file is written after the answer, by a thread of its own: a card takes longer than the car. What is
    wrong with the file, when it is read, is in :attr:`faults`; such signals start from their defaults.
    """

    def __init__(self, signals: Catalog, file: Path | None = None) -> None:
        """Make a car.

        Args:
            signals: what it has.
            file: keeps its values; None: nothing does.
        """
        self.faults: tuple[str, ...] = ()
        self._signals = signals
        self._file = file
        self._values = {path: signal.start for path, signal in signals.items()}
        self._followers: dict[str, list[str]] = {}
        for path, signal in signals.items():
            if signal.follows:
                self._followers.setdefault(signal.follows, []).append(path)
        self._listeners = Listeners()
        self._lock = Lock()
        self._saved = True
        self._could_save = True
        self._writer = ThreadPoolExecutor(1, thread_name_prefix="simulated-vehicle")
        self._load()

    def get(self, paths: Collection[str]) -> Future[Values]:
        """Read signals."""
        return _answered(lambda: self._get(paths))

    def set(self, values: Mapping[str, Value]) -> Future[Values]:
        """Set actuators: all, or none where one of them is refused."""
        return _answered(lambda: self._set(values))

    def drive(self, values: Mapping[str, Value]) -> None:
        """Have the sensors say something, as the world does to a real car.

        Raises:
            VehicleError: there is no such signal, or it cannot have the value.
        """
        self._change({path: accepted(self._signals, path, value) for path, value in values.items()})

    def subscribe(self, paths: Collection[str], listener: Listener) -> Callable[[], None]:
        """Hear of changes."""
        for path in paths:
            known(self._signals, path)
        return self._listeners.add(paths, listener)

    def close(self) -> None:
        """Write what is not written yet."""
        self._writer.shutdown()

    def _get(self, paths: Collection[str]) -> Values:
        for path in paths:
            known(self._signals, path)
        with self._lock:
            return {path: self._values[path] for path in paths}

    def _set(self, values: Mapping[str, Value]) -> Values:
        self._change(settable(self._signals, values))
        return self._get(values)

    def _change(self, values: Mapping[str, Value]) -> None:
        news = dict(values)
        for path, value in values.items():
            news |= dict.fromkeys(self._followers.get(path, ()), value)
        with self._lock:
            changed = {path: value for path, value in news.items() if value != self._values[path]}
            self._values |= changed
            listeners = self._listeners.present()
            if changed and self._file and self._saved:
                self._saved = False
                self._writer.submit(self._save)
        for path, value in changed.items():
            tell(listeners, path, value)

    def _save(self) -> None:
        assert self._file is not None
        with self._lock:
            values = {
                path: value
                for path, value in self._values.items()
                if value != self._signals[path].start
            }
            self._saved = True
        try:
            atomic_file.write_text(self._file, json.dumps(values, indent=1, sort_keys=True) + "\n")
        except StorageError as error:
            if self._could_save:  # once, lest every command adds a line
                _log.warning("vehicle_not_saved", reason=str(error))
            self._could_save = False
        else:
            self._could_save = True

    def _load(self) -> None:
        if self._file is None or not self._file.exists():
            return
        faults: list[str] = []
        for path, value in self._read(self._file, faults).items():
            try:
                self._values[path] = accepted(self._signals, path, value)
            except VehicleError as error:
                faults.append(f"{self._file}: {path} starts from its default: {error}")
        self.faults = tuple(faults)
        for fault in faults:
            _log.warning("vehicle_file_damaged", reason=fault)

    def _read(self, file: Path, faults: list[str]) -> Mapping[str, Value]:
        try:
            with file.open("rb") as stream:
                content = stream.read(_LARGEST_FILE + 1)
            plain = json.loads(content) if len(content) <= _LARGEST_FILE else None
        except (OSError, ValueError, RecursionError) as error:
            reason = " ".join(str(error).split())
            faults.append(
                f"{file} cannot be read ({reason}): the simulated car starts from its defaults"
            )
            return {}
        if not isinstance(plain, dict):
            faults.append(
                f"{file} is no state of a car: the simulated car starts from its defaults"
            )
            return {}
        return plain


def _answered(work: Callable[[], Values]) -> Future[Values]:
    answer: Future[Values] = Future()
    try:
        answer.set_result(work())
    except VehicleError as error:
        answer.set_exception(error)
    return answer
