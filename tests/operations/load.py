"""Clients that send files and streams until they are told to stop, and note how each went."""

from __future__ import annotations

import http.client
import itertools
import json
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final

from websockets.exceptions import WebSocketException
from websockets.sync.client import ClientConnection, connect

from tests.deadlines import SOON
from tests.operations.rtap_instance import COMMAND, FRAME, frames, speech

_FRAME_SECONDS: Final = FRAME / 16_000


@dataclass(frozen=True)
class Request:
    """One file that was sent."""

    began: float
    ended: float
    status: int
    """0: no reply."""
    text: str
    cookie: str | None
    """Of an instance: none, or the request would move its client's streams."""


@dataclass(frozen=True)
class Stream:
    """One utterance that was streamed."""

    began: float
    ended: float
    server: str
    """Cookie of the instance."""
    text: str | None
    """None: the stream broke off."""


class Load:
    """What was sent so far, of all clients."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ended = threading.Event()
        self.requests: list[Request] = []
        self.streams: list[Stream] = []

    def stop(self) -> None:
        """Let each client finish what it has begun, and no more."""
        self._ended.set()

    def send_files(self) -> None:
        """One client."""
        body, headers = _form()
        while not self._ended.is_set():
            began = time.monotonic()
            status, text, cookie = self._send(body, headers)
            self.requests.append(Request(began, time.monotonic(), status, text, cookie))

    def _send(self, body: bytes, headers: dict[str, str]) -> tuple[int, str, str | None]:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=SOON)
        try:
            connection.request("POST", "/transcribe", body, headers)
            reply = connection.getresponse()
            content = reply.read()
        except (OSError, http.client.HTTPException):
            return 0, "", None
        finally:
            connection.close()
        text = json.loads(content)["text"] if reply.status == 200 else ""
        return reply.status, text, reply.getheader("Set-Cookie")

    def send_streams(self) -> None:
        """One client: at the speed of speech, and with its cookie, as a browser would."""
        cookie: str | None = None
        while not self._ended.is_set():
            began = time.monotonic()
            text = None
            server = cookie or ""
            try:
                with open_stream(f"ws://127.0.0.1:{self._port}/stream", cookie) as client:
                    cookie = server = cookie_of(client) or server
                    text = say(client)
            except (OSError, WebSocketException):
                pass
            self.streams.append(Stream(began, time.monotonic(), server, text))


def open_stream(url: str, cookie: str | None = None) -> ClientConnection:
    """A client of ``/stream``, which may have been here before."""
    headers = {"Cookie": f"rtap-instance={cookie}"} if cookie else None
    return connect(url, additional_headers=headers, max_size=None, open_timeout=SOON)


def cookie_of(client: ClientConnection) -> str | None:
    """The cookie that the client was given; None if it has the right one."""
    assert client.response is not None
    given = client.response.headers.get("Set-Cookie")
    if given is None:
        return None
    name, _, value = given.partition(";")[0].partition("=")
    assert name == "rtap-instance"
    return value


def say(client: ClientConnection) -> str | None:
    """Speak, and wait for the transcript; None if the stream ends before it."""
    due = time.monotonic()
    for frame in frames(speech()):
        client.send(frame)
        due += _FRAME_SECONDS
        time.sleep(max(0.0, due - time.monotonic()))  # that is how long it takes to say it
    client.send(json.dumps({"type": "end"}))
    for message in client:
        document: dict[str, Any] = json.loads(message)
        if document["type"] == "final":
            return str(document["text"])
    return None


def _form() -> tuple[bytes, dict[str, str]]:
    boundary = uuid.uuid4().hex
    disposition = 'form-data; name="audio_file"; filename="speech.wav"'
    head = f"--{boundary}\r\nContent-Disposition: {disposition}\r\n\r\n".encode()
    body = head + COMMAND.read_bytes() + f"\r\n--{boundary}--\r\n".encode()
    return body, {"Content-Type": f"multipart/form-data; boundary={boundary}"}


@contextmanager
def load(port: int, files: int, streams: int) -> Iterator[Load]:
    """So many clients of each kind, until the end."""
    made = Load(port)
    jobs = itertools.chain([made.send_files] * files, [made.send_streams] * streams)
    clients = [threading.Thread(target=job) for job in jobs]
    for client in clients:
        client.start()
    try:
        yield made
    finally:
        made.stop()
        for client in clients:
            client.join()
