"""rtap.transports.rest.routes: the HTTP API, asked without a network."""

from __future__ import annotations

import asyncio
import base64
import gzip
import http.client
import io
import json
import math
import socket
import tempfile
import time
import tracemalloc
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import numpy as np
import pytest
import soundfile
from fastapi import FastAPI

from rtap.audio.file import NotAudioError
from rtap.audio.format import Samples
from rtap.config import Config, LimitsConfig, OutputConfig
from rtap.errors import (
    AudioError,
    ConfigurationError,
    ModelChangedError,
    ModelError,
    PipelineError,
    QueueFullError,
    StorageError,
)
from rtap.transports.api import create_api
from rtap.transports.api_errors import ApiError, as_api_error
from rtap.transports.rest import uploads
from rtap.transports.rest.base64_body import without_audio
from rtap.transports.rest.upload_audio import warning_headers
from rtap.transports.rest.uploads import Upload
from rtap.transports.service import Health
from tests.backend.transports.scripted_service import (
    Broken,
    ScriptedService,
    scripted_service,
    tone,
)
from tests.backend.transports.serving import Server, serving, wait_until
from tests.deadlines import SOON

RATE = 16_000
KEY = "sésame open"
KINDS = {
    401: "authentication_error",
    429: "rate_limit_error",
    500: "server_error",
    503: "server_error",
}


def wav(samples: Samples, rate: int = RATE, kind: str = "WAV", subtype: str | None = None) -> bytes:
    buffer = io.BytesIO()
    soundfile.write(buffer, samples, rate, format=kind, subtype=subtype)
    return buffer.getvalue()


HELLO = wav(tone(1.0))


class Api:
    """The API of one scripted service. Every call is one connection."""

    def __init__(self, service: ScriptedService) -> None:
        self.service = service
        self.app: FastAPI = create_api(service).app

    def client(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(self.app, raise_app_exceptions=True)
        return httpx.AsyncClient(transport=transport, base_url="http://localhost")

    def request(self, method: str, path: str, **settings: Any) -> httpx.Response:
        async def ask() -> httpx.Response:
            async with self.client() as client:
                return await client.request(method, path, **settings)

        return asyncio.run(ask())

    def close(self) -> None:
        async def come_and_go() -> None:
            async with self.app.router.lifespan_context(self.app):
                pass

        asyncio.run(come_and_go())

    def get(self, path: str, **settings: Any) -> httpx.Response:
        return self.request("GET", path, **settings)

    def upload(self, audio: bytes, field: str = "audio_file", **fields: str) -> httpx.Response:
        files = {field: ("x.wav", audio, "audio/wav")}
        return self.request("POST", "/transcribe", files=files, data=fields)

    def upload_base64(self, text: str, **fields: Any) -> httpx.Response:
        body = {"audio_base64": text, **fields}
        return self.request("POST", "/transcribe/base64", json=body)


@contextmanager
def api(*, start: bool = True, cache: Path | None = None, **limits: Any) -> Iterator[Api]:
    config = Config(limits=LimitsConfig(**limits), cache_dir=cache)
    with scripted_service(config, start=start) as service:
        one = Api(service)
        yield one
        one.close()


@pytest.fixture
def car() -> Iterator[Api]:
    with api() as one:
        yield one


@contextmanager
def locked() -> Iterator[Api]:
    with scripted_service(Config(output=OutputConfig(api_key=KEY))) as service:
        one = Api(service)
        yield one
        one.close()


def refused(response: httpx.Response, status: int, code: str) -> str:
    """Check an error's form; returns its message."""
    assert response.status_code == status, response.text
    assert response.headers["content-type"] == "application/json"
    document = response.json()
    assert set(document) == {"error"}
    error = document["error"]
    assert set(error) == {"code", "message", "type", "param", "request_id"}
    assert error["code"] == code
    assert error["type"] == KINDS.get(status, "invalid_request_error")
    assert error["request_id"] == response.headers["x-request-id"]
    message: str = error["message"]
    assert message
    assert "Traceback" not in response.text
    return message


# ---- what it is


def test_root(car):
    assert car.get("/").json() == {
        "name": "Whisper ONNX Transcription Backend",
        "version": car.app.version,
        "status": "running",
    }


def test_health(car):
    response = car.get("/health")
    document = response.json()
    assert response.status_code == 200
    assert document["status"] == "healthy"
    assert document["model_loaded"] is True
    assert abs(document["timestamp"] - time.time()) < 60


def test_bad_health_says_why(car):
    car.service.state = Health(healthy=False, model_loaded=False, reason="loading model")
    response = car.get("/health")
    assert response.status_code == 503
    assert response.json()["status"] == "unhealthy"
    assert response.json()["reason"] == "loading model"


def test_model_info(car):
    document = car.get("/model/info").json()
    assert document["model_name"] == "cabin-en"
    assert document["model_path"] == "/models/cabin-en"
    assert document["sample_rate"] == RATE
    assert document["onnx_runtime_version"] == "1.27.0"
    assert document["num_threads"] == 2


def test_model_info_tells_versions(car):
    document = car.get("/model/info").json()
    assert document["version"] == car.app.version
    assert document["system"] is None
    car.service.telemetry.system = "1.0.0 (20261101093000, release)"
    assert car.get("/model/info").json()["system"] == "1.0.0 (20261101093000, release)"


def test_model_info_without_a_model(car):
    car.service.facts = None
    refused(car.get("/model/info"), 503, "not_ready")


# ---- transcribing


@pytest.mark.parametrize("field", ["audio_file", "file", "audio"])
def test_upload(car, field):
    response = car.upload(HELLO, field)
    document = response.json()
    assert response.status_code == 200, response.text
    assert document["text"] == "hello"
    assert document["language"] == "en"
    assert document["duration"] == pytest.approx(1.0)
    assert document["inference_time"] == 0.01
    assert document["total_time"] > 0
    assert document["rtf"] == pytest.approx(0.01)
    assert abs(document["timestamp"] - time.time()) < 60
    assert document["request_id"] == response.headers["x-request-id"]
    assert "segments" not in document


@pytest.mark.parametrize(
    ("kind", "rate"), [("FLAC", 44_100), ("OGG", 48_000), ("MP3", 24_000), ("WAV", 8_000)]
)
def test_any_kind_and_rate(car, kind, rate):
    audio = wav(np.repeat(tone(1.0, rate=rate)[:, None], 2, axis=1), rate, kind)
    assert car.upload(audio).json()["duration"] == pytest.approx(1.0, abs=0.1)
    spectrum = np.abs(np.fft.rfft(car.service.engine.files[0]))
    assert spectrum.argmax() * RATE / len(car.service.engine.files[0]) == pytest.approx(440, abs=2)


def test_fields_reach_the_engine(car):
    response = car.upload(
        HELLO, language="de", task="translate", word_timestamps="true", trim_silence="0"
    )
    assert response.status_code == 200, response.text
    options = car.service.engine.options
    assert options.language == "de"
    assert options.task == "translate"
    assert options.word_timestamps
    assert not options.trim_silence
    (segment,) = response.json()["segments"]
    assert segment["text"] == "hello"
    assert segment["words"] == [{"word": "hello", "start": 0.1, "end": 0.4, "probability": 0.9}]


def test_defaults_and_empty_fields(car):
    car.upload(HELLO, language="", task="")
    options = car.service.engine.options
    assert (options.language, options.task) == (None, "transcribe")
    assert options.trim_silence
    assert not options.word_timestamps


@pytest.mark.parametrize("level", [0.01, 0.03, 0.9])
def test_normalize_brings_speech_to_minus_20_dbfs(car, level):
    pause = np.zeros(3 * RATE, np.float32)
    car.upload(wav(np.concatenate([tone(1.0, level), pause]), subtype="FLOAT"))
    speech = car.service.engine.files[0][:RATE]
    assert 20 * math.log10(float(np.sqrt(np.mean(speech**2)))) == pytest.approx(-20, abs=0.5)


def test_normalize_off_leaves_the_level(car):
    car.upload(wav(tone(1.0, 0.02), subtype="FLOAT"), normalize="false")
    np.testing.assert_allclose(car.service.engine.files[0], tone(1.0, 0.02), atol=1e-6)


def test_normalize_neither_clips_nor_amplifies_silence(car):
    click = tone(1.0, 0.003)
    click[100] = 0.5
    car.upload(wav(click, subtype="FLOAT"))
    assert np.abs(car.service.engine.files[0]).max() == pytest.approx(0.97, abs=0.01)
    car.upload(wav(np.full(RATE, 1e-5, np.float32), subtype="FLOAT"))
    assert np.abs(car.service.engine.files[1]).max() < 1e-4


@pytest.mark.parametrize(
    "encode",
    [
        lambda text: text,
        lambda text: f"data:audio/wav;base64,{text}",
        lambda text: text.rstrip("="),
        lambda text: text.replace("+", "-").replace("/", "_"),
        lambda text: "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76)),
    ],
    ids=["plain", "data-url", "unpadded", "url-safe", "wrapped"],
)
def test_base64(car, encode):
    audio = wav(tone(0.501, 0.31))
    response = car.upload_base64(encode(base64.b64encode(audio).decode()), language="de")
    assert response.status_code == 200, response.text
    assert response.json()["duration"] == pytest.approx(0.501, abs=1e-3)
    assert response.json()["language"] == "de"


@pytest.mark.parametrize(
    ("plain", "written"), [("/", "\\/"), ("+", "\\u002B"), ("/", "\\u002f"), ("=", "\\u003d")]
)
def test_base64_with_the_escapes_of_other_languages(car, plain, written):
    text = next(
        text
        for size in (0.5, 0.50005, 0.5001, 0.50015)
        if plain in (text := base64.b64encode(wav(tone(size))).decode())
    )
    written_text = text.replace(plain, written)
    body = f'{{"language": "de", "audio_base64": "{written_text}", "task": "transcribe"}}'
    headers = {"Content-Type": "application/json"}
    response = car.request("POST", "/transcribe/base64", content=body, headers=headers)
    assert response.status_code == 200, response.text


def most_keys(number: int) -> bytes:
    keys = b",".join(b'"%x":0' % number for number in range(number))
    return b'{"audio_base64":"AAAA",' + keys + b"}"


@pytest.mark.parametrize(
    "body",
    [
        most_keys(1_000_000),
        b'{"audio_base64":"AAAA","x":[' + b"[]," * 3_000_000 + b"0]}",
        b'{"audio_base64":"AAAA","x":"' + b"x" * 9_000_000 + b'"}',
        b'{"' + b"x" * 9_000_000 + b'":1}',
        b'{"x":"' + b'\\"' * 4_000_000 + b'"}',
        b"[" * 9_000_000,
        b"{" + b'"audio_base64":"",' * 500_000 + b"}",
    ],
    ids=["keys", "lists", "value", "name", "escapes", "deep", "repeated"],
)
def test_what_is_not_the_audio_is_bounded(car, body):
    headers = {"Content-Type": "application/json"}
    car.request("POST", "/transcribe/base64", content=b"{}", headers=headers)  # imports
    tracemalloc.start()
    try:
        without = without_audio_error(body)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert without.status == 413
    assert peak < 2_000_000
    response = car.request("POST", "/transcribe/base64", content=body, headers=headers)
    refused(response, 413, "too_large")
    assert len(response.content) < 1_000


def without_audio_error(body: bytes) -> ApiError:
    with pytest.raises(ApiError) as caught:
        without_audio(body)
    return caught.value


def test_unknown_fields_are_told_in_one_error(car):
    headers = {"Content-Type": "application/json"}
    response = car.request("POST", "/transcribe/base64", content=most_keys(5_000), headers=headers)
    refused(response, 422, "bad_field")
    assert len(response.content) < 1_000


def test_no_temporary_folder(monkeypatch):
    """Case 17: a read-only root without one; gettempdir() raised while the message was written."""
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr(tempfile, "_candidate_tempdir_list", lambda: ["/nonexistent"])
    long = wav(tone(70.0))
    assert len(long) > 2_000_000
    with api() as car:
        message = refused(car.upload(long), 503, "no_storage")
        assert "temporary folder" in message
        assert "CACHE_DIR" in message
        assert car.upload(HELLO).status_code == 200  # what stays in memory needs none


def test_an_upload_that_is_removed_while_it_is_opened():
    """Its client left while a thread had begun to read it: the file stayed open."""

    class Removed(Upload):
        def flush(self) -> None:
            super().flush()
            opened.append(self._file)
            file, self._file = self._file, None
            self.close()  # as seen by a thread that looked a moment before
            self._file = file

    opened: list[Any] = []
    upload = Removed(None)
    upload.add(HELLO)
    with pytest.raises(StorageError, match="removed already"):
        upload.open()
    assert opened[0].closed


def test_large_uploads_are_spooled_and_removed(tmp_path, monkeypatch):
    flushed = []
    flush = uploads.Upload.flush

    def spying(upload: uploads.Upload) -> None:
        flush(upload)
        assert upload._file is not None
        flushed.append(Path(f"/proc/self/fd/{upload._file.fileno()}").readlink())

    monkeypatch.setattr(uploads.Upload, "flush", spying)
    large = wav(tone(40.0), subtype="PCM_16")
    with api(cache=tmp_path) as car:
        assert car.upload(large).status_code == 200
        assert car.upload_base64(base64.b64encode(large).decode()).status_code == 200
        assert {path.parent for path in flushed} == {tmp_path / "tmp"}
        assert car.upload(large[:1_200_000] + b"x" * 200_000).status_code == 200
        assert car.upload(b"x" * 1_200_000).status_code == 415
        flushed.clear()
        assert car.upload(HELLO).status_code == 200
        assert all("memfd" in str(path) for path in flushed)
    assert list((tmp_path / "tmp").iterdir()) == []


# ---- refusals


def test_bad_audio(car):
    refused(car.upload(b""), 400, "bad_audio")
    refused(car.upload(wav(tone(0.05))), 400, "too_short")
    refused(car.upload(wav(np.zeros(0, np.float32))), 400, "bad_audio")
    refused(car.upload(HELLO[:40]), 400, "bad_audio")
    not_numbers = wav(np.full(RATE, np.nan, np.float32), subtype="FLOAT")
    assert "not numbers" in refused(car.upload(not_numbers), 400, "bad_audio")
    refused(car.upload_base64(base64.b64encode(HELLO[:40]).decode()), 400, "bad_audio")
    assert car.service.engine.files == []


def test_audio_damaged_in_the_middle(car):
    noise = np.random.default_rng(0).normal(0, 0.1, 3 * RATE).astype(np.float32)
    flac = bytearray(wav(noise, kind="FLAC"))
    flac[len(flac) // 2 : len(flac) // 2 + 9000] = bytes(9000)
    refused(car.upload(bytes(flac)), 400, "bad_audio")


TRUNCATED = wav(tone(3.0))[: 44 + 3 * RATE]
"""The header counts 3 s, the bytes are of 1.5 s."""


def test_what_is_wrong_with_audio_that_was_used(car):
    for reply in (car.upload(TRUNCATED), car.upload_base64(base64.b64encode(TRUNCATED).decode())):
        assert reply.status_code == 200
        assert reply.json()["duration"] == 1.5
        (warning,) = reply.json()["warnings"]
        assert warning.startswith("the upload breaks off after 1.5 s: ")
        assert reply.headers["X-Audio-Warning"] == warning
    sound = car.upload(HELLO)
    assert "warnings" not in sound.json()
    assert "X-Audio-Warning" not in sound.headers


def test_a_header_that_counts_less_than_there_is(car):
    counted = bytearray(wav(tone(3.0)))
    counted[4:8], counted[40:44] = (4132).to_bytes(4, "little"), (4096).to_bytes(4, "little")
    reply = car.upload(bytes(counted)).json()
    assert reply["duration"] == 3.0
    assert "where its header counts 0.1 s" in reply["warnings"][0]


def test_the_header_of_a_warning_is_short_ascii():
    assert warning_headers([]) == {}
    headers = warning_headers(["Zürich\r\nSet-Cookie: x", "y" * 2_000])
    (text,) = headers.values()
    assert text.startswith("Z?rich  Set-Cookie: x; yyy")
    assert len(text) == 500


def test_sound_that_is_dear_is_refused():
    with api(max_audio_seconds=2) as car:
        assert car.upload(wav(tone(1.9))).status_code == 200
        many = np.repeat(tone(1.9)[:, None], 8, axis=1)
        assert car.upload(wav(many[:RATE], kind="FLAC")).status_code == 200
        assert "8 channels" in refused(car.upload(wav(many, kind="FLAC")), 413, "too_long")
        assert len(car.service.engine.files) == 2


@pytest.mark.parametrize(
    "content", [b"hello, this is text", b"\x89PNG\r\n\x1a\n" + bytes(100), bytes(1000), b"RIFF"]
)
def test_what_is_not_audio(car, content):
    refused(car.upload(content), 415, "not_audio")


def test_what_says_that_it_is_not_audio(car):
    files = {"audio_file": ("x.png", HELLO, "image/png")}
    refused(car.request("POST", "/transcribe", files=files), 415, "not_audio")
    data_url = "data:text/plain;base64," + base64.b64encode(HELLO).decode()
    refused(car.upload_base64(data_url), 415, "not_audio")


@pytest.mark.parametrize(
    ("path", "content_type"),
    [
        ("/transcribe", "application/json"),
        ("/transcribe", "audio/wav"),
        ("/transcribe", "multipart/form-data"),
        ("/transcribe", "multipart/form-data; boundary="),
        ("/transcribe", ""),
        ("/transcribe/base64", "text/plain"),
        ("/transcribe/base64", "multipart/form-data; boundary=x"),
        ("/transcribe/base64", ""),
    ],
)
def test_wrong_content_type(car, path, content_type):
    response = car.request("POST", path, content=b"x", headers={"Content-Type": content_type})
    refused(response, 415, "wrong_content_type")


def test_too_long():
    with api(max_audio_seconds=2) as car:
        assert car.upload(wav(tone(2.0))).status_code == 200
        message = refused(car.upload(wav(tone(2.1))), 413, "too_long")
        assert "longer than 2 s" in message
        assert len(car.service.engine.files) == 1


def test_too_long_without_a_length_in_the_header():
    raw = bytearray(wav(tone(3.0)))
    raw[40:44] = (0xFFFFFFFF).to_bytes(4, "little")
    raw[4:8] = (0xFFFFFFFF).to_bytes(4, "little")
    with api(max_audio_seconds=2) as car:
        refused(car.upload(bytes(raw)), 413, "too_long")


def test_too_large():
    with api(max_upload_mb=1) as car:
        message = refused(car.upload(bytes(1_200_000)), 413, "too_large")
        assert "larger than 1 MB" in message
        refused(car.upload_base64("A" * 1_500_000), 413, "too_large")


def test_too_large_without_content_length_is_noticed_while_reading():
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        yield b'--x\r\nContent-Disposition: form-data; name="file"\r\n\r\n'
        while sent < 1_000_000_000:
            sent += 65_536
            yield bytes(65_536)

    async def ask(car: Api) -> httpx.Response:
        async with car.client() as client:
            headers = {"Content-Type": "multipart/form-data; boundary=x"}
            return await client.post("/transcribe", content=endless(), headers=headers)

    with api(max_upload_mb=1) as car:
        refused(asyncio.run(ask(car)), 413, "too_large")
    assert sent < 1_300_000


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"task": "sing"}, "task: "),
        ({"normalize": "maybe"}, "normalize: "),
        ({"language": "x" * 65}, "language: "),
        ({"langauge": "en"}, "langauge: extra"),
        ({"language": "en" * 5000}, "language: longer than 4096 bytes"),
    ],
)
def test_bad_fields(car, fields, words):
    response = car.upload(HELLO, **fields)
    message = refused(response, 422, "bad_field")
    assert message.startswith(words)
    assert response.json()["error"]["param"] == words.partition(":")[0]
    assert len(message) < 200
    assert "\n" not in message


def test_unknown_language(car):
    message = refused(car.upload(HELLO, language="klingon"), 422, "bad_option")
    assert message == "unknown language 'klingon': use en or de"


def test_missing_and_repeated_fields(car):
    refused(car.request("POST", "/transcribe", files={"other": HELLO}), 422, "bad_field")
    both = [("audio_file", HELLO), ("file", HELLO)]
    refused(car.request("POST", "/transcribe", files=both), 422, "bad_field")
    twice = [("audio_file", HELLO), ("task", (None, b"translate")), ("task", (None, b"transcribe"))]
    refused(car.request("POST", "/transcribe", files=twice), 422, "bad_field")
    many = [("audio_file", HELLO), *((f"f{number}", (None, b"1")) for number in range(40))]
    refused(car.request("POST", "/transcribe", files=many), 400, "bad_request")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "bad_json"),
        (b"{", 400, "bad_json"),
        (b"\xff\xfe", 400, "bad_json"),
        (b'{"audio_base64": "' + b"A" * 100, 400, "bad_json"),
        (b"[" * 50_000, 400, "bad_json"),
        (b"[]", 422, "bad_field"),
        (b"null", 422, "bad_field"),
        (b"{}", 422, "bad_field"),
        (b'{"audio_base64": 1}', 422, "bad_field"),
        (b'{"audio_base64": ""}', 422, "bad_field"),
        (b'{"audio_base64": "AAAA", "x": 1}', 422, "bad_field"),
        (b'{"audio_base64": "AAAA", "language": 5}', 422, "bad_field"),
        (b'{"audio_base64": "not base64!"}', 400, "bad_base64"),
        (b'{"audio_base64": "A"}', 400, "bad_base64"),
        (b'{"audio_base64": "AA=A"}', 400, "bad_base64"),
        ('{"audio_base64": "ÄÖÜ"}'.encode(), 400, "bad_base64"),
        (b'{"audio_base64": "data:audio/wav,AAAA"}', 400, "bad_base64"),
        (b'{"audio_base64": "data:audio/wav;base64"}', 400, "bad_base64"),
        (b'{"audio_base64": "data:audio/wav;base64,"}', 400, "bad_audio"),
        (b'{"audio_base64": "===="}', 400, "bad_audio"),
        (b'{"audio_base64": "AAAA"}', 415, "not_audio"),
    ],
)
def test_bad_json(car, body, status, code):
    headers = {"Content-Type": "application/json; charset=utf-8"}
    refused(car.request("POST", "/transcribe/base64", content=body, headers=headers), status, code)


DISPOSITION = b'Content-Disposition: form-data; name="audio_file"; filename="x"\r\n'


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"--x",
        b"--x--",
        b"--x--\r\n",
        b"--x\r\n\r\n",
        b"--y\r\n\r\n--y--\r\n",
        b"garbage",
        bytes(1000),
        b"--x\r\n" + DISPOSITION,
        b"--x\r\n" + DISPOSITION + b"\r\n" + HELLO,
        b"--x\r\n" + DISPOSITION + b"\r\n" + HELLO + b"\r\n--x",
        b"--x\r\n" + DISPOSITION + b"\r\n\r\n--x--\r\n",
        b"--x\r\nContent-Disposition: form-data\r\n\r\nabc\r\n--x--\r\n",
        b'--x\r\nContent-Disposition: form-data; name=""\r\n\r\nabc\r\n--x--\r\n',
        b'--x\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\nabc\r\n--x--\r\n',
        b"--x\r\nContent-Disposition: \x00\r\n\r\nabc\r\n--x--\r\n",
        b"--x\r\nno colon\r\n\r\nabc\r\n--x--\r\n",
        b"--x\r\n: no name\r\n\r\nabc\r\n--x--\r\n",
        b"--x\r\n\r\nabc\r\n--x--\r\n",
        b"--x\r\n" + b"A: b\r\n" * 100 + DISPOSITION + b"\r\nabc\r\n--x--\r\n",
        b"--x\r\nA: " + b"b" * 100_000 + b"\r\n\r\nabc\r\n--x--\r\n",
        b"--x\r\n" + DISPOSITION + b"Content-Type: \xff\xff/\x00\r\n\r\nabc\r\n--x--\r\n",
        b"--x\n" + DISPOSITION.replace(b"\r", b"") + b"\nabc\n--x--\n",
        (b"--x\r\n" + DISPOSITION + b"\r\n" + b"\r\n--" * 20_000),
    ],
)
def test_broken_forms_are_the_clients_fault(car, body):
    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    response = car.request("POST", "/transcribe", content=body, headers=headers)
    assert response.status_code in {400, 415, 422}, response.text
    refused(response, response.status_code, response.json()["error"]["code"])


@pytest.mark.parametrize(
    "boundary", ["\xff\xfe".encode("latin-1"), b'"', b"x" * 1000, b'"x', b"\t", b"x; boundary=y"]
)
def test_odd_boundaries_are_the_clients_fault(car, boundary):
    headers = {b"Content-Type": b"multipart/form-data; boundary=" + boundary}
    response = car.request("POST", "/transcribe", content=b"--x\r\n", headers=headers)
    assert response.status_code in {400, 415}, response.text


# ---- limits


def test_queue_full_says_when_to_come_back():
    with api(max_queue=1) as car:
        car.service.engine.gate.clear()

        async def ask() -> httpx.Response:
            async with car.client() as client:
                first = asyncio.create_task(client.post("/transcribe", files={"audio_file": HELLO}))
                await asyncio.to_thread(car.service.engine.asked.wait, 10)
                second = await client.post("/transcribe", files={"audio_file": HELLO})
                car.service.engine.gate.set()
                assert (await first).status_code == 200
                return second

        response = asyncio.run(ask())
        refused(response, 429, "queue_full")
        assert int(response.headers["retry-after"]) >= 1


def test_no_more_uploads_are_received_than_can_be_handled():
    async def ask(car: Api) -> httpx.Response:
        begun, received = asyncio.Barrier(4), asyncio.Event()

        async def never_ending() -> AsyncIterator[bytes]:
            yield b"--x\r\n"
            await begun.wait()
            await received.wait()

        async with car.client() as client:
            headers = {"Content-Type": "multipart/form-data; boundary=x"}
            slow = [
                asyncio.create_task(
                    client.post("/transcribe", content=never_ending(), headers=headers)
                )
                for _ in range(3)
            ]
            await begun.wait()
            response = await client.post("/transcribe", files={"audio_file": HELLO})
            received.set()
            assert [one.status_code for one in await asyncio.gather(*slow)] == [400] * 3
            assert (await client.post("/transcribe", files={"audio_file": HELLO})).is_success
            return response

    with api(max_queue=1) as car:
        refused(asyncio.run(ask(car)), 429, "queue_full")


def test_a_stalled_upload_is_given_up(car, monkeypatch):
    monkeypatch.setattr(uploads, "_STALLED_SECONDS", 0.01)

    async def stalled() -> AsyncIterator[bytes]:
        yield b"--x\r\n"
        await asyncio.sleep(60)

    async def ask() -> httpx.Response:
        async with car.client() as client:
            headers = {"Content-Type": "multipart/form-data; boundary=x"}
            response = await client.post("/transcribe", content=stalled(), headers=headers)
            assert isinstance(response, httpx.Response)
            return response

    refused(asyncio.run(ask()), 408, "upload_stalled")


def test_rate_limit():
    with api(requests_per_minute=2) as car:
        assert [car.upload(HELLO).status_code for _ in range(2)] == [200, 200]
        response = car.upload(HELLO)
        refused(response, 429, "rate_limited")
        assert 1 <= int(response.headers["retry-after"]) <= 30
        assert car.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("trusted", "statuses"),
    [
        ((), [200, 429, 429]),
        (("127.0.0.0/8",), [200, 200, 429]),
        (("192.0.2.9",), [200, 429, 429]),
    ],
)
def test_limits_know_clients_behind_the_configured_proxies(trusted, statuses):
    config = Config(
        limits=LimitsConfig(requests_per_minute=1), output=OutputConfig(trusted_proxies=trusted)
    )
    with scripted_service(config) as service:
        car = Api(service)
        # A client can write the header too: what the proxy adds to it stands last.
        given = ["192.0.2.1", "192.0.2.2", "192.0.2.1, 192.0.2.2"]
        replies = [
            car.request(
                "POST",
                "/transcribe",
                files={"audio_file": HELLO},
                headers={"X-Forwarded-For": clients},
            )
            for clients in given
        ]
        assert [reply.status_code for reply in replies] == statuses


# ---- clients on a real connection


def head(server: Server, length: int) -> bytes:
    return (
        f"POST /transcribe HTTP/1.1\r\nHost: {server.address}\r\nContent-Length: {length}\r\n"
        f"Content-Type: multipart/form-data; boundary=x\r\n\r\n"
    ).encode()


@pytest.fixture
def real() -> Iterator[Server]:
    with serving(Config(limits=LimitsConfig(max_upload_mb=1, max_queue=1))) as server:
        yield server


def test_a_client_that_goes_away_cancels_its_job(real):
    engine = real.service.engine
    engine.gate.clear()
    body = b"--x\r\n" + DISPOSITION + b"\r\n" + wav(tone(9.0)) + b"\r\n--x--\r\n"
    with socket.create_connection(("127.0.0.1", real.port)) as client:
        client.sendall(head(real, len(body)) + body)
        assert engine.asked.wait(SOON)
    gone = 'rtap_requests_total{endpoint="/transcribe",status="499"} 1.0'
    wait_until(lambda: real.metric(gone))
    engine.gate.set()
    assert engine.dropped.wait(SOON)
    assert engine.files == []


def test_clients_that_go_away_in_the_middle_leave_nothing(real):
    for _ in range(8):  # more than may be received at a time
        with socket.create_connection(("127.0.0.1", real.port)) as client:
            part = b"--x\r\n" + DISPOSITION + b"\r\n" + bytes(5_000)
            client.sendall(head(real, 900_000) + part)
    with httpx.Client(base_url=f"http://{real.address}", trust_env=False, timeout=SOON) as client:
        wait_until(lambda: client.post("/transcribe", files={"file": HELLO}).status_code == 200)


def test_a_client_that_sends_too_much_gets_to_read_why(real):
    connection = http.client.HTTPConnection("127.0.0.1", real.port, timeout=SOON)
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    connection.request("POST", "/transcribe", body=bytes(25_000_000), headers=kind)
    response = connection.getresponse()
    assert response.status == 413
    assert json.loads(response.read())["error"]["code"] == "too_large"
    connection.close()


def test_a_client_that_asks_first_sends_nothing_for_nothing(real):
    asking = head(real, 9_000_000).replace(b"\r\n\r\n", b"\r\nExpect: 100-continue\r\n\r\n")
    with socket.create_connection(("127.0.0.1", real.port), timeout=SOON) as client:
        client.sendall(asking)
        assert client.recv(4096).startswith(b"HTTP/1.1 413")


# ---- not ready, failing


def test_while_the_model_is_loaded():
    with api(start=False) as car:
        response = car.upload(HELLO)
        assert "being loaded" in refused(response, 503, "not_ready")
        assert int(response.headers["retry-after"]) >= 1
        refused(car.upload_base64("AAAA"), 503, "not_ready")
        assert car.get("/").status_code == 200


def test_without_a_model_it_says_why(car):
    car.service.stt.failure = "no speech model is loaded: run rtap models list"
    message = refused(car.upload(HELLO), 503, "not_ready")
    assert message == "no speech model is loaded: run rtap models list"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (Broken("this broke: try again"), 500, "failed"),
        (StorageError("the disk is full: make room"), 503, "no_storage"),
        (ModelChangedError("it was written over: send it again"), 503, "not_ready"),
        (QueueFullError("too many: wait", retry_after=2.5), 429, "queue_full"),
    ],
)
def test_errors_with_advice_are_passed_on(car, error, status, code):
    car.service.engine.error = error
    response = car.upload(HELLO)
    assert refused(response, status, code) == str(error)
    if isinstance(error, QueueFullError):
        assert response.headers["retry-after"] == "3"


def test_a_failing_engine_is_told_in_one_sentence(car):
    car.service.engine.error = ZeroDivisionError("oops")
    refused(car.upload(HELLO), 500, "failed")


@pytest.mark.parametrize("path", ["/health", "/transcribe", "/transcribe/base64"])
def test_what_nobody_foresaw_is_neutral_and_logged(car, path, caplog):
    car.service.failure = ZeroDivisionError("secret /path")
    audio = base64.b64encode(HELLO).decode()
    if path == "/health":
        response = car.get(path)
    elif path == "/transcribe":
        response = car.upload(HELLO)
    else:
        response = car.upload_base64(audio)
    refused(response, 500, "internal_error")
    assert "secret" not in response.text
    assert "ZeroDivisionError('secret /path')" in caplog.text


# ---- keys and ids


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-API-Key": "wrong"},
        {"X-API-Key": ""},
        {"Authorization": "Bearer wrong"},
        {"Authorization": "Basic " + base64.b64encode(KEY.encode()).decode()},
        {"Authorization": KEY.encode()},
        {"Authorization": "Bearer"},
        {"X-API-Key": b"\xff\xfe"},
    ],
)
def test_without_a_valid_key(headers):
    with locked() as car:
        for method, path in (
            ("GET", "/model/info"),
            ("POST", "/transcribe"),
            ("POST", "/transcribe/base64"),
        ):
            response = car.request(method, path, headers=headers, params={"api_key": KEY})
            refused(response, 401, "unauthorized")
            assert response.headers["www-authenticate"] == "Bearer"
            assert KEY not in response.text


@pytest.mark.parametrize(
    "headers",
    [
        {"X-API-Key": KEY.encode()},
        {"X-API-Key": KEY.encode("latin-1")},
        {"Authorization": b"Bearer " + KEY.encode()},
        {"Authorization": b"bearer  " + KEY.encode()},
    ],
)
def test_with_the_key(headers):
    with locked() as car:
        assert car.get("/model/info", headers=headers).status_code == 200
        files = {"audio_file": HELLO}
        response = car.request("POST", "/transcribe", files=files, headers=headers)
        assert response.status_code == 200


def test_watchdogs_need_no_key():
    with locked() as car:
        assert car.get("/").status_code == 200
        assert car.get("/health").status_code == 200


def test_request_id_is_taken_over(car):
    assert (
        car.get("/", headers={"X-Request-ID": "abc-1.2_3"}).headers["x-request-id"] == "abc-1.2_3"
    )


@pytest.mark.parametrize("given", ["", "x" * 129, "a b", "a\tb", "é", '{"a":1}'])
def test_an_unsound_request_id_is_replaced(car, given):
    first = car.get("/", headers={"X-Request-ID": given.encode()}).headers["x-request-id"]
    second = car.get("/").headers["x-request-id"]
    assert first != given
    assert len(first) == 32
    assert first != second


# ---- the rest of HTTP


@pytest.mark.parametrize("path", ["/docs", "/redoc", "/nothing", "/nothing/", "/%00", "/..%2f"])
def test_unknown_paths(car, path):
    refused(car.get(path), 404, "not_found")


def test_head_is_get_without_a_body(car):
    for path in ("/", "/health", "/openapi.json", "/v1/models"):
        asked = car.request("HEAD", path)
        assert (asked.status_code, asked.content) == (200, b"")
        assert int(asked.headers["content-length"]) > 0
    assert car.request("HEAD", "/nothing").status_code == 404
    assert car.request("HEAD", "/transcribe").status_code == 405
    metrics = car.service.telemetry.exposition().decode()
    assert 'endpoint="/health",status="200"} 1.0' in metrics


def test_head_over_a_real_connection(real):
    with httpx.Client(base_url=f"http://{real.address}", trust_env=False, timeout=SOON) as client:
        for _ in range(2):  # the connection can go on being used
            assert client.head("/health").status_code == 200
            assert client.get("/health").json()["status"] == "healthy"
        for path in ("//health", "/health/", "///health//"):
            assert client.get(f"http://{real.address}{path}").status_code == 200


@pytest.mark.parametrize("path", ["/transcribe/", "//transcribe", "//transcribe//"])
def test_slashes_too_many_are_passed_over(car, path):
    url = f"http://localhost{path}"
    response = car.request("POST", url, files={"audio_file": HELLO})
    assert response.json()["text"] == "hello"


def test_slashes_too_many_open_no_door():
    with locked() as car:
        for path in ("//listening", "/listening/", "//try//../listening", "/health/../listening"):
            assert car.get(f"http://localhost{path}").status_code in {401, 404}
            assert "enabled" not in car.get(f"http://localhost{path}").text


@pytest.mark.parametrize(
    "path", ["/transcribe", "/transcribe/base64", "/v1/audio/transcriptions", "/listening"]
)
def test_a_compressed_body_is_told_from_a_broken_one(car, path):
    headers = {"Content-Encoding": "gzip", "Content-Type": "multipart/form-data; boundary=x"}
    method = "PUT" if path == "/listening" else "POST"
    response = car.request(method, path, content=gzip.compress(HELLO), headers=headers)
    refused(response, 415, "wrong_content_encoding")
    assert "send it plain" in response.json()["error"]["message"]


def test_wrong_method(car):
    response = car.get("/transcribe")
    refused(response, 405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


def test_openapi_declares_every_failure_and_loads_nothing(car):
    response = car.get("/openapi.json")
    document = response.json()
    assert response.status_code == 200
    for path in ("/transcribe", "/transcribe/base64"):
        operation = document["paths"][path]["post"]
        codes = {"200", "400", "401", "403", "408", "413", "415", "422", "429", "500", "503"}
        assert set(operation["responses"]) == codes
        for code in codes - {"200"}:
            schema = operation["responses"][code]["content"]["application/json"]
            assert schema["schema"]["$ref"].endswith("/ErrorReply")
            assert schema["example"]["error"]["message"]
        assert operation["security"]
        (content,) = operation["requestBody"]["content"].values()
        assert {"language", "task", "normalize", "trim_silence"} <= set(
            content["schema"]["properties"]
        )
    assert "security" not in document["paths"]["/health"]["get"]
    assert "503" in document["paths"]["/health"]["get"]["responses"]
    assert all(
        operation["description"]
        for path in document["paths"].values()
        for operation in path.values()
    )
    assert "http://" not in json.dumps(document)
    assert "cdn" not in json.dumps(document)
    assert car.get("/openapi.json").json() == document


def test_requests_are_counted_by_route(car):
    car.upload(HELLO)
    car.upload(b"")
    car.get("/nothing/secret")
    metrics = car.service.telemetry.exposition().decode()
    assert 'rtap_requests_total{endpoint="/transcribe",status="200"} 1.0' in metrics
    assert 'rtap_requests_total{endpoint="/transcribe",status="400"} 1.0' in metrics
    assert 'rtap_requests_total{endpoint="unknown",status="404"} 1.0' in metrics
    assert "secret" not in metrics


@pytest.mark.parametrize(
    ("kind", "status"),
    [
        (AudioError, 400),
        (NotAudioError, 415),
        (ConfigurationError, 422),
        (ModelError, 500),
        (PipelineError, 500),
        (StorageError, 503),
        (ValueError, 500),
    ],
)
def test_every_error_has_a_status(kind, status):
    assert as_api_error(kind("x")).status == status
