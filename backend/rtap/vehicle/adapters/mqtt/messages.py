"""What is said to a car over MQTT, and by it: topics and JSON.

With the prefix ``vehicle``, the signal ``Vehicle.Speed`` has three topics:

========================== ======== ========================================================================
``vehicle/Vehicle/Speed``  the car  its value, retained: ``{"value": 50}``
``.../set``                we       a wish: ``{"id": "5f3a9c01-7", "value": 30}``
``.../refused``            the car  why a wish is not fulfilled: ``{"id": "5f3a9c01-7", "reason": "..."}``
========================== ======== ========================================================================

A car that fulfils a wish publishes the value that holds then, with the ``id`` of the wish, also if it is the
same as before. A value without an ``id`` answers a wish only if it is the wished one. Other keys are ignored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, Final

from rtap.intents.intent import Value
from rtap.vehicle.signals import Signal

LARGEST: Final = 8_192
"""Bytes of a payload: a text of the longest that a signal holds, with each character as ``\\uXXXX``."""
_LONGEST_ID: Final = 100
_LONGEST_REASON: Final = 200
_SET: Final = "/set"
_REFUSED: Final = "/refused"


@dataclass(frozen=True, slots=True)
class State:
    """What a signal holds."""

    value: Value | None
    wish: str | None
    """The id of the wish that this answers."""


@dataclass(frozen=True, slots=True)
class Refused:
    """A wish is not fulfilled."""

    wish: str
    reason: str
    """One line."""


class NonsenseError(ValueError):
    """A payload says nothing; the message says why."""

    def __init__(self, text: str, wish: str | None = None) -> None:
        super().__init__(text)
        self.wish = wish
        """The id of the wish that it would have answered."""


class Topics:
    """The topics of signals."""

    def __init__(self, prefix: str) -> None:
        """Make them.

        Args:
            prefix: what they begin with, without a slash at its end.
        """
        self._prefix = prefix

    def state(self, path: str) -> str:
        """Where a car publishes a signal's value."""
        return f"{self._prefix}/{path.replace('.', '/')}"

    def wish(self, path: str) -> str:
        """Where wishes are published."""
        return self.state(path) + _SET

    def refused(self, path: str) -> str:
        """Where a car refuses."""
        return self.state(path) + _REFUSED

    def echo(self, client: str) -> str:
        """Where a client hears itself, and then knows that it has heard what was said before."""
        return f"{self._prefix}/rtap/{client}"


def write_wish(wish: str, value: Value) -> bytes:
    """The payload of a wish."""
    return json.dumps({"id": wish, "value": value}).encode()


def read_state(payload: bytes, signal: Signal) -> State:
    """The value that a car publishes; nothing at all, or null, is no value.

    Raises:
        NonsenseError: it is no value of the signal.
    """
    if not payload:
        return State(None, None)
    said = _object(payload)
    wish = _id(said)
    if "value" not in said:
        raise NonsenseError('it has no "value"', wish)
    value = said["value"]
    try:
        return State(None if value is None else signal.read(value), wish)
    except ValueError as error:
        raise NonsenseError(str(error), wish) from error


def read_refused(payload: bytes) -> Refused:
    """Why a car does not do something.

    Raises:
        NonsenseError: it is no refusal.
    """
    said = _object(payload)
    wish = _id(said)
    if wish is None:
        raise NonsenseError('it has no "id"')
    reason = said.get("reason")
    text = " ".join(reason.split())[:_LONGEST_REASON] if isinstance(reason, str) else ""
    return Refused(wish, text or "the car gives no reason")


def _object(payload: bytes) -> dict[str, Any]:
    if len(payload) > LARGEST:
        raise NonsenseError(f"it has {len(payload)} bytes, where {LARGEST} may be")
    try:
        said = json.loads(payload)
    except (ValueError, RecursionError) as error:
        raise NonsenseError("it is not JSON") from error
    if not isinstance(said, dict):
        raise NonsenseError('it is not an object such as {"value": 21}')
    return said


def _id(said: dict[str, Any]) -> str | None:
    wish = said.get("id")
    return wish if isinstance(wish, str) and 0 < len(wish) <= _LONGEST_ID else None
