"""What is answered: frozen values for events, the screen and the voice."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Earcon(StrEnum):
    """A short tone that says how it went before any word does."""

    HEARD = "heard"
    """It was understood, or the wake word was; whatever follows is done elsewhere."""
    DONE = "done"
    FAILED = "failed"
    QUESTION = "question"
    """The assistant asks back."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer to the speaker."""

    text: str
    """One or two sentences. They may hold what was said, so they are not logged."""
    language: str
    """Code of the language that the text is in; English where the speaker's has no sentences."""
    earcon: Earcon
