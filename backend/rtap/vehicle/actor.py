"""Carries intents out on a car: one after the other, each once, and back again."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Collection, Mapping
from concurrent.futures import CancelledError, Future
from dataclasses import replace
from threading import Lock
from typing import Final

from rtap.errors import (
    NoVehicleError,
    UnknownSignalError,
    VehicleError,
    VehicleLostError,
    VehicleNonsenseError,
    VehicleRefusedError,
    VehicleUnreachableError,
)
from rtap.intents.intent import Intent, Value
from rtap.vehicle.history import History
from rtap.vehicle.instruments import Instruments
from rtap.vehicle.plan import SPEED, Plan, check_safety, is_guarded, plan, resolve
from rtap.vehicle.protocol import Values, Vehicle
from rtap.vehicle.result import ActionResult, Cause, Held, Outcome, Reason, Refusal
from rtap.vehicle.table import Table

TIMEOUT_SECONDS: Final = 2.0
"""For the whole of an action: whoever spoke waits for the answer."""
_REMEMBERED: Final = 256
"""Utterances whose outcome is kept: hours of commands, where a repetition comes within seconds."""
_UNDO: Final = "Undo"
_CAUSES: Final = {
    NoVehicleError: Cause.NO_VEHICLE,
    UnknownSignalError: Cause.UNKNOWN_SIGNAL,
    VehicleRefusedError: Cause.BY_VEHICLE,
    VehicleUnreachableError: Cause.NOT_CONNECTED,
    VehicleLostError: Cause.NOT_CONNECTED,
    VehicleNonsenseError: Cause.NONSENSE,
}


class Actor:
    """Does what intents say. It may be called from any thread, and does one thing at a time.

    An utterance that has an id is acted on once: whoever brings it again gets the first outcome. The
    decisions are :mod:`rtap.vehicle.plan`'s; here is the waiting for the car.
    """

    def __init__(
        self,
        vehicle: Vehicle,
        table: Table,
        *,
        speed_limit: float,
        clock: Callable[[], float] = time.monotonic,
        history: History | None = None,
    ) -> None:
        """Make an actor.

        Args:
            vehicle: the car.
            table: what intents do in it.
            speed_limit: km/h above which the car counts as moving.
            clock: seconds; it never goes back.
            history: what was done before, to be undone.
        """
        self.instruments = Instruments(vehicle, table.signals, clock)
        """What the car shows, whatever is being done in it."""
        self._vehicle = vehicle
        self._table = table
        self._speed_limit = speed_limit
        self._clock = clock
        self._history = history or History()
        self._lock = Lock()
        self._outcomes: OrderedDict[str, ActionResult] = OrderedDict()

    def execute(self, intent: Intent, utterance_id: str | None = None) -> ActionResult:
        """Do what an intent says, or say why not. Returns after TIMEOUT_SECONDS at the latest.

        Args:
            intent: what was understood.
            utterance_id: where it was understood; None: it is done whenever it comes.
        """
        with self._lock:
            if utterance_id is not None and utterance_id in self._outcomes:
                return self._outcomes[utterance_id]
            result = self._attempt(intent)
            if utterance_id is not None:
                self._outcomes[utterance_id] = result
                if len(self._outcomes) > _REMEMBERED:
                    self._outcomes.popitem(last=False)
            return result

    def _attempt(self, intent: Intent) -> ActionResult:
        deadline = self._clock() + TIMEOUT_SECONDS
        try:
            act = self._undo if intent.name == _UNDO else self._act
            return ActionResult(intent.name, Outcome.DONE, act(intent, deadline))
        except Refusal as refusal:
            return ActionResult(intent.name, Outcome.REFUSED, reason=refusal.reason)
        except (TimeoutError, CancelledError):
            text = f"the car did not answer within {TIMEOUT_SECONDS:g} s"
            return ActionResult(intent.name, Outcome.TIMED_OUT, reason=Reason(None, text))
        except VehicleError as error:
            cause = _CAUSES.get(type(error), Cause.BY_VEHICLE)
            return ActionResult(intent.name, Outcome.REFUSED, reason=Reason(cause, str(error)))

    def _act(self, intent: Intent, deadline: float) -> tuple[Held, ...]:
        wanted = plan(intent, self._table)
        now = self._read(wanted.paths, deadline)
        changes = resolve(wanted, now)
        if wanted.is_question:
            return self._held(now, wanted.paths)
        self._check(changes, now)
        self._remember(wanted, now)
        try:
            return self._set(changes, deadline, now if wanted.can_be_undone else {})
        except VehicleLostError:
            raise  # it may have been done
        except VehicleError:
            self._history.drop()
            raise

    def _undo(self, _intent: Intent, deadline: float) -> tuple[Held, ...]:
        before = self._history.last
        if before is None:
            raise Refusal(Cause.NOTHING_TO_UNDO, "nothing was done that could be taken back")
        if not before:
            self._history.drop()
            raise Refusal(Cause.CANNOT_UNDO, "what was done last cannot be taken back")
        changes = {path: value for path, value in before.items() if path in self._table.signals}
        now = self._read(changes, deadline)
        self._check(changes, now)
        held = self._set(changes, deadline, now)
        self._history.drop()
        return held

    def _check(self, changes: Mapping[str, Value], now: Values) -> None:
        check_safety(changes, self._table.safety, now.get(SPEED), self._speed_limit)

    def _remember(self, wanted: Plan, now: Values) -> None:
        """Note what is about to be replaced, and keep it if the car is too late: it may still do it."""
        if not wanted.can_be_undone:
            self._history.add({})
            return
        self._history.add(
            {path: value for path in wanted.paths if (value := now.get(path)) is not None}
        )

    def _read(self, paths: Collection[str], deadline: float) -> Values:
        """The present values; the speed among them where it matters.

        Raises:
            Refusal: one of them is not of its signal's type.
        """
        wanted = set(paths)
        if any(is_guarded(path, self._table.safety) for path in paths):
            wanted.add(SPEED)
        return self._checked(self._await(self._vehicle.get(wanted), deadline))

    def _set(
        self, changes: Mapping[str, Value], deadline: float, previous: Values
    ) -> tuple[Held, ...]:
        answer = self._checked(self._await(self._vehicle.set(changes), deadline))
        held = self._held(answer, changes)
        return tuple(replace(one, previous=previous.get(one.path)) for one in held)

    def _held(self, values: Values, paths: Collection[str]) -> tuple[Held, ...]:
        held = []
        for path in paths:
            value = values.get(path)
            if value is None:
                raise Refusal(Cause.NO_VALUE, f"the car does not know {path}")
            held.append(Held(path, value, self._table.signals[path].unit))
        return tuple(held)

    def _checked(self, values: Values) -> Values:
        checked: dict[str, Value | None] = {}
        for path, value in values.items():
            signal = self._table.signals.get(path)
            if signal is None:
                continue
            try:
                checked[path] = None if value is None else signal.read(value)
            except ValueError as error:
                raise Refusal(
                    Cause.NONSENSE, f"the car gives no value of {path}: {error}"
                ) from error
        return checked

    def _await(self, answer: Future[Values], deadline: float) -> Values:
        try:
            return answer.result(max(deadline - self._clock(), 0))
        except TimeoutError:
            answer.cancel()
            raise
