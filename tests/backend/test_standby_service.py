"""A primary and its standby as processes that hear the same microphone, and die or freeze under traffic."""

from __future__ import annotations

import json
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest
import zmq

from tests.backend.vehicle.adapters.mqtt.car import Car
from tests.backend.vehicle.adapters.mqtt.mosquitto import mosquitto
from tests.backend.vehicle.cars import table
from tests.deadlines import SOON
from tools.benchmarks.service import standby
from tools.benchmarks.service.speech import phrases, wav
from tools.benchmarks.service.standby_rig import (
    ROLES,
    Pair,
    Subscriber,
    Talker,
    pair,
    wait_for,
)
from tools.gui.virtual_microphone import VirtualMicrophone, virtual_microphone
from tools.process.ports import HOST

KILLS = 2
DRIVER = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
UNHEARD_MS = 8_000
"""After which a command is said again, and nothing can come of it any more."""
HEATING = "Vehicle.Private.Cabin.HVAC.Station.Row1.Driver.IsActive"

_MISSING = [one for one in ("pulseaudio", "paplay") if shutil.which(one) is None]

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(
        bool(_MISSING),
        reason=f"{_MISSING} missing: apt-get install pulseaudio pulseaudio-utils libasound2-plugins",
    ),
]


def test_a_primary_that_is_killed() -> None:
    outcome = standby.run(kills=2, seed=1)
    assert len(outcome.takeovers) == 2
    assert len(outcome.said) >= 2
    assert {heard.role for heard in outcome.heard} == {"primary", "standby"}
    assert outcome.doubled == []
    assert outcome.lost_at_rest == []


def test_a_primary_that_freezes_and_goes_on_tells_nothing_twice() -> None:
    with virtual_microphone() as microphone, pair(microphone) as (both, place):
        for role in ROLES:
            both.start(role)
        with Subscriber(both.ports) as subscriber:
            wait_for(lambda: subscriber.publishes("primary"), "a start", both)
            with Talker(microphone, phrases(), place, seed=2) as talker:
                wait_for(lambda: len(subscriber.heard) >= 1, "a first transcript", both)
                both.signal("primary", signal.SIGSTOP)
                wait_for(lambda: subscriber.publishes("standby"), "the takeover", both)
                told = len(subscriber.heard)
                wait_for(lambda: len(subscriber.heard) > told, "the standby's transcript", both)
                both.signal("primary", signal.SIGCONT)
                wait_for(lambda: not subscriber.publishes("standby"), "the return", both)
                told = len(subscriber.heard)
                wait_for(
                    lambda: any(one.role == "primary" for one in subscriber.heard[told:]),
                    "the primary's transcript",
                    both,
                )
            time.sleep(standby.SETTLING)
        outcome = standby.Outcome(talker.said, subscriber.heard, [], [])
        assert outcome.doubled == []


def test_a_command_is_never_done_twice_when_the_primary_dies_over_it(tmp_path: Path) -> None:
    """Killed in turn as soon as it tells what it understood, and when its wish has reached the car."""
    with (
        mosquitto(tmp_path) as broker,
        closing(Car(broker)) as car,
        virtual_microphone() as microphone,
        pair(microphone, {"adapter": "mqtt", "mqtt_broker": broker.address}) as (both, place),
    ):
        for signal_ in table().signals.values():
            car.hold(signal_.path, signal_.start)
        for role in ROLES:
            both.start(role)
        files = {phrase.text: place / f"{len(phrase.text)}.wav" for phrase in phrases()}
        for phrase in phrases():
            files[phrase.text].write_bytes(wav(phrase.samples))
        with Subscriber(both.ports) as subscriber:
            done = [
                _kill_over_a_command(
                    both, subscriber, microphone, files, car, at_the_car=bool(number % 2)
                )
                for number in range(KILLS)
            ]
    assert max(done) == 1


def _kill_over_a_command(
    both: Pair,
    subscriber: Subscriber,
    microphone: VirtualMicrophone,
    files: dict[str, Path],
    car: Car,
    *,
    at_the_car: bool,
) -> int:
    """How often the car was told to do what was said while the primary died."""
    wait_for(lambda: subscriber.publishes("primary"), "the primary", both)
    with intents_of(both.ports["primary"]) as understood:
        while True:
            _wishes(car)
            with microphone.play(files["set the temperature to twenty one degrees"]) as player:
                player.wait(SOON)
            if understood.poll(
                UNHEARD_MS
            ):  # what is said while the publishing changes hands may be lost
                break
        if at_the_car:
            wait_for(lambda: not car.wishes.empty(), "the wish", both)
    both.kill("primary")
    wait_for(lambda: subscriber.publishes("standby"), "the takeover", both)
    # What the standby heard before comes before what it hears now.
    paths: list[str] = []
    with intents_of(both.ports["standby"]) as understood:
        while HEATING not in paths:
            with microphone.play(files["turn on the heating"]) as player:
                player.wait(SOON)
            if understood.poll(UNHEARD_MS):
                message = json.loads(understood.recv_multipart()[1])
                if message["intent"] is not None:
                    wait_for(lambda: not car.wishes.empty(), "the next wish", both)
            paths += _wishes(car)
    seen = len(subscriber.changes)
    both.start("primary")
    wait_for(lambda: subscriber.publishes("primary", seen), "the primary's return", both)
    return paths.count(DRIVER)


def _wishes(car: Car) -> list[str]:
    """The signals of all that were wished since the last time."""
    paths = []
    while not car.wishes.empty():
        paths.append(car.wishes.get().path)
    return paths


@contextmanager
def intents_of(ports: dict[str, int]) -> Iterator[Any]:
    """A socket that gets what an instance understands."""
    with zmq.Context() as context, context.socket(zmq.SUB) as subscriber:
        subscriber.subscribe(b"intent")
        subscriber.linger = 0
        subscriber.connect(f"tcp://{HOST}:{ports['zmq_pub_port_events']}")
        yield subscriber
