"""The whole service as a process of its own, and the Wyoming package's own client."""

from __future__ import annotations

import asyncio
import json
import signal
import time
from collections.abc import Callable, Coroutine, Iterator
from contextlib import suppress
from typing import Any, TypeVar

import httpx
import numpy as np
import pytest
import soundfile
import soxr
from wyoming.asr import Transcribe
from wyoming.client import AsyncTcpClient
from wyoming.event import Event, async_read_event

from rtap.audio.format import Samples
from rtap.audio.pcm16 import to_pcm16
from rtap.transports.wyoming.package import (
    AudioChunk,
    AudioStart,
    AudioStop,
    Describe,
    Detect,
    Detection,
    Info,
)
from tests.backend.transports.wyoming.wyoming_serving import (
    error_of,
    receive,
    receive_until,
    say,
    send,
)
from tests.deadlines import SOON
from tests.running_service import AUDIO, COMMAND, Running, service

pytestmark = pytest.mark.slow

T = TypeVar("T")
SPOKEN = {
    "set_the_temperature.wav": COMMAND,
    "turn_on_the_heating.wav": "turn on the heating",
    "navigate_home.wav": "navigate home",
}
PAUSE = np.zeros(16_000, np.float32)


@pytest.fixture(scope="module")
def idle(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service without a microphone."""
    with service(tmp_path_factory.mktemp("idle")) as running:
        running.wait_until_healthy()
        yield running


def run(test: Callable[[], Coroutine[Any, Any, T]]) -> T:
    return asyncio.run(asyncio.wait_for(test(), SOON))


def client_of(running: Running) -> AsyncTcpClient:
    return AsyncTcpClient("127.0.0.1", running.ports["wyoming_port"], read_timeout=SOON)


def sound(name: str) -> Samples:
    samples, rate = soundfile.read(AUDIO / name, dtype="float32")
    assert rate == 16_000
    return np.asarray(samples)


async def transcript(running: Running, samples: Samples) -> list[Event]:
    async with client_of(running) as client:
        await say(client, samples, Transcribe(language="en"))
        return await receive_until(client, "transcript-stop")


async def transcript_at_last(running: Running, samples: Samples) -> list[Event]:
    """Say it again as long as the service is too busy for it, as it asks one to."""
    while True:
        try:
            return await transcript(running, samples)
        except AssertionError as refused:
            if "say it again" not in str(refused):
                raise


def streams(running: Running) -> float:
    metrics = httpx.get(running.url("/metrics", "health_port"), timeout=SOON).text
    lines = [line for line in metrics.splitlines() if "rtap_streams_open{" in line]
    return sum(float(line.split()[-1]) for line in lines if "wyoming" in line)


def wait_until_nobody_is_there(running: Running) -> None:
    deadline = time.monotonic() + SOON
    while streams(running):
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_describes_itself(idle: Running) -> None:
    async def test() -> Info:
        async with client_of(idle) as client:
            await send(client, Describe())
            return Info.from_event(await receive(client))

    info = run(test)
    (model,) = info.asr[0].models
    assert (model.name, model.languages, model.installed) == ("cabin-en", ["en"], True)
    assert "hey_mycroft" in [word.name for word in info.wake[0].models]


@pytest.mark.parametrize(("name", "text"), SPOKEN.items())
def test_what_was_said(idle: Running, name: str, text: str) -> None:
    events = run(lambda: transcript(idle, sound(name)))
    assert [event.type for event in events][-2:] == ["transcript", "transcript-stop"]
    assert events[-2].data == {"text": text, "language": "en"}


@pytest.mark.parametrize("level", [0.1, 0.01])
def test_quiet_speech_at_the_very_beginning(idle: Running, level: float) -> None:
    said = sound("set_the_temperature.wav") * np.float32(level)
    assert run(lambda: transcript(idle, said))[-2].data["text"] == COMMAND


def test_silence(idle: Running) -> None:
    noise = np.random.default_rng(7).normal(0, 0.003, 48_000).astype(np.float32)
    assert run(lambda: transcript(idle, noise))[-2].data["text"] == ""


def test_parts_come_while_the_sound_goes_on(idle: Running) -> None:
    async def test() -> tuple[list[Event], list[Event]]:
        async with client_of(idle) as client:
            first = np.concatenate([sound("set_the_temperature.wav"), PAUSE])
            await say(client, first, end=False)
            early = await receive_until(client, "transcript-chunk")
            await send(client, *parts(sound("turn_on_the_heating.wav")), AudioStop())
            return early, await receive_until(client, "transcript-stop")

    def parts(samples: Samples) -> list[AudioChunk]:
        return [AudioChunk(16_000, 2, 1, to_pcm16(samples).tobytes())]

    early, late = run(test)
    text = late[-2].data["text"]
    assert text == f"{COMMAND} turn on the heating"
    pieces = [event for event in early + late if event.type == "transcript-chunk"]
    assert "".join(event.data["text"] for event in pieces) == text
    assert early[-1].data["text"] == COMMAND


@pytest.mark.parametrize(("rate", "width", "channels"), [(44_100, 2, 2), (8_000, 1, 1)])
def test_other_formats(idle: Running, rate: int, width: int, channels: int) -> None:
    samples = soxr.resample(sound("set_the_temperature.wav"), 16_000, rate)
    if width == 1:
        payload = np.rint(samples * 127 + 128).astype(np.uint8)
    else:
        payload = np.rint(samples * 32_767).astype(np.int16)
    data = np.repeat(payload, channels).tobytes()

    async def test() -> str:
        async with client_of(idle) as client:
            await send(client, AudioStart(rate, width, channels))
            step = rate // 10 * width * channels
            for begin in range(0, len(data), step):
                await send(client, AudioChunk(rate, width, channels, data[begin : begin + step]))
            await send(client, AudioStop())
            text: str = (await receive_until(client, "transcript-stop"))[-2].data["text"]
            return text

    assert run(test) == COMMAND


def test_a_call_is_heard(idle: Running) -> None:
    call = sound("wake_word/hey_mycroft_set_the_temperature.wav")

    async def test() -> None:
        async with client_of(idle) as client:
            await say(client, call, Detect(names=["hey_mycroft"]), end=False)
            detection = Detection.from_event(await receive(client))
            assert detection.name == "hey_mycroft"
            assert detection.timestamp is not None
            assert detection.timestamp < 1_000 * call.size / 16_000
            await send(client, AudioStop())
            await say(client, call, Detect(names=["alexa"]))
            assert (await receive(client)).type == "not-detected"

    run(test)


def test_several_clients_at_once(idle: Running) -> None:
    async def test() -> list[list[Event]]:
        return await asyncio.gather(
            *(transcript_at_last(idle, sound(name)) for name in SPOKEN for _ in range(3))
        )

    texts = [events[-2].data["text"] for events in run(test)]
    assert texts == [text for text in SPOKEN.values() for _ in range(3)]
    wait_until_nobody_is_there(idle)


def test_the_car_learns_of_it(idle: Running) -> None:
    with idle.events() as subscriber:
        assert json.loads(subscriber.recv(timeout=SOON))["type"] == "snapshot"
        run(lambda: transcript(idle, sound("navigate_home.wav")))
        message = json.loads(subscriber.recv(timeout=SOON))
    assert (message["type"], message["source"]) == ("transcript", "stream")
    assert message["text"] == "navigate home"


def test_an_unknown_language(idle: Running) -> None:
    async def test() -> None:
        async with client_of(idle) as client:
            await say(client, PAUSE, Transcribe(language="klingon"))
            assert (await error_of(client)).code == "bad_option"
            await say(client, PAUSE, Transcribe(language="de"))
            assert "cabin-en does not know 'de'" in (await error_of(client)).text
            await say(client, sound("navigate_home.wav"), Transcribe(language="en-GB"))
            events = await receive_until(client, "transcript-stop")
            assert events[-2].data["text"] == "navigate home"

    run(test)


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n\r\n",
        b'{"type": "audio-chunk", "payload_length": 1000000000000}\n',
        b'{"type": "audio-start", "payload_length": "many"}\n',
        b"\x00" * 300_000,
    ],
)
def test_what_is_no_event(idle: Running, data: bytes) -> None:
    async def test() -> Event | None:
        reader, writer = await asyncio.open_connection("127.0.0.1", idle.ports["wyoming_port"])
        writer.write(data)
        event = await async_read_event(reader)
        assert await reader.read() == b""
        writer.close()
        return event

    event = run(test)
    assert event is not None
    assert event.data["code"] == "bad_event"


def test_clients_that_break_off(idle: Running) -> None:
    async def break_off(number: int) -> None:
        client = client_of(idle)
        await client.connect()
        assert client._writer is not None
        request = Detect() if number % 2 else Transcribe()
        await say(client, sound("set_the_temperature.wav"), request, end=number % 4 == 0)
        if number % 3 == 0:
            client._writer.write(b'{"type": "audio-chunk", "payload_length": 3200}\nhalf')
        client._writer.transport.abort()

    async def test() -> None:
        # Half a dozen at a time, of sixteen that may be there.
        for _ in range(5):
            await asyncio.gather(*(break_off(number) for number in range(6)))

    run(test)
    wait_until_nobody_is_there(idle)
    assert run(lambda: transcript(idle, sound("navigate_home.wav")))[-2].data["text"]


def test_it_answers_while_the_model_is_being_loaded_and_ends_when_told(tmp_path: Any) -> None:
    async def first_answer(running: Running) -> Event:
        deadline = time.monotonic() + SOON
        while True:
            assert running.process.poll() is None
            assert time.monotonic() < deadline
            with suppress(OSError):
                async with client_of(running) as client:
                    await send(client, Describe())
                    return await receive(client)
            await asyncio.sleep(0.01)

    async def linger(running: Running) -> None:
        async with client_of(running) as client:
            await say(client, PAUSE, Detect(), end=False)
            running.process.send_signal(signal.SIGTERM)
            with suppress(ConnectionError):
                assert await client.read_event() is None

    with service(tmp_path) as running:
        event = run(lambda: first_answer(running))
        assert [model["name"] for model in event.data["asr"][0]["models"]] == ["cabin-en"]
        assert event.data["asr"][0]["models"][0]["languages"] == ["en"]
        running.wait_until_healthy()
        run(lambda: linger(running))
        assert running.process.wait(SOON) == 0
