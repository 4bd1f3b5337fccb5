"""What came of an intent, for the answer to the speaker."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rtap.intents.intent import Value


class Outcome(StrEnum):
    """How it ended."""

    DONE = "done"
    REFUSED = "refused"
    TIMED_OUT = "timed_out"
    """The car did not answer in time; it may still do it."""


class Cause(StrEnum):
    """Why something was refused; answers have a sentence for each."""

    NO_VEHICLE = "no_vehicle"
    """No car is configured."""
    NOT_CONNECTED = "not_connected"
    """There is a car, and no way to it now."""
    NOT_IN_TABLE = "not_in_table"
    """The table has nothing for the intent, or for what was said."""
    ELSEWHERE = "elsewhere"
    """It acts on no signal of the car; the text says who answers it."""
    NO_SUCH_PLACE = "no_such_place"
    """The car has it, but not there."""
    OUT_OF_RANGE = "out_of_range"
    AT_LIMIT = "at_limit"
    """It is at the end of its range already."""
    MOVING = "moving"
    """It would endanger while the car moves."""
    SPEED_UNKNOWN = "speed_unknown"
    """It would endanger if the car moved, and nobody knows whether it does."""
    UNKNOWN_SIGNAL = "unknown_signal"
    """The table names a signal that this car does not have."""
    NO_VALUE = "no_value"
    """The car has the signal, and no value for it."""
    BY_VEHICLE = "by_vehicle"
    """The car gave the reason itself."""
    NONSENSE = "nonsense"
    """The car answered what cannot be."""
    NOTHING_TO_UNDO = "nothing_to_undo"
    CANNOT_UNDO = "cannot_undo"
    """What was done last has no state to go back to."""


@dataclass(frozen=True, slots=True)
class Limits:
    """The ends of a signal's range, both included."""

    lowest: float
    highest: float
    unit: str | None


@dataclass(frozen=True, slots=True)
class Reason:
    """Why something was refused, or not known to be done."""

    cause: Cause | None
    """None: it timed out."""
    text: str
    """One sentence in English; it holds nothing that was said."""
    limits: Limits | None = None
    """Of what is out of range, where it has any."""


@dataclass(frozen=True, slots=True)
class Held:
    """A signal and the value that holds now."""

    path: str
    value: Value
    unit: str | None
    previous: Value | None = None
    """What held before, if it was changed and can be again; None: nobody knows, or nothing was changed."""


@dataclass(frozen=True, slots=True)
class ActionResult:
    """What came of an intent."""

    intent: str
    outcome: Outcome
    held: tuple[Held, ...] = ()
    """When done: what was set, restored or asked for; in the table's order."""
    reason: Reason | None = None
    """When not done."""


class Refusal(Exception):
    """Something is not done, for a reason that the speaker is told."""

    def __init__(self, cause: Cause, text: str, limits: Limits | None = None) -> None:
        super().__init__(text)
        self.reason = Reason(cause, text, limits)
