"""Log lines have the documented keys, and hold nothing that was said."""

from __future__ import annotations

import io
import json
import logging
import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rtap import logs
from rtap.config import LoggingConfig
from rtap.events import State, Transcript
from tests.backend.transports.sample_events import TRANSCRIPT

FOREIGN = ("", "rtap", "uvicorn", "uvicorn.access", "uvicorn.error", "websockets")


@pytest.fixture(autouse=True)
def _logging_restored() -> Iterator[None]:
    before = [
        (logger, logger.level, logger.handlers[:], logger.propagate)
        for logger in map(logging.getLogger, FOREIGN)
    ]
    yield
    for logger, level, handlers, propagate in before:
        logger.setLevel(level)
        logger.handlers[:] = handlers
        logger.propagate = propagate


def set_up(**settings: Any) -> io.StringIO:
    stream = io.StringIO()
    logs.set_up(LoggingConfig(**settings), stream)
    return stream


def lines(stream: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stream.getvalue().splitlines()]


def only(stream: io.StringIO) -> dict[str, Any]:
    (line,) = lines(stream)
    return line


def test_keys_of_the_specification_come_first() -> None:
    stream = set_up()
    logs.get("pipeline").info(
        "Processing completed", zebra=1, session_id="abc123", latency_ms=2.34, stage="stt"
    )
    line = only(stream)
    assert list(line) == [
        "timestamp",
        "level",
        "component",
        "stage",
        "latency_ms",
        "session_id",
        "message",
        "zebra",
    ]
    assert line["timestamp"].endswith("Z")
    age = datetime.now(UTC) - datetime.fromisoformat(line.pop("timestamp"))
    assert timedelta(seconds=-1) < age < timedelta(seconds=5)
    assert line == {
        "level": "INFO",
        "component": "pipeline",
        "stage": "stt",
        "latency_ms": 2.34,
        "session_id": "abc123",
        "message": "Processing completed",
        "zebra": 1,
    }


def test_loggers_made_before_the_set_up() -> None:
    logger = logs.get("early")
    first = set_up()
    logger.warning("one")
    second = set_up(level="ERROR")
    logger.warning("two")
    logger.error("three")
    assert [line["message"] for line in lines(first)] == ["one"]
    assert [line["message"] for line in lines(second)] == ["three"]


def test_libraries_speak_the_same_way() -> None:
    logger = logging.getLogger("uvicorn.access")
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    logger.propagate = False
    stream = set_up()
    logger.info('%s - "%s" %d', "127.0.0.1:1", "GET /health HTTP/1.1", 200)
    logging.getLogger("websockets.server").warning("slow")
    access, warning = lines(stream)
    assert access["component"] == "uvicorn.access"
    assert access["message"] == '127.0.0.1:1 - "GET /health HTTP/1.1" 200'
    assert (warning["level"], warning["component"]) == ("WARNING", "websockets.server")


def test_libraries_never_debug() -> None:
    stream = set_up(level="DEBUG")
    logging.getLogger("websockets.server").debug('< TEXT \'{"text": "a secret"}\'')
    logging.getLogger("uvicorn.error").debug("> TEXT 'a secret'")
    logs.get("vad").debug("speech")
    assert only(stream)["message"] == "speech"


def test_no_line_for_each_broken_form() -> None:
    stream = set_up()
    logging.getLogger("python_multipart.multipart").warning("Did not find boundary character")
    logging.getLogger("python_multipart.multipart").error("something else")
    assert only(stream)["message"] == "something else"


def test_context_reaches_all_lines_of_its_thread() -> None:
    stream = set_up()
    with logs.context(request_id="r1", session_id="s1"):
        logs.get("rest").info("inside")
        logging.getLogger("uvicorn.error").info("inside too")
        other = threading.Thread(target=logs.get("stt").info, args=("elsewhere",))
        other.start()
        other.join()
        logs.get("rest").info("own", session_id="s2")
    logs.get("rest").info("outside")
    found = [(line.get("request_id"), line.get("session_id")) for line in lines(stream)]
    assert found == [("r1", "s1"), ("r1", "s1"), (None, None), ("r1", "s2"), (None, None)]


@pytest.mark.parametrize("log_format", ["json", "console"])
@pytest.mark.parametrize("key", ["text", "transcript", "partial", "Text", "segments", "prompt"])
def test_no_word_of_what_was_said(log_format: str, key: str) -> None:
    stream = set_up(level="DEBUG", format=log_format)
    logger = logs.get("stt")
    logger.info("heard", **{key: "to my lover"})
    logger.info("heard", result={"deep": [{key: "to my lover"}]})
    logger.info("heard", event_of=TRANSCRIPT)
    written = stream.getvalue()
    assert "lover" not in written
    assert TRANSCRIPT.text not in written
    assert written.count(logs.REDACTED) == 2
    assert "<Transcript>" in written


@pytest.mark.parametrize("key", ["audio", "samples", "audio_base64", "pcm", "anything"])
def test_no_audio_even_when_texts_are_wanted(key: str) -> None:
    # More digits than a time has: 12:30:10.125 holds a "0.125" once in ten thousand runs.
    stream = set_up(transcripts=True)
    logger = logs.get("stt")
    logger.info("heard", text="turn left", **{key: np.full(3, 0.015625, np.float32)})
    logger.info("heard", text="turn left", **{key: b"RIFF0.015625"})
    logger.info("heard", audio=[0.015625], samples="0.015625")
    assert lines(stream)[0]["text"] == "turn left"
    assert "0.015625" not in stream.getvalue()


def test_no_keys() -> None:
    stream = set_up()
    logging.getLogger("uvicorn.access").info('"GET /stream?api_key=hunter2&x=1 HTTP/1.1" 101')
    logging.getLogger("uvicorn.error").info("> Authorization: Bearer hunter2")
    logging.getLogger("uvicorn.error").info("> X-API-Key: hunter2")
    logs.get("rest").info("asked", api_key="hunter2", url="/?api_key=hunter2")
    assert "hunter2" not in stream.getvalue()
    assert lines(stream)[0]["message"].endswith('&x=1 HTTP/1.1" 101')


@pytest.mark.parametrize(
    "name", ["api%5Fkey", "%61pi_key", "API%5fKEY", "%61%70%69%5f%6b%65%79", "api_key%20"]
)
def test_no_keys_under_names_that_are_percent_encoded(name: str) -> None:
    stream = set_up()
    log = logging.getLogger("uvicorn.error")
    log.info('"WebSocket /stream?language=en&%s=hunter%%202&x=1" [accepted]', name)
    log.info('"WebSocket /stream?%s=hunter2=2?2"', name)
    assert "hunter" not in stream.getvalue()
    assert lines(stream)[0]["message"].endswith('&x=1" [accepted]')


def test_other_parameters_stay_as_they_are() -> None:
    stream = set_up()
    message = '"GET /stream?language=d%65&name=%C3%A4%20b=c;d HTTP/1.1" 100% = fine'
    logging.getLogger("uvicorn.error").info("%s", message)
    assert lines(stream)[0]["message"] == message


def test_exceptions_are_named_and_traced_only_for_those_who_debug() -> None:
    for level, traced in (("INFO", False), ("DEBUG", True)):
        stream = set_up(level=level)
        try:
            raise ValueError("bad value")
        except ValueError as error:
            logs.get("stt").exception("failed")
            logs.get("stt").error("failed", exc_info=error)
            logging.getLogger("uvicorn.error").exception("failed", stack_info=True)
        for line in lines(stream):
            assert line["exception"] == "ValueError: bad value"
            assert ("trace" in line) is traced
        assert ("Traceback" in stream.getvalue()) is traced


def test_exception_info_without_an_exception() -> None:
    stream = set_up()
    logs.get("stt").error("failed", exc_info=True)
    assert "exception" not in only(stream)


def test_values_that_json_does_not_know() -> None:
    stream = set_up()
    logs.get("stt").info(
        "values",
        state=State.IDLE,
        path=Path("/tmp"),
        single=np.float32(0.5),
        whole=np.int64(3),
        yes=True,
        nothing=None,
        nan=float("nan"),
        many=(1, "two"),
    )
    line = only(stream)
    del line["timestamp"], line["level"], line["component"], line["message"]
    assert line == {
        "state": "IDLE",
        "path": "/tmp",
        "single": 0.5,
        "whole": 3,
        "yes": True,
        "nothing": None,
        "nan": "nan",
        "many": [1, "two"],
    }


def test_console_is_for_people() -> None:
    stream = set_up(format="console", level="DEBUG")
    logs.get("zmq").warning("slow\nERROR: forged \x1b[31m", count=3, stage="output")
    (line,) = stream.getvalue().splitlines()
    time, rest = line.split(" ", maxsplit=1)
    assert re.fullmatch(r"\d\d:\d\d:\d\d\.\d{3}Z", time)
    assert rest == r"WARNING  zmq: slow\nERROR: forged \x1b[31m stage=output count=3"


def test_transcript_has_no_field_that_could_slip_through() -> None:
    # Logging dataclasses.asdict(transcript) must be safe, too.
    spoken = {name for name, kind in Transcript.__annotations__.items() if kind == "str"}
    assert spoken == {"text", "session_id", "utterance_id"}
