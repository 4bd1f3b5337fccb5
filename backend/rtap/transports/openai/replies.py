"""Transcriptions in the shapes that OpenAI's API has for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Literal

from fastapi import Response
from pydantic import Field

from rtap.languages import LANGUAGES
from rtap.transports.openai.fields import TranscriptionFields
from rtap.transports.schemas import Text, TranscriptionFigures, WireModel
from rtap.whisper.subtitles import SUBTITLES, rounded, to_text

if TYPE_CHECKING:
    from rtap.transports.openai.fields import TranslationFields
    from rtap.whisper.result import Segment, Transcription

MEDIA_TYPES = {"text": "text/plain", "srt": "application/x-subrip", "vtt": "text/vtt"}
FRAMES_PER_SECOND = 100
"""Of Whisper's features, in which ``seek`` counts."""
_WORST_LOGPROB = -100.0


class DurationUsage(WireModel):
    """What was worked on."""

    type: Literal["duration"] = "duration"
    seconds: float
    """Of audio."""


class OpenAiTranscription(WireModel):
    """Reply with ``response_format`` ``json``."""

    text: Text
    usage: DurationUsage


class OpenAiSegment(WireModel):
    """A stretch of speech."""

    id: int
    seek: int
    """Where it begins, in hundredths of a second."""
    start: float
    """Seconds from the beginning of the audio."""
    end: float
    text: Text
    tokens: tuple[int, ...]
    temperature: float
    avg_logprob: float
    compression_ratio: float
    no_speech_prob: float


class OpenAiWord(WireModel):
    """A word."""

    word: Text
    start: float
    """Seconds from the beginning of the audio."""
    end: float


class OpenAiVerboseTranscription(TranscriptionFigures):
    """Reply with ``response_format`` ``verbose_json``, with figures that OpenAI's clients pass over."""

    task: Literal["transcribe", "translate"]
    language: str
    """English name, in small letters; ``unknown`` when nothing was understood."""
    duration: float
    """Seconds of audio."""
    text: Text
    segments: Annotated[
        tuple[OpenAiSegment, ...] | None, Field(exclude_if=lambda value: value is None)
    ] = None
    """Present unless words alone were asked for."""
    words: Annotated[
        tuple[OpenAiWord, ...] | None, Field(exclude_if=lambda value: value is None)
    ] = None
    """Present when asked for."""
    usage: DurationUsage


def rendered(
    transcription: Transcription,
    fields: TranslationFields,
    task: Literal["transcribe", "translate"],
) -> Response:
    """The reply in the format that was asked for."""
    kind = fields.response_format
    if kind in MEDIA_TYPES:
        text = to_text(transcription) if kind == "text" else SUBTITLES[kind](transcription)
        return Response(text, media_type=f"{MEDIA_TYPES[kind]}; charset=utf-8")
    reply = (
        _verbose(transcription, fields, task)
        if kind == "verbose_json"
        else OpenAiTranscription(text=transcription.text, usage=_usage(transcription))
    )
    return Response(reply.model_dump_json(), media_type="application/json")


def _verbose(
    transcription: Transcription,
    fields: TranslationFields,
    task: Literal["transcribe", "translate"],
) -> OpenAiVerboseTranscription:
    wanted: tuple[str, ...] = ()
    if isinstance(fields, TranscriptionFields):
        wanted = fields.timestamp_granularities
    language = "en" if task == "translate" else transcription.language
    segments = tuple(_segment(at, one) for at, one in enumerate(transcription.segments))
    return OpenAiVerboseTranscription(
        task=task,
        language=LANGUAGES.get(language or "", "unknown"),
        duration=_finite(transcription.duration),
        text=transcription.text,
        segments=segments if "segment" in wanted or not wanted else None,
        words=_words(transcription) if "word" in wanted else None,
        usage=_usage(transcription),
        **{name: _finite(value) for name, value in transcription.figures.items()},
    )


def _segment(number: int, segment: Segment) -> OpenAiSegment:
    start = _finite(segment.start)
    return OpenAiSegment(
        id=number,
        seek=round(start * FRAMES_PER_SECOND),
        start=start,
        end=_finite(segment.end),
        text=segment.text,
        tokens=segment.tokens,
        temperature=_finite(segment.temperature),
        avg_logprob=_finite(segment.average_log_probability, otherwise=_WORST_LOGPROB),
        compression_ratio=_finite(segment.compression_ratio),
        no_speech_prob=_finite(segment.no_speech_probability),
    )


def _words(transcription: Transcription) -> tuple[OpenAiWord, ...]:
    return tuple(
        OpenAiWord(word=word.text.strip(), start=_finite(word.start), end=_finite(word.end))
        for segment in transcription.segments
        for word in segment.words
    )


def _usage(transcription: Transcription) -> DurationUsage:
    return DurationUsage(seconds=_finite(transcription.duration))


def _finite(value: float, otherwise: float = 0.0) -> float:
    # OpenAI's clients want a number everywhere, and JSON has none for NaN.
    number = rounded(value, 4)
    return otherwise if number is None else number
