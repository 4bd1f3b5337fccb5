"""What /openapi.json says of OpenAI's audio routes beyond what FastAPI sees by itself."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any, Final

from pydantic import BaseModel

from rtap.transports.openai.replies import (
    MEDIA_TYPES,
    OpenAiTranscription,
    OpenAiVerboseTranscription,
)
from rtap.transports.rest.description import AUDIO_FILE, body_of, inlined

_EVENTS: Final = """\
The data of every event is JSON: first any number of `{"type": "transcript.text.delta", "delta"}`, whose
deltas add up to the text, then `{"type": "transcript.text.done", "text", "usage"}`. At last comes `[DONE]`,
which is no JSON. A failure on the way is an event named `error`, with the reply that failed requests have.
"""


def openai_success() -> dict[str, Any]:
    """What the audio routes of OpenAI's API reply, by ``response_format`` and ``stream``."""
    text: dict[str, Any] = {"schema": {"type": "string"}}
    return {
        "model": OpenAiTranscription | OpenAiVerboseTranscription,
        "description": "The transcription in the format that was asked for",
        "content": {
            **dict.fromkeys(MEDIA_TYPES.values(), text),
            "text/event-stream": {"schema": {"type": "string", "description": _EVENTS}},
        },
    }


def openai_body(fields: type[BaseModel], lists: Collection[str] = ()) -> dict[str, Any]:
    """The body of the audio routes of OpenAI's API.

    Args:
        lists: fields that are repeated, in a form with ``[]`` behind their names.
    """
    schema = inlined(fields)
    named = {
        f"{name}[]" if name in lists else name: field
        for name, field in schema["properties"].items()
    }
    schema["properties"] = {"file": AUDIO_FILE, **named}
    schema["required"] = ["file"]
    return body_of("multipart/form-data", schema)
