"""What the messages of all protocols have in common."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


def _encodable(text: object) -> object:
    # File names in messages may hold what is not Unicode; one of them must not cost the whole message.
    return text.encode("utf-8", "replace").decode() if isinstance(text, str) else text


def is_empty(value: tuple[object, ...]) -> bool:
    """For ``exclude_if``: an empty list is left out."""
    return not value


def is_none(value: object) -> bool:
    """For ``exclude_if``: null is left out."""
    return value is None


Text = Annotated[str, BeforeValidator(_encodable)]
# Documented, not checked: a rounding error beyond 1 must not cost the message either.
Probability = Annotated[float, Field(json_schema_extra={"minimum": 0, "maximum": 1})]


class WireModel(BaseModel):
    """What all messages have in common: they do not change, and hold nothing undeclared."""

    model_config = ConfigDict(
        frozen=True, extra="forbid", from_attributes=True, use_attribute_docstrings=True
    )


def example(**fields: Any) -> ConfigDict:
    """The documented example of a message."""
    return ConfigDict(json_schema_extra={"examples": [fields]})


class SentimentMessage(WireModel):
    """The mood of an English text."""

    label: Literal["positive", "neutral", "negative"]
    score: float
    """Compound score, -1 to 1."""


class UtteranceText(WireModel):
    """Text of one utterance, in any protocol."""

    type: str
    timestamp: float
    session_id: str
    utterance_id: str
    text: Text


class UtteranceResult(UtteranceText):
    """What was said in one utterance, in any protocol."""

    language: str | None
    """Whisper's code; null when nothing was understood."""
    language_probability: Probability
    duration: float
    """Length of the utterance's audio."""
    inference_time: float
    latency: float
    """From the end of speech to this transcript, the silence that ended it included."""
    confidence: Probability
    """Mean probability of the tokens. Where another command is nearly as likely as the one that was heard, at
    most the chance that it was this one: below 0.5 the speaker is asked."""
    sentiment: SentimentMessage | None = None


class TranscriptionFigures(WireModel):
    """What follows from a transcription, in every reply with details: its ``figures``, each with its name."""

    EXAMPLE: ClassVar[dict[str, float]] = {"rtf": 0.40}

    rtf: float
    """Real-time factor: inference time over duration; 0 for audio without length."""
