"""The car behind the broker: which message answers which question."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, InvalidStateError
from functools import partial
from itertools import count
from threading import Lock
from typing import Final

from rtap import logs
from rtap.errors import (
    VehicleError,
    VehicleLostError,
    VehicleNonsenseError,
    VehicleRefusedError,
    VehicleUnreachableError,
)
from rtap.intents.intent import Value
from rtap.vehicle.adapters.checks import known, settable
from rtap.vehicle.adapters.mirror import Mirror
from rtap.vehicle.adapters.mqtt.connection import Broker
from rtap.vehicle.adapters.mqtt.link import Link
from rtap.vehicle.adapters.mqtt.messages import (
    NonsenseError,
    Topics,
    read_refused,
    read_state,
    write_wish,
)
from rtap.vehicle.protocol import Listener, Values
from rtap.vehicle.signals import Catalog

_MOST_OPEN: Final = 64
"""Questions or wishes without an answer; an actor has one."""
_log = logs.get("vehicle.mqtt")


class _Wish:
    """Values that the car is to set, and those that it said it has set."""

    def __init__(self, wanted: Mapping[str, Value]) -> None:
        self.wanted = wanted
        self.held: dict[str, Value | None] = {}
        self.answer: Future[Values] = Future()


class MqttVehicle:
    """A car over MQTT. Questions are answered from what it published last."""

    def __init__(self, signals: Catalog, broker: Broker, prefix: str) -> None:
        """Begin to connect; until the first attempt has ended, questions wait.

        Args:
            signals: what the car has.
            broker: where it is.
            prefix: what its topics begin with.
        """
        self._signals = signals
        self._mirror = Mirror(signals)
        self._topics = Topics(prefix)
        self._states = {self._topics.state(path): path for path in signals}
        actuators = [path for path, signal in signals.items() if signal.is_actuator]
        self._refusals = {self._topics.refused(path): path for path in actuators}
        self._lock = Lock()
        self._is_connected = False
        self._fault: str | None = None
        """Why there is no connection; None: there is one, or the first attempt goes on."""
        self._waiting: list[tuple[Collection[str], Future[Values]]] = []
        self._wishes: dict[str, _Wish] = {}
        self._nonsense: set[str] = set()
        """Topics whose last message was none; each is named once."""
        self._run, self._numbers = secrets.token_hex(4), count(1)
        self._link = Link(broker, [*self._states, *self._refusals], self._topics.echo, self)

    def get(self, paths: Collection[str]) -> Future[Values]:
        """Read signals as the car published them last; None: not at all."""
        answer: Future[Values] = Future()
        try:
            for path in paths:
                known(self._signals, path)
            with self._lock:
                if not self._is_connected:
                    self._expect(self._waiting)
                    self._waiting.append((paths, answer))
                    return answer
            answer.set_result(self._mirror.values(paths))
        except VehicleError as error:
            answer.set_exception(error)
        return answer

    def set(self, values: Mapping[str, Value]) -> Future[Values]:
        """Wish for values; each signal is a wish of its own to the car."""
        try:
            wish = _Wish(settable(self._signals, values))
            wish_id = self._enter(wish)
        except VehicleError as error:
            failed: Future[Values] = Future()
            failed.set_exception(error)
            return failed
        if not values:
            self._end(wish_id, {})
        for path, value in wish.wanted.items():
            try:
                self._link.publish(
                    self._topics.wish(path),
                    write_wish(wish_id, value),
                    partial(self._deny, wish_id, path),
                )
            except VehicleError as error:
                self._end(wish_id, error)
                break
        return wish.answer

    def subscribe(self, paths: Collection[str], listener: Listener) -> Callable[[], None]:
        """Hear of changes."""
        return self._mirror.subscribe(paths, listener)

    def close(self) -> None:
        """Leave the broker; what is not answered is not waited for."""
        self._link.close()
        self.lost("the connection to the car was closed")

    # What the link calls.

    def connected(self) -> None:
        """Answer what waited."""
        with self._lock:
            self._is_connected, self._fault = True, None
            waiting, self._waiting = self._waiting, []
        for paths, answer in waiting:
            _complete(answer, self._mirror.values(paths))

    def lost(self, reason: str) -> None:
        """Fail all that is open: nobody knows what becomes of it."""
        with self._lock:
            self._is_connected, self._fault = False, reason
            waiting, self._waiting = self._waiting, []
            wishes = list(self._wishes.values())
            self._wishes.clear()
        self._mirror.forget()
        for _, answer in waiting:
            _complete(answer, VehicleUnreachableError(reason))
        for wish in wishes:
            _complete(wish.answer, VehicleLostError(reason))

    def received(self, topic: str, payload: bytes) -> None:
        """Note what the car says; what is nonsense is named, and the value not known."""
        path = self._states.get(topic) or self._refusals[topic]
        try:
            if topic in self._states:
                self._receive_state(path, payload)
            else:
                self._receive_refusal(path, payload)
            self._nonsense.discard(topic)
        except NonsenseError as nonsense:
            if topic not in self._nonsense:
                self._nonsense.add(topic)
                _log.warning("vehicle_nonsense", topic=topic, reason=str(nonsense))
            if topic in self._states:
                self._mirror.update(path, None)
            if nonsense.wish is not None and self._asks(nonsense.wish, path):
                error = VehicleNonsenseError(f"the car gives no value of {path}: {nonsense}")
                self._end(nonsense.wish, error)

    def _receive_state(self, path: str, payload: bytes) -> None:
        state = read_state(payload, self._signals[path])
        self._mirror.update(path, state.value)
        if state.wish is not None:
            self._hold(state.wish, path, state.value)
            return
        with self._lock:
            fulfilled = [
                wish_id
                for wish_id, wish in self._wishes.items()
                if path in wish.wanted and wish.wanted[path] == state.value
            ]
        for wish_id in fulfilled:
            self._hold(wish_id, path, state.value)

    def _receive_refusal(self, path: str, payload: bytes) -> None:
        refused = read_refused(payload)
        if self._asks(refused.wish, path):
            self._end(refused.wish, VehicleRefusedError(refused.reason))

    def _expect(self, open_ones: Collection[object]) -> None:
        """Raise what stands against one more.

        Raises:
            VehicleUnreachableError: there is no connection, or too much is open.
        """
        if self._fault is not None:
            raise VehicleUnreachableError(self._fault)
        if len(open_ones) >= _MOST_OPEN:
            raise VehicleUnreachableError(
                f"the car owes {_MOST_OPEN} answers: wait until some have come"
            )

    def _enter(self, wish: _Wish) -> str:
        with self._lock:
            self._expect(self._wishes)
            wish_id = f"{self._run}-{next(self._numbers)}"
            self._wishes[wish_id] = wish
        wish.answer.add_done_callback(lambda _: self._leave(wish_id))
        return wish_id

    def _leave(self, wish_id: str) -> None:
        with self._lock:
            self._wishes.pop(wish_id, None)

    def _asks(self, wish_id: str, path: str) -> bool:
        """Whether a wish is open and is about a signal."""
        with self._lock:
            wish = self._wishes.get(wish_id)
            return wish is not None and path in wish.wanted

    def _hold(self, wish_id: str, path: str, value: Value | None) -> None:
        with self._lock:
            wish = self._wishes.get(wish_id)
            if wish is None or path not in wish.wanted:
                return
            wish.held[path] = value
            if len(wish.held) < len(wish.wanted):
                return
        self._end(wish_id, wish.held)

    def _deny(self, wish_id: str, path: str, reason: str) -> None:
        topic = self._topics.wish(path)
        self._end(wish_id, VehicleUnreachableError(f"no car takes wishes from {topic}: {reason}"))

    def _end(self, wish_id: str, outcome: Values | VehicleError) -> None:
        with self._lock:
            wish = self._wishes.pop(wish_id, None)
        if wish is not None:
            _complete(wish.answer, outcome)


def _complete(answer: Future[Values], outcome: Values | VehicleError) -> None:
    """Answer, unless who asked waits no longer."""
    try:
        if isinstance(outcome, VehicleError):
            answer.set_exception(outcome)
        else:
            answer.set_result(outcome)
    except InvalidStateError:
        pass
