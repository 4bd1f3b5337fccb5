"""What was understood, what came of it and what is answered, in any protocol."""

from __future__ import annotations

from typing import Any, ClassVar

from rtap.answers.answer import Earcon
from rtap.transports.schemas.common import Probability, Text, WireModel
from rtap.vehicle.result import Cause, Outcome


class SlotMessage(WireModel):
    """One particular of a command."""

    name: str
    value: str | int | float | bool
    unit: str | None
    """As COVESA VSS names units, such as ``celsius`` or ``percent``; null where there is none."""
    text: Text
    """The words that said it; empty where the sentence implies it."""


class IntentMessage(WireModel):
    """A command or question that was understood."""

    name: str
    slots: tuple[SlotMessage, ...]
    confidence: Probability
    """Of hearing, as in the transcript; 1 for text."""
    matching: Probability
    """The share of the sentence that the grammar knows, divided by the readings that fit equally well."""


class Understood(WireModel):
    """What a text means."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "text": "Open the rear left window to 30%.",
        "language": "en",
        "intent": {
            "name": "OpenWindow",
            "slots": [
                {"name": "position", "value": 30, "unit": "percent", "text": "30"},
                {"name": "zone", "value": "rear_left", "unit": None, "text": "rear left"},
            ],
            "confidence": 1.0,
            "matching": 1.0,
        },
        "alternatives": [],
        "did_you_mean": None,
    }

    text: Text
    language: str
    intent: IntentMessage | None
    """Null: it is no command that is known."""
    alternatives: tuple[IntentMessage, ...]
    """Other readings, the likeliest first; without an intent those that are equally likely."""
    did_you_mean: Text | None
    """Without an intent: the sentence that is nearest. Ask for it; do not act on it."""


class HeldMessage(WireModel):
    """A signal of the car and the value that holds now."""

    path: str
    """As COVESA VSS names it."""
    value: str | int | float | bool
    unit: str | None
    previous: str | int | float | bool | None = None
    """What held before, if it was changed and can be taken back; null where nobody knows."""


class ReasonMessage(WireModel):
    """Why something was not done."""

    cause: Cause | None
    """Null: the car did not answer in time."""
    text: Text
    """One sentence in English."""


class ActionFields(WireModel):
    """What came of an intent."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "intent": "OpenWindow",
        "outcome": "done",
        "held": [
            {
                "path": "Vehicle.Cabin.Door.Row2.DriverSide.Window.Position",
                "value": 30,
                "unit": "percent",
                "previous": 0,
            }
        ],
        "reason": None,
    }

    intent: str
    outcome: Outcome
    held: tuple[HeldMessage, ...]
    """When done: what was set, restored or asked for."""
    reason: ReasonMessage | None
    """When not done."""


class AnswerFields(WireModel):
    """What the assistant says to the speaker."""

    EXAMPLE: ClassVar[dict[str, Any]] = {
        "text": "The rear left window is 30 percent open.",
        "language": "en",
        "earcon": "done",
    }

    text: Text
    language: str
    """Code of the text's language."""
    earcon: Earcon
    """The tone that goes with it."""
