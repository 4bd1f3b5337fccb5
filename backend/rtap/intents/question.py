"""What is asked before an intent is carried out."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from rtap.intents.intent import Intent


class Kind(StrEnum):
    """Why it is asked; sentences can require it as the context ``question``."""

    WHICH = "which"
    """Several readings fit equally well: "Which Anna?"."""
    SURE = "sure"
    """One reading, which was heard or matched with too little confidence: "Shall I open the trunk?"."""
    MEANT = "meant"
    """No reading, and a sentence that is near: "Did you mean ...?"."""


@dataclass(frozen=True, slots=True)
class Question:
    """A question to the speaker. Nothing is done before it is answered."""

    kind: Kind
    options: tuple[Intent, ...]
    """What the answers would carry out: of WHICH two or more, else one."""
    slot: str | None = None
    """Of WHICH: the slot that alone tells the options apart, such as contact; None where there is none."""
    sentence: str | None = None
    """Of MEANT: the sentence that is near, in lower case."""
    again: bool = False
    """It was asked before, and the answer was none of the expected ones."""
