"""What /openapi.json says beyond what FastAPI sees by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel

from rtap.transports.api_errors import ApiError
from rtap.transports.rest.uploads import FILE_FIELDS
from rtap.transports.schemas import Base64Request, ErrorReply, TranscribeFields

if TYPE_CHECKING:
    from fastapi import FastAPI

Responses = dict[int | str, dict[str, Any]]

DESCRIPTION: Final = """\
Speech to text on this machine: nothing leaves it.

Audio files are WAV, FLAC, OGG or MP3, up to 192 kHz and 8 channels. What is wrong with one that was used, as
that its end is missing, stands in the header `X-Audio-Warning`, and in `warnings` of `/transcribe`.

Live audio goes to the WebSocket `/stream`: binary frames of little-endian 32-bit floats, mono, 16 kHz
(`?format=s16le` and `?sample_rate=` for others). It answers with JSON messages of `type` `ready`,
`speech_started`, `partial`, `final`, `error` and `end`. Send `{"type":"end"}`: what was said so far becomes
text, and the connection is closed.

OpenAI's clients work as they are, with this address and `/v1` as base URL: `/v1/audio` and `/v1/models`.

Every failure is `{"error": {"code", "message", "type", "param", "request_id"}}`, where `type` is the kind in
OpenAI's words, and `param` the field at fault, or null. `X-Request-ID` is taken over from the request.
Where an API key is configured, send `Authorization: Bearer KEY` or `X-API-Key: KEY`.
"""
_SECURITY: Final = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "key": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}
AUDIO_FILE: Final = {"type": "string", "format": "binary", "description": "WAV, FLAC, OGG or MP3"}
_OPEN_PATHS: Final = {"/", "/health"}
_FAILURES: Final[dict[int, tuple[str, str, str]]] = {
    400: (
        "Broken, empty or too short",
        "bad_audio",
        "the upload is empty (0 bytes): record it again",
    ),
    401: ("No valid API key", "unauthorized", "this service wants an API key: send X-API-Key: KEY"),
    403: (
        "A page or a name that is not known",
        "foreign_origin",
        "this page is not known to be served by this machine: add its origin to output.allowed_origins",
    ),
    404: (
        "There is none of this name",
        "no_such_model",
        "no model whisper-base: there are cabin-en",
    ),
    408: ("It stopped half-way", "upload_stalled", "the upload takes too long: send it again"),
    409: (
        "There is no microphone",
        "no_microphone",
        "this service has no microphone: set audio.source to microphone",
    ),
    413: ("Too large or too long", "too_large", "the audio is larger than 25 MB: send it in parts"),
    415: ("Not audio", "not_audio", "the upload is not audio of a kind that can be read: give WAV"),
    422: ("A bad field", "bad_field", "task: input should be 'transcribe' or 'translate'"),
    429: ("Too many requests", "queue_full", "16 files wait already: send it again in 12 s"),
    500: ("It failed", "internal_error", "the service failed at this request: try again"),
    503: ("Not ready", "not_ready", "the speech model is being loaded: try again in a few seconds"),
}


def failures(*statuses: int) -> Responses:
    """What a route that may fail so declares."""
    return {status: failure(status, *_FAILURES[status]) for status in statuses}


def failure(status: int, description: str, code: str, message: str) -> dict[str, Any]:
    """One way to fail that other routes do not have with this status."""
    kind = ApiError(status, code, message).kind
    error = {
        "code": code,
        "message": message,
        "type": kind,
        "param": None,
        "request_id": "5f0c9a1e",
    }
    declared: dict[str, Any] = {
        "model": ErrorReply,
        "description": description,
        "content": {"application/json": {"example": {"error": error}}},
    }
    if status in {429, 503}:
        wait = {"description": "Seconds after which to try again", "schema": {"type": "integer"}}
        declared["headers"] = {"Retry-After": wait}
    return declared


def form_body() -> dict[str, Any]:
    """The body of ``POST /transcribe``; the fields that go with the file are those of TranscribeFields."""
    schema = inlined(TranscribeFields)
    alias = {**AUDIO_FILE, "description": "Another name for audio_file"}
    schema["properties"] = {
        **dict(zip(FILE_FIELDS, (AUDIO_FILE, alias, alias), strict=True)),
        **schema["properties"],
    }
    schema["oneOf"] = [{"required": [name]} for name in FILE_FIELDS]
    return body_of("multipart/form-data", schema)


def json_body() -> dict[str, Any]:
    """The body of ``POST /transcribe/base64``."""
    return body_of("application/json", inlined(Base64Request))


def body_of(kind: str, schema: dict[str, Any]) -> dict[str, Any]:
    """What a route declares that needs a body of this media type."""
    return {"requestBody": {"required": True, "content": {kind: {"schema": schema}}}}


def inlined(model: type[BaseModel]) -> dict[str, Any]:
    """The JSON schema of a model that refers to no other."""
    schema = model.model_json_schema()
    assert "$defs" not in schema  # they would have to move to the document's components
    return schema


def declare_security(app: FastAPI) -> None:
    """Say which routes want the API key, in the document that FastAPI makes."""
    make = app.openapi

    def with_security() -> dict[str, Any]:
        document = make()
        document.setdefault("components", {})["securitySchemes"] = _SECURITY
        for path, operations in document["paths"].items():
            if path not in _OPEN_PATHS:
                for operation in operations.values():
                    operation["security"] = [{name: []} for name in _SECURITY]
        return document

    # The way that FastAPI documents.
    app.openapi = with_security  # type: ignore[method-assign]
