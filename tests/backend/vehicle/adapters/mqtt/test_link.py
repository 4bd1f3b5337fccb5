"""rtap.vehicle.adapters.mqtt.link: ways into a broker, and what is none."""

from __future__ import annotations

import socketserver
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Queue

import pytest

from rtap.errors import VehicleUnreachableError
from rtap.vehicle.adapters.mqtt.connection import Broker
from rtap.vehicle.adapters.mqtt.link import Link
from rtap.vehicle.adapters.trust import trust
from tests.backend.vehicle.adapters.mqtt.mosquitto import Mosquitto, mosquitto
from tests.deadlines import SOON
from tests.operations.programs import free_port, require
from tools.process.ports import HOST


class Recorder:
    """An owner that notes what it is told."""

    def __init__(self) -> None:
        self.told: Queue[str] = Queue()
        self.messages: Queue[tuple[str, bytes]] = Queue()

    def connected(self) -> None:
        self.told.put("connected")

    def lost(self, reason: str) -> None:
        self.told.put(reason)

    def received(self, topic: str, payload: bytes) -> None:
        self.messages.put((topic, payload))

    def next(self) -> str:
        return self.told.get(timeout=SOON)


@contextmanager
def linked(broker: Broker) -> Iterator[tuple[Link, Recorder]]:
    owner = Recorder()
    link = Link(broker, ["car/speed", "car/mirror"], lambda name: f"car/rtap/{name}", owner)
    try:
        yield link, owner
    finally:
        link.close()


def first_word(broker: Broker) -> str:
    """What a link says at first."""
    with linked(broker) as (_, owner):
        return owner.next()


unfinished_handshake = pytest.mark.filterwarnings(
    # paho leaves the socket of a handshake that fails to Python, which closes it.
    "ignore::pytest.PytestUnraisableExceptionWarning"
)

# --- who gets in ---


def test_name_and_password(tmp_path: Path) -> None:
    passwords = tmp_path / "passwords"
    command = [require("mosquitto_passwd"), "-c", "-b", str(passwords), "rtap", "right"]
    subprocess.run(command, check=True, capture_output=True)
    settings = ("allow_anonymous false", f"password_file {passwords}")
    with mosquitto(tmp_path, *settings) as there:
        broker = Broker(HOST, there.port, "rtap", "right")
        assert first_word(broker) == "connected"
        for wrong in (replace(broker, password="wrong"), Broker(HOST, there.port)):
            assert first_word(wrong) == (
                f"the MQTT broker at {there.address} lets us not in (Not authorized): check "
                "vehicle.mqtt_user and vehicle.mqtt_password"
            )


@unfinished_handshake
def test_tls(tmp_path: Path, certificate: Path) -> None:
    settings = [f"certfile {certificate / 'cert.pem'}", f"keyfile {certificate / 'key.pem'}"]
    with mosquitto(tmp_path, *settings, "allow_anonymous true") as there:
        broker = Broker(HOST, there.port, tls=trust("mqtt_ca_file", certificate / "cert.pem"))
        assert first_word(broker) == "connected"
        assert "self-signed certificate): start it" in first_word(
            replace(broker, tls=trust("mqtt_ca_file", None))
        )
        plain = first_word(replace(broker, tls=None))
        assert plain.startswith(f"the MQTT broker at {there.address} ends the connection (")
        assert plain.endswith("): correct vehicle.mqtt_broker and vehicle.mqtt_tls")


@unfinished_handshake
def test_tls_where_there_is_none(tmp_path: Path, certificate: Path) -> None:
    with mosquitto(tmp_path) as there:
        broker = Broker(HOST, there.port, tls=trust("mqtt_ca_file", certificate / "cert.pem"))
        assert "cannot be reached" in first_word(broker)


@pytest.mark.parametrize(
    ("host", "reason"), [(HOST, "Connection refused"), ("no.such.host.invalid", ""), ("x" * 70, "")]
)
def test_nobody_is_there(host: str, reason: str) -> None:
    port = free_port()
    word = first_word(Broker(host, port))
    assert word.startswith(f"the MQTT broker at {host}:{port} cannot be reached ({reason}")
    assert word.endswith("): start it, or correct vehicle.mqtt_broker")


def test_addresses_are_written_as_they_are_configured() -> None:
    assert str(Broker("::1", 1883)) == "the MQTT broker at [::1]:1883"


# --- who is no broker ---


@contextmanager
def server(answer: bytes, *, stays: bool) -> Iterator[int]:
    """Answers whatever it is sent; the port."""
    over = threading.Event()

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            self.request.recv(100)
            self.request.sendall(answer)
            if stays:
                over.wait(SOON)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server((HOST, 0), Handler) as one:
        threading.Thread(target=one.serve_forever, daemon=True).start()
        yield one.server_address[1]
        over.set()
        one.shutdown()


CONNACK = b"\x20\x03\x00\x00\x00"


@pytest.mark.parametrize(
    ("answer", "stays", "remedy"),
    [
        (b"", False, "ends the connection"),
        (b"", True, "does not answer as one of MQTT 5"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", False, "correct vehicle.mqtt_broker"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", True, "correct vehicle.mqtt_broker"),
        (b"\x20\x02\x00\x01", True, "Unsupported protocol version): take one that speaks MQTT 5"),
        (b"\x20\x00", True, "correct vehicle.mqtt_broker"),
        (b"\xff" * 50, True, "correct vehicle.mqtt_broker"),
        (CONNACK + b"\x30\x05\xff\xff\xff\xff\xff", True, "was lost"),
        (CONNACK + b"\x90\x00", True, "was lost"),
        (CONNACK + b"\xd5\x07garbage", True, "was lost"),
    ],
)
def test_what_is_no_broker_is_told(answer: bytes, remedy: str, *, stays: bool) -> None:
    with server(answer, stays=stays) as port, linked(Broker(HOST, port)) as (link, owner):
        assert remedy in owner.next()
        with pytest.raises(VehicleUnreachableError):
            link.publish("car/speed/set", b"{}", lambda reason: None)


# --- what the broker does with it ---


def test_messages_of_the_topics_and_no_others(tmp_path: Path) -> None:
    with mosquitto(tmp_path) as there, linked(Broker(HOST, there.port)) as (link, owner):
        assert owner.next() == "connected"
        link.publish("car/wheels", b"4", lambda reason: None)
        link.publish("car/speed", b"1", lambda reason: None)
        assert owner.messages.get(timeout=SOON) == ("car/speed", b"1")
        assert owner.messages.empty()


def test_access_rules(tmp_path: Path) -> None:
    rules = tmp_path / "rules"
    rules.write_text("topic read car/#\ntopic write car/mirror/set\n")
    settings = ["allow_anonymous true", f"acl_file {rules}"]
    with mosquitto(tmp_path, *settings) as there, linked(Broker(HOST, there.port)) as (link, owner):
        assert owner.next() == "connected", "though it does not hear itself"
        reasons: Queue[str] = Queue()
        link.publish("car/speed/set", b"{}", reasons.put)
        assert reasons.get(timeout=SOON) == "the broker refuses it (Not authorized)"
        link.publish("car/mirror/set", b"{}", reasons.put)
        assert reasons.get(timeout=SOON) == "nobody listens"


def test_a_broker_that_goes_and_comes(tmp_path: Path) -> None:
    there = Mosquitto(tmp_path, "allow_anonymous true")
    with linked(Broker(HOST, there.port)) as (link, owner):
        assert "cannot be reached" in owner.next()
        for _ in range(3):
            there.start()
            while owner.next() != "connected":
                pass
            there.kill()
            assert "was lost" in owner.next()
            with pytest.raises(VehicleUnreachableError, match=there.address):
                link.publish("car/speed/set", b"{}", lambda reason: None)


def test_closing_does_not_wait_for_a_broker_that_is_away() -> None:
    with linked(Broker(HOST, free_port())) as (_, owner):
        for _ in range(3):
            owner.next()
    assert owner.told.empty(), "nothing is told after the end"
