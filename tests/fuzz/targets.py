"""What reads bytes from outside: each target takes any bytes, and raises only where the program is at fault.

An error of rtap.errors is an answer. So is every HTTP status but 500, and every close code but 1011.
"""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import shutil
import tempfile
from collections.abc import Callable, Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Final

import numpy as np
import soundfile
from pydantic import ValidationError
from wyoming.event import Event

import rtap
from rtap.audio.file import AudioFile
from rtap.config import Config
from rtap.config.loader import SOURCE_PROFILES, UnifiedConfigLoader
from rtap.errors import AudioError, ConfigurationError, ModelError
from rtap.transports.api import create_api
from rtap.transports.api_errors import ApiError
from rtap.transports.wyoming.audio import AudioHeader, IncomingAudio
from rtap.transports.wyoming.wire import MAX_LINE, read_event
from rtap.vehicle.adapters.mqtt.messages import NonsenseError, read_refused, read_state
from rtap.vehicle.signals import Datatype, Signal
from rtap.whisper.features import LogMel
from rtap.whisper.model_directory import ModelDirectory
from rtap.whisper.model_settings import Dimensions, GenerationRules
from rtap.whisper.tokenizer import WhisperTokenizer
from tests.backend.transports.scripted_service import ScriptedService
from tests.deadlines import SOON

BUNDLED: Final = Path(rtap.__file__).parent / "models" / "cabin-en"
CORPUS: Final = Path(__file__).parent / "corpus"
MOST_AUDIO: Final = 60 * 16_000
"""Samples of a file that are taken; the service takes limits.max_audio_seconds."""
_BOUNDARY: Final = b"fuzz"


@dataclass(frozen=True)
class Target:
    """One reader of bytes."""

    read: Callable[[bytes], None]
    seeds: Callable[[], Sequence[bytes]]
    """Inputs that it understands."""
    words: tuple[bytes, ...]
    """What its inputs are made of."""


def inputs(name: str) -> list[bytes]:
    """The target's seeds, and what is kept of earlier searches."""
    kept = sorted((CORPUS / name).glob("*"))
    return [*TARGETS[name].seeds(), *(file.read_bytes() for file in kept)]


# ---- files of sound


def read_audio(data: bytes) -> None:
    """As an upload is read."""
    with contextlib.suppress(AudioError), AudioFile.open(io.BytesIO(data), "upload") as audio:
        taken = 0
        for block in audio.blocks():
            assert block.dtype == np.float32
            assert block.ndim == 1
            assert np.isfinite(block).all()
            taken += block.size
            if taken > MOST_AUDIO:
                break


@cache
def sounds() -> Sequence[bytes]:
    """A tenth of a second in every format."""
    tone = 0.1 * np.sin(np.arange(1600) * 0.2).astype(np.float32)
    formats = [("WAV", "PCM_16", 1), ("WAV", "FLOAT", 2), ("WAV", "PCM_24", 1), ("WAV", "ULAW", 1)]
    formats += [("FLAC", "PCM_16", 1), ("FLAC", "PCM_24", 2), ("OGG", "VORBIS", 1)]
    formats += [("OGG", "OPUS", 1), ("MP3", "MPEG_LAYER_III", 1)]
    return tuple(_sound(tone, *one) for one in formats)


def _sound(tone: Any, kind: str, subtype: str, channels: int) -> bytes:
    buffer = io.BytesIO()
    samples = np.repeat(tone[:, np.newaxis], channels, axis=1)
    soundfile.write(buffer, samples, 16_000, format=kind, subtype=subtype)
    return buffer.getvalue()


# ---- the HTTP API and /stream


class Asgi:
    """The API in an event loop of its own, asked as a web server would ask it."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._service = ScriptedService(Config())
        self._service.stt.start()
        self._app = create_api(self._service).app

    def ask(self, scope: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]) -> list[Any]:
        """Give it messages, as long as it wants some; returns what it sent."""
        return self.loop.run_until_complete(self._ask(scope, messages))

    async def _ask(
        self, scope: Mapping[str, Any], messages: Sequence[Mapping[str, Any]]
    ) -> list[Any]:
        waiting, sent = iter(messages), []

        async def receive() -> MutableMapping[str, Any]:
            # What a server receives is never all there at once.
            await asyncio.sleep(0)
            message = next(waiting, None)
            if message is None and scope["type"] == "http":
                await asyncio.Event().wait()  # for the answer
            return dict(message or {"type": "websocket.disconnect", "code": 1001})

        async def send(message: MutableMapping[str, Any]) -> None:
            sent.append(message)

        async with asyncio.timeout(SOON):
            await self._app({**_CONNECTION, **scope}, receive, send)
        return sent


_CONNECTION: Final[Mapping[str, Any]] = {
    "asgi": {"version": "3.0", "spec_version": "2.4"},
    "http_version": "1.1",
    "client": ("127.0.0.1", 50_000),
    "server": ("127.0.0.1", 8_000),
    "root_path": "",
    "query_string": b"",
    "subprotocols": [],
    "extensions": {},
}
_HOST: Final = (b"host", b"127.0.0.1:8000")


@cache
def asgi() -> Asgi:
    """The one that all targets share."""
    return Asgi()


def post(path: str, content_type: bytes, body: bytes) -> None:
    """A request whose body comes in two pieces."""
    headers = [_HOST, (b"content-type", content_type), (b"content-length", b"%d" % len(body))]
    scope = {"type": "http", "method": "POST", "scheme": "http", "headers": headers}
    half = len(body) // 2
    pieces = [
        {"type": "http.request", "body": body[:half], "more_body": True},
        {"type": "http.request", "body": body[half:], "more_body": False},
    ]
    sent = asgi().ask({**scope, "path": path, "raw_path": path.encode()}, pieces)
    status = next((one["status"] for one in sent if one["type"] == "http.response.start"), None)
    assert status is not None
    assert status != 500, b"".join(one.get("body", b"") for one in sent)


def read_multipart(data: bytes) -> None:
    """A form, as browsers and curl send one."""
    post("/v1/audio/transcriptions", b"multipart/form-data; boundary=" + _BOUNDARY, data)


def forms() -> Sequence[bytes]:
    """One with all fields, one with the file alone."""
    audio = sounds()[0]
    fields = [(b"model", b"whisper-1"), (b"language", b"en"), (b"response_format", b"json")]
    fields += [(b"timestamp_granularities[]", b"word"), (b"temperature", b"0"), (b"prompt", b"a")]
    parts = [b'name="%s"\r\n\r\n%s' % one for one in fields]
    file = b'name="file"; filename="a.wav"\r\nContent-Type: audio/wav\r\n\r\n' + audio
    return _form([*parts, file]), _form([file])


def _form(parts: Sequence[bytes]) -> bytes:
    start = b"--" + _BOUNDARY + b"\r\nContent-Disposition: form-data; "
    return b"".join(start + part + b"\r\n" for part in parts) + b"--" + _BOUNDARY + b"--\r\n"


def read_base64(data: bytes) -> None:
    """JSON with audio in it."""
    post("/transcribe/base64", b"application/json", data)


def read_stream(data: bytes) -> None:
    """Messages of one client: a kind (q: query, t: text, b: audio), a length of two bytes, and that much."""
    query = b""
    messages: list[dict[str, Any]] = []
    source = io.BytesIO(data)
    while head := source.read(3):
        content = source.read(int.from_bytes(head[1:], "little"))
        if head[:1] == b"q":
            query = bytes(one for one in content if 0x20 < one < 0x7F)
        elif head[:1] == b"t":
            text = content.decode("utf-8", "replace")
            messages.append({"type": "websocket.receive", "text": text})
        else:
            messages.append({"type": "websocket.receive", "bytes": content})
    scope: dict[str, Any] = {"type": "websocket", "scheme": "ws", "path": "/stream"}
    scope |= {"raw_path": b"/stream", "headers": [_HOST], "query_string": query}
    sent = asgi().ask(scope, [{"type": "websocket.connect"}, *messages])
    for one in sent:
        if one["type"] == "websocket.send":
            assert "type" in json.loads(one["text"])
        assert one.get("code") != 1011, one


def conversations() -> Sequence[bytes]:
    """A client that says what it sends, and one that does not."""
    audio = (0.1 * np.ones(1600, np.float32)).tobytes()
    config = b'{"type":"config","sample_rate":48000,"format":"s16le","language":"de"}'
    end = _message(b"t", b'{"type":"end"}')
    first = _message(b"t", config) + 2 * _message(b"b", audio) + end
    query = _message(b"q", b"language=en&sample_rate=8000&format=f32le&channels=1")
    return first, query + _message(b"b", audio) + _message(b"b", bytes(6400)) + end


def _message(kind: bytes, content: bytes) -> bytes:
    return kind + len(content).to_bytes(2, "little") + content


# ---- Wyoming


def read_wyoming(data: bytes) -> None:
    """All events of a connection, and the sound in them."""
    asyncio.run(_read_wyoming(data))


async def _read_wyoming(data: bytes) -> None:
    reader = asyncio.StreamReader(limit=MAX_LINE)
    reader.feed_data(data)
    reader.feed_eof()
    audio: IncomingAudio | None = None
    with contextlib.suppress(ApiError, AudioError, ValidationError):
        while (event := await read_event(reader)) is not None:
            audio = _hear(event, audio)


def _hear(event: Event, audio: IncomingAudio | None) -> IncomingAudio | None:
    if event.type == "audio-start":
        return IncomingAudio(AudioHeader.model_validate(event.data))
    if event.type == "audio-chunk" and audio is not None:
        samples = audio.push(AudioHeader.model_validate(event.data), event.payload or b"")
        assert samples.dtype == np.float32
    if event.type == "audio-stop" and audio is not None:
        audio.flush()
        return None
    return audio


def events() -> Sequence[bytes]:
    """A command, in both forms that data may have."""
    sound = b'{"rate":16000,"width":2,"channels":1}'
    start = b'{"type":"audio-start","data":' + sound + b"}\n"
    payload = bytes(640)
    chunk = b'{"type":"audio-chunk","data_length":%d,"payload_length":%d}\n' % (len(sound), 640)
    stop = b'{"type":"audio-stop","data":{"timestamp":100}}\n'
    describe = b'{"type":"describe"}\n'
    transcribe = b'{"type":"transcribe","data":{"language":"en","name":"cabin-en"}}\n'
    return transcribe + start + 2 * (chunk + sound + payload) + stop, describe


# ---- files of the owner


@cache
def _scratch() -> Path:
    """Removed by the system; a target is called thousands of times."""
    return Path(tempfile.mkdtemp(prefix="rtap-fuzz-"))


def read_profile(data: bytes) -> None:
    """A configuration, with what its variables stand for."""
    directory = _scratch() / "profiles"
    directory.mkdir(exist_ok=True)
    file = directory / "fuzzed.yaml"
    file.write_bytes(data)
    shutil.copy(SOURCE_PROFILES / "default.yaml", directory)
    environment = {"RTAP_API_KEY": "k" * 16, "AUDIO_DEVICE": "plughw:CARD=x"}
    with contextlib.suppress(ConfigurationError):
        UnifiedConfigLoader((directory,), environment).load(file=file)


def profiles() -> Sequence[bytes]:
    """Those that come along, without their comments."""
    texts = [file.read_text().splitlines() for file in sorted(SOURCE_PROFILES.glob("*.yaml"))]
    plain = ["\n".join(line for line in text if not line.strip().startswith("#")) for text in texts]
    return [text.encode() for text in [*plain, "output: {api_key: ${RTAP_API_KEY:none}}\n"]]


def read_manifest(data: bytes) -> None:
    """A manifest beside the bundled model's files."""
    directory = _scratch() / "model"
    if not directory.exists():
        shutil.copytree(BUNDLED, directory)
    (directory / "manifest.json").write_bytes(data)
    with contextlib.suppress(ModelError):
        ModelDirectory.open(directory).verify()


def manifests() -> Sequence[bytes]:
    """The bundled model's, and one without what nobody needs."""
    text = (BUNDLED / "manifest.json").read_bytes()
    short = {
        key: one for key, one in json.loads(text).items() if key not in ("quantization", "parity")
    }
    return text, json.dumps(short).encode()


_PARTS: Final = (
    "config.json",
    "generation_config.json",
    "preprocessor_config.json",
    "tokenizer.json",
)


def read_model_json(data: bytes) -> None:
    """The JSON files of a model: the first byte says which one is replaced."""
    directory = _scratch() / "parts"
    shutil.copytree(BUNDLED, directory, dirs_exist_ok=True)
    (directory / _PARTS[data[0] % len(_PARTS) if data else 0]).write_bytes(data[1:])
    manifest = ModelDirectory.open(BUNDLED).manifest
    model = ModelDirectory(directory, manifest)
    with contextlib.suppress(ModelError):
        dimensions = Dimensions.from_directory(model)
        rules = GenerationRules.from_directory(model)
        rules.for_decoder(dimensions.decoder_layers, dimensions.decoder_heads, directory)
    with contextlib.suppress(ModelError):
        LogMel.from_preprocessor(model.read_json("preprocessor_config.json"))
    with contextlib.suppress(ModelError):
        WhisperTokenizer.from_directory(model)


def model_jsons() -> Sequence[bytes]:
    """Each of them; of the tokenizer the beginning is enough."""
    texts = [(BUNDLED / name).read_bytes() for name in _PARTS[:-1]]
    return [bytes([index]) + text for index, text in enumerate(texts)] + [b"\x03{}"]


_JSON: Final = (b"{", b"}", b"[", b"]", b'"', b",", b":", b"null", b"-1", b"1e999", b"NaN", b"true")
_JSON_WORDS: Final = (*_JSON, 300 * b"[", 40 * b"9", b'"\\ud800"', b"\x00", b"\xff\xfe")
_BYTES: Final = (
    b"RIFF",
    b"data",
    b"fmt ",
    b"LIST",
    b"fLaC",
    b"OggS",
    b"OpusHead",
    b"\xff\xfb",
    b"ID3",
)


def read_car(data: bytes) -> None:
    """What a car says over MQTT."""
    for datatype in (Datatype.FLOAT, Datatype.UINT8, Datatype.BOOLEAN, Datatype.STRING):
        with contextlib.suppress(NonsenseError):
            read_state(data, Signal("Vehicle.X", datatype, 0))
    with contextlib.suppress(NonsenseError):
        read_refused(data)


TARGETS: Final[Mapping[str, Target]] = {
    "audio": Target(read_audio, sounds, _BYTES),
    "multipart": Target(
        read_multipart,
        forms,
        (
            b"--fuzz",
            b"--fuzz--",
            b"\r\n",
            b"\r\n\r\n",
            b'name="',
            b'"',
            b";",
            b"[]",
            b"file",
            b"\xff",
        ),
    ),
    "base64": Target(
        read_base64,
        lambda: [b'{"audio_base64":"UklGRgAA","language":"en"}', b'{"audio_base64":""}'],
        (*_JSON_WORDS, b"audio_base64", b"====", b"language", b"word_timestamps"),
    ),
    "stream": Target(
        read_stream,
        conversations,
        (
            *_JSON_WORDS,
            b"t\x10\x00",
            b"b\x04\x00",
            b"q\x20\x00",
            b'{"type":"config"',
            b"sample_rate",
        ),
    ),
    "wyoming": Target(
        read_wyoming,
        events,
        (*_JSON_WORDS, b"\n", b"data_length", b"payload_length", b"audio-start", b"audio-chunk"),
    ),
    "car": Target(
        read_car,
        lambda: [b'{"value": 21.5, "id": "5f3a9c01-7"}', b'{"id": "5f3a9c01-7", "reason": "no"}'],
        (*_JSON_WORDS, b'"value":', b'"id":', b'"reason":', b"9" * 400, b"NaN"),
    ),
    "profile": Target(
        read_profile,
        profiles,
        (
            b":",
            b"\n",
            b"  ",
            b"- ",
            b"&a ",
            b"*a",
            b"<<: ",
            b"!!binary ",
            b"${",
            b"}",
            b"$$",
            b"|",
            b"\t",
        ),
    ),
    "manifest": Target(
        read_manifest, manifests, (*_JSON_WORDS, b"../", b"files", b"bytes", b"sha256")
    ),
    "model_json": Target(
        read_model_json, model_jsons, (*_JSON_WORDS, b"alignment_heads", b"[[0,0]]")
    ),
}
