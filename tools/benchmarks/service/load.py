"""Clients that speak to ``/stream`` in real time, and note when they are answered.

All clients of a run share one event loop in this process, and the machine with the service: what they need
of its processors is in the figures, as it would be for a GUI on the same computer.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections import deque
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from rtap.audio.format import SAMPLE_RATE, Samples
from tools.benchmarks.service.speech import Phrase

FRAME_SECONDS: Final = 0.02
"""What one message holds."""
PATIENCE_SECONDS: Final = 15.0
"""For a final; then the client goes on, and takes it when it comes."""
_FRAME: Final = int(FRAME_SECONDS * SAMPLE_RATE)
_PAUSE_SECONDS: Final = (0.3, 0.9)
"""Between a final and the next command, at random: clients shall not speak in step."""
_SILENCE: Final = np.zeros(_FRAME, np.float32)


@dataclass(frozen=True, slots=True)
class Answer:
    """A final that came."""

    phrase: Phrase
    latency: float
    """Seconds from sending the frame with the last speech until the final was there."""
    inference_time: float
    """Seconds in the model, as the service says."""
    text: str

    @property
    def is_right(self) -> bool:
        """Whether the service understood what was said."""
        return self.text == self.phrase.text


@dataclass(frozen=True, slots=True)
class Spoken:
    """What became of all that some clients said."""

    answers: tuple[Answer, ...]
    unanswered: int
    """Commands that never got a final."""
    errors: tuple[str, ...]
    """What the service complained of, and connections that broke."""
    lateness: float
    """Seconds that a frame was sent too late at most, for want of processor time."""

    @property
    def latencies(self) -> list[float]:
        """Of all answers, in seconds."""
        return [answer.latency for answer in self.answers]


def together(reports: Iterable[Spoken]) -> Spoken:
    """What several clients found, as one."""
    all_of_them = tuple(reports)
    return Spoken(
        answers=tuple(answer for one in all_of_them for answer in one.answers),
        unanswered=sum(one.unanswered for one in all_of_them),
        errors=tuple(error for one in all_of_them for error in one.errors),
        lateness=max((one.lateness for one in all_of_them), default=0.0),
    )


async def speak(
    url: str, phrases: Iterable[Phrase], seed: int, stop: asyncio.Event | None = None
) -> Spoken:
    """Be one client, which says one command after the other and waits for each final.

    Args:
        phrases: what to say; may be endless where there is ``stop``.
        seed: of the pauses.
        stop: once set, no more commands are begun.
    """
    client = _Client(seed)
    try:
        async with connect(url, compression=None, proxy=None, max_size=None) as connection:
            await client.run(connection, phrases, stop or asyncio.Event())
    except (OSError, TimeoutError, WebSocketException) as error:
        client.broke(error)
    return client.report()


async def speak_at_once(
    url: str, streams: int, phrases: tuple[Phrase, ...], each: int, seed: int = 0
) -> Spoken:
    """Several clients at a time, each of which says ``each`` commands and begins with another one."""
    turns = [
        [phrases[(stream + turn) % len(phrases)] for turn in range(each)]
        for stream in range(streams)
    ]
    clients = (speak(url, said, seed + stream) for stream, said in enumerate(turns))
    return together(await asyncio.gather(*clients))


class _Client:
    def __init__(self, seed: int) -> None:
        self._rng = np.random.default_rng(seed)
        self._answers: list[Answer] = []
        self._errors: list[str] = []
        self._lateness = 0.0
        self._due = 0.0
        """When the next frame is to be sent."""
        self._waiting: deque[tuple[Phrase, float]] = deque()
        """What was said and has no final yet, and when its speech ended."""

    def report(self) -> Spoken:
        return Spoken(tuple(self._answers), len(self._waiting), tuple(self._errors), self._lateness)

    def broke(self, error: Exception) -> None:
        self._errors.append(f"{type(error).__name__}: {error}")

    async def run(
        self, connection: ClientConnection, phrases: Iterable[Phrase], stop: asyncio.Event
    ) -> None:
        receiver = asyncio.create_task(self._receive(connection))
        try:
            self._due = time.perf_counter()
            await self._be_silent(connection)
            for phrase in phrases:
                if stop.is_set():
                    break
                await self._say(connection, phrase)
                await self._be_silent(connection)
            await connection.send(json.dumps({"type": "end"}))
            await asyncio.wait_for(receiver, PATIENCE_SECONDS)
        finally:
            receiver.cancel()
            with suppress(asyncio.CancelledError, WebSocketException):
                await receiver

    async def _say(self, connection: ClientConnection, phrase: Phrase) -> None:
        """Send a command, and silence until it is answered."""
        for begin in range(0, phrase.samples.size, _FRAME):
            frame = phrase.samples[begin : begin + _FRAME]
            await self._wait_until_due()
            if begin < phrase.end_of_speech <= begin + _FRAME:
                self._waiting.append((phrase, time.perf_counter()))
            await connection.send(_whole(frame).tobytes())
        patience_ends = time.perf_counter() + PATIENCE_SECONDS
        while self._waiting and time.perf_counter() < patience_ends:
            await self._send_silence(connection)

    async def _be_silent(self, connection: ClientConnection) -> None:
        for _ in range(int(self._rng.uniform(*_PAUSE_SECONDS) / FRAME_SECONDS)):
            await self._send_silence(connection)

    async def _send_silence(self, connection: ClientConnection) -> None:
        await self._wait_until_due()
        await connection.send(_SILENCE.tobytes())

    async def _wait_until_due(self) -> None:
        # A frame that is late does not make those after it late: a microphone does not wait.
        self._due += FRAME_SECONDS
        early = self._due - time.perf_counter()
        if early > 0:
            await asyncio.sleep(early)
        else:
            self._lateness = max(self._lateness, -early)

    async def _receive(self, connection: ClientConnection) -> None:
        """Until the service says that it is done, or closes."""
        async for text in connection:
            now = time.perf_counter()
            message: dict[str, Any] = json.loads(text)
            if message["type"] == "error":
                self._errors.append(f"{message['code']}: {message['message']}")
            elif message["type"] == "end":
                return
            elif message["type"] == "final":
                self._take(message, now)

    def _take(self, message: dict[str, Any], now: float) -> None:
        if not self._waiting:
            self._errors.append("a final came before the end of speech: the command was cut in two")
            return
        # They come in order, so one that is very late is not taken for the answer to the next command.
        phrase, ended_at = self._waiting.popleft()
        self._answers.append(
            Answer(phrase, now - ended_at, float(message["inference_time"]), str(message["text"]))
        )


def _whole(frame: Samples) -> Samples:
    """The last frame of a command, filled up with silence."""
    return frame if frame.size == _FRAME else np.pad(frame, (0, _FRAME - frame.size))
