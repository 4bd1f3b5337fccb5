"""What is remembered of each speaker from one utterance to the next."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from rtap.intents.dialogue import Dialogue, Understands

if TYPE_CHECKING:
    from rtap.answers.answer import Answer
    from rtap.events import Transcript

MOST_SPEAKERS: Final = 64
"""Who are remembered; beyond it, the one who was silent for longest is forgotten."""
DRIVERS_CONVERSATION: Final = "microphone"
"""By this name streams and texts continue what is said to the microphone: a button in the car."""
Speaker = tuple[Literal["microphone", "session", "conversation"], str]
"""By what they are told apart, and its name."""


def speaker_of(said: Transcript, conversation: str | None) -> Speaker:
    """Who said something.

    Args:
        conversation: that the client gave to its stream.
    """
    if said.source == "microphone":
        # A wake word begins a session of its own, and the driver goes on talking with the same assistant.
        return speaker_named(DRIVERS_CONVERSATION)
    return ("session", said.session_id) if conversation is None else speaker_named(conversation)


def speaker_named(conversation: str) -> Speaker:
    """Who takes part in a conversation."""
    if conversation == DRIVERS_CONVERSATION:
        return "microphone", ""
    return "conversation", conversation


@dataclass(slots=True)
class Conversation:
    """With one speaker."""

    dialogue: Dialogue
    answer: Answer | None = None
    """The last one, for who wants to hear it again."""


class Conversations:
    """By speaker; for one thread at a time."""

    def __init__(self) -> None:
        self._all: OrderedDict[Speaker, Conversation] = OrderedDict()
        """The one who spoke last is at the end."""

    def of(self, speaker: Speaker, understander: Understands) -> Conversation:
        """The conversation with a speaker."""
        one = self._all.pop(speaker, None) or Conversation(Dialogue(understander))
        self._all[speaker] = one
        if len(self._all) > MOST_SPEAKERS:
            self._all.popitem(last=False)
        return one
