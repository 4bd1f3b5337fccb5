"""How much later than its transcript a command is done."""

from __future__ import annotations

import json
import os
import shutil
import socket
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import numpy as np
from paho.mqtt.client import Client, MQTTMessage
from paho.mqtt.enums import CallbackAPIVersion, MQTTProtocolVersion
from websockets.sync.client import connect

from rtap.audio.format import SAMPLE_RATE
from rtap.config import Config
from rtap.errors import ConfigurationError, PipelineError
from rtap.vehicle.adapters.mqtt.connection import send_at_once
from rtap.vehicle.configured import make_table
from tools.benchmarks.figures import distribution
from tools.benchmarks.result import Figure, Result, percentiles
from tools.benchmarks.service.plan import Plan
from tools.benchmarks.service.service_process import ServiceSettings, healthy_service
from tools.benchmarks.service.speech import Phrase, phrases, wav
from tools.process.child import Child
from tools.process.ports import HOST, free_ports

NAME: Final = "action"
WHAT: Final = """\
A client says commands through `/stream?intents=execute`, one after the other. On the client's clock: from
the final of a command until its `action` with the outcome `done` was there, so until it was understood, the
safety rules were looked up, and the car said that it holds the new values. First the simulated car, then one
behind Debian's mosquitto on this machine, which answers at once. Broker and car send without waiting
(TCP_NODELAY), as the quick start for MQTT says."""
SIMULATED_MS: Final = 20.0
MQTT_MS: Final = 40.0
_COMMANDS, _QUICK_COMMANDS = 200, 4
_ACTING: Final = ("set the temperature to twenty one degrees", "turn on the heating")
_SECONDS: Final = 60.0
"""For one command, or for the broker to listen."""
_PREFIX: Final = "vehicle/"


def measure(plan: Plan) -> Result:
    """With a simulated car, and with one behind a broker where there is one.

    Raises:
        ConfigurationError: the recordings are not there.
        PipelineError: a command was not done.
    """
    spoken = [phrase for phrase in phrases() if phrase.text in _ACTING]
    count = plan.size(_COMMANDS, _QUICK_COMMANDS)
    with tempfile.TemporaryDirectory(prefix="action-") as folder:
        simulated = {"state": str(Path(folder) / "car.json")}
        settings = replace(plan.settings, vehicle=simulated)
        figures = _figures("simulated", _delays(settings, spoken, count), SIMULATED_MS)
        try:
            with _car_at_a_broker(Path(folder)) as broker:
                behind = {"adapter": "mqtt", "mqtt_broker": broker}
                settings = replace(plan.settings, vehicle=behind)
                figures += _figures("mosquitto", _delays(settings, spoken, count), MQTT_MS)
        except ConfigurationError as error:
            return Result(NAME, WHAT, figures, notes=[f"Not measured with mosquitto: {error}."])
    return Result(NAME, WHAT, figures)


def _figures(car: str, seconds: Sequence[float], limit: float) -> list[Figure]:
    spread = distribution([1000 * one for one in seconds])
    return percentiles(f"final to action, {car}", spread, "ms", limit)


def _delays(settings: ServiceSettings, spoken: Sequence[Phrase], count: int) -> list[float]:
    """Seconds from each final to its action."""
    silence = np.zeros(SAMPLE_RATE, np.float32).tobytes()
    with healthy_service(settings, [wav(one.samples) for one in spoken]) as running:
        url = f"{running.stream_url}?language=en&intents=execute"
        with connect(url, open_timeout=_SECONDS, proxy=None, compression=None) as client:
            delays = []
            for number in range(count):
                phrase = spoken[number % len(spoken)]
                client.send(phrase.samples.astype("<f4").tobytes())
                client.send(silence)
                final = _until(client, "final")
                action = _until(client, "action")
                if action[1]["outcome"] != "done":
                    raise PipelineError(f"{phrase.text!r} was not done: {action[1]['reason']}")
                delays.append(action[0] - final[0])
        return delays


def _until(client: Any, kind: str) -> tuple[float, dict[str, Any]]:
    """The next message of a kind, and when it came."""
    while True:
        try:
            message = json.loads(client.recv(timeout=_SECONDS))
        except TimeoutError as error:
            raise PipelineError(f"no {kind} came within {_SECONDS:g} s") from error
        if message["type"] == kind:
            return time.perf_counter(), message


@contextmanager
def _car_at_a_broker(folder: Path) -> Iterator[str]:
    """Address of a broker, with a car that fulfils every wish at once."""
    program = shutil.which("mosquitto", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        raise ConfigurationError("mosquitto is missing: apt-get install mosquitto")
    port = free_ports()["http_port"]
    configuration = folder / "mosquitto.conf"
    user = "user root\n" if os.geteuid() == 0 else ""
    configuration.write_text(
        f"{user}listener {port} {HOST}\nallow_anonymous true\nset_tcp_nodelay true\n"
    )
    with Child([program, "-c", str(configuration)]) as broker:
        _wait_until_it_listens(port, broker)
        car = Client(CallbackAPIVersion.VERSION2, protocol=MQTTProtocolVersion.MQTTv5)
        car.on_message = _fulfil
        # As the broker by set_tcp_nodelay: either alone lets one wish in ten wait 40 ms for the other.
        car.on_socket_open = send_at_once
        car.connect(HOST, port)
        car.loop_start()
        try:
            for signal in make_table(Config()).signals.values():
                topic = _PREFIX + signal.path.replace(".", "/")
                car.publish(topic, json.dumps({"value": signal.start}), qos=1, retain=True)
            car.subscribe(f"{_PREFIX}#", qos=1)
            yield f"{HOST}:{port}"
        finally:
            car.disconnect()
            car.loop_stop()


def _fulfil(car: Client, _userdata: Any, wish: MQTTMessage) -> None:
    topic, _, last = wish.topic.rpartition("/")
    if last == "set":
        car.publish(topic, wish.payload, qos=1, retain=True)


def _wait_until_it_listens(port: int, broker: Child) -> None:
    deadline = time.monotonic() + _SECONDS
    while True:
        try:
            socket.create_connection((HOST, port), _SECONDS).close()
        except OSError as error:
            if broker.has_ended or time.monotonic() > deadline:
                raise PipelineError(f"mosquitto does not listen: {broker.complaint()}") from error
            time.sleep(0.02)
        else:
            return
