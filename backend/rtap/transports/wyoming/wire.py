"""Wyoming's events on the wire: a line of JSON, then data and payload of the lengths that it names.

The package ``wyoming`` has a reader too. It reads as much into memory as a client says there is, and takes a
damaged event for the end of the connection, so that the client is never told what was wrong.
"""

from __future__ import annotations

import json
from asyncio import IncompleteReadError, LimitOverrunError, StreamReader
from typing import Any, Final

from pydantic_core import from_json
from wyoming.event import Event, Eventable

from rtap.transports.api_errors import ApiError

MAX_LINE: Final = 64 * 1_024
"""Bytes of an event's first line; the reader's own limit has to be the same."""
MAX_DATA: Final = 64 * 1_024
MAX_PAYLOAD: Final = 1 << 20
"""Bytes: half a minute of 16-bit sound at 16 kHz. Clients send a tenth of a second or less at a time."""
_MAX_TYPE: Final = 64


class BadEventError(ApiError):
    """What came is no event, or none that can come now: nothing that follows can be trusted."""

    def __init__(self, message: str) -> None:
        super().__init__(400, "bad_event", message)


async def read_event(reader: StreamReader) -> Event | None:
    """The next event; None when the client has closed the connection, in the middle of one or not.

    Raises:
        BadEventError: it is damaged, or larger than it may be.
        ConnectionError: the connection broke.
    """
    try:
        header = _object(await reader.readuntil(b"\n"), "the first line of an event")
        data = header.get("data") or {}
        if not isinstance(data, dict):
            raise BadEventError("an event's data is no JSON object: send one, or none")
        data_length = _length(header, "data_length", MAX_DATA)
        payload_length = _length(header, "payload_length", MAX_PAYLOAD)
        if data_length:
            data = data | _object(await reader.readexactly(data_length), "an event's data")
        payload = await reader.readexactly(payload_length) if payload_length else None
    except LimitOverrunError:
        raise BadEventError(
            f"the first line of an event is longer than {MAX_LINE} bytes: put what is long into its data"
        ) from None
    except IncompleteReadError:
        return None
    kind = header.get("type")
    if not isinstance(kind, str) or len(kind) > _MAX_TYPE:
        raise BadEventError("an event has no type: send one such as describe")
    return Event(kind, data, payload)


def encode(message: Eventable) -> bytes:
    """An event without payload, as the package writes it."""
    event = message.event()
    header: dict[str, Any] = {"type": event.type}
    data = json.dumps(event.data, ensure_ascii=False).encode() if event.data else b""
    if data:
        header["data_length"] = len(data)
    return json.dumps(header).encode() + b"\n" + data


def _object(text: bytes, what: str) -> dict[str, Any]:
    try:
        value = from_json(text)
    except ValueError:
        value = None
    if not isinstance(value, dict):
        raise BadEventError(f"{what} is no JSON object: this port speaks the Wyoming protocol")
    return value


def _length(header: dict[str, Any], name: str, most: int) -> int:
    length = header.get(name) or 0
    if isinstance(length, bool) or not isinstance(length, int) or length < 0:
        raise BadEventError(f"{name} is no number of bytes: give 0 to {most}")
    if length > most:
        raise BadEventError(f"{name} is more than {most}: send smaller events")
    return length
