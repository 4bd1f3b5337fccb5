"""The official ``openai`` package, as it is, against the whole service as a process of its own."""

from __future__ import annotations

import asyncio
import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import openai
import pytest
import soundfile
from openai import AsyncOpenAI, OpenAI

from rtap.config import Config
from rtap.errors import PipelineError
from tests.backend.transports.openai.test_api import say, segment
from tests.backend.transports.serving import serving
from tests.deadlines import SOON
from tests.running_service import AUDIO, COMMAND, service

KEY = "sesame"
FILE = AUDIO / "set_the_temperature.wav"
SPOKEN = ("navigate home", COMMAND, "turn on the heating")

NO_LONGER_OFFERED = pytest.mark.filterwarnings("ignore:deprecated:DeprecationWarning")
"""The package says so of translations: OpenAI ends them. This service does not."""

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with service(tmp_path_factory.mktemp("openai"), output={"api_key": KEY}) as running:
        running.wait_until_healthy()
        yield running.url("/v1")


@pytest.fixture(scope="module")
def client(address: str) -> Iterator[OpenAI]:
    with OpenAI(base_url=address, api_key=KEY, timeout=SOON, max_retries=0) as one:
        yield one


@pytest.fixture(scope="module")
def three_commands(tmp_path_factory: pytest.TempPathFactory) -> Path:
    pause = np.zeros(32_000, np.float32)
    names = ("navigate_home", "set_the_temperature", "turn_on_the_heating")
    spoken = [soundfile.read(AUDIO / f"{name}.wav", dtype="float32")[0] for name in names]
    samples = np.concatenate([part for one in spoken for part in (one, pause)])
    path = tmp_path_factory.mktemp("audio") / "three.flac"
    soundfile.write(path, samples, 16_000)
    return path


def transcribe(client: OpenAI, **settings: Any) -> Any:
    settings = {"file": FILE, "model": "whisper-1", **settings}
    return client.audio.transcriptions.create(**settings)


# ---- formats


def test_json(client: OpenAI) -> None:
    reply = transcribe(client)
    assert reply.text == COMMAND
    assert reply.usage.type == "duration"
    assert reply.usage.seconds == pytest.approx(soundfile.info(FILE).duration, abs=0.01)


def test_any_way_to_give_the_file(client: OpenAI) -> None:
    content = FILE.read_bytes()
    for file in (content, io.BytesIO(content), ("x.wav", content, "audio/wav")):
        assert transcribe(client, file=file).text == COMMAND
    with FILE.open("rb") as opened:
        assert transcribe(client, file=opened).text == COMMAND


def test_text(client: OpenAI) -> None:
    assert transcribe(client, response_format="text") == f"{COMMAND}\n"


def test_subtitles(client: OpenAI, three_commands: Path) -> None:
    srt = transcribe(client, file=three_commands, response_format="srt")
    assert [block.splitlines()[-1] for block in srt.split("\n\n") if block] == list(SPOKEN)
    assert srt.startswith("1\n00:00:0")
    vtt = transcribe(client, file=three_commands, response_format="vtt")
    assert vtt.startswith("WEBVTT\n\n00:00:0")
    assert vtt.count(" --> ") == len(SPOKEN)


def test_verbose_json(client: OpenAI, three_commands: Path) -> None:
    reply = transcribe(
        client,
        file=three_commands,
        response_format="verbose_json",
        timestamp_granularities=["word", "segment"],
    )
    assert reply.text == " ".join(SPOKEN)
    assert reply.language == "english"
    assert reply.duration == pytest.approx(soundfile.info(three_commands).duration, abs=0.01)
    assert [one.text.strip() for one in reply.segments] == list(SPOKEN)
    assert [one.id for one in reply.segments] == [0, 1, 2]
    for one in reply.segments:
        assert 0 <= one.start < one.end <= reply.duration
        assert one.tokens
        assert all(
            isinstance(number, float)
            for number in (one.avg_logprob, one.compression_ratio, one.no_speech_prob)
        )
    assert [one.word for one in reply.words] == reply.text.split()
    starts = [one.start for one in reply.words]
    assert starts == sorted(starts)
    assert transcribe(client, response_format="verbose_json").words is None


# ---- what goes with the file


def test_fields(client: OpenAI) -> None:
    reply = transcribe(
        client,
        model="cabin-en",
        language="english",
        prompt="set the temperature to nineteen degrees",
        temperature=0.0,
        chunking_strategy={"type": "server_vad", "threshold": 0.4},
        keywords=["temperature", "degrees"],
        languages=["en"],
    )
    assert reply.text == COMMAND


def test_a_temperature_is_kept_to(client: OpenAI) -> None:
    reply = transcribe(client, temperature=0.2, response_format="verbose_json")
    assert [one.temperature for one in reply.segments] == [0.2]
    assert transcribe(client, temperature=0).text == COMMAND


@NO_LONGER_OFFERED
def test_a_translation(client: OpenAI) -> None:
    reply = client.audio.translations.create(file=FILE, model="whisper-1", prompt="Hello.")
    assert reply.text == COMMAND
    verbose = client.audio.translations.create(
        file=FILE, model="whisper-1", response_format="verbose_json", temperature=0
    )
    assert (verbose.language, verbose.text) == ("english", COMMAND)
    assert verbose.segments


# ---- streams


def test_a_stream(client: OpenAI, three_commands: Path) -> None:
    events = list(transcribe(client, file=three_commands, stream=True))
    *deltas, done = events
    assert {one.type for one in deltas} == {"transcript.text.delta"}
    assert len(deltas) == len(SPOKEN)
    assert done.type == "transcript.text.done"
    assert "".join(one.delta for one in deltas) == done.text == " ".join(SPOKEN)
    assert done.usage.output_tokens > 0


def test_a_stream_that_is_left_early_takes_no_place(client: OpenAI, three_commands: Path) -> None:
    for _ in range(20):  # more than may wait
        with transcribe(client, file=three_commands, stream=True) as events:
            assert next(iter(events)).delta == SPOKEN[0]
    assert transcribe(client).text == COMMAND


def test_a_stream_that_is_refused(client: OpenAI) -> None:
    with pytest.raises(openai.BadRequestError):
        transcribe(client, file=b"", stream=True)


def test_a_stream_that_fails_in_the_middle() -> None:
    with serving(Config()) as server:
        say(server.service.engine, segment("hello"), error=PipelineError("this broke: try again"))
        url = f"http://{server.address}/v1"
        with OpenAI(base_url=url, api_key="none", max_retries=0) as client:
            events = transcribe(client, stream=True)
            assert next(events).delta == "hello"
            with pytest.raises(openai.APIError, match="this broke: try again") as caught:
                next(events)
    assert (caught.value.code, caught.value.type) == ("failed", "server_error")


# ---- asynchronously


@NO_LONGER_OFFERED
def test_async(address: str, three_commands: Path) -> None:
    async def ask() -> None:
        async with AsyncOpenAI(
            base_url=address, api_key=KEY, timeout=SOON, max_retries=0
        ) as client:
            create = client.audio.transcriptions.create
            replies = await asyncio.gather(
                *(create(file=FILE, model="whisper-1") for _ in range(4))
            )
            assert [one.text for one in replies] == [COMMAND] * 4
            verbose = await create(
                file=FILE,
                model="whisper-1",
                response_format="verbose_json",
                timestamp_granularities=["word"],
            )
            assert verbose.segments is None
            assert [one.word for one in verbose.words or ()] == COMMAND.split()
            stream = await create(file=three_commands, model="whisper-1", stream=True)
            text = [one.delta async for one in stream if one.type == "transcript.text.delta"]
            assert "".join(text) == " ".join(SPOKEN)
            translation = await client.audio.translations.create(file=FILE, model="whisper-1")
            assert translation.text == COMMAND
            assert [one.id async for one in client.models.list()] == ["cabin-en"]

    asyncio.run(ask())


# ---- models


def test_models(client: OpenAI) -> None:
    [card] = client.models.list()
    assert card.id == "cabin-en"
    assert client.models.retrieve(card.id) == card


def test_an_unknown_model(client: OpenAI) -> None:
    for ask in (
        lambda: transcribe(client, model="gpt-9"),
        lambda: transcribe(client, model="gpt-9", stream=True),
        lambda: client.models.retrieve("gpt-9"),
    ):
        with pytest.raises(openai.NotFoundError, match="there are cabin-en") as caught:
            ask()
        assert caught.value.code == "model_not_found"
        assert caught.value.type == "invalid_request_error"
        assert caught.value.param == "model"


# ---- refusals


def test_a_wrong_key(address: str) -> None:
    with OpenAI(base_url=address, api_key="wrong", max_retries=0) as stranger:
        for ask in (
            lambda: transcribe(stranger),
            lambda: transcribe(stranger, stream=True),
            stranger.models.list,
        ):
            with pytest.raises(openai.AuthenticationError, match="wants an API key") as caught:
                ask()
            assert caught.value.type == "authentication_error"


@pytest.mark.parametrize(
    ("settings", "status", "code", "param"),
    [
        ({"file": b""}, 400, "bad_audio", None),
        ({"file": b"hello, this is text"}, 415, "not_audio", None),
        ({"file": ("x.txt", b"hello")}, 415, "not_audio", None),
        ({"response_format": "diarized_json"}, 422, "bad_field", "response_format"),
        ({"temperature": 2.0}, 422, "bad_field", "temperature"),
        ({"timestamp_granularities": ["word"]}, 422, "bad_field", "timestamp_granularities"),
        ({"include": ["logprobs"]}, 422, "bad_field", "include"),
        ({"language": "klingon"}, 422, "bad_option", None),
        ({"language": "de"}, 422, "bad_option", None),
    ],
)
def test_refusals(
    client: OpenAI, settings: dict[str, Any], status: int, code: str, param: str | None
) -> None:
    with pytest.raises(openai.APIStatusError) as caught:
        transcribe(client, **settings)
    error = caught.value
    assert (error.status_code, error.code, error.param) == (status, code, param)
    assert error.request_id
