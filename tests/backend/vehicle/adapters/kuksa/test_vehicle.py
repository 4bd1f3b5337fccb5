"""rtap.vehicle.adapters.kuksa.vehicle: a car over a databroker, with all that can go wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from queue import Queue
from threading import Event, Thread
from typing import Any

import grpc
import pytest
from kuksa.val.v2 import types_pb2

from rtap.errors import (
    UnknownSignalError,
    VehicleError,
    VehicleLostError,
    VehicleNonsenseError,
    VehicleRefusedError,
    VehicleUnreachableError,
)
from rtap.intents.intent import Value
from rtap.vehicle.actor import Actor
from rtap.vehicle.adapters.kuksa.databroker import Access
from rtap.vehicle.adapters.kuksa.vehicle import KuksaVehicle
from rtap.vehicle.result import Cause, Held, Outcome
from tests.backend.vehicle.adapters.kuksa.databroker_double import Databroker, fulfil
from tests.backend.vehicle.adapters.probes import (
    AT_21,
    DOME,
    DRIVER,
    PASSENGER,
    SPEED,
    VOLUME,
    Heard,
)
from tests.backend.vehicle.cars import intent, table
from tests.deadlines import SOON
from tests.operations.programs import free_port, wait_for
from tools.process.ports import HOST

TRUNK = "Vehicle.Body.Trunk.Rear.IsOpen"
NEXT = next(path for path, signal in table().signals.items() if signal.momentary)
KNOWN = (VOLUME, DRIVER, PASSENGER, DOME, SPEED, TRUNK, NEXT)


@pytest.fixture
def broker() -> Iterator[Databroker]:
    one = Databroker(KNOWN)
    one.start()
    yield one
    one.stop()


@contextmanager
def connected(access: Access) -> Iterator[KuksaVehicle]:
    one = KuksaVehicle(table().signals, access)
    try:
        yield one
    finally:
        one.close()


@pytest.fixture
def vehicle(broker: Databroker) -> Iterator[KuksaVehicle]:
    with connected(Access(HOST, broker.port)) as one:
        yield one


def hear(vehicle: KuksaVehicle, broker: Databroker, *paths: str) -> Heard:
    """What a subscriber hears from when the databroker knows of it."""
    heard = Heard(vehicle, *paths)
    broker.subscribed.get(timeout=SOON)
    return heard


# --- values ---


def test_values(vehicle: KuksaVehicle, broker: Databroker) -> None:
    broker.publish(SPEED, 50.1)
    broker.publish(DOME, True)
    broker.publish(VOLUME, 30)
    assert vehicle.get([SPEED, DOME, VOLUME, DRIVER]).result(SOON) == {
        SPEED: 50.1,
        DOME: True,
        VOLUME: 30,
        DRIVER: None,
    }


def test_nonsense_is_no_value(vehicle: KuksaVehicle, broker: Databroker) -> None:
    broker.publish(SPEED, "fast")
    broker.publish(VOLUME, 30)
    assert vehicle.get([SPEED, VOLUME]).result(SOON) == {SPEED: None, VOLUME: 30}


def test_unknown_signals_and_sensors(vehicle: KuksaVehicle) -> None:
    for answer in (vehicle.get(["Vehicle.Wings"]), vehicle.set({"Vehicle.Wings": 1})):
        with pytest.raises(UnknownSignalError, match=r"the car has no signal Vehicle\.Wings"):
            answer.result(SOON)
    with pytest.raises(UnknownSignalError):
        vehicle.subscribe(["Vehicle.Wings"], lambda path, value: None)
    with pytest.raises(VehicleRefusedError, match=r"Vehicle\.Speed is a sensor"):
        vehicle.set({SPEED: 10.0}).result(SOON)
    with pytest.raises(VehicleRefusedError, match="101 is not from 0 to 100 percent"):
        vehicle.set({VOLUME: 101}).result(SOON)


def test_signals_that_the_databroker_lacks(vehicle: KuksaVehicle) -> None:
    lacking = next(
        path for path, one in table().signals.items() if path not in KNOWN and one.is_actuator
    )
    for answer in (
        vehicle.get([SPEED, lacking]),
        vehicle.set({lacking: table().signals[lacking].start}),
    ):
        with pytest.raises(UnknownSignalError, match=f"the car lacks a signal .*{lacking}"):
            answer.result(SOON)


# --- wishes ---


def test_a_wish_is_fulfilled_when_its_value_holds(
    vehicle: KuksaVehicle, broker: Databroker
) -> None:
    def slowly(broker: Databroker, wished: dict[str, Any]) -> None:
        for value in (18, 19.5, wished[DRIVER]):
            broker.publish(DRIVER, value)

    broker.behave = slowly
    assert vehicle.set({DRIVER: 21.5}).result(SOON) == {DRIVER: 21.5}
    assert broker.wishes.get(timeout=SOON) == {DRIVER: 21.5}


def test_several_signals_at_once(vehicle: KuksaVehicle, broker: Databroker) -> None:
    assert vehicle.set({DRIVER: 21, PASSENGER: 22}).result(SOON) == {DRIVER: 21.0, PASSENGER: 22.0}
    assert broker.wishes.get(timeout=SOON) == {DRIVER: 21.0, PASSENGER: 22.0}


def test_no_change_is_lost_where_many_come_at_once(
    vehicle: KuksaVehicle, broker: Databroker
) -> None:
    def all_at_once(broker: Databroker, wished: dict[str, Any]) -> None:
        with broker.unread():
            for path, value in wished.items():
                broker.publish(path, value)

    broker.behave = all_at_once
    wanted: dict[str, Value] = {DRIVER: 21.0, PASSENGER: 22.0, VOLUME: 40}
    assert vehicle.set(wanted).result(SOON) == wanted


def test_what_holds_already_needs_no_change(vehicle: KuksaVehicle, broker: Databroker) -> None:
    broker.publish(DOME, True)
    broker.behave = lambda broker, wished: None
    assert vehicle.set({DOME: True}).result(SOON) == {DOME: True}
    assert broker.wishes.get(timeout=SOON) == {DOME: True}


def test_what_only_starts_something_need_not_hold(
    vehicle: KuksaVehicle, broker: Databroker
) -> None:
    broker.behave = lambda broker, wished: None
    wished = table().signals[NEXT].start
    assert vehicle.set({NEXT: wished}).result(SOON) == {NEXT: wished}


def test_a_car_that_changes_to_something_else(vehicle: KuksaVehicle, broker: Databroker) -> None:
    broker.behave = lambda broker, wished: broker.publish(DRIVER, 20)
    assert vehicle.set({DRIVER: 21}).result(SOON) == {DRIVER: 20.0}


def test_a_car_that_does_nothing(vehicle: KuksaVehicle, broker: Databroker) -> None:
    broker.behave = lambda broker, wished: None
    with pytest.raises(TimeoutError):
        vehicle.set({DRIVER: 21}).result(SOON)
    assert Actor(vehicle, table(), speed_limit=5).execute(AT_21).outcome is Outcome.TIMED_OUT


def test_a_wish_is_answered_with_nonsense(vehicle: KuksaVehicle, broker: Databroker) -> None:
    broker.behave = lambda broker, wished: broker.publish(DRIVER, "warm")
    with pytest.raises(VehicleNonsenseError, match="warm is no number"):
        vehicle.set({DRIVER: 21}).result(SOON)


def test_nobody_provides_the_signal(vehicle: KuksaVehicle, broker: Databroker) -> None:
    broker.behave = None
    with pytest.raises(
        VehicleUnreachableError, match=f"no car takes wishes for {DRIVER} from .*provider"
    ):
        vehicle.set({DRIVER: 21}).result(SOON)


@pytest.mark.parametrize(
    ("code", "error", "text"),
    [
        (grpc.StatusCode.PERMISSION_DENIED, VehicleRefusedError, r"does not permit it \(why\)"),
        (grpc.StatusCode.INVALID_ARGUMENT, VehicleRefusedError, "^why$"),
        (grpc.StatusCode.UNIMPLEMENTED, VehicleUnreachableError, r"speaks no kuksa\.val\.v2"),
        (grpc.StatusCode.INTERNAL, VehicleUnreachableError, r"fails \(why\): look at its log"),
        (grpc.StatusCode.DEADLINE_EXCEEDED, TimeoutError, "did not answer"),
    ],
)
def test_what_the_databroker_says(
    vehicle: KuksaVehicle,
    broker: Databroker,
    code: grpc.StatusCode,
    error: type[Exception],
    text: str,
) -> None:
    broker.error = (code, "why\n")
    for answer in (vehicle.get([SPEED]), vehicle.set({DRIVER: 21})):
        with pytest.raises(error, match=text):
            answer.result(SOON)


def test_open_questions_are_bounded(vehicle: KuksaVehicle, broker: Databroker) -> None:
    broker.behave = lambda broker, wished: None
    answers = [vehicle.set({DRIVER: 21}) for _ in range(64)]
    with pytest.raises(VehicleUnreachableError, match="owes 64 answers"):
        vehicle.get([SPEED]).result(SOON)
    for answer in answers:
        answer.cancel()
    for answer in answers:
        with pytest.raises((TimeoutError, CancelledError)):
            answer.result(SOON)
    assert vehicle.get([SPEED]).result(SOON) == {SPEED: None}


# --- who gets in ---


def test_a_token() -> None:
    broker = Databroker(KNOWN, token="right")
    broker.start()
    right = Access(HOST, broker.port, "right")
    with connected(right) as vehicle:
        assert vehicle.set({DRIVER: 21}).result(SOON) == {DRIVER: 21.0}
    for wrong in (replace(right, token="wrong"), replace(right, token="")):
        with (
            connected(wrong) as vehicle,
            pytest.raises(VehicleUnreachableError, match="lets us not in"),
        ):
            vehicle.get([SPEED]).result(SOON)
    broker.stop()
    assert "right" not in repr(right)


def test_tls(certificate: Path) -> None:
    broker = Databroker(KNOWN, certificate=certificate)
    broker.start()
    access = Access(
        HOST, broker.port, certificates=(certificate / "cert.pem").read_bytes(), encrypted=True
    )
    with connected(access) as vehicle:
        assert vehicle.set({DRIVER: 21}).result(SOON) == {DRIVER: 21.0}
    for wrong in (replace(access, certificates=None), replace(access, encrypted=False)):
        with (
            connected(wrong) as vehicle,
            pytest.raises(VehicleUnreachableError, match="cannot be reached"),
        ):
            vehicle.get([SPEED]).result(SOON)
    broker.stop()


# --- changes ---


def test_subscribers_hear_of_changes_only(vehicle: KuksaVehicle, broker: Databroker) -> None:
    broker.publish(SPEED, 5)
    heard = hear(vehicle, broker, SPEED, DOME)
    other = hear(vehicle, broker, VOLUME)
    for value in (10, 10, "fast", None, 20):
        broker.publish(SPEED, value)
    broker.publish(VOLUME, 10)
    broker.publish(DOME, False)
    assert [heard.next() for _ in range(3)] == [(SPEED, 10.0), (SPEED, 20.0), (DOME, False)]
    assert other.next() == (VOLUME, 10)
    heard.end()
    heard.end()
    broker.publish(SPEED, 30)
    broker.publish(VOLUME, 20)
    assert other.next() == (VOLUME, 20)
    assert heard.changes.empty()


def test_a_subscription_survives_the_databroker(vehicle: KuksaVehicle, broker: Databroker) -> None:
    broker.publish(SPEED, 5)
    heard = hear(vehicle, broker, SPEED)
    broker.publish(SPEED, 10)
    assert heard.next() == (SPEED, 10.0)
    broker.stop()
    broker.publish(SPEED, 20)
    broker.start()
    assert heard.next() == (SPEED, 20.0)


def test_signals_that_the_databroker_lacks_do_not_hide_the_others(
    vehicle: KuksaVehicle, broker: Databroker, caplog: pytest.LogCaptureFixture
) -> None:
    lacking = next(path for path in table().signals if path not in KNOWN)
    heard = hear(vehicle, broker, SPEED, lacking)
    broker.publish(SPEED, 20)
    assert heard.next() == (SPEED, 20.0)
    assert f"the car has no {lacking}" in caplog.text


# --- the databroker away ---


def act(vehicle: KuksaVehicle) -> tuple[Outcome, Cause | None, str]:
    result = Actor(vehicle, table(), speed_limit=5).execute(AT_21)
    reason = result.reason
    return result.outcome, reason.cause if reason else None, reason.text if reason else ""


def test_a_databroker_that_is_away_at_start_and_comes() -> None:
    broker = Databroker(KNOWN, port=free_port())
    with connected(Access(HOST, broker.port)) as vehicle:
        outcome, cause, text = act(vehicle)
        assert (outcome, cause) == (Outcome.REFUSED, Cause.NOT_CONNECTED)
        assert text.startswith(f"the databroker at {broker.address} cannot be reached (")
        assert text.endswith("): start it, or correct vehicle.kuksa_broker")
        broker.start()
        wait_for("the connection", lambda: act(vehicle)[0] is Outcome.DONE)
    broker.stop()


def test_a_databroker_that_goes_with_a_command_in_flight_and_comes_back(broker: Databroker) -> None:
    with connected(Access(HOST, broker.port)) as vehicle:
        actor = Actor(vehicle, table(), speed_limit=5)
        broker.publish(DRIVER, 18)
        reached: Queue[None] = Queue()
        broker.behave = lambda broker, wished: reached.put(None)
        answer = vehicle.set({DRIVER: 21})
        reached.get(timeout=SOON)
        broker.stop()
        with pytest.raises(VehicleLostError, match="was lost"):
            answer.result(SOON)
        assert act(vehicle)[1] is Cause.NOT_CONNECTED
        broker.behave = fulfil
        broker.start()
        wait_for("the connection", lambda: actor.execute(AT_21).outcome is Outcome.DONE)
        assert actor.execute(intent("Undo")).held == (Held(DRIVER, 18.0, "celsius", previous=21.0),)


def test_a_databroker_that_goes_while_it_takes_the_wish(broker: Databroker) -> None:
    reached, released = Event(), Event()

    def hang(broker: Databroker, wished: dict[str, Any]) -> None:
        reached.set()
        released.wait(SOON)

    broker.behave = hang
    with connected(Access(HOST, broker.port)) as vehicle:
        answer = vehicle.set({DRIVER: 21})
        assert reached.wait(SOON)
        stopping = Thread(target=broker.stop)
        stopping.start()
        with pytest.raises(VehicleLostError, match="was lost"):
            answer.result(SOON)
        released.set()
        stopping.join(SOON)


def test_closing_ends_what_is_open(broker: Databroker) -> None:
    broker.behave = lambda broker, wished: None
    with connected(Access(HOST, broker.port)) as vehicle:
        hear(vehicle, broker, SPEED)
        answer = vehicle.set({DRIVER: 21})
        broker.wishes.get(timeout=SOON)
    with pytest.raises(VehicleError):
        answer.result(SOON)
    with pytest.raises(VehicleUnreachableError, match="was closed"):
        vehicle.get([SPEED]).result(SOON)


# --- end to end ---


def test_intents_act_on_it(vehicle: KuksaVehicle, broker: Databroker) -> None:
    actor = Actor(vehicle, table(), speed_limit=5)
    broker.publish(DRIVER, 18)
    broker.publish(SPEED, 0)
    assert actor.execute(AT_21).held == (Held(DRIVER, 21.0, "celsius", previous=18.0),)
    raised = actor.execute(intent("RaiseTemperature", zone="driver"))
    assert raised.held == (Held(DRIVER, 22.0, "celsius", previous=21.0),)
    assert actor.execute(intent("Undo")).held == (Held(DRIVER, 21.0, "celsius", previous=22.0),)
    assert actor.execute(intent("OpenTrunk")).held == (Held(TRUNK, True, None),)


@pytest.mark.parametrize(
    ("speed", "cause"),
    [
        (50, Cause.MOVING),
        (types_pb2.Value(string="slow"), Cause.SPEED_UNKNOWN),
        (None, Cause.SPEED_UNKNOWN),
    ],
)
def test_what_endangers_is_refused_unless_the_car_says_that_it_stands(
    vehicle: KuksaVehicle, broker: Databroker, speed: Any, cause: Cause
) -> None:
    broker.publish(SPEED, speed)
    result = Actor(vehicle, table(), speed_limit=5).execute(intent("OpenTrunk"))
    assert result.reason is not None
    assert result.reason.cause is cause
    assert broker.wishes.empty()
