"""rtap.transports.wyoming.client: the conversation, and clients that do not keep to the protocol."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

import numpy as np
import pytest
from wyoming.asr import Transcribe
from wyoming.client import AsyncTcpClient
from wyoming.error import Error
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.ping import Ping, Pong

from rtap.transports.wyoming import client as wyoming_client
from rtap.transports.wyoming.package import AudioChunk, AudioStart, AudioStop, Describe, Detect
from rtap.transports.wyoming.wire import MAX_LINE, MAX_PAYLOAD
from tests.backend.transports.scripted_service import Broken, tone
from tests.backend.transports.wyoming.wyoming_serving import (
    SILENCE,
    chunks,
    error_of,
    limited,
    receive,
    receive_until,
    run,
    say,
    send,
    serving,
    text_of,
    until,
)

SOUND = tone(0.5)
START = AudioStart(16_000, 2, 1)
OPEN = 'rtap_streams_open{transport="wyoming"} '


@pytest.fixture(autouse=True)
def no_complaints(caplog: pytest.LogCaptureFixture) -> object:
    """No client makes asyncio complain: no exception is lost, no traceback is written."""
    with caplog.at_level(logging.WARNING):
        yield
    records = caplog.get_records("call")
    assert faults(records) == []
    assert [record.getMessage() for record in records if record.name == "asyncio"] == []


def faults(records: list[logging.LogRecord]) -> list[str]:
    return [
        record.getMessage()
        for record in records
        if record.exc_info or (isinstance(record.msg, dict) and "exc_info" in record.msg)
    ]


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wyoming_client, "AFTER_ERROR_SECONDS", 0.1)


async def is_closed(client: AsyncTcpClient) -> bool:
    """Whether nothing but the end comes."""
    return await client.read_event() is None


def test_describe_ping_and_what_is_not_known() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await client.write_event(Event("select-program", {"name": "RTAP"}))
            await client.write_event(Event("run-satellite"))
            await send(client, Ping(text="here?"), Ping(), Describe())
            assert Pong.from_event(await receive(client)).text == "here?"
            assert Pong.from_event(await receive(client)).text is None
            assert (await receive(client)).type == "info"
            await client.write_event(Event("ping", {"text": {"deep": []}}))
            assert (await receive(client)).data.get("text") is None

    run(test)


def test_sound_without_a_request_is_transcribed() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await send(client, START, *chunks(SOUND), AudioStop())
            await receive_until(client, "transcript-stop")
            assert served.service.engine.options == served.service.options()

    run(test)


def test_several_rounds_and_requests_on_one_connection() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            for language in ("de", "en"):
                await say(client, SOUND, Transcribe(language=language))
                events = await receive_until(client, "transcript-stop")
                assert events[-2].data["language"] == language
                assert served.metric(OPEN + "0.0")
            await say(client, SOUND, Detect())
            assert (await receive(client)).type == "not-detected"
            await say(client, SOUND)
            await receive_until(client, "transcript-stop")

    run(test)


def test_a_new_start_forgets_the_sound_before_it() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, tone(3.0), end=False)
            await send(client, START, *chunks(tone(1.0)), AudioStop())
            events = await receive_until(client, "transcript-stop")
            assert events[-2].data["text"] == text_of(1.0)
            await until(lambda: served.metric(OPEN + "0.0"))

    run(test)


def test_a_client_that_says_no_more_still_gets_its_answer() -> None:
    async def test() -> None:
        async with serving() as served:
            client = served.client()
            await client.connect()
            assert client._writer is not None
            await say(client, SOUND)
            client._writer.write_eof()
            assert (await receive_until(client, "transcript-stop"))[-2].type == "transcript"
            assert await is_closed(client)
            await client.disconnect()

    run(test)


def test_several_clients_at_once() -> None:
    async def one(connect: Callable[[], AsyncTcpClient], seconds: float) -> str:
        async with connect() as client:
            await say(client, tone(seconds))
            text: str = (await receive_until(client, "transcript-stop"))[-2].data["text"]
            return text

    async def test() -> None:
        async with serving() as served:
            lengths = [0.5, 1.0, 1.5, 2.0, 2.5, 3.0]
            texts = await asyncio.gather(*(one(served.client, length) for length in lengths))
            assert texts == [text_of(length) for length in lengths]
            await until(lambda: served.server.open_clients == 0)

    run(test)


def test_an_unknown_language_is_refused_and_another_may_follow() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, SOUND, Transcribe(language="tlh"))
            error = await error_of(client)
            assert (error.code, error.text) == (
                "bad_option",
                "unknown language 'tlh': use en or de",
            )
            await say(client, SOUND, Transcribe(language="de"))
            assert (await receive_until(client, "transcript-stop"))[-2].data["language"] == "de"
            assert served.metric('rtap_errors_total{error_type="bad_option",stage="wyoming"} 1.0')

    run(test)


def test_what_was_refused_leaves_no_request_behind() -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, SOUND, Transcribe(language="de"))
            await receive_until(client, "transcript-stop")
            await send(client, Transcribe(language="tlh"), AudioStop())
            await error_of(client)
            await send(client, START, *chunks(SOUND), AudioStop())
            await receive_until(client, "transcript-stop")
            assert served.service.engine.options == served.service.options()

    run(test)


@pytest.mark.usefixtures("impatient")
def test_who_waits_for_a_transcript_after_an_error_is_disconnected() -> None:
    """As Home Assistant does: it does not know errors, and would wait for ever."""

    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, SOUND, Transcribe(language="tlh"))
            assert (await receive(client)).type == "error"
            assert await is_closed(client)
            served.service.engine.error = Broken("it does not work")
            async with served.client() as other:
                await say(other, SOUND)
                while (event := await other.read_event()) is not None:
                    assert event.type != "transcript"

    run(test)


@pytest.mark.usefixtures("impatient")
def test_who_goes_on_sending_after_an_error_is_disconnected() -> None:
    async def test() -> None:
        async with serving() as served:
            client = served.client()
            await client.connect()
            await send(client, Detect(names=["computer"]), START)
            assert (await receive(client)).type == "error"
            with suppress(ConnectionError):
                while True:
                    await send(client, *chunks(SOUND))
                    await asyncio.sleep(0.01)
            await until(lambda: served.server.open_clients == 0)
            with suppress(ConnectionError):
                await client.disconnect()

    run(test)


@pytest.mark.parametrize(
    ("request_", "code", "text"),
    [
        (Event("transcribe", {"language": 7}), "bad_field", "language"),
        (Event("transcribe", {"language": "x" * 65}), "bad_field", "language"),
        (Event("transcribe", {"name": "base"}), "bad_option", "the model is cabin-en"),
        (Event("detect", {"names": "alexa"}), "bad_field", "names"),
        (Event("detect", {"names": ["alexa"] * 65}), "bad_field", "names"),
        (Event("audio-start"), "bad_field", "rate"),
        (Event("audio-start", {"rate": 0, "width": 2, "channels": 1}), "bad_field", "rate"),
        (Event("audio-start", {"rate": 16_000, "width": 3, "channels": 1}), "bad_field", "width"),
    ],
)
def test_bad_requests(request_: Event, code: str, text: str) -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await client.write_event(request_)
            await client.write_event(AudioStop().event())
            error = await error_of(client)
            assert error.code == code
            assert text in error.text
            await say(client, SOUND)
            await receive_until(client, "transcript-stop")

    run(test)


@pytest.mark.parametrize(
    ("chunk", "code", "text"),
    [
        (AudioChunk(16_000, 2, 1, b"123").event(), "bad_audio", "has 3 bytes"),
        (AudioChunk(48_000, 2, 1, b"1234").event(), "bad_audio", "another format"),
        (Event("audio-chunk", {"rate": 16_000, "width": 2}, b"1234"), "bad_field", "channels"),
    ],
)
def test_bad_sound(chunk: Event, code: str, text: str) -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            await send(client, START, *chunks(SOUND))
            await client.write_event(chunk)
            await send(client, *chunks(SOUND), AudioStop())
            error = await error_of(client)
            assert error.code == code
            assert text in error.text
            assert served.metric(OPEN + "0.0")
            await say(client, SOUND)
            await receive_until(client, "transcript-stop")

    run(test)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", "speaks the Wyoming protocol"),
        (b'{"type": "audio-chunk", "payload_length": 99999999999}\n', f"more than {MAX_PAYLOAD}"),
        (b'{"data": {}}\n', "no type"),
        (b"x" * 3 * MAX_LINE + b"\n", f"longer than {MAX_LINE}"),
        (
            b'{"type":"audio-chunk","data":{"rate":16000,"width":2,"channels":1}}\n',
            "before any audio-start",
        ),
        (b'{"type": "audio-stop"}\n', "before any audio-start"),
    ],
)
def test_who_does_not_keep_to_the_protocol_is_told_and_closed(
    data: bytes, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wyoming_client, "LINGER_SECONDS", 60)  # the end comes at once all the same

    async def test() -> None:
        async with serving() as served:
            reader, writer = await served.raw()
            writer.write(data)
            event = await async_read_event(reader)
            assert event is not None
            error = Error.from_event(event)
            assert error.code == "bad_event"
            assert message in error.text
            assert await reader.read() == b""
            writer.close()
            await until(lambda: served.server.open_clients == 0)

    run(test)


def test_nothing_follows_the_last_message() -> None:
    spoken = np.concatenate([tone(1.0), SILENCE])

    async def test() -> None:
        async with serving() as served:
            served.service.engine.gate.clear()
            reader, writer = await served.raw()
            for event in (START.event(), *(chunk.event() for chunk in chunks(spoken))):
                await async_write_event(event, writer)
            await until(served.service.engine.asked.is_set)
            writer.write(b"garbage\n")
            answer = await async_read_event(reader)
            assert answer is not None
            assert answer.type == "error"
            # What the model still says is for nobody.
            served.service.engine.gate.set()
            await asyncio.wrap_future(served.service.stt.probe())
            assert await reader.read() == b""
            writer.close()
            await until(lambda: served.server.open_clients == 0)

    run(test)


@pytest.mark.parametrize("data", [b"", b'{"type": "pi', b'{"type":"ping","data_length":9}\n{}'])
def test_half_an_event_and_the_end(data: bytes) -> None:
    async def test() -> None:
        async with serving() as served:
            reader, writer = await served.raw()
            writer.write(data)
            writer.write_eof()
            assert await reader.read() == b""
            writer.close()
            await until(lambda: served.server.open_clients == 0)

    run(test)


@pytest.mark.parametrize("stage", ["connected", "sound", "answer", "refused"])
def test_a_client_that_breaks_off(stage: str) -> None:
    async def test() -> None:
        async with serving() as served:
            served.service.engine.gate.clear()
            client = served.client()
            await client.connect()
            assert client._writer is not None
            if stage == "refused":
                await send(client, Transcribe(language="tlh"))
                await error_of(client)
            elif stage != "connected":
                await say(client, SOUND, end=stage == "answer")
                await until(lambda: served.metric(OPEN + "1.0"))
            if stage == "answer":
                await until(served.service.engine.asked.is_set)
            plug: socket.socket = client._writer.get_extra_info("socket")
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            client._writer.transport.abort()
            served.service.engine.gate.set()
            await until(lambda: served.server.open_clients == 0)
            assert served.metric(OPEN + "0.0") or not served.service.sessions
            assert all(session._closed for session in served.service.sessions)

    run(test)


def test_who_says_nothing_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wyoming_client, "IDLE_SECONDS", 0.1)

    async def test() -> None:
        async with serving() as served, served.client() as client:
            error = await error_of(client)
            assert error.code == "idle"
            assert await is_closed(client)

    run(test)


def test_who_does_not_read_is_disconnected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wyoming_client, "SEND_SECONDS", 0.1)
    monkeypatch.setattr(wyoming_client, "LINGER_SECONDS", 0.1)
    question = json.dumps({"type": "describe"}).encode() + b"\n"

    async def test() -> None:
        async with serving() as served:
            plug = socket.socket()
            plug.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
            plug.connect(("127.0.0.1", served.server.port))
            plug.setblocking(False)
            _, writer = await asyncio.open_connection(sock=plug, limit=1_024)
            await until(lambda: served.server.open_clients == 1)
            with suppress(ConnectionError):
                while served.server.open_clients:
                    writer.write(question * 1_000)
                    await asyncio.sleep(0.01)
            await until(lambda: served.server.open_clients == 0)
            writer.transport.abort()

    run(test)


def test_there_are_not_more_streams_than_may_be() -> None:
    async def test() -> None:
        async with serving(limited(max_streams=1)) as served, served.client() as one:
            await say(one, SOUND, Detect(), end=False)
            await until(lambda: served.metric(OPEN + "1.0"))
            async with served.client() as other:
                await say(other, SOUND)
                error = await error_of(other)
                assert error.code == "too_many_streams"
                assert "limits.max_streams" in error.text
                await send(one, AudioStop())
                assert (await receive(one)).type == "not-detected"
                await say(other, SOUND)
                await receive_until(other, "transcript-stop")

    run(test)


def test_a_fault_of_ours_tells_nothing_but_that(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def test() -> None:
        async with serving() as served, served.client() as client:
            served.service.failure = ZeroDivisionError("secret")
            await send(client, Transcribe())
            error = await error_of(client)
            assert error.code == "internal_error"
            assert "secret" not in error.text
            assert await is_closed(client)

    run(test)
    assert len(faults(caplog.records)) == 1
    caplog.clear()  # the fixture wants none


def test_a_long_chunk_is_taken_in_turns() -> None:
    sound = np.tile(SOUND, 40)

    async def test() -> None:
        async with serving() as served, served.client() as client:
            await say(client, sound, chunk=sound.size)
            events = await receive_until(client, "transcript-stop")
            assert events[-2].data["text"] == text_of(20.0)

    run(test)
