"""The clients, against a small service that hears the end of speech at once."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable

import numpy as np
import pytest
from websockets.asyncio.server import ServerConnection, serve

from tests.deadlines import SOON
from tools.benchmarks.service import load
from tools.benchmarks.service.load import Spoken, speak, speak_at_once, together
from tools.benchmarks.service.speech import Phrase

TONE = np.full(960, 0.5, np.float32)
COMMAND = Phrase("navigate home", np.concatenate([TONE, np.zeros(1_000, np.float32)]), TONE.size)
OTHER = Phrase("turn left", COMMAND.samples, TONE.size)


@pytest.fixture(autouse=True)
def short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "_PAUSE_SECONDS", (0.02, 0.04))


def say(kind: str, **fields: object) -> str:
    return json.dumps({"type": kind, **fields})


FINAL = say("final", text="navigate home", inference_time=0.01)


class Listener:
    """Answers when speech is followed by silence."""

    def __init__(self, delay: float = 0.0) -> None:
        self.delay = delay
        self.frames: list[int] = []
        self.clients = 0

    async def __call__(self, client: ServerConnection) -> None:
        self.clients += 1
        was_loud = False
        await client.send(say("ready"))
        async for message in client:
            if isinstance(message, str):
                await client.send(say("end"))
                return
            self.frames.append(len(message))
            is_loud = bool(np.frombuffer(message, np.float32).any())
            if was_loud and not is_loud:
                await asyncio.sleep(self.delay)
                await client.send(FINAL)
            was_loud = is_loud


def run(
    handler: Callable[[ServerConnection], Awaitable[None]],
    client: Callable[[str], Awaitable[Spoken]],
) -> Spoken:
    async def both() -> Spoken:
        async with serve(handler, "127.0.0.1", 0) as server:
            port = server.sockets[0].getsockname()[1]
            return await asyncio.wait_for(client(f"ws://127.0.0.1:{port}/stream"), SOON)

    return asyncio.run(both())


def test_waits_for_each_final_and_compares_it() -> None:
    listener = Listener()
    heard = run(listener, lambda url: speak(url, (COMMAND, OTHER), seed=0))
    assert [answer.phrase.text for answer in heard.answers] == ["navigate home", "turn left"]
    assert [answer.is_right for answer in heard.answers] == [True, False]
    assert (heard.unanswered, heard.errors) == (0, ())
    assert set(listener.frames) == {1280}


def test_latency_counts_from_the_last_frame_of_speech() -> None:
    long = Phrase("navigate home", np.full(6_400, 0.5, np.float32), 6_400)
    [latency] = run(Listener(delay=0.1), lambda url: speak(url, (long,), seed=0)).latencies
    # The silence that this listener waits for is one frame; the speech before it takes 0.4 s.
    assert 0.1 <= latency < 0.4


def test_clients_say_different_things_at_once() -> None:
    listener = Listener()
    heard = run(listener, lambda url: speak_at_once(url, 3, (COMMAND, OTHER), each=1))
    assert listener.clients == 3
    assert sorted(answer.phrase.text for answer in heard.answers) == [
        "navigate home",
        "navigate home",
        "turn left",
    ]


def test_a_connection_that_breaks_costs_the_command() -> None:
    async def fail(client: ServerConnection) -> None:
        await client.send(say("error", code="failed", message="the model is gone"))
        async for message in client:
            if np.frombuffer(message, np.float32).any():  # type: ignore[arg-type]
                await asyncio.sleep(0.1)
                await client.close(1011, "sorry")
                return

    heard = run(fail, lambda url: speak(url, (COMMAND, COMMAND), seed=0))
    assert (heard.answers, heard.unanswered) == ((), 1)
    assert heard.errors[0] == "failed: the model is gone"
    assert "1011" in heard.errors[1]


def test_nobody_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(load, "PATIENCE_SECONDS", 0.1)

    async def ignore(client: ServerConnection) -> None:
        async for message in client:
            if isinstance(message, str):
                await client.send(say("end"))

    heard = run(ignore, lambda url: speak(url, (COMMAND, COMMAND), seed=0))
    assert (heard.answers, heard.unanswered, heard.errors) == ((), 2, ())


def test_a_late_final_belongs_to_the_command_that_waits_longest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(load, "PATIENCE_SECONDS", 0.1)

    async def late(client: ServerConnection) -> None:
        commands = 0
        was_loud = False
        async for message in client:
            if isinstance(message, str):
                await client.send(FINAL)
                await client.send(say("end"))
                return
            is_loud = bool(np.frombuffer(message, np.float32).any())
            commands += was_loud and not is_loud
            if was_loud and not is_loud and commands == 2:
                await client.send(FINAL)
            was_loud = is_loud

    heard = run(late, lambda url: speak(url, (COMMAND, OTHER), seed=0))
    assert [answer.phrase.text for answer in heard.answers] == ["navigate home", "turn left"]
    # The patience, and all of the second command.
    assert heard.latencies[0] > 0.15
    assert heard.unanswered == 0


def test_a_final_before_the_end_of_speech_is_no_answer() -> None:
    async def hasty(client: ServerConnection) -> None:
        await client.send(FINAL)
        await Listener()(client)

    heard = run(hasty, lambda url: speak(url, (COMMAND,), seed=0))
    assert len(heard.answers) == 1
    assert "cut in two" in heard.errors[0]


def test_nobody_listens() -> None:
    heard = asyncio.run(speak("ws://127.0.0.1:1/stream", (COMMAND,), seed=0))
    assert heard.answers == ()
    assert len(heard.errors) == 1


def test_no_command_is_begun_after_the_stop() -> None:
    async def stopped(url: str) -> Spoken:
        stop = asyncio.Event()
        stop.set()
        return await speak(url, (COMMAND,), seed=0, stop=stop)

    heard = run(Listener(), stopped)
    assert (heard.answers, heard.unanswered, heard.errors) == ((), 0, ())


def test_reports_add_up() -> None:
    one, two = Spoken((), 1, ("a",), 0.1), Spoken((), 2, ("b",), 0.3)
    assert together([one, two]) == Spoken((), 3, ("a", "b"), 0.3)
    assert together([]) == Spoken((), 0, (), 0.0)
