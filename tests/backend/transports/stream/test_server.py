"""/stream, asked by real WebSocket clients over a real server."""

from __future__ import annotations

import gc
import json
import socket
import struct
import threading
import time
import weakref
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any, Self

import numpy as np
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from rtap.audio.format import Samples
from rtap.config import Config, LimitsConfig, OutputConfig
from rtap.stages import stt
from rtap.transports.stream import client as stream_client
from rtap.transports.stream import server as stream
from tests.backend.assistant.french_car import LOUDER, VOLUME, french_car
from tests.backend.transports.scripted_service import FACTS, ScriptedEngine, tone
from tests.backend.transports.serving import Server, serving, wait_until, wait_until_still
from tests.deadlines import SOON

RATE = 16_000
KEY = "secret key"
PAUSE = np.zeros(RATE, np.float32)
SPEECH = np.concatenate([tone(1.0), PAUSE])
"""One utterance, and the silence that ends it."""


@pytest.fixture(scope="module")
def shared() -> Iterator[Server]:
    with serving(Config(limits=LimitsConfig(max_streams=3))) as server:
        yield server


@pytest.fixture
def car(shared: Server) -> Iterator[Server]:
    yield shared
    shared.service.engine.gate.set()
    shared.service.engine.error = None
    shared.service.engine.pace = 0.0
    shared.service.failure = None
    shared.service.slow_down = lambda: None
    wait_until(lambda: no_streams(shared))
    shared.service.sessions.clear()


def no_streams(server: Server) -> bool:
    return server.metric('rtap_streams_open{transport="stream"} 0.0') or not server.metric(
        "rtap_streams_open{"
    )


class Client:
    """A WebSocket that speaks JSON. Reads ``ready`` first."""

    def __init__(self, server: Server, query: str = "", **settings: Any) -> None:
        self._connection = connect(
            f"ws://{server.address}/stream{query}",
            proxy=None,
            compression=None,
            **settings,
            open_timeout=SOON,
        )
        self.socket: ClientConnection = self._connection.__enter__()
        self.first = self.receive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._connection.__exit__(None, None, None)

    def receive(self) -> dict[str, Any]:
        message: dict[str, Any] = json.loads(self.socket.recv(timeout=SOON))
        return message

    def until(self, kind: str) -> list[dict[str, Any]]:
        """All messages up to the first of a kind."""
        messages = [self.receive()]
        while messages[-1]["type"] != kind:
            messages.append(self.receive())
        return messages

    def send(self, samples: Samples, frame: int = 4_000) -> None:
        for begin in range(0, samples.size, frame):
            self.socket.send(samples[begin : begin + frame].astype("<f4").tobytes())

    def say(self, **message: Any) -> None:
        self.socket.send(json.dumps(message))

    def closed(self) -> tuple[int, str]:
        """How the server closes, after whatever else it says."""
        with pytest.raises(ConnectionClosed) as raised:
            list(iter(self.receive, None))
        assert raised.value.rcvd is not None
        return raised.value.rcvd.code, raised.value.rcvd.reason


def kinds(messages: list[dict[str, Any]]) -> list[str]:
    return [message["type"] for message in messages]


@pytest.fixture
def french(tmp_path) -> Iterator[Server]:
    with serving(french_car(tmp_path)) as server:
        server.service.languages = ("fr",)
        server.service.facts = replace(FACTS, languages=("fr",))
        server.service.engine.says = "Plus fort."
        yield server


@pytest.mark.parametrize(
    ("wish", "told"),
    [("none", []), ("understand", ["intent"]), ("execute", ["intent", "action", "answer"])],
)
def test_commands_are_told_and_done_where_the_client_asks(french, wish, told):
    with Client(french, f"?language=fr&intents={wish}") as client:
        assert client.first["intents"] == wish
        client.send(SPEECH)
        client.say(type="end")
        messages = client.until("end")
    final = kinds(messages).index("final")
    assert kinds(messages[final + 1 : -1]) == told  # and all of it comes before the end
    for message in messages[final + 1 : -1]:
        assert message["utterance_id"] == messages[final]["utterance_id"]
    if told:
        assert messages[final + 1]["intent"]["name"] == "RaiseVolume"
    if "action" in told:
        held = [{"path": VOLUME, "value": LOUDER, "unit": "percent", "previous": 30}]
        assert (messages[-3]["outcome"], messages[-3]["held"]) == ("done", held)
        assert messages[-2]["text"] == "The volume is 40 percent."


def test_intents_may_be_asked_for_by_config_too(french):
    with Client(french, "?language=fr") as client:
        client.say(type="config", intents="execute")
        assert client.until("ready")[-1]["intents"] == "execute"
        client.say(type="config", intents="perhaps")
        assert client.until("error")[-1]["code"] == "bad_field"
        client.send(SPEECH)
        assert client.until("action")[-1]["outcome"] == "done"


@pytest.mark.parametrize(
    ("conversation", "told"), [("screen", ["intent", "action"]), ("other", ["intent"])]
)
def test_a_question_may_be_answered_in_the_next_stream(french, conversation, told):
    def said(text: str, conversation: str) -> list[dict[str, Any]]:
        french.service.engine.says = text
        query = f"?language=fr&intents=execute&conversation={conversation}"
        with Client(french, query) as client:
            client.send(SPEECH)
            client.say(type="end")
            return client.until("end")

    asked = said("Plus fors.", "screen")
    assert next(one for one in asked if one["type"] == "intent")["question"] == "meant"
    answered = said("Oui.", conversation)
    final = kinds(answered).index("final")
    assert [kind for kind in kinds(answered[final + 1 : -1]) if kind != "answer"] == told


@pytest.mark.parametrize(("query", "is_spoken"), [("", False), ("?speak=true", True)])
def test_answers_are_spoken_where_the_client_asks_for_it(car, query, is_spoken):
    with Client(car, query) as client:
        client.send(SPEECH)
        client.until("final")
    assert car.service.spoken_sessions[-1] == is_spoken


def test_speech_becomes_text(car):
    with Client(car, "?language=en") as client:
        assert client.first["type"] == "ready"
        assert client.first["session_id"]
        assert client.first["model"] == "cabin-en"
        assert client.first["format"] == "f32le"
        assert client.first["sample_rate"] == RATE
        assert client.first["language"] == "en"
        client.send(SPEECH)
        messages = client.until("final")
        assert messages[0]["type"] == "speech_started"
        assert set(kinds(messages[1:-1])) <= {"partial"}
        final = messages[-1]
        assert final["text"].endswith("seconds")
        assert final["language"] == "en"
        assert final["duration"] == pytest.approx(1.3, abs=0.2)
        assert final["session_id"] == client.first["session_id"]
        assert final["utterance_id"]
        assert 0 < final["confidence"] <= 1
        assert final["inference_time"] == 0.01
        assert 0 <= final["latency"] < 60
        assert abs(final["timestamp"] - time.time()) < 60


def test_partials_come_while_somebody_speaks(car):
    with Client(car) as client:
        before = car.service.engine.utterances
        for count in (1, 2):
            client.send(tone(1.0))
            wait_until(partial(lambda most: car.service.engine.utterances >= most, before + count))
        assert client.until("partial")[-1]["text"] == "somebody spoke for"


def test_the_end_turns_what_is_being_said_into_text(car):
    with Client(car) as client:
        client.send(tone(1.0))
        client.say(type="end")
        messages = client.until("end")
        assert kinds(messages)[-2:] == ["final", "end"]
        assert messages[-1]["session_id"] == client.first["session_id"]
        assert client.closed() == (1000, "")


def test_the_end_waits_for_all_finals(car):
    car.service.engine.gate.clear()
    with Client(car) as client:
        client.send(np.concatenate([SPEECH] * 3))
        client.say(type="end")
        assert car.service.engine.asked.wait(SOON)
        car.service.engine.gate.set()
        messages = kinds(client.until("end"))
        assert messages.count("final") == 3
        assert messages.index("end") == len(messages) - 1


def test_a_service_that_is_stopped_ends_the_streams_in_good_order(car):
    car.service.engine.gate.clear()
    with Client(car) as client, Client(car) as silent:
        client.send(tone(1.0))
        client.until("speech_started")
        stopping = car.finish_streams(10)
        assert silent.closed()[0] == 1012
        client.send(tone(1.0))  # too late, and no fault of the client's
        car.service.engine.gate.set()
        messages = kinds(client.until("end"))
        assert messages.count("final") == 1
        assert "error" not in messages
        assert client.closed()[0] == 1012
        stopping.result(SOON)
    assert no_streams(car)


def test_a_service_that_is_stopped_waits_for_no_stream_for_ever(car):
    car.service.engine.gate.clear()
    with Client(car) as client:
        client.send(tone(1.0))
        client.until("speech_started")
        car.finish_streams(0.05).result(SOON)
        assert not no_streams(car)
        car.service.engine.gate.set()


def test_the_end_of_nothing(car):
    with Client(car) as client:
        client.say(type="end")
        assert client.receive()["type"] == "end"
        assert client.closed() == (1000, "")
    assert car.service.sessions == []


def test_frames_of_any_length(car):
    with Client(car) as client:
        for size in (1, 7, 160, 5_000):
            client.send(tone(0.3), size)
        client.socket.send(b"")
        client.say(type="end")
        final = client.until("final")[-1]
        assert final["duration"] == pytest.approx(1.2, abs=0.1)


def test_integers_at_another_rate(car):
    sound = np.concatenate([tone(1.0, rate=48_000), np.zeros(48_000, np.float32)])
    pcm = (sound * 32767).astype("<i2").tobytes()
    with Client(car, "?format=s16le&sample_rate=48000") as client:
        assert client.first["format"] == "s16le"
        assert client.first["sample_rate"] == 48_000
        for begin in range(0, len(pcm), 9_600):
            client.socket.send(pcm[begin : begin + 9_600])
        final = client.until("final")[-1]
        assert final["duration"] == pytest.approx(1.3, abs=0.2)


def test_config_before_audio(car):
    with Client(car) as client:
        client.say(type="config", language="de", format="s16le")
        ready = client.receive()
        assert ready["type"] == "ready"
        assert ready["language"] == "de"
        assert ready["format"] == "s16le"
        client.say(type="config", sample_rate=8000)
        ready = client.receive()
        assert (ready["format"], ready["sample_rate"]) == ("s16le", 8000)
        client.socket.send((tone(1.0, rate=8000) * 32767).astype("<i2").tobytes())
        client.say(type="end")
        assert client.until("final")[-1]["language"] == "de"


def test_config_after_audio_is_too_late(car):
    with Client(car) as client:
        client.send(PAUSE)
        client.say(type="config", language="de")
        assert client.until("error")[-1]["code"] == "too_late"
        client.send(SPEECH)
        client.until("final")


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"type":"config","language":"klingon"}', "bad_option"),
        ('{"type":"config","format":"mp3"}', "bad_field"),
        ('{"type":"config","sample_rate":96000}', "bad_field"),
        ('{"type":"config","color":"red"}', "bad_field"),
        ('{"type":"stop"}', "bad_message"),
        ('{"type":["end"]}', "bad_message"),
        ("{}", "bad_message"),
        ("[]", "bad_message"),
        ("", "bad_message"),
        ("hello", "bad_message"),
        ("[" * 4000, "bad_message"),
        ('{"type":"end","x":"' + "x" * 5000 + '"}', "bad_message"),
    ],
)
def test_bad_messages_do_not_end_the_stream(car, message, code):
    with Client(car) as client:
        client.socket.send(message)
        error = client.receive()
        assert error["type"] == "error"
        assert error["code"] == code
        assert error["message"]
        client.say(type="end")
        assert client.receive()["type"] == "end"


def test_a_hundred_bad_messages_end_the_stream(car):
    with Client(car) as client:
        for _ in range(100):
            client.socket.send("{garbage")
        code, reason = client.closed()
    assert code == 1008
    assert "100 messages" in reason


@pytest.mark.parametrize(
    "frame",
    [
        b"abc",
        np.array([0, np.nan], "<f4").tobytes(),
        np.array([np.inf], "<f4").tobytes(),
        np.array([20_000], "<f4").tobytes(),
    ],
)
def test_five_frames_that_are_no_audio_end_the_stream(car, frame):
    with Client(car) as client:
        for _ in range(4):
            client.socket.send(frame)
            assert client.receive()["code"] == "bad_audio"
        client.send(PAUSE)
        client.socket.send(frame)
        assert client.until("error")[-1]["code"] == "bad_audio"
        code, reason = client.closed()
        assert code == 1007
        assert "frame" in reason


def test_audio_after_the_end_is_refused(car):
    car.service.engine.gate.clear()
    with Client(car) as client:
        client.send(tone(1.0))
        client.say(type="end")
        client.send(PAUSE, frame=RATE)
        assert client.until("error")[-1]["code"] == "too_late"
        car.service.engine.gate.set()
        client.until("end")


@pytest.mark.parametrize("limit", [1 << 20, 16 << 20])
def test_huge_frames_end_the_stream(car, limit):
    """Whether uvicorn was told of the limit or not."""
    if limit == 1 << 20:
        with Client(car) as client:
            client.socket.send(bytes((1 << 20) + 4))
            assert client.closed()[0] == 1009
            return
    with serving(Config(), ws_max_size=limit) as other, Client(other) as client:
        client.socket.send(bytes((1 << 20) + 4))
        assert client.closed()[0] == 1009


def test_the_largest_frame_passes(car):
    with Client(car) as client:
        client.socket.send(bytes(1 << 20))
        client.say(type="end")
        assert client.receive()["type"] == "end"


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("?language=klingon", "bad_option"),
        ("?format=mp3", "bad_field"),
        ("?sample_rate=7999", "bad_field"),
        ("?sample_rate=48001", "bad_field"),
        ("?sample_rate=fast", "bad_field"),
    ],
)
def test_bad_settings_in_the_address(car, query, code):
    with Client(car, query) as client:
        assert client.first["type"] == "error"
        assert client.first["code"] == code
        assert client.closed()[0] == 1008


def test_two_clients_at_once_do_not_hear_each_other(car):
    with Client(car, "?language=en") as one, Client(car, "?language=de") as other:
        assert one.first["session_id"] != other.first["session_id"]
        for begin in range(0, SPEECH.size, 4_000):
            one.send(SPEECH[begin : begin + 4_000])
            other.send(SPEECH[begin : begin + 4_000])
        for client, language in ((one, "en"), (other, "de")):
            client.say(type="end")
            messages = client.until("end")
            assert {m["session_id"] for m in messages} == {client.first["session_id"]}
            (final,) = [m for m in messages if m["type"] == "final"]
            assert final["language"] == language


def test_a_flood_of_audio_does_not_starve_another_client(car):
    flood = bytes(4 * RATE * 10)
    car.service.slow_down = lambda: time.sleep(0.001)
    with Client(car) as one, Client(car) as other, Client(car) as modest:
        for greedy in (one, other):  # as many as there are threads
            for _ in range(5):
                greedy.socket.send(flood)
            greedy.say(type="end")
        wait_until(lambda: len(car.service.sessions) == 2)
        modest.send(SPEECH, frame=SPEECH.size)
        modest.say(type="end")
        modest.until("end")
        assert all(session._received < 50 * RATE for session in car.service.sessions)
        car.service.slow_down = lambda: None
        for greedy in (one, other):
            greedy.until("end")


def test_transcripts_go_to_the_bus_too(car):
    with car.service.bus.subscribe() as subscription, Client(car) as client:
        client.send(SPEECH)
        final = client.until("final")[-1]
        wait_until(lambda: bool(subscription._events))
        (transcript,) = subscription.take()
        assert transcript.utterance_id == final["utterance_id"]


# ---- leaving


def test_an_abrupt_end_frees_everything_and_cancels_what_waits(car):
    engine: ScriptedEngine = car.service.engine
    engine.gate.clear()
    engine.asked.clear()
    client = Client(car)
    client.send(np.concatenate([SPEECH] * 3))
    assert engine.asked.wait(SOON)
    wait_until(lambda: len(car.service.sessions[0]._open) == 3)
    # RST instead of a closing handshake.
    option = struct.pack("ii", 1, 0)
    client.socket.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, option)
    client.socket.socket.close()
    wait_until(lambda: no_streams(car))
    (session,) = car.service.sessions
    waiting = [future for future in session._open if not future.running()]
    assert all(future.cancelled() for future in waiting)
    before = engine.utterances
    engine.gate.set()
    wait_until(lambda: not session.is_busy)
    assert engine.utterances <= before + 2  # the one that was running, and a partial result
    with Client(car) as other:  # its place is free
        assert other.first["type"] == "ready"


def test_what_a_client_used_is_free_without_the_garbage_collector(car):
    # With every session goes a detector of 2 MB, of which the collector sees a few hundred bytes.
    gc.disable()
    try:
        with Client(car) as client:
            client.send(np.concatenate([tone(2.0), PAUSE]))
            client.say(type="end")
            client.until("end")
        [session] = map(weakref.ref, car.service.sessions)
        car.service.sessions.clear()
        wait_until(lambda: session() is None)
    finally:
        gc.enable()


def test_a_file_sent_at_once_loses_no_final(car):
    # More utterances than may wait for the model.
    utterance = np.concatenate([tone(0.3), np.zeros(RATE * 6 // 10, np.float32)])
    car.service.engine.pace = 0.01
    with Client(car) as client:
        client.send(np.concatenate([utterance] * 20), frame=8 * RATE)
        client.say(type="end")
        messages = kinds(client.until("end"))
        assert messages.count("final") == 20
        assert "error" not in messages


def test_audio_is_not_read_while_a_minute_of_it_waits(car, monkeypatch):
    monkeypatch.setattr(stream_client, "MAX_BACKLOG", 5.0)
    held = threading.Event()
    car.service.slow_down = lambda: held.wait(SOON) and None
    frame = bytes(4 * RATE)
    sent = 0
    with Client(car) as client:

        def flood() -> None:
            nonlocal sent
            for _ in range(600):
                client.socket.send(frame)
                sent += 1

        sender = threading.Thread(target=flood)
        sender.start()
        wait_until_still(lambda: sent)
        assert sent < 600  # it has to wait
        held.set()
        sender.join(SOON)
        assert sent == 600
        client.say(type="end")
        client.until("end")
        assert car.service.sessions[0]._received == 600 * RATE


def test_a_dead_peer_is_noticed():
    with serving(Config(), ws_ping_interval=0.05, ws_ping_timeout=0.05) as server:
        key = "dGhlIHNhbXBsZSBub25jZQ=="
        with socket.create_connection(("127.0.0.1", server.port)) as raw:
            raw.sendall(
                f"GET /stream HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                f"Sec-WebSocket-Key: {key}\r\nSec-WebSocket-Version: 13\r\n\r\n".encode()
            )
            raw.settimeout(SOON)
            assert raw.recv(4096).startswith(b"HTTP/1.1 101")
            while raw.recv(4096):
                pass
        wait_until(lambda: no_streams(server))


# ---- limits, keys, failures


def test_too_many_streams(car):
    clients = [Client(car) for _ in range(3)]
    with Client(car) as late:
        assert late.first["type"] == "error"
        assert late.first["code"] == "too_many_streams"
        code, reason = late.closed()
        assert code == 1013
        assert "3 streams are open" in reason
    clients.pop().__exit__()
    wait_until(lambda: car.metric('rtap_streams_open{transport="stream"} 2.0'))
    with Client(car) as client:
        assert client.first["type"] == "ready"
    for client in clients:
        client.__exit__()


def test_who_says_nothing_gives_way_to_who_comes(car, monkeypatch):
    monkeypatch.setattr(stream, "YIELD_SECONDS", 0.0)
    with Client(car) as first, Client(car) as second, Client(car) as third:
        for client in (first, third):
            client.send(SPEECH)
            client.until("final")
        with Client(car) as late:
            assert late.first["type"] == "ready"
            assert second.receive()["code"] == "idle"
            code, reason = second.closed()
            assert code == 1013
            assert "connect again" in reason
            late.send(SPEECH)
            late.until("final")


def test_a_place_is_kept_for_this_machine(car, monkeypatch):
    monkeypatch.setattr(stream, "is_loopback", lambda _: False)
    with Client(car), Client(car):
        with Client(car) as third:
            assert third.first["code"] == "too_many_streams"
        monkeypatch.setattr(stream, "is_loopback", lambda _: True)
        with Client(car) as screen:
            assert screen.first["type"] == "ready"


def test_a_stream_without_audio_ends(car, monkeypatch):
    monkeypatch.setattr(stream_client, "IDLE_SECONDS", 0.3)
    with Client(car) as client:
        for _ in range(3):
            client.send(np.zeros(1, np.float32))  # no sign of life
        assert client.until("error")[-1]["code"] == "idle"
        assert client.closed()[0] == 1013


@pytest.mark.parametrize(
    ("query", "named"), [("?channels=2", "channels"), ("?language=en&lang=de&x=1", "lang, x")]
)
def test_unknown_settings_in_the_address_are_named(car, query, named):
    with Client(car, query) as client:
        assert client.first["code"] == "bad_field"
        assert client.first["message"].startswith(f"{named}: not known")
        assert client.closed()[0] == 1008


def test_a_language_that_the_model_does_not_know_is_refused_at_the_hello(car):
    facts = car.service.facts
    car.service.facts = replace(facts, languages=("en",))
    try:
        with Client(car, "?language=de") as client:
            assert client.first["code"] == "bad_option"
            assert "does not know german" in client.first["message"]
            assert client.closed()[0] == 1008
        with Client(car) as client:
            client.say(type="config", language="de")
            assert client.receive()["code"] == "bad_option"
    finally:
        car.service.facts = facts


def test_an_utterance_that_would_be_late_is_refused(car, monkeypatch):
    monkeypatch.setattr(stt, "MAX_WAIT", 0.0)
    monkeypatch.setattr(stream, "MAX_WAIT", 0.0)
    with Client(car) as first, Client(car) as second:
        first.send(SPEECH)
        first.until("final")
        car.service.engine.gate.clear()
        car.service.engine.asked.clear()
        first.send(SPEECH)
        assert car.service.engine.asked.wait(SOON)
        second.send(np.concatenate([SPEECH] * 3))
        error = second.until("error")[-1]
        assert error["code"] == "overloaded"
        assert error["retry_after"] >= 1
        # A new stream is not begun either.
        with Client(car) as third:
            assert third.first["code"] == "overloaded"
            assert third.first["retry_after"] >= 1
            assert third.closed()[0] == 1013
        car.service.engine.gate.set()


def test_the_youngest_stream_ends_where_audio_waits_too_long(car, monkeypatch):
    with Client(car) as first, Client(car) as second:
        monkeypatch.setattr(stream, "MAX_LAG", -1.0)
        first.send(SPEECH)
        assert second.until("error")[-1]["code"] == "overloaded"
        assert second.closed()[0] == 1013
        first.until("final")


def test_memory_goes_back_when_all_have_left(monkeypatch):
    given_back = threading.Event()
    monkeypatch.setattr(stream, "TIDY_SECONDS", 0.01)
    monkeypatch.setattr(stream, "give_back", given_back.set)
    with serving(Config()) as server:
        with Client(server):
            pass
        assert given_back.wait(SOON)


def test_the_key():
    with serving(Config(output=OutputConfig(api_key=KEY))) as server:
        for query, headers in (
            ("", {}),
            ("?api_key=wrong", {}),
            ("?api_key=", {"X-API-Key": "wrong"}),
        ):
            with pytest.raises(InvalidStatus) as raised:
                Client(server, query, additional_headers=headers)
            assert raised.value.response.status_code == 401
            error = json.loads(raised.value.response.body)["error"]
            assert error["code"] == "unauthorized"
            assert error["request_id"] == raised.value.response.headers["x-request-id"]
        for query, headers in (
            ("?api_key=secret%20key", {}),
            ("", {"X-API-Key": KEY}),
            ("", {"Authorization": f"Bearer {KEY}"}),
        ):
            with Client(server, query, additional_headers=headers) as client:
                assert client.first["type"] == "ready"


@pytest.mark.parametrize("origin", ["http://evil.example", "http://192.168.1.7", "null"])
def test_a_page_of_somebody_else_is_not_heard_without_a_key(car, origin):
    with Client(car, additional_headers={"Origin": origin}) as client:
        assert client.first["code"] == "foreign_origin"
        code, reason = client.closed()
    assert code == 1008
    assert "open it by localhost or by its IP number" in reason
    assert no_streams(car)


def test_a_page_of_this_machine_is_heard(car):
    with Client(car, additional_headers={"Origin": "http://localhost:3000"}) as client:
        assert client.first["type"] == "ready"


def test_with_the_key_any_page_is_heard():
    headers = {"Origin": "http://evil.example"}
    with (
        serving(Config(output=OutputConfig(api_key=KEY))) as server,
        Client(server, "?api_key=secret%20key", additional_headers=headers) as client,
    ):
        assert client.first["type"] == "ready"


def test_handshakes_are_rate_limited():
    with serving(Config(limits=LimitsConfig(requests_per_minute=1))) as server:
        with Client(server) as client:
            assert client.first["type"] == "ready"
        with pytest.raises(InvalidStatus) as raised:
            Client(server)
        assert raised.value.response.status_code == 429
        assert int(raised.value.response.headers["retry-after"]) >= 1


def test_without_a_model(car, monkeypatch):
    monkeypatch.setattr(car.service.stt, "failure", "no speech model is loaded: install one")
    with Client(car) as client:
        assert client.first["code"] == "not_ready"
        assert client.closed() == (1013, "no speech model is loaded: install one")


def test_a_failing_engine_is_an_error_message(car):
    car.service.engine.error = ZeroDivisionError("oops")
    with Client(car) as client:
        client.send(SPEECH)
        error = client.until("error")[-1]
        assert error["code"] == "failed"
        car.service.engine.error = None
        client.send(SPEECH)
        client.until("final")


def test_a_failing_session_is_neutral(car):
    car.service.failure = None
    with Client(car) as client:
        car.service.failure = ZeroDivisionError("secret")
        client.send(
            SPEECH[:4_000]
        )  # one frame: the connection may be closed before a second is sent
        error = client.until("error")[-1]
        assert error["code"] == "internal_error"
        assert "secret" not in error["message"]
        assert client.closed()[0] == 1011
    car.service.failure = None


def test_garbage_of_all_sorts_leaves_the_service_alive(car):
    random = np.random.default_rng(0)
    for _ in range(10):
        with Client(car) as client:
            try:
                for _ in range(8):
                    data = random.bytes(int(random.integers(0, 300)))
                    client.socket.send(data if random.random() < 0.5 else data.decode("latin-1"))
            except ConnectionClosed:
                continue
    with Client(car) as client:
        client.send(SPEECH)
        client.until("final")
