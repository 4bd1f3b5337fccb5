"""Commands as text: what Home Assistant's conversation sends as ``transcript``, and ``recognize``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

from pydantic import BaseModel, Field
from wyoming.handle import Handled, NotHandled
from wyoming.intent import Entity, Intent, NotRecognized

from rtap.intents.configured import language_of
from rtap.vehicle.result import Outcome

if TYPE_CHECKING:
    from wyoming.event import Event, Eventable

    from rtap.assistant.assistant import Handled as Outcomes
    from rtap.transports.service import Service


class _Text(BaseModel):
    text: Annotated[str, Field(max_length=1_000)]
    language: Annotated[str | None, Field(max_length=64)] = None


def carry_out(service: Service, event: Event) -> Eventable:
    """Have the car do what a ``transcript`` says; blocks for as long as the car may take.

    Raises:
        ConfigurationError: the language has no sentences, or there are faults in them.
    """
    handled = _handle(service, event, execute=True)
    text = "" if handled.answer is None else handled.answer.text
    is_done = handled.result is not None and handled.result.outcome is Outcome.DONE
    return Handled(text) if is_done else NotHandled(text)


def recognize(service: Service, event: Event) -> Eventable:
    """Say what the text of ``recognize`` means; nothing is done.

    Raises:
        ConfigurationError: the language has no sentences, or there are faults in them.
    """
    understanding = _handle(service, event, execute=False).understanding
    intent = understanding.intent
    if intent is None:
        return NotRecognized(text=understanding.did_you_mean)
    return Intent(intent.name, [Entity(slot.name, slot.value) for slot in intent.slots])


def _handle(service: Service, event: Event, *, execute: bool) -> Outcomes:
    said = _Text.model_validate(event.data)
    return service.assistant.handle(
        said.text, language_of(service.config, said.language), execute=execute
    )
