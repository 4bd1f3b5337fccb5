"""What goes over the wire has the documented fields, and every event has a message."""

from __future__ import annotations

import dataclasses
import json
from dataclasses import replace
from typing import Any, get_args

import pytest
from pydantic import ValidationError

from rtap.events import Event, PartialTranscript, State, StateChanged, Transcript
from rtap.transports import schemas
from rtap.transports.schemas import (
    Base64Request,
    HealthReply,
    TranscriptionReply,
    WireModel,
    event_message,
    stream_message,
    topic_of,
)
from tests.backend.transports.sample_events import EVENTS, FAILED, LEVELS, PARTIAL, TRANSCRIPT

ALL = EVENTS | LEVELS

MODELS = [
    model
    for model in vars(schemas).values()
    if isinstance(model, type) and issubclass(model, WireModel) and model is not WireModel
]
FIELDS_OF_THE_SPECIFICATION = {
    "ServiceInfo": {"name", "version", "status"},
    "HealthReply": {"status", "model_loaded", "timestamp"},
    "ModelInfo": {
        "model_name",
        "model_path",
        "sample_rate",
        "onnx_runtime_version",
        "num_threads",
    },
    "TranscriptionReply": {
        "text",
        "language",
        "duration",
        "inference_time",
        "total_time",
        "rtf",
        "timestamp",
    },
    "Base64Request": {"audio_base64", "language", "task"},
    "StreamPartial": {"type", "text", "timestamp"},
    "StreamFinal": {"type", "text", "timestamp"},
}
REPLY: dict[str, Any] = {
    name: value
    for name, value in TranscriptionReply.model_json_schema()["examples"][0].items()
    if name != "request_id"
}


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_model_is_documented_and_its_example_is_valid(model: type[WireModel]) -> None:
    schema = model.model_json_schema()
    assert schema["description"] == model.__doc__
    assert schema["additionalProperties"] is False
    for example in schema.get("examples", ()):
        # Not equal: a request's example may leave out what has a default.
        assert (
            json.loads(model.model_validate(example).model_dump_json()).items() >= example.items()
        )


@pytest.mark.parametrize("name", FIELDS_OF_THE_SPECIFICATION)
def test_fields_of_the_specification(name: str) -> None:
    model: type[WireModel] = getattr(schemas, name)
    example = model.model_json_schema()["examples"][0]
    assert FIELDS_OF_THE_SPECIFICATION[name] <= example.keys()


def test_field_docstrings_reach_the_api_documentation() -> None:
    properties = TranscriptionReply.model_json_schema()["properties"]
    assert properties["rtf"]["description"].startswith("Real-time factor")


def test_nobody_changes_a_message() -> None:
    message = event_message(PARTIAL)
    with pytest.raises(ValidationError, match="frozen"):
        message.timestamp = 0.0


def test_every_event_has_a_sample() -> None:
    assert {type(event) for event in ALL.values()} == set(get_args(Event))


@pytest.mark.parametrize("kind", ALL)
def test_message_says_all_that_the_event_says(kind: str) -> None:
    event = ALL[kind]
    said = json.loads(json.dumps(dataclasses.asdict(event)))
    for nested in ("understanding", "result", "answer"):  # they are told in the message itself
        said |= said.pop(nested, {})
    message = json.loads(event_message(event).model_dump_json())
    assert message == {"type": kind, **said}


@pytest.mark.parametrize("state", State)
def test_only_processing_has_a_message_of_its_own(state: State) -> None:
    message = event_message(StateChanged(State.IDLE, state, "reason", 1.0))
    own = state is State.PROCESSING
    assert message.type == ("processing_started" if own else "state_changed")


@pytest.mark.parametrize("kind", EVENTS)
def test_topics(kind: str) -> None:
    assert topic_of(EVENTS[kind]) == ("transcript.de" if kind == "transcript" else kind)


def test_topic_of_what_nobody_understood() -> None:
    assert topic_of(replace(TRANSCRIPT, language=None)) == "transcript.und"


def test_what_is_not_unicode_costs_no_message() -> None:
    event = replace(FAILED, message="no file \udcff.wav")
    assert json.loads(event_message(event).model_dump_json())["message"] == "no file ?.wav"


def test_rounding_errors_cost_no_transcript() -> None:
    message = event_message(replace(TRANSCRIPT, confidence=1.0000001))
    assert json.loads(message.model_dump_json())["confidence"] > 1


@pytest.mark.parametrize(("event", "kind"), [(PARTIAL, "partial"), (TRANSCRIPT, "final")])
def test_stream_messages(event: PartialTranscript | Transcript, kind: str) -> None:
    message = json.loads(stream_message(event).model_dump_json())
    said = dataclasses.asdict(event)
    said.pop("source", None)
    assert message == {"type": kind, **said}


def test_optional_parts_of_a_reply_are_absent_not_null() -> None:
    assert TranscriptionReply(**REPLY).model_dump(mode="json") == REPLY
    segment = {"start": 0.0, "end": 1.0, "text": "Hello"}
    longer = {**REPLY, "segments": [segment], "request_id": "id"}
    assert TranscriptionReply(**longer).model_dump(mode="json") == longer
    nothing = {**REPLY, "text": "", "language": None}
    assert TranscriptionReply(**nothing).model_dump(mode="json") == nothing


def test_health_reply_has_a_reason_only_when_unhealthy() -> None:
    well = HealthReply(status="healthy", model_loaded=True, timestamp=1.0)
    assert well.model_dump().keys() == {"status", "model_loaded", "timestamp"}
    ill = HealthReply(
        status="unhealthy", model_loaded=False, timestamp=1.0, reason="no model", checks={"a": "ok"}
    )
    assert ill.model_dump().keys() == {"status", "model_loaded", "timestamp", "reason", "checks"}


def test_base64_request() -> None:
    request = Base64Request.model_validate({"audio_base64": "UklGRg=="})
    assert (request.language, request.task) == (None, "transcribe")
    assert "UklGRg" not in repr(request)
    for wrong in (
        {},
        {"audio_base64": ""},
        {"audio_base64": "x", "task": "summarize"},
        {"audio_base64": "x", "langauge": "en"},
    ):
        with pytest.raises(ValidationError):
            Base64Request.model_validate(wrong)
