"""rtap.transports.wyoming.wire: what the package writes is read, and what is no event is told."""

from __future__ import annotations

import asyncio
import json

import pytest
from wyoming.asr import Transcript
from wyoming.event import Event, async_read_event, async_write_event

from rtap.transports.wyoming.package import AudioChunk, Describe
from rtap.transports.wyoming.wire import (
    MAX_DATA,
    MAX_LINE,
    MAX_PAYLOAD,
    BadEventError,
    encode,
    read_event,
)


def read(data: bytes) -> Event | None:
    async def test() -> Event | None:
        reader = asyncio.StreamReader(limit=MAX_LINE)
        reader.feed_data(data)
        reader.feed_eof()
        return await read_event(reader)

    return asyncio.run(test())


class Sink:
    def __init__(self) -> None:
        self.data = b""

    def writelines(self, parts: tuple[bytes, ...]) -> None:
        self.data += b"".join(parts)

    def write(self, data: bytes) -> None:
        self.data += data

    async def drain(self) -> None: ...


@pytest.mark.parametrize(
    "event",
    [
        Describe().event(),
        AudioChunk(16_000, 2, 1, b"\1\2\3\4", timestamp=7).event(),
        Transcript("Schalte die Heizung ein 🙂", language="de").event(),
    ],
)
def test_what_the_package_writes_is_read(event: Event) -> None:
    sink = Sink()
    asyncio.run(async_write_event(event, sink))  # type: ignore[arg-type]
    assert read(sink.data) == event


def test_what_is_written_the_package_reads() -> None:
    message = Transcript("Schalte die Heizung ein 🙂", language="de")

    async def test() -> list[Event | None]:
        reader = asyncio.StreamReader()
        reader.feed_data(encode(message) + encode(Describe()))
        return [await async_read_event(reader), await async_read_event(reader)]

    first, second = asyncio.run(test())
    assert first is not None
    assert Transcript.from_event(first) == message
    assert second == Describe().event()


def test_data_in_the_line_and_after_it() -> None:
    line = json.dumps({"type": "ping", "data": {"a": 1, "b": 2}, "data_length": 9}).encode()
    event = read(line + b'\n{"b": 3 }')
    assert event is not None
    assert event.data == {"a": 1, "b": 3}


@pytest.mark.parametrize("data", [b"", b'{"type": "ping"', b'{"type":"a","payload_length":9}\n12'])
def test_a_connection_that_ends(data: bytes) -> None:
    assert read(data) is None


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"GET / HTTP/1.1\r\n", "no JSON object"),
        (b"\xff\xfe\n", "no JSON object"),
        (b"[]\n", "no JSON object"),
        (b"[" * 5_000 + b"\n", "no JSON object"),
        (b"{}\n", "no type"),
        (b'{"type": 7}\n', "no type"),
        (b'{"type": "%s"}\n' % (b"a" * 65), "no type"),
        (b'{"type": "a", "data": []}\n', None),
        (b'{"type": "a", "data": [1]}\n', "data is no JSON object"),
        (b'{"type": "a", "data_length": 2}\n[]', "data is no JSON object"),
        (b'{"type": "a", "payload_length": "5"}\n', "no number of bytes"),
        (b'{"type": "a", "payload_length": -1}\n', "no number of bytes"),
        (b'{"type": "a", "payload_length": true}\n', "no number of bytes"),
        (b'{"type": "a", "payload_length": 1e3}\n', "no number of bytes"),
        (b'{"type": "a", "payload_length": NaN}\n', "no number of bytes"),
        (b'{"type": "a", "payload_length": %d}\n' % (MAX_PAYLOAD + 1), f"more than {MAX_PAYLOAD}"),
        (b'{"type": "a", "data_length": %d}\n' % (MAX_DATA + 1), f"more than {MAX_DATA}"),
        (b'{"type": "%s"}\n' % (b"a" * MAX_LINE), f"longer than {MAX_LINE}"),
        (b"a" * 3 * MAX_LINE, f"longer than {MAX_LINE}"),
    ],
)
def test_what_is_no_event(data: bytes, message: str | None) -> None:
    if message is None:
        assert read(data) == Event("a")
        return
    with pytest.raises(BadEventError, match=message) as raised:
        read(data)
    assert (raised.value.status, raised.value.code) == (400, "bad_event")
