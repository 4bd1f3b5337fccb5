"""A car at a broker: it fulfils wishes as a test says, and notes them."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass
from queue import Queue
from threading import Event
from typing import Any

from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion

from tests.backend.vehicle.adapters.mqtt.mosquitto import Mosquitto
from tests.deadlines import SOON


@dataclass(frozen=True)
class Wish:
    """A wish as it came."""

    path: str
    id: str
    value: Any


Behaviour = Callable[["Car", Wish], None]


def fulfil(car: Car, wish: Wish) -> None:
    """What a good car does."""
    car.hold(wish.path, wish.value, wish.id)


class Car:
    """Connected until it is closed; after the broker was away it says again what it held."""

    def __init__(self, broker: Mosquitto, prefix: str = "vehicle") -> None:
        self.behave: Behaviour = fulfil
        self.wishes: Queue[Wish] = Queue()
        self._prefix = prefix
        self._held: dict[str, bytes] = {}
        self._ready = Event()
        self._client = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._connected
        self._client.on_subscribe = lambda *_: self._ready.set()
        self._client.on_message = self._received
        self._client.connect("127.0.0.1", broker.port)
        self._client.loop_start()
        assert self._ready.wait(SOON)

    def topic(self, path: str) -> str:
        return f"{self._prefix}/{path.replace('.', '/')}"

    def hold(self, path: str, value: Any, wish: str | None = None) -> None:
        """Publish a value."""
        self.say(path, json.dumps({"value": value} | ({"id": wish} if wish else {})))

    def say(self, path: str, payload: str | bytes) -> None:
        """Publish whatever it is as a signal's value."""
        self._held[path] = payload.encode() if isinstance(payload, str) else payload
        self._last = self._client.publish(self.topic(path), self._held[path], qos=1, retain=True)

    def wait_until_published(self) -> None:
        """Until the broker has what was said last."""
        self._last.wait_for_publish(SOON)

    def refuse(self, path: str, payload: dict[str, Any] | str) -> None:
        """Publish why a wish is not fulfilled."""
        text = payload if isinstance(payload, str) else json.dumps(payload)
        self._client.publish(self.topic(path) + "/refused", text, qos=1)

    def wait_until_back(self) -> None:
        """After the broker was away."""
        assert self._ready.wait(SOON)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def broker_goes(self) -> None:
        """Before the broker is killed: what comes next is a new connection."""
        self._ready.clear()

    def _connected(self, client: Client, *_: Any) -> None:
        for path, payload in self._held.items():
            client.publish(self.topic(path), payload, qos=1, retain=True)
        client.subscribe(f"{self._prefix}/#", qos=1)

    def _received(self, client: Client, userdata: Any, message: MQTTMessage) -> None:
        path, _, last = message.topic.removeprefix(f"{self._prefix}/").rpartition("/")
        if last != "set":
            return
        said = json.loads(message.payload)
        wish = Wish(path.replace("/", "."), said["id"], said["value"])
        self.behave(self, wish)
        self.wishes.put(wish)
