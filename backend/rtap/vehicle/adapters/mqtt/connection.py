"""One connection to an MQTT broker, from its beginning to its end, and what is said over it.

It is paho-mqtt's client in a thread of its own, not aiomqtt, which wraps it for asyncio. Threads ask a car,
so an event loop would add two hops to each wish. And aiomqtt keeps back what the broker answers to a wish,
such as that nobody listens.
"""

from __future__ import annotations

import secrets
import socket
import ssl
import threading
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from paho.mqtt.client import Client, ConnectFlags, DisconnectFlags, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTErrorCode, MQTTProtocolVersion
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from paho.mqtt.subscribeoptions import SubscribeOptions

from rtap import logs
from rtap.errors import VehicleUnreachableError
from rtap.vehicle.actor import TIMEOUT_SECONDS

_CONNECT_SECONDS: Final = 2.0
_GREETING_SECONDS: Final = 3.0
"""For the broker's answer to CONNECT; a broker on the same board takes milliseconds, one with TLS more."""
_KEEPALIVE_SECONDS: Final = 10
"""A broker that is silent for up to twice as long is gone."""
_LARGEST_PACKET: Final = 1_000_000
"""Bytes; the broker keeps back what is larger, before it takes memory here."""
_MOST_UNSENT: Final = 256
"""Messages that the broker has not confirmed."""
_TOPICS_AT_ONCE: Final = 100
"""In one SUBSCRIBE."""
_log = logs.get("vehicle.mqtt")


@dataclass(frozen=True, slots=True)
class Broker:
    """Where a broker is, and how one gets in."""

    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)
    tls: ssl.SSLContext | None = None

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"the MQTT broker at {host}:{self.port}"


class Owner(Protocol):
    """Who hears of the connection, in one thread at a time."""

    def connected(self) -> None:
        """There is a connection, and what the broker had retained has been received."""

    def lost(self, reason: str) -> None:
        """There is no connection, or still none."""

    def received(self, topic: str, payload: bytes) -> None:
        """Somebody has published something."""


class Connection(Client):
    """One connection from its beginning to its end: nothing of it is sent again later by another one."""

    def __init__(
        self, broker: Broker, topics: Sequence[str], echo: Callable[[str], str], owner: Owner
    ) -> None:
        name = f"rtap-{secrets.token_hex(8)}"
        super().__init__(
            CallbackAPIVersion.VERSION2,
            client_id=name,
            protocol=MQTTProtocolVersion.MQTTv5,
            reconnect_on_failure=False,
        )
        self.was_up = False
        self._broker = broker
        self._wanted = topics
        self._echo_topic = echo(name)
        self._echo_mid = -1
        self._owner = owner
        self._fault = ""
        self._abandoned = False
        self._greeted = threading.Event()
        self._ended = threading.Event()
        self._acknowledging = threading.Lock()
        self._unacknowledged: dict[int, Callable[[str], None]] = {}
        self._early: dict[int, ReasonCode] = {}
        if broker.user:
            self.username_pw_set(broker.user, broker.password or None)
        if broker.tls is not None:
            self.tls_set_context(broker.tls)
        self.connect_timeout = _CONNECT_SECONDS
        self.max_queued_messages_set(_MOST_UNSENT)
        self.on_connect = self._on_connected
        self.on_disconnect = self._on_disconnected
        self.on_subscribe = self._on_subscribed
        self.on_message = self._on_received
        self.on_publish = self._on_acknowledged
        self.on_socket_open = send_at_once

    def serve(self, closing: threading.Event) -> str:
        """Connect, and return when that has ended, with the reason."""
        properties = Properties(PacketTypes.CONNECT)
        properties.MaximumPacketSize = _LARGEST_PACKET
        try:
            self.connect(
                self._broker.host,
                self._broker.port,
                keepalive=_KEEPALIVE_SECONDS,
                properties=properties,
            )
        except (OSError, ValueError) as error:  # ValueError: a name that can be none
            return (
                f"{self._broker} cannot be reached ({_plain(error)}): start it, or correct "
                "vehicle.mqtt_broker"
            )
        self.loop_start()
        if closing.is_set() or not self._greeted.wait(_GREETING_SECONDS):
            self._fault = self._fault or (
                f"{self._broker} does not answer as one of MQTT 5: correct vehicle.mqtt_broker and "
                "vehicle.mqtt_tls"
            )
            self.disconnect()
            self._ended.wait(_GREETING_SECONDS)
        else:
            self._ended.wait()
        self._abandoned = True
        return self._fault

    def say(self, topic: str, payload: bytes, denied: Callable[[str], None]) -> None:
        """See :meth:`rtap.vehicle.adapters.mqtt.link.Link.publish`."""
        properties = Properties(PacketTypes.PUBLISH)
        properties.MessageExpiryInterval = round(TIMEOUT_SECONDS)
        info = self.publish(topic, payload, qos=1, properties=properties)
        if info.rc != MQTTErrorCode.MQTT_ERR_SUCCESS:
            raise VehicleUnreachableError(
                f"{self._broker} takes nothing ({info.rc.name}): try again"
            )
        with self._acknowledging:
            code = self._early.pop(info.mid, None)
            if code is None:
                self._unacknowledged[info.mid] = denied
        _judge(code, denied)

    def loop_forever(
        self,
        timeout: float = 1.0,
        retry_first_connection: bool = False,  # noqa: FBT001, FBT002 (paho's signature)
    ) -> MQTTErrorCode:
        """What paho's thread does; here only its end is noticed, whatever the broker has sent."""
        try:
            return super().loop_forever(timeout, retry_first_connection)
        except Exception as error:  # noqa: BLE001 (paho's own of malformed packets are of any type)
            self._fault = self._fault or (
                f"{self._broker} sends what is not MQTT 5 ({type(error).__name__}): correct "
                "vehicle.mqtt_broker"
            )
            return MQTTErrorCode.MQTT_ERR_PROTOCOL
        finally:
            self._greeted.set()
            self._ended.set()

    def _on_connected(
        self,
        client: Client,
        userdata: Any,
        flags: ConnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, flags, properties
        self._greeted.set()
        if code.is_failure:
            remedy = "check vehicle.mqtt_user and vehicle.mqtt_password"
            if code.value == _UNSUPPORTED:
                remedy = "take one that speaks MQTT 5"
            self._fault = f"{self._broker} lets us not in ({code}): {remedy}"
            return
        topics = [*self._wanted, self._echo_topic]
        for first in range(0, len(topics), _TOPICS_AT_ONCE):
            part = topics[first : first + _TOPICS_AT_ONCE]
            self.subscribe([(topic, SubscribeOptions(qos=0)) for topic in part])
        self._echo_mid = self.publish(self._echo_topic, b"", qos=1).mid

    def _on_disconnected(
        self,
        client: Client,
        userdata: Any,
        flags: DisconnectFlags,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, flags, properties
        self._fault = self._fault or (
            f"the connection to {self._broker} was lost ({code}): it is tried again"
            if self._greeted.is_set()
            else f"{self._broker} ends the connection ({code}): correct vehicle.mqtt_broker and "
            "vehicle.mqtt_tls"
        )

    def _on_subscribed(
        self,
        client: Client,
        userdata: Any,
        mid: int,
        codes: list[ReasonCode],
        properties: Properties | None,
    ) -> None:
        del client, userdata, mid, properties
        refused = [code for code in codes if code.is_failure]
        if refused:
            _log.warning("vehicle_topics_refused", topics=len(refused), reason=str(refused[0]))

    def _on_received(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        del client, userdata
        if message.topic == self._echo_topic:
            self._up()
        elif not self._abandoned:
            self._owner.received(message.topic, bytes(message.payload))
        self._answer_at_once()

    def _on_acknowledged(
        self,
        client: Client,
        userdata: Any,
        mid: int,
        code: ReasonCode,
        properties: Properties | None,
    ) -> None:
        del client, userdata, properties
        if mid == self._echo_mid:
            if code.is_failure or code.value:  # there will be no echo
                self._up()
            return
        with self._acknowledging:
            denied = self._unacknowledged.pop(mid, None)
            if denied is None:  # before say() could note it
                self._early[mid] = code
        self._answer_at_once()
        if denied is not None:
            _judge(code, denied)

    def _answer_at_once(self) -> None:
        """Have the system confirm what has come: mosquitto sends the car's next answer only after that.

        The system would wait 40 ms for something to send with it: a wish took 46 ms, and takes 5 ms.
        """
        sock: Any = self.socket()
        if sock is not None:
            with suppress(OSError):  # the connection ends just now
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_QUICKACK, 1)

    def _up(self) -> None:
        if not (self.was_up or self._abandoned):
            self.was_up = True
            _log.info("vehicle_connected", broker=str(self._broker))
            self._owner.connected()


_UNSUPPORTED: Final = 0x84
"""MQTT 5, section 3.2.2.2: Unsupported Protocol Version."""
_NOBODY: Final = 0x10
"""MQTT 5, section 3.4.2.1: No matching subscribers, which is a success."""


def send_at_once(client: Client, userdata: Any, sock: Any) -> None:
    """Have the system not wait for more to send: the second wish of a command would go 40 ms late.

    It is a client's ``on_socket_open``.
    """
    del client, userdata
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


def _judge(code: ReasonCode | None, denied: Callable[[str], None]) -> None:
    if code is None:
        return
    if code.is_failure:
        denied(f"the broker refuses it ({code})")
    elif code.value == _NOBODY:
        denied("nobody listens")


def _plain(error: Exception) -> str:
    """An error of the system in a few words."""
    text = getattr(error, "verify_message", None) or getattr(error, "strerror", None) or str(error)
    return " ".join(str(text).split())[:200] or type(error).__name__
