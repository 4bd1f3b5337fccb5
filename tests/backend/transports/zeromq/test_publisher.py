"""The ZeroMQ publisher, heard by real subscribers."""

from __future__ import annotations

import json
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest
import zmq

from rtap.bus import EventBus
from rtap.config import OutputConfig
from rtap.errors import TransportError
from rtap.events import SpeechStarted
from rtap.telemetry import Telemetry
from rtap.transports.zeromq.publisher import ZmqPublisher
from tests.backend.transports.sample_events import EVENTS, FAILED, TRANSCRIPT
from tests.deadlines import SOON

FREE_PORTS = OutputConfig(zmq_pub_port_events=0, zmq_pub_port_transcripts=0)
WAIT_MS = round(1000 * SOON)

Subscribe = Callable[..., zmq.SyncSocket]


@pytest.fixture
def bus() -> EventBus:
    return EventBus()


@pytest.fixture
def telemetry() -> Telemetry:
    return Telemetry()


@pytest.fixture
def publisher(bus: EventBus, telemetry: Telemetry) -> Iterator[ZmqPublisher]:
    publisher = ZmqPublisher(FREE_PORTS, bus, telemetry)
    publisher.start()
    yield publisher
    publisher.stop()


@pytest.fixture
def subscribe() -> Iterator[Subscribe]:
    context = zmq.Context()
    subscribers = []

    def subscribe(
        port: int, topic: str = "", password: str = "", room: int = 1_000
    ) -> zmq.SyncSocket:
        subscriber = context.socket(zmq.SUB)
        subscribers.append(subscriber)
        if password:
            subscriber.plain_username = b"anyone"
            subscriber.plain_password = password.encode()
        subscriber.rcvtimeo = WAIT_MS
        subscriber.rcvhwm = room
        subscriber.connect(f"tcp://127.0.0.1:{port}")
        subscriber.subscribe(topic)
        return subscriber

    yield subscribe
    for subscriber in subscribers:
        subscriber.close(linger=0)
    context.term()


def receive(subscriber: zmq.SyncSocket) -> tuple[str, dict[str, Any]]:
    topic, message = subscriber.recv_multipart()
    return topic.decode(), json.loads(message)


def connected(bus: EventBus, subscriber: zmq.SyncSocket, *, transcripts: bool = False) -> int:
    """Publish until the subscriber hears it, and let it hear the last of that. Returns how often."""
    for number in range(WAIT_MS // 5):
        # Different in every call: the subscriber may have heard what was published for another one.
        mark = uuid.uuid4().hex
        bus.publish(
            replace(TRANSCRIPT, session_id=mark) if transcripts else SpeechStarted(mark, 0.0)
        )
        if subscriber.poll(5):
            while receive(subscriber)[1]["session_id"] != mark:
                pass
            return number + 1
    pytest.fail("the subscriber heard nothing")


def test_each_event_goes_to_its_port(
    bus: EventBus, publisher: ZmqPublisher, subscribe: Subscribe
) -> None:
    events = subscribe(publisher.ports.events)
    transcripts = subscribe(publisher.ports.transcripts)
    connected(bus, events)
    connected(bus, transcripts, transcripts=True)
    for event in EVENTS.values():
        bus.publish(event)
    bus.publish(replace(TRANSCRIPT, utterance_id="last"))
    heard = [receive(events) for _ in range(len(EVENTS) - 1)]
    expected = [kind for kind in EVENTS if kind != "transcript"]
    assert [topic for topic, _ in heard] == expected
    assert [message["type"] for _, message in heard] == expected
    topic, message = receive(transcripts)
    assert topic == "transcript.de"
    assert message["text"] == TRANSCRIPT.text
    assert receive(transcripts)[1]["utterance_id"] == "last"
    assert not events.poll(0)


def test_topics_choose(bus: EventBus, publisher: ZmqPublisher, subscribe: Subscribe) -> None:
    german = subscribe(publisher.ports.transcripts, "transcript.de")
    all_languages = subscribe(publisher.ports.transcripts, "transcript")
    errors = subscribe(publisher.ports.events, "error")
    everything = subscribe(publisher.ports.events)
    connected(bus, german, transcripts=True)
    connected(bus, all_languages, transcripts=True)
    connected(bus, everything)
    while not errors.poll(5):
        bus.publish(FAILED)
    assert receive(errors)[0] == "error"
    for language in ("en", None, "de"):
        bus.publish(replace(TRANSCRIPT, language=language, session_id="test"))
    topic, message = receive(german)
    while message["session_id"] != "test":  # what told us that the others are connected
        topic, message = receive(german)
    assert topic == "transcript.de"
    assert [receive(all_languages)[0] for _ in range(3)] == [
        "transcript.en",
        "transcript.und",
        "transcript.de",
    ]


def test_what_was_published_before_the_stop_is_sent(
    bus: EventBus, telemetry: Telemetry, subscribe: Subscribe
) -> None:
    publisher = ZmqPublisher(FREE_PORTS, bus, telemetry)
    publisher.start()
    events = subscribe(publisher.ports.events, "error")
    while not events.poll(5):
        bus.publish(FAILED)
    for number in range(50):
        bus.publish(replace(FAILED, stage=str(number)))
    publisher.stop()
    while receive(events)[1]["stage"] != "49":
        pass
    publisher.stop()  # twice does no harm


def test_stop_waits_for_nobody_for_long(
    bus: EventBus, telemetry: Telemetry, subscribe: Subscribe
) -> None:
    publisher = ZmqPublisher(FREE_PORTS, bus, telemetry)
    publisher.start()
    events = subscribe(publisher.ports.events, room=1)
    connected(bus, events)
    # Nobody reads these, and they are more than the system's buffers hold.
    for _ in range(200):
        bus.publish(replace(FAILED, message="x" * 100_000))
    begin = time.monotonic()
    publisher.stop()
    assert time.monotonic() - begin < SOON  # ZeroMQ would wait for ever
    assert not [thread for thread in threading.enumerate() if thread.name == "zmq"]


def test_stop_without_start(bus: EventBus, telemetry: Telemetry) -> None:
    ZmqPublisher(FREE_PORTS, bus, telemetry).stop()


@pytest.mark.parametrize("setting", ["zmq_pub_port_events", "zmq_pub_port_transcripts"])
def test_port_in_use(bus: EventBus, telemetry: Telemetry, setting: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        config = replace(FREE_PORTS, **{setting: port})
        publisher = ZmqPublisher(config, bus, telemetry)
        with pytest.raises(TransportError, match=rf"port {port} .*in use.*output\.{setting}"):
            publisher.start()
    publisher.stop()


def test_host_that_is_none(bus: EventBus, telemetry: Telemetry) -> None:
    publisher = ZmqPublisher(replace(FREE_PORTS, host="no such host"), bus, telemetry)
    with pytest.raises(TransportError, match=r"output\.host is no such host"):
        publisher.start()


def test_host_by_name(bus: EventBus, telemetry: Telemetry) -> None:
    publisher = ZmqPublisher(replace(FREE_PORTS, host="localhost"), bus, telemetry)
    publisher.start()
    assert publisher.ports.events > 0
    publisher.stop()


def test_only_those_with_the_key_hear(
    bus: EventBus, telemetry: Telemetry, subscribe: Subscribe
) -> None:
    publisher = ZmqPublisher(replace(FREE_PORTS, api_key="säcret"), bus, telemetry)
    publisher.start()
    port = publisher.ports.transcripts
    outsiders = [subscribe(port), subscribe(port, password="wrong")]
    insider = subscribe(port, password="säcret")
    connected(bus, insider, transcripts=True)
    for _ in range(20):
        bus.publish(TRANSCRIPT)
        receive(insider)
        assert [one.poll(5) for one in outsiders] == [0, 0]
    publisher.stop()


def test_an_event_that_is_no_message_is_passed_over(
    bus: EventBus, publisher: ZmqPublisher, telemetry: Telemetry, subscribe: Subscribe
) -> None:
    transcripts = subscribe(publisher.ports.transcripts)
    connected(bus, transcripts, transcripts=True)
    bus.publish(replace(TRANSCRIPT, source="nowhere"))  # type: ignore[arg-type]
    bus.publish(TRANSCRIPT)
    assert receive(transcripts)[1]["source"] == "microphone"
    assert 'rtap_errors_total{error_type="ValidationError",stage="zmq"} 1.0' in (
        telemetry.exposition().decode()
    )


def test_counts(
    bus: EventBus, publisher: ZmqPublisher, telemetry: Telemetry, subscribe: Subscribe
) -> None:
    transcripts = subscribe(publisher.ports.transcripts)
    probes = connected(bus, transcripts, transcripts=True)
    for event in EVENTS.values():
        bus.publish(event)
    publisher.stop()
    assert sent(telemetry) == probes + len(EVENTS)


def sent(telemetry: Telemetry) -> float:
    (line,) = [
        line
        for line in telemetry.exposition().decode().splitlines()
        if line.startswith('rtap_events_sent_total{transport="zmq"}')
    ]
    return float(line.split()[-1])
