"""rtap.transports.openai.api: the audio routes of OpenAI's API, over real sockets, with a scripted model."""

from __future__ import annotations

import asyncio
import io
import json
import math
import os
import socket
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from starlette.requests import Request

from rtap.audio.format import Samples
from rtap.config import Config, LimitsConfig, OutputConfig
from rtap.errors import PipelineError
from rtap.transports.openai import sse as openai_sse
from rtap.transports.openai.sse import SegmentFeed, TranscriptStream, begin_stream
from rtap.transports.rest.file_jobs import FileJobs
from rtap.transports.rest.uploads import Upload
from rtap.transports.schemas import TranscriptionFigures
from rtap.whisper.model_store import ModelStore, StoredModel
from rtap.whisper.result import Segment, Transcription, Word
from rtap.whisper.transcribe import DEFAULT_TEMPERATURES, Steps, TranscribeOptions
from tests.backend.transports.scripted_service import ScriptedEngine, tone
from tests.backend.transports.serving import Server, serving, wait_until, wait_until_still
from tests.deadlines import SOON

TRANSCRIPTIONS = "/v1/audio/transcriptions"
TRANSLATIONS = "/v1/audio/translations"


def wav(samples: Samples) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, 16_000, format="WAV")
    return buffer.getvalue()


HELLO = wav(tone(1.0))


class Client:
    """Sends forms to one server."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.service = server.service
        self.engine = server.service.engine
        self.http = httpx.Client(base_url=f"http://{server.address}", trust_env=False, timeout=SOON)

    def post(
        self, audio: bytes = HELLO, path: str = TRANSCRIPTIONS, **fields: Any
    ) -> httpx.Response:
        data = {name.replace("__", "[]"): value for name, value in fields.items()}
        return self.http.post(path, files={"file": ("x.wav", audio, "audio/wav")}, data=data)

    def options(self) -> TranscribeOptions:
        assert self.engine.options is not None
        return self.engine.options


def connected(stack: ExitStack, config: Config) -> Client:
    client = Client(stack.enter_context(serving(config)))
    stack.enter_context(client.http)
    return client


@pytest.fixture
def car() -> Iterator[Client]:
    with ExitStack() as stack:
        yield connected(stack, Config())


def segment(text: str, language: str = "en", **changes: Any) -> Segment:
    word = Word(f" {text}", 0.1, 0.4, 0.9)
    made = Segment(0.25, 1.0, f" {text}", (1, 2), language, -0.1, 1.0, 0.0, 0.0, (word,))
    return replace(made, **changes)


def say(engine: ScriptedEngine, *segments: Segment, error: Exception | None = None) -> None:
    """Let the engine find these, one a turn, and wait at its gate after each."""

    def steps(blocks: Iterable[Samples], options: TranscribeOptions) -> Steps:
        done = False
        try:
            audio = np.concatenate(list(blocks))
            engine.options = options
            for one in segments:
                yield (one,)
                engine.asked.set()
                assert engine.gate.wait(SOON)
            if error is not None:
                raise error
            done = True
        finally:
            if not done:
                engine.dropped.set()
        language = segments[0].language if segments else None
        gap = "" if language == "ja" else " "
        text = gap.join(one.text.strip() for one in segments)
        return Transcription(text, language, 0.9, audio.size / 16_000, 0.01, tuple(segments))

    engine.steps = steps  # type: ignore[method-assign]


def refused(response: httpx.Response, status: int, code: str, param: str | None = None) -> str:
    assert response.status_code == status, response.text
    error = response.json()["error"]
    assert (error["code"], error["param"]) == (code, param)
    message: str = error["message"]
    return message


def events(response: httpx.Response) -> list[Any]:
    """The data of all events; comments are left out."""
    return [
        line if line == "[DONE]" else json.loads(line)
        for block in response.text.split("\n\n")
        for line in [block.removeprefix("event: error\n").removeprefix("data: ")]
        if line and not line.startswith(":")
    ]


# ---- formats


def test_json(car: Client) -> None:
    response = car.post()
    assert response.headers["content-type"] == "application/json"
    assert response.json() == {"text": "hello", "usage": {"type": "duration", "seconds": 1.0}}


@pytest.mark.parametrize(
    ("kind", "media_type", "body"),
    [
        ("text", "text/plain; charset=utf-8", "hello\n"),
        (
            "srt",
            "application/x-subrip; charset=utf-8",
            "1\n00:00:00,250 --> 00:00:01,000\nhello\n\n",
        ),
        (
            "vtt",
            "text/vtt; charset=utf-8",
            "WEBVTT\n\n00:00:00.250 --> 00:00:01.000\nhello\n\n",
        ),
    ],
)
def test_text_and_subtitles(car: Client, kind: str, media_type: str, body: str) -> None:
    say(car.engine, segment("hello", words=()))
    response = car.post(response_format=kind)
    assert response.status_code == 200, response.text
    assert response.headers["content-type"] == media_type
    assert response.text == body


VERBOSE = {
    "task": "transcribe",
    "language": "english",
    "duration": 1.0,
    "text": "hello you",
    "usage": {"type": "duration", "seconds": 1.0},
}
SEGMENT = {
    "start": 0.25,
    "end": 1.0,
    "tokens": [1, 2],
    "temperature": 0.0,
    "avg_logprob": -0.1,
    "compression_ratio": 1.0,
    "no_speech_prob": 0.0,
}
SEGMENTS = [
    {"id": 0, "seek": 25, "text": " hello", **SEGMENT},
    {"id": 1, "seek": 25, "text": " you", **SEGMENT},
]
WORDS = [{"word": "hello", "start": 0.1, "end": 0.4}, {"word": "you", "start": 0.1, "end": 0.4}]


@pytest.mark.parametrize(
    ("granularities", "found"),
    [
        ([], {"segments": SEGMENTS}),
        (["segment"], {"segments": SEGMENTS}),
        (["word"], {"words": WORDS}),
        (["word", "segment"], {"segments": SEGMENTS, "words": WORDS}),
    ],
)
@pytest.mark.parametrize("name", ["timestamp_granularities__", "timestamp_granularities"])
def test_verbose_json(
    car: Client, name: str, granularities: list[str], found: dict[str, Any]
) -> None:
    say(car.engine, segment("hello"), segment("you"))
    fields: dict[str, Any] = {name: granularities}
    response = car.post(response_format="verbose_json", **fields)
    document = response.json()
    figures = [document.pop(name) for name in TranscriptionFigures.model_fields]
    assert document == {**VERBOSE, **found}
    assert all(isinstance(figure, float) for figure in figures)
    assert car.options().word_timestamps == ("word" in granularities)


def test_languages_are_told_by_name(car: Client) -> None:
    asked: dict[str, Any] = {"response_format": "verbose_json"}
    assert car.post(**asked, language="de").json()["language"] == "german"
    say(car.engine, segment("hello", "de"))
    translation = car.post(path=TRANSLATIONS, **asked).json()
    assert (translation["task"], translation["language"]) == ("translate", "english")
    say(car.engine)
    nothing = car.post(**asked).json()
    assert (nothing["language"], nothing["text"], nothing["segments"]) == ("unknown", "", [])


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_every_number_is_one(car: Client, number: float) -> None:
    broken = replace(
        segment("hello"),
        average_log_probability=number,
        compression_ratio=number,
        no_speech_probability=number,
    )
    say(car.engine, broken)
    [found] = car.post(response_format="verbose_json").json()["segments"]
    assert (found["avg_logprob"], found["compression_ratio"]) == (-100.0, 0.0)
    assert found["no_speech_prob"] == 0.0


# ---- fields


@pytest.mark.parametrize(
    "fields",
    [*({"response_format": kind} for kind in ("json", "text", "verbose_json")), {"stream": "true"}],
)
def test_a_header_says_what_is_wrong_with_audio_that_was_used(
    car: Client, fields: dict[str, str]
) -> None:
    whole = wav(tone(3.0))
    reply = car.post(whole[: len(whole) // 2], **fields)
    assert reply.status_code == 200
    assert reply.headers["X-Audio-Warning"].startswith("the upload breaks off after 1.5 s: ")
    assert "X-Audio-Warning" not in car.post(whole, **fields).headers


def test_defaults(car: Client) -> None:
    car.post(prompt="", language="", temperature="", model="", timestamp_granularities__="")
    assert car.options() == TranscribeOptions(temperatures=DEFAULT_TEMPERATURES)


def test_fields_reach_the_model(car: Client) -> None:
    response = car.post(
        language="de",
        prompt="Straßen: Rote Straße",
        temperature="0.3",
        keywords__=["Göttingen", "Weende"],
        response_format="verbose_json",
        timestamp_granularities__="word",
    )
    assert response.status_code == 200, response.text
    assert car.options() == TranscribeOptions(
        language="de",
        initial_prompt="Straßen: Rote Straße",
        temperatures=(0.3,),
        hotwords=("Göttingen", "Weende"),
        timestamps=True,
        word_timestamps=True,
    )


def test_temperature_0_falls_back(car: Client) -> None:
    car.post(temperature="0")
    assert car.options().temperatures == DEFAULT_TEMPERATURES


def test_languages_to_choose_from(car: Client) -> None:
    assert car.post(languages__=["en", "German"]).status_code == 200
    assert car.options().allowed_languages == ("en", "de")
    refused(car.post(languages__="klingon"), 422, "bad_option")


def test_translations(car: Client) -> None:
    assert car.post(path=TRANSLATIONS, prompt="Hello.").json()["text"] == "hello"
    assert (car.options().task, car.options().initial_prompt) == ("translate", "Hello.")
    for field in ("language", "timestamp_granularities", "include"):
        fields: dict[str, Any] = {"path": TRANSLATIONS, field: "en"}
        refused(car.post(**fields), 422, "bad_field", field)


@pytest.mark.parametrize("name", ["[type]", "[threshold]", ""])
def test_a_chunking_strategy_does_no_harm(car: Client, name: str) -> None:
    fields: dict[str, Any] = {f"chunking_strategy{name}": "auto"}
    assert car.post(**fields).status_code == 200


@pytest.mark.parametrize(
    ("fields", "param", "words"),
    [
        ({"response_format": "diarized_json"}, "response_format", "'verbose_json'"),
        ({"temperature": "1.5"}, "temperature", "less than or equal to 1"),
        ({"temperature": "-0.1"}, "temperature", "greater than or equal to 0"),
        ({"temperature": "nan"}, "temperature", ""),
        ({"timestamp_granularities__": "letter"}, "timestamp_granularities", "'word'"),
        ({"timestamp_granularities__": "word"}, "timestamp_granularities", "verbose_json"),
        ({"include__": "logprobs"}, "include", "avg_logprob"),
        ({"stream": "maybe"}, "stream", ""),
        ({"stream": "true", "response_format": "srt"}, "stream", "has no srt"),
        ({"stream": "true", "response_format": "verbose_json"}, "stream", "has no verbose_json"),
        ({"known_speaker_names__": "me"}, "known_speaker_names[]", ""),
        ({"language": ["en", "de"]}, "language", "several times"),
        ({"model": "x" * 256}, "model", "255"),
        ({"prompt": "x" * 32_769}, "prompt", "32768"),
        ({"language": "x" * 5_000}, "language", "4096"),
    ],
)
def test_bad_fields(car: Client, fields: dict[str, Any], param: str, words: str) -> None:
    message = refused(car.post(**fields), 422, "bad_field", param)
    assert message.startswith((f"{param}: ", f"{param}.0: "))
    assert words in message
    assert not car.engine.asked.is_set()


def test_of_a_long_prompt_the_end_counts(car: Client) -> None:
    assert car.post(prompt="Zwickau " * 4_000 + "Chemnitz").json()["text"] == "hello"
    prompt = car.options().initial_prompt
    assert prompt is not None
    assert prompt.startswith("Zwickau ")
    assert prompt.endswith(" Chemnitz")
    assert 2_000 < len(prompt) <= 2_048
    car.post(prompt="x" * 5_000)
    assert car.options().initial_prompt == "x" * 2_048


def test_repeated_fields_may_be_numbered(car: Client) -> None:
    fields: dict[str, Any] = {
        "timestamp_granularities[0]": "word",
        "timestamp_granularities[1]": "segment",
    }
    reply = car.post(response_format="verbose_json", **fields).json()
    assert {"words", "segments"} <= set(reply)
    included: dict[str, Any] = {"include[0]": "logprobs"}
    refused(car.post(**included), 422, "bad_field", "include")


@pytest.mark.parametrize(
    "path", [f"{TRANSCRIPTIONS}/", f"/{TRANSCRIPTIONS}", f"//{TRANSCRIPTIONS}//"]
)
def test_slashes_of_a_base_url(car: Client, path: str) -> None:
    reply = car.post(path=f"{car.http.base_url}".rstrip("/") + path)
    assert reply.json()["text"] == "hello"


def test_what_is_refused_is_removed(car: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Upload] = []

    def noted(upload: Upload) -> None:
        closed.append(upload)

    monkeypatch.setattr(Upload, "close", noted)
    car.post(temperature="2")
    car.post(model="gpt-9")
    car.post(language="klingon")
    assert len(closed) == 3


def test_segments_may_be_asked_for_with_any_format(car: Client) -> None:
    assert car.post(timestamp_granularities__="segment").json()["text"] == "hello"


def test_an_unknown_language(car: Client) -> None:
    assert "klingon" in refused(car.post(language="klingon"), 422, "bad_option")


def test_the_file(car: Client) -> None:
    fields = {"model": (None, b"whisper-1")}
    message = refused(car.http.post(TRANSCRIPTIONS, files=fields), 422, "bad_field", "file")
    assert message == "file: missing, send the audio in this field"
    two = [("file", HELLO), ("file", HELLO)]
    refused(car.http.post(TRANSCRIPTIONS, files=two), 422, "bad_field", "file")
    refused(car.post(b""), 400, "bad_audio")
    refused(car.post(wav(tone(0.05))), 400, "too_short")
    refused(car.post(b"hello, this is text"), 415, "not_audio")
    refused(car.http.post(TRANSCRIPTIONS, json={}), 415, "wrong_content_type")


# ---- models


def installed(name: str) -> StoredModel:
    [bundled] = [
        one for one in ModelStore.from_environment(os.environ).list_models() if one.bundled
    ]
    return replace(bundled, name=name)


@pytest.mark.parametrize(
    "name", ["whisper-1", "gpt-4o-transcribe", "gpt-4o-mini-transcribe", "cabin-en", ""]
)
@pytest.mark.parametrize("path", [TRANSCRIPTIONS, TRANSLATIONS])
def test_these_names_stand_for_the_loaded_model(car: Client, path: str, name: str) -> None:
    assert car.post(path=path, model=name).status_code == 200


def test_another_model_has_to_be_loaded_first(car: Client) -> None:
    damaged = StoredModel("broken", Path("/models/broken"), False, None, "no manifest")
    car.service.stored = [installed("cabin-en"), installed("base"), damaged]
    message = refused(car.post(model="base"), 422, "model_not_loaded", "model")
    assert "PUT /model" in message
    for name in ("gpt-9", "broken", "../cabin-en"):
        message = refused(car.post(model=name), 404, "model_not_found", "model")
        assert "there are cabin-en, base, and whisper-1" in message
    assert not car.engine.asked.is_set()


# ---- failures


@pytest.mark.parametrize(
    ("limits", "key", "status", "kind"),
    [
        (LimitsConfig(), "sesame", 401, "authentication_error"),
        (LimitsConfig(requests_per_minute=1), "", 429, "rate_limit_error"),
        (LimitsConfig(max_audio_seconds=1), "", 413, "invalid_request_error"),
    ],
)
@pytest.mark.parametrize("stream", ["false", "true"])
def test_limits(limits: LimitsConfig, key: str, status: int, kind: str, stream: str) -> None:
    with ExitStack() as stack:
        car = connected(stack, Config(limits=limits, output=OutputConfig(api_key=key)))
        car.post()
        response = car.post(wav(tone(2.0)), stream=stream)
        assert (response.status_code, response.json()["error"]["type"]) == (status, kind)


def test_a_model_that_fails_is_a_server_error(car: Client) -> None:
    car.engine.error = ZeroDivisionError("oops")
    for stream in ("false", "true"):
        error = car.post(stream=stream).json()["error"]
        assert (error["code"], error["type"]) == ("failed", "server_error")


# ---- streams


def test_a_stream_adds_up_to_the_text(car: Client) -> None:
    texts = ["set the temperature", "to twenty one", "degrees"]
    say(car.engine, *(segment(text) for text in texts))
    response = car.post(stream="true")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/event-stream")
    assert response.headers["cache-control"] == "no-cache"
    assert response.headers["x-accel-buffering"] == "no"
    assert "content-length" not in response.headers
    *deltas, done, end = events(response)
    assert [one["delta"] for one in deltas] == [texts[0], f" {texts[1]}", f" {texts[2]}"]
    assert all(set(one) == {"type", "delta"} for one in deltas)
    assert {one["type"] for one in deltas} == {"transcript.text.delta"}
    usage = {"type": "tokens", "input_tokens": 0, "output_tokens": 6, "total_tokens": 6}
    text = "set the temperature to twenty one degrees"
    assert done == {"type": "transcript.text.done", "text": text, "usage": usage}
    assert end == "[DONE]"
    say(car.engine, *(segment(text) for text in texts))
    assert car.post().json()["text"] == text


def test_languages_without_spaces_get_none(car: Client) -> None:
    say(car.engine, segment("温度を", "ja"), segment("二十一度に", "ja"))
    first, second, done, _ = events(car.post(stream="true"))
    assert first["delta"] + second["delta"] == done["text"] == "温度を二十一度に"


def test_what_was_not_told_as_a_segment_comes_at_the_end(car: Client) -> None:
    delta, done, _ = events(car.post(stream="true"))  # this engine only gives the whole
    assert delta["delta"] == done["text"] == "hello"


def test_a_stream_of_silence(car: Client) -> None:
    say(car.engine)
    done, end = events(car.post(stream="true"))
    assert (done["text"], end) == ("", "[DONE]")


def test_a_translation_streams_too(car: Client) -> None:
    say(car.engine, segment("hello"))
    assert events(car.post(path=TRANSLATIONS, stream="true"))[0]["delta"] == "hello"


def test_a_delta_comes_as_soon_as_it_is_known(car: Client) -> None:
    say(car.engine, segment("hello"), segment("you"))
    car.engine.gate.clear()
    files = {"file": HELLO}
    with car.http.stream("POST", TRANSCRIPTIONS, files=files, data={"stream": "true"}) as reply:
        lines = (line for line in reply.iter_lines() if line)
        assert json.loads(next(lines).removeprefix("data: "))["delta"] == "hello"
        assert not car.engine.gate.is_set()
        car.engine.gate.set()
        assert json.loads(next(lines).removeprefix("data: "))["delta"] == " you"


def test_what_fails_before_the_first_event_has_a_status(car: Client) -> None:
    say(car.engine, error=PipelineError("this broke: try again"))
    message = refused(car.post(stream="true"), 500, "failed")
    assert message == "this broke: try again"
    refused(car.post(b"hello, this is text", stream="true"), 415, "not_audio")
    refused(car.post(stream="true", language="klingon"), 422, "bad_option")
    refused(car.post(stream="true", model="gpt-9"), 404, "model_not_found", "model")


def test_what_fails_later_is_an_event(car: Client) -> None:
    say(car.engine, segment("hello"), error=PipelineError("this broke: try again"))
    response = car.post(stream="true")
    assert response.status_code == 200
    assert "event: error\ndata: " in response.text
    delta, failure = events(response)
    assert delta["delta"] == "hello"
    error = failure["error"]
    assert error["message"] == "this broke: try again"
    assert (error["code"], error["type"]) == ("failed", "server_error")
    assert error["request_id"] == response.headers["x-request-id"]


def test_what_nobody_foresaw_is_neutral_and_logged(
    car: Client, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("secret /path")

    monkeypatch.setattr(openai_sse, "DoneEvent", broken)
    say(car.engine, segment("hello"))
    response = car.post(stream="true")
    assert events(response)[-1]["error"]["code"] == "internal_error"
    assert "secret" not in response.text
    wait_until(lambda: "ZeroDivisionError('secret /path')" in caplog.text)


def test_streams_take_places_and_give_them_back() -> None:
    with ExitStack() as stack:
        car = connected(stack, Config(limits=LimitsConfig(max_queue=1)))
        say(car.engine, segment("hello"))
        for _ in range(6):
            assert car.post(stream="true").status_code == 200
        car.engine.gate.clear()
        files, data = {"file": HELLO}, {"stream": "true"}
        with car.http.stream("POST", TRANSCRIPTIONS, files=files, data=data) as reply:
            assert reply.status_code == 200
            assert refused(car.post(stream="true"), 429, "queue_full")
            car.engine.gate.set()
            reply.read()
        assert car.post(stream="true").status_code == 200


def test_a_stream_keeps_its_place_to_the_end(car: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    taken: list[str] = []
    admission = FileJobs.admission

    @contextmanager
    def watched(jobs: FileJobs, request: Request) -> Iterator[None]:
        with admission(jobs, request):
            taken.append("taken")
            yield
        taken.append("left")

    monkeypatch.setattr(FileJobs, "admission", watched)
    say(car.engine, segment("hello"))
    car.engine.gate.clear()
    files = {"file": HELLO}
    with car.http.stream("POST", TRANSCRIPTIONS, files=files, data={"stream": "true"}) as reply:
        lines = reply.iter_lines()
        assert next(lines)
        wait_until_still(lambda: len(taken))
        assert taken == ["taken"]
        car.engine.gate.set()
    wait_until(lambda: taken == ["taken", "left"])


def test_who_goes_away_in_the_middle_of_a_stream_cancels_it(car: Client) -> None:
    say(car.engine, segment("hello"), segment("you"))
    car.engine.gate.clear()
    files = {"file": HELLO}
    with car.http.stream("POST", TRANSCRIPTIONS, files=files, data={"stream": "true"}) as reply:
        assert next(reply.iter_lines())
    wait_until(
        lambda: car.server.metric(
            f'rtap_requests_total{{endpoint="{TRANSCRIPTIONS}",status="200"}} 1.0'
        )
    )
    car.engine.gate.set()
    assert car.engine.dropped.wait(SOON)


def test_who_goes_away_before_the_first_event_cancels_it(car: Client) -> None:
    car.engine.gate.clear()
    form = car.http.build_request(
        "POST", TRANSCRIPTIONS, files={"file": HELLO}, data={"stream": "true"}
    )
    head = "".join(f"{name}: {value}\r\n" for name, value in form.headers.items())
    with socket.create_connection(("127.0.0.1", car.server.port)) as client:
        client.sendall(f"POST {TRANSCRIPTIONS} HTTP/1.1\r\n{head}\r\n".encode() + form.read())
        assert car.engine.asked.wait(SOON)
    wait_until(
        lambda: car.server.metric(
            f'rtap_requests_total{{endpoint="{TRANSCRIPTIONS}",status="499"}} 1.0'
        )
    )
    car.engine.gate.set()
    assert car.engine.dropped.wait(SOON)


def test_a_pause_is_filled_with_comments(car: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_sse, "_PULSE_SECONDS", 0.01)
    say(car.engine, segment("hello"))
    car.engine.gate.clear()
    files = {"file": HELLO}
    with car.http.stream("POST", TRANSCRIPTIONS, files=files, data={"stream": "true"}) as reply:
        lines = (line for line in reply.iter_lines() if line)
        next(lines)
        assert [next(lines), next(lines)] == [": working"] * 2
        car.engine.gate.set()
        *_, done, end = lines
    assert json.loads(done.removeprefix("data: "))["text"] == "hello"
    assert end == "data: [DONE]"


def test_a_client_that_does_not_read_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openai_sse, "_STALLED_SECONDS", 0.01)
    cancelled = []

    async def never() -> Any:
        try:
            await asyncio.sleep(60)
        finally:
            cancelled.append(True)

    async def stalled(_: Any) -> None:
        await asyncio.sleep(60)

    async def ask() -> None:
        feed = SegmentFeed()
        feed.put(segment("hello"))
        with ExitStack() as held:
            held.callback(lambda: cancelled.append(True))
            stream = await begin_stream(never(), feed, held.pop_all(), "id", "transcribe")
        assert isinstance(stream, TranscriptStream)
        assert cancelled == []
        async with asyncio.timeout(SOON) as limit:
            await stream({}, stalled, stalled)  # type: ignore[arg-type]
        assert not limit.expired()

    asyncio.run(ask())
    assert cancelled == [True, True]


# ---- the document


def test_openapi(car: Client) -> None:
    document = car.http.get("/openapi.json").json()
    for path, lists in ((TRANSCRIPTIONS, True), (TRANSLATIONS, False)):
        operation = document["paths"][path]["post"]
        [content] = operation["requestBody"]["content"].values()
        assert content["schema"]["required"] == ["file"]
        properties = content["schema"]["properties"]
        assert {"file", "model", "prompt", "response_format", "temperature"} <= set(properties)
        assert ("timestamp_granularities[]" in properties) == lists
        kinds = operation["responses"]["200"]["content"]
        assert set(kinds) == {
            *("application/json", "text/plain", "application/x-subrip", "text/vtt"),
            "text/event-stream",
        }
        assert operation["security"]
