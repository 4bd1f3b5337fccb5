"""What clients of OpenAI's audio API say beside the file, and what it means here."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import Field, model_validator

from rtap.transports.api_errors import ApiError
from rtap.transports.schemas import WireModel

if TYPE_CHECKING:
    from rtap.transports.service import Service
    from rtap.whisper.transcribe import TranscribeOptions

LISTS: Final = frozenset({"timestamp_granularities", "include", "keywords", "languages"})
"""Fields that are repeated for every value, with or without ``[]`` or ``[0]`` behind the name."""
LOADED_MODEL: Final = (
    "whisper-1",
    "gpt-transcribe",
    "gpt-4o-transcribe",
    "gpt-4o-mini-transcribe",
    "gpt-4o-mini-transcribe-2025-12-15",
)
"""OpenAI's names, which stand for whatever model is loaded, as clients have them built in."""

_PROMPT_CHARACTERS: Final = 2_048
"""Of a prompt's end. The model reads 223 tokens at most, and nobody's take nine characters each."""
_CUT = "chunking_strategy"
_WITH_TIMES = ("srt", "vtt", "verbose_json")

Format = Literal["json", "text", "srt", "verbose_json", "vtt"]
Name = Annotated[str, Field(max_length=64)]


class TranslationFields(WireModel):
    """Fields of ``POST /v1/audio/translations``, the file apart."""

    model: Annotated[str | None, Field(max_length=255)] = None
    """The loaded model by its name, or ``whisper-1``, ``gpt-4o-transcribe``... for whichever is loaded."""
    prompt: str | None = None
    """Text that is told as if it came before: sets style and spelling. Its end counts if it is long."""
    response_format: Format = "json"
    temperature: Annotated[float, Field(ge=0, le=1)] = 0.0
    """0 rises by itself where an answer repeats itself or is unlikely; any other is kept to."""
    stream: bool = False
    """Whether the text comes as server-sent events, a segment at a time; for ``json`` and ``text``."""


class TranscriptionFields(TranslationFields):
    """Fields of ``POST /v1/audio/transcriptions``, the file apart."""

    language: Annotated[str | None, Field(max_length=64)] = None
    """Whisper's code, an English name, or ``auto``; null: as configured."""
    timestamp_granularities: tuple[Literal["word", "segment"], ...] = ()
    """What ``verbose_json`` holds; none given: segments. Words take longer."""
    languages: tuple[Name, ...] = ()
    """What the language is detected among, where ``language`` is not given."""
    keywords: tuple[str, ...] = ()
    """Words to expect, such as street names."""
    chunking_strategy: Annotated[str | None, Field(max_length=4096)] = None
    """Taken and left: audio is cut at its pauses in any case."""
    include: tuple[Name, ...] = ()
    """Refused unless empty: nothing can be included."""

    @model_validator(mode="before")
    @classmethod
    def _drop_parts_of_the_strategy(cls, values: Any) -> Any:
        # A form cannot nest: clients send chunking_strategy[type], chunking_strategy[threshold], ...
        if not isinstance(values, dict):
            return values
        return {name: value for name, value in values.items() if not name.startswith(f"{_CUT}[")}


def options_of(
    fields: TranslationFields, task: Literal["transcribe", "translate"], service: Service
) -> TranscribeOptions:
    """What the model is to do.

    Raises:
        ApiError: 422: fields that do not go together, or ask for what cannot be had.
        ConfigurationError: the model does not know the language.
    """
    if fields.stream and fields.response_format in _WITH_TIMES:
        raise _refusal(
            "stream", f"has no {fields.response_format}: use response_format json, or no stream"
        )
    language = fields.language if isinstance(fields, TranscriptionFields) else None
    options = service.options(language, task)
    options = replace(
        options,
        initial_prompt=_end_of(fields.prompt),
        timestamps=fields.response_format in _WITH_TIMES,
        temperatures=(fields.temperature,) if fields.temperature else options.temperatures,
    )
    return _with_more(options, fields) if isinstance(fields, TranscriptionFields) else options


def _end_of(prompt: str | None) -> str | None:
    """What of a long prompt the model can read at most, from the beginning of a word."""
    if prompt is None or len(prompt) <= _PROMPT_CHARACTERS:
        return prompt
    end = prompt[-_PROMPT_CHARACTERS:]
    return end.partition(" ")[2] or end


def _with_more(options: TranscribeOptions, fields: TranscriptionFields) -> TranscribeOptions:
    from rtap.languages import language_code

    words = "word" in fields.timestamp_granularities
    if words and fields.response_format != "verbose_json":
        raise _refusal("timestamp_granularities", "word needs response_format verbose_json")
    if fields.include:
        raise _refusal(
            "include",
            "nothing can be included: leave it out; verbose_json has avg_logprob for every segment",
        )
    return replace(
        options,
        word_timestamps=words,
        hotwords=(*options.hotwords, *fields.keywords),
        allowed_languages=tuple(language_code(one) for one in fields.languages)
        or options.allowed_languages,
    )


def _refusal(field: str, message: str) -> ApiError:
    return ApiError(422, "bad_field", f"{field}: {message}", param=field)
