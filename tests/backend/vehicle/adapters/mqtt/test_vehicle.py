"""rtap.vehicle.adapters.mqtt.vehicle: a car over a real mosquitto, with all that can go wrong on the way."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from queue import Queue

import pytest

from rtap.errors import (
    UnknownSignalError,
    VehicleLostError,
    VehicleNonsenseError,
    VehicleRefusedError,
    VehicleUnreachableError,
)
from rtap.intents.intent import Value
from rtap.vehicle.actor import Actor
from rtap.vehicle.adapters.mqtt.connection import Broker
from rtap.vehicle.adapters.mqtt.vehicle import MqttVehicle
from rtap.vehicle.protocol import Values
from rtap.vehicle.result import Cause, Held, Outcome
from tests.backend.vehicle.adapters.mqtt.car import Car, Wish
from tests.backend.vehicle.adapters.mqtt.mosquitto import Mosquitto, mosquitto
from tests.backend.vehicle.adapters.probes import (
    AT_21,
    DOME,
    DRIVER,
    PASSENGER,
    SPEED,
    VOLUME,
    Heard,
    value,
    wait_until,
)
from tests.backend.vehicle.cars import intent, table
from tests.deadlines import SOON
from tests.operations.programs import wait_for


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Mosquitto]:
    with mosquitto(tmp_path) as one:
        yield one


@pytest.fixture
def car(broker: Mosquitto) -> Iterator[Car]:
    one = Car(broker)
    yield one
    one.close()


@contextmanager
def connected(broker: Mosquitto, prefix: str = "vehicle") -> Iterator[MqttVehicle]:
    one = MqttVehicle(table().signals, Broker("127.0.0.1", broker.port), prefix)
    try:
        yield one
    finally:
        one.close()


@pytest.fixture
def vehicle(broker: Mosquitto) -> Iterator[MqttVehicle]:
    with connected(broker) as one:
        one.get([SPEED]).result(SOON)
        yield one


def speak(car: Car, path: str, *values: Value) -> None:
    for one in values:
        car.hold(path, one)


# --- values ---


def test_what_the_car_published_before_is_known_at_once(broker: Mosquitto, car: Car) -> None:
    car.hold(SPEED, 50)
    car.hold(DOME, True)
    car.hold(VOLUME, 30, "of-somebody-else-1")
    car.wait_until_published()
    with connected(broker) as vehicle:
        answer = vehicle.get([SPEED, DOME, VOLUME, DRIVER]).result(SOON)
    assert answer == {SPEED: 50.0, DOME: True, VOLUME: 30, DRIVER: None}


def test_the_first_answer_has_all_that_was_retained(broker: Mosquitto, car: Car) -> None:
    every = {path: signal.start for path, signal in table().signals.items()}
    for path, held in every.items():
        car.hold(path, held)
    car.wait_until_published()
    with connected(broker) as vehicle:
        assert vehicle.get(every).result(SOON) == every


def test_subscribers_hear_of_changes_only(vehicle: MqttVehicle, car: Car) -> None:
    heard = Heard(vehicle, SPEED, DOME)
    speak(car, SPEED, 10, 10, 20)
    car.hold(VOLUME, 10)
    car.hold(DOME, False)
    assert [heard.next() for _ in range(3)] == [(SPEED, 10.0), (SPEED, 20.0), (DOME, False)]
    heard.end()
    heard.end()
    other = Heard(vehicle, SPEED)
    car.hold(SPEED, 30)
    assert other.next() == (SPEED, 30.0)
    assert heard.changes.empty()


def test_a_value_that_is_taken_back_is_unknown(vehicle: MqttVehicle, car: Car) -> None:
    car.hold(SPEED, 10)
    wait_until(vehicle, **{SPEED: 10.0})
    car.say(SPEED, b"")
    wait_until(vehicle, **{SPEED: None})


def test_unknown_signals_and_sensors(vehicle: MqttVehicle) -> None:
    for answer in (vehicle.get(["Vehicle.Wings"]), vehicle.set({"Vehicle.Wings": 1})):
        with pytest.raises(UnknownSignalError, match=r"the car has no signal Vehicle\.Wings"):
            answer.result(SOON)
    with pytest.raises(UnknownSignalError):
        vehicle.subscribe(["Vehicle.Wings"], lambda path, value: None)
    with pytest.raises(VehicleRefusedError, match=r"Vehicle\.Speed is a sensor"):
        vehicle.set({SPEED: 10.0}).result(SOON)
    with pytest.raises(VehicleRefusedError, match="101 is not from 0 to 100 percent"):
        vehicle.set({VOLUME: 101}).result(SOON)


# --- wishes ---


def test_a_wish_is_fulfilled_with_the_value_that_holds(vehicle: MqttVehicle, car: Car) -> None:
    car.behave = lambda car, wish: car.hold(wish.path, 20.5, wish.id)
    assert vehicle.set({DRIVER: 21}).result(SOON) == {DRIVER: 20.5}
    assert value(vehicle, DRIVER) == 20.5
    wish = car.wishes.get(timeout=SOON)
    assert (wish.path, wish.value) == (DRIVER, 21.0)


def test_several_signals_are_answered_when_all_are(vehicle: MqttVehicle, car: Car) -> None:
    first: list[Wish] = []

    def in_pairs(car: Car, wish: Wish) -> None:
        first.append(wish)
        if len(first) == 2:
            for one in first:
                car.hold(one.path, one.value, one.id)

    car.behave = in_pairs
    answer = vehicle.set({DRIVER: 21, PASSENGER: 22})
    assert answer.result(SOON) == {DRIVER: 21.0, PASSENGER: 22.0}
    assert vehicle.set({}).result(SOON) == {}


def test_the_car_refuses_with_a_reason(vehicle: MqttVehicle, car: Car) -> None:
    car.behave = lambda car, wish: car.refuse(
        wish.path, {"id": wish.id, "reason": "the fuse is blown"}
    )
    with pytest.raises(VehicleRefusedError, match="the fuse is blown"):
        vehicle.set({DRIVER: 21}).result(SOON)
    with pytest.raises(VehicleRefusedError, match="the fuse is blown"):
        vehicle.set({DRIVER: 21, PASSENGER: 21}).result(SOON)


def test_a_late_answer_is_not_taken_for_anothers(vehicle: MqttVehicle, car: Car) -> None:
    asked: Queue[Wish] = Queue()
    car.behave = lambda car, wish: asked.put(wish)
    heard = Heard(vehicle, DRIVER)
    abandoned = vehicle.set({DRIVER: 21})
    late = asked.get(timeout=SOON)
    abandoned.cancel()
    answer = vehicle.set({DRIVER: 22})
    wish = asked.get(timeout=SOON)
    car.hold(DRIVER, 21, late.id)
    car.refuse(DRIVER, {"id": late.id, "reason": "late"})
    car.hold(DRIVER, 19)
    car.hold(DRIVER, 22, late.id)
    assert [heard.next()[1] for _ in range(3)] == [21.0, 19.0, 22.0], "they are values all the same"
    assert not answer.done()
    car.hold(DRIVER, 22.5, wish.id)
    assert answer.result(SOON) == {DRIVER: 22.5}


def test_a_car_that_repeats_no_id_answers_with_the_wished_value(
    vehicle: MqttVehicle, car: Car
) -> None:
    car.behave = lambda car, wish: speak(car, wish.path, 18, 19, wish.value)
    assert vehicle.set({DRIVER: 21}).result(SOON) == {DRIVER: 21.0}


def test_nobody_listens(vehicle: MqttVehicle) -> None:
    with pytest.raises(
        VehicleUnreachableError, match=r"no car takes wishes from .*: nobody listens"
    ):
        vehicle.set({DRIVER: 21}).result(SOON)


def test_prefixes_keep_cars_apart(broker: Mosquitto, car: Car) -> None:
    other = Car(broker, "fleet/7")
    with connected(broker, "fleet/7") as vehicle:
        assert vehicle.get([DRIVER]).result(SOON) == {DRIVER: None}
        car.hold(DRIVER, 18)
        assert vehicle.set({DRIVER: 22}).result(SOON) == {DRIVER: 22.0}
    assert car.wishes.empty()
    other.close()


def test_any_thread_may_use_it(vehicle: MqttVehicle, car: Car) -> None:
    with ThreadPoolExecutor(8) as pool:
        answers = pool.map(lambda volume: vehicle.set({VOLUME: volume}).result(SOON), range(100))
        assert [answer[VOLUME] for answer in answers] == list(range(100))


def test_open_wishes_are_bounded(vehicle: MqttVehicle, car: Car) -> None:
    car.behave = lambda car, wish: None
    answers = [vehicle.set({DRIVER: 21}) for _ in range(64)]
    with pytest.raises(VehicleUnreachableError, match="owes 64 answers"):
        vehicle.set({DRIVER: 21}).result(SOON)
    answers[0].cancel()
    late = vehicle.set({DRIVER: 21})
    assert not late.done()


# --- nonsense ---

NONSENSE = [
    b"50",
    b"{",
    b'{"value": "fast"}',
    b'{"value": {"value": 50}}',
    b'{"value": NaN}',
    b"\xff\x00",
    b"x" * 100_000,
    b"[" * 8_000,
]


@pytest.mark.parametrize("payload", NONSENSE, ids=lambda payload: repr(payload[:20]))
def test_nonsense_is_named_once_and_the_rest_goes_on(
    vehicle: MqttVehicle, car: Car, payload: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    heard = Heard(vehicle, DOME)
    car.hold(SPEED, 10)
    car.say(SPEED, payload)
    car.say(SPEED, payload)
    car.hold(DOME, True)
    assert heard.next() == (DOME, True)
    named = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert len(named) == 1
    assert "vehicle_nonsense" in named[0]
    assert "vehicle/Vehicle/Speed" in named[0]
    assert value(vehicle, SPEED) is None, "what held before may hold no longer"
    car.hold(SPEED, 11)
    wait_until(vehicle, **{SPEED: 11.0})
    assert vehicle.set({DRIVER: 21}).result(SOON) == {DRIVER: 21.0}


def test_a_wish_is_answered_with_nonsense(vehicle: MqttVehicle, car: Car) -> None:
    car.behave = lambda car, wish: car.hold(wish.path, "warm", wish.id)
    with pytest.raises(VehicleNonsenseError, match=f"no value of {DRIVER}: warm is no number"):
        vehicle.set({DRIVER: 21}).result(SOON)


def test_refusals_of_nothing_are_ignored(vehicle: MqttVehicle, car: Car) -> None:
    def confused(car: Car, wish: Wish) -> None:
        car.refuse(PASSENGER, {"id": wish.id, "reason": "of another signal"})
        car.refuse(wish.path, {"id": "nobodys", "reason": "of nobody"})
        car.refuse(wish.path, "no")
        car.hold(PASSENGER, 17, wish.id)
        car.hold(wish.path, wish.value, wish.id)

    car.behave = confused
    assert vehicle.set({DRIVER: 21}).result(SOON) == {DRIVER: 21.0}


# --- the broker away ---


def act(vehicle: MqttVehicle) -> tuple[Outcome, Cause | None, str]:
    result = Actor(vehicle, table(), speed_limit=5).execute(AT_21)
    reason = result.reason
    return result.outcome, reason.cause if reason else None, reason.text if reason else ""


def done(vehicle: MqttVehicle) -> bool:
    return act(vehicle)[0] is Outcome.DONE


def test_a_broker_that_is_away_at_start_and_comes(tmp_path: Path) -> None:
    broker = Mosquitto(tmp_path, "allow_anonymous true")
    with ExitStack() as stack:
        vehicle = stack.enter_context(connected(broker))
        outcome, cause, text = act(vehicle)
        assert (outcome, cause) == (Outcome.REFUSED, Cause.NOT_CONNECTED)
        assert text.startswith(f"the MQTT broker at {broker.address} cannot be reached (")
        assert text.endswith("): start it, or correct vehicle.mqtt_broker")
        stack.callback(broker.kill)
        broker.start()
        stack.callback(Car(broker).close)
        wait_for("the connection", lambda: done(vehicle))


def test_a_broker_that_is_killed_with_a_command_in_flight_and_comes_back(
    broker: Mosquitto, car: Car
) -> None:
    with connected(broker) as vehicle:
        actor = Actor(vehicle, table(), speed_limit=5)
        car.hold(DRIVER, 18)
        wait_until(vehicle, **{DRIVER: 18.0})

        def kill_it(car: Car, wish: Wish) -> None:
            car.broker_goes()
            broker.kill()

        car.behave = kill_it
        result = actor.execute(AT_21, "utterance")
        assert result.outcome is Outcome.REFUSED
        assert result.reason is not None
        assert result.reason.cause is Cause.NOT_CONNECTED
        assert "was lost" in result.reason.text
        assert value_or_error(vehicle.get([DRIVER])) != {DRIVER: 18.0}, "it is not known any more"

        car.behave = lambda car, wish: car.hold(wish.path, wish.value, wish.id)
        broker.start()
        car.wait_until_back()
        wait_for("the connection", lambda: value_or_error(vehicle.get([DRIVER])) == {DRIVER: 18.0})
        killed = car.wishes.get(timeout=SOON)
        assert actor.execute(AT_21, "utterance") is result, "an utterance acts once"
        again = actor.execute(intent("Undo"))
        assert again.held == (Held(DRIVER, 18.0, "celsius", previous=18.0),), (
            "it may have been done"
        )
        after = car.wishes.get(timeout=SOON)
        assert (killed.value, after.value) == (21.0, 18.0)
        assert car.wishes.empty(), "the lost wish is not sent again"


def value_or_error(answer: Future[Values]) -> Values | str:
    try:
        return answer.result(SOON)
    except VehicleUnreachableError as error:
        return str(error)


def test_wishes_in_flight_are_lost_and_questions_were_not_asked(
    broker: Mosquitto, car: Car
) -> None:
    car.behave = lambda car, wish: None
    with connected(broker) as vehicle:
        vehicle.get([SPEED]).result(SOON)
        wishes = [vehicle.set({DRIVER: 21}), vehicle.set({DRIVER: 22})]
        car.wishes.get(timeout=SOON)
        car.broker_goes()
        broker.kill()
        for wish in wishes:
            with pytest.raises(VehicleLostError, match="was lost"):
                wish.result(SOON)
        with pytest.raises(VehicleUnreachableError):
            vehicle.set({DRIVER: 23}).result(SOON)


def test_a_broker_that_hangs(broker: Mosquitto, car: Car) -> None:
    with connected(broker) as vehicle:
        vehicle.get([SPEED]).result(SOON)
        broker.pause()
        assert act(vehicle)[0] is Outcome.TIMED_OUT
    broker.resume()


def test_closing_answers_what_is_open(broker: Mosquitto, car: Car) -> None:
    car.behave = lambda car, wish: None
    with connected(broker) as vehicle:
        vehicle.get([SPEED]).result(SOON)
        wish = vehicle.set({DRIVER: 21})
    with pytest.raises(VehicleLostError, match="was closed"):
        wish.result(SOON)
    with pytest.raises(VehicleUnreachableError):
        vehicle.get([SPEED]).result(SOON)


# --- end to end ---


def test_intents_act_on_it(vehicle: MqttVehicle, car: Car) -> None:
    actor = Actor(vehicle, table(), speed_limit=5)
    car.hold(DRIVER, 18)
    car.hold(SPEED, 0)
    wait_until(vehicle, **{DRIVER: 18.0, SPEED: 0.0})
    result = actor.execute(AT_21)
    assert (result.outcome, result.held) == (
        Outcome.DONE,
        (Held(DRIVER, 21.0, "celsius", previous=18.0),),
    )
    raised = actor.execute(intent("RaiseTemperature", zone="driver"))
    assert raised.held == (Held(DRIVER, 22.0, "celsius", previous=21.0),)
    assert actor.execute(intent("Undo")).held == (Held(DRIVER, 21.0, "celsius", previous=22.0),)
    assert actor.execute(intent("OpenTrunk")).outcome is Outcome.DONE


@pytest.mark.parametrize(
    ("payload", "cause"),
    [
        (b'{"value": 50}', Cause.MOVING),
        (b'{"value": "slow"}', Cause.SPEED_UNKNOWN),
        (b"", Cause.SPEED_UNKNOWN),
    ],
)
def test_what_endangers_is_refused_unless_the_car_says_that_it_stands(
    vehicle: MqttVehicle, car: Car, payload: bytes, cause: Cause
) -> None:
    heard = Heard(vehicle, DOME)
    car.hold(SPEED, 0)
    car.say(SPEED, payload)
    car.hold(DOME, True)
    heard.next()
    result = Actor(vehicle, table(), speed_limit=5).execute(intent("OpenTrunk"))
    assert result.outcome is Outcome.REFUSED
    assert result.reason is not None
    assert result.reason.cause is cause
    assert car.wishes.empty()


def test_a_car_that_does_not_answer_times_out(vehicle: MqttVehicle, car: Car) -> None:
    car.behave = lambda car, wish: None
    assert act(vehicle)[0] is Outcome.TIMED_OUT
