"""The car behind the databroker: what it is asked, and when that has been done."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from threading import BoundedSemaphore, Lock
from time import monotonic
from typing import Any, Final

from rtap.errors import (
    VehicleError,
    VehicleLostError,
    VehicleNonsenseError,
    VehicleUnreachableError,
)
from rtap.intents.intent import Value
from rtap.vehicle.actor import TIMEOUT_SECONDS
from rtap.vehicle.adapters.checks import known, settable
from rtap.vehicle.adapters.kuksa.databroker import Access, Changes, Databroker
from rtap.vehicle.adapters.kuksa.values import Reader, read_datapoint, write_value
from rtap.vehicle.adapters.kuksa.watch import Watch
from rtap.vehicle.protocol import Listener, Values
from rtap.vehicle.signals import Catalog

_PATIENCE_SECONDS: Final = 1.5
"""For the wished values; then those that the car has changed to instead are the answer. It is less than who
spoke waits, as reading comes first."""
_THREADS: Final = 4
_MOST_OPEN: Final = 64
"""Questions or wishes without an answer; an actor has one."""


class KuksaVehicle:
    """A car over a databroker, which connects by itself."""

    def __init__(self, signals: Catalog, access: Access) -> None:
        """Make it; the connection is made when something is asked first.

        Args:
            signals: what the car has.
            access: where it is.
        """
        self._signals = signals
        self._access = access
        self._broker = Databroker(access)
        self._reader = Reader(signals)
        self._pool = ThreadPoolExecutor(_THREADS, thread_name_prefix="kuksa")
        self._places = BoundedSemaphore(_MOST_OPEN)
        self._lock = Lock()
        self._watches: set[Watch] = set()
        self._is_closed = False

    def get(self, paths: Collection[str]) -> Future[Values]:
        """Read signals."""
        wanted = list(paths)
        return self._begin(lambda: self._get(wanted))

    def set(self, values: Mapping[str, Value]) -> Future[Values]:
        """Have the car set actuators, and wait until their values hold."""
        wanted = dict(values)
        return self._begin(lambda: self._set(wanted))

    def subscribe(self, paths: Collection[str], listener: Listener) -> Callable[[], None]:
        """Hear of changes."""
        for path in paths:
            known(self._signals, path)
        watch = Watch(self._broker, self._reader, paths, listener)
        with self._lock:
            self._watches.add(watch)

        def end() -> None:
            watch.end()
            with self._lock:
                self._watches.discard(watch)

        return end

    def close(self) -> None:
        """Leave the databroker; what is not answered is not waited for."""
        with self._lock:
            self._is_closed = True
            watches = list(self._watches)
        for watch in watches:
            watch.end()
        self._broker.close()
        self._pool.shutdown()

    def _begin(self, work: Callable[[], Values]) -> Future[Values]:
        failed: Future[Values] = Future()
        with self._lock:
            if self._is_closed:
                failed.set_exception(
                    VehicleUnreachableError(f"the connection to {self._access} was closed")
                )
                return failed
            if not self._places.acquire(blocking=False):
                reason = f"the car owes {_MOST_OPEN} answers: wait until some have come"
                failed.set_exception(VehicleUnreachableError(reason))
                return failed
            answer = self._pool.submit(work)
        answer.add_done_callback(lambda _: self._places.release())
        return answer

    def _get(self, paths: Collection[str]) -> Values:
        for path in paths:
            known(self._signals, path)
        datapoints = self._broker.values(paths, TIMEOUT_SECONDS)
        return {path: self._reader.read(path, datapoint) for path, datapoint in datapoints.items()}

    def _set(self, values: Mapping[str, Value]) -> Values:
        wanted = settable(self._signals, values)
        deadline = monotonic() + _PATIENCE_SECONDS
        changes = self._broker.changes(wanted, _PATIENCE_SECONDS)
        try:
            before = self._values(next(changes, {}))
            self._actuate(wanted, changes, deadline)
            # What only starts something need not hold afterwards.
            held = {path: value for path, value in wanted.items() if self._signals[path].momentary}
            return held | self._awaited(wanted, held, before, changes)
        finally:
            changes.cancel()

    def _actuate(self, wanted: Mapping[str, Value], changes: Changes, deadline: float) -> None:
        request = {path: write_value(self._signals[path], value) for path, value in wanted.items()}
        try:
            self._broker.actuate(request, max(deadline - monotonic(), 0))
        except VehicleUnreachableError as error:
            # The same status says that nobody provides the signal; then questions are still answered.
            try:
                self._broker.values(wanted, max(deadline - monotonic(), 0))
            except (VehicleError, TimeoutError):
                raise _lost(error) from error
            if not changes.is_open:
                raise _lost(error) from error
            raise VehicleUnreachableError(
                f"no car takes wishes for {', '.join(wanted)} from {self._access}: start its provider"
            ) from error

    def _awaited(
        self,
        wanted: Mapping[str, Value],
        done: Mapping[str, Value],
        before: Values,
        changes: Changes,
    ) -> dict[str, Value | None]:
        """The values that hold when the wished ones do, or when patience ends.

        Raises:
            TimeoutError: not all signals have changed.
            VehicleLostError: the connection went away.
            VehicleNonsenseError: one has changed to what cannot be.
        """
        now = {path: before.get(path) for path in wanted if path not in done}
        changed: set[str] = set()
        try:
            while any(value != wanted[path] for path, value in now.items()):
                news = self._values(next(changes))
                now |= {path: value for path, value in news.items() if path in now}
                changed |= news.keys()
        except TimeoutError:
            if not now.keys() <= changed:
                raise
        except VehicleNonsenseError:
            raise
        except VehicleError as error:
            raise _lost(error) from error
        except StopIteration as error:
            raise _lost(f"{self._access} ends the subscription") from error
        return now

    def _values(self, datapoints: Mapping[str, Any]) -> Values:
        try:
            return {
                path: read_datapoint(self._signals[path], datapoint)
                for path, datapoint in datapoints.items()
                if path in self._signals
            }
        except ValueError as error:
            raise VehicleNonsenseError(f"the car gives no value: {error}") from error


def _lost(reason: object) -> VehicleLostError:
    return VehicleLostError(f"the way to the car was lost: {reason}")
