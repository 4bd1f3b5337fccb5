"""rtap.vehicle.actor: what becomes of an intent on a car."""

from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from rtap.errors import (
    UnknownSignalError,
    VehicleError,
    VehicleLostError,
    VehicleNonsenseError,
    VehicleRefusedError,
    VehicleUnreachableError,
)
from rtap.intents.intent import Intent, Value
from rtap.vehicle.actor import Actor
from rtap.vehicle.adapters.none import NoVehicle
from rtap.vehicle.adapters.simulated import SimulatedVehicle
from rtap.vehicle.history import LONGEST, History
from rtap.vehicle.protocol import Values
from rtap.vehicle.result import ActionResult, Cause, Held, Outcome
from tests.backend.vehicle.cars import Clock, ScriptedVehicle, intent, table

DRIVER = "Vehicle.Cabin.HVAC.Station.Row1.Driver.Temperature"
PASSENGER = "Vehicle.Cabin.HVAC.Station.Row1.Passenger.Temperature"
TRUNK = "Vehicle.Body.Trunk.Rear.IsOpen"
VOLUME = "Vehicle.Cabin.Infotainment.Media.Volume"
UNDO = intent("Undo")
AT_21 = intent("SetTemperature", "celsius", temperature=21, zone="driver")


@pytest.fixture
def car() -> Iterator[SimulatedVehicle]:
    vehicle = SimulatedVehicle(table().signals)
    yield vehicle
    vehicle.close()


@pytest.fixture
def actor(car: SimulatedVehicle) -> Actor:
    return Actor(car, table(), speed_limit=5)


def scripted(**values: Value) -> tuple[ScriptedVehicle, Actor]:
    clock = Clock()
    vehicle = ScriptedVehicle(clock)
    vehicle.values |= {signal.path: signal.start for signal in table().signals.values()} | values
    return vehicle, Actor(vehicle, table(), speed_limit=5, clock=clock)


def value(car: SimulatedVehicle, path: str) -> Value | None:
    return car.get([path]).result(0)[path]


def cause(result: ActionResult) -> Cause | None:
    assert result.outcome is Outcome.REFUSED
    assert result.reason is not None
    assert result.held == ()
    return result.reason.cause


def test_done_with_the_value_that_holds_now(actor: Actor, car: SimulatedVehicle) -> None:
    result = actor.execute(AT_21)
    held = Held(DRIVER, 21.0, "celsius", previous=20.0)
    assert result == ActionResult("SetTemperature", Outcome.DONE, (held,))
    assert value(car, DRIVER) == 21.0
    assert value(car, PASSENGER) == 20


def test_the_car_says_what_holds(actor: Actor) -> None:
    class Coarse(ScriptedVehicle):
        def hold(self, values: Mapping[str, Value]) -> Values:
            return dict.fromkeys(values, 22)

    vehicle = Coarse()
    vehicle.values[DRIVER] = 20
    result = Actor(vehicle, table(), speed_limit=5).execute(AT_21)
    assert result.held == (Held(DRIVER, 22.0, "celsius", previous=20),)


def test_a_question_is_answered_and_sets_nothing() -> None:
    vehicle, actor = scripted()
    result = actor.execute(intent("AskOutsideTemperature"))
    assert result.held == (Held("Vehicle.Exterior.AirTemperature", 12.0, "celsius"),)
    assert vehicle.written == []
    assert cause(actor.execute(UNDO)) is Cause.NOTHING_TO_UNDO


def test_refused_before_the_car_is_asked() -> None:
    vehicle, actor = scripted()
    said = intent("SetTemperature", "celsius", temperature=50)
    assert cause(actor.execute(said)) is Cause.OUT_OF_RANGE
    assert (vehicle.read, vehicle.written) == ([], [])


@pytest.mark.parametrize("path", table().signals)
def test_every_signal_can_be_read(car: SimulatedVehicle, path: str) -> None:
    assert value(car, path) == table().signals[path].start


# --- undo ---

UNDONE = [
    AT_21,
    intent("SetTemperature", "celsius", temperature=17),
    intent("RaiseTemperature"),
    intent("LowerVolume"),
    intent("OpenWindow", zone="rear"),
    intent("SetHeadlights", mode="low"),
    intent("SetAmbientLight", color="red"),
    intent("SetCruiseControl", "km/h", speed=100),
    intent("OpenTrunk"),
    intent("LockDoors"),
    intent("TiltSunroof"),
]


@pytest.mark.parametrize("said", UNDONE, ids=lambda said: said.name)
def test_undo_restores_every_signal(actor: Actor, car: SimulatedVehicle, said: Intent) -> None:
    before = car.get(table().signals).result(0)
    result = actor.execute(said)
    changed = car.get(table().signals).result(0)
    assert changed != before
    undone = actor.execute(UNDO)
    assert undone.outcome is Outcome.DONE
    assert [held.path for held in undone.held] == [held.path for held in result.held]
    assert car.get(table().signals).result(0) == before


def test_undo_goes_back_step_by_step(actor: Actor, car: SimulatedVehicle) -> None:
    for _ in range(LONGEST + 3):
        actor.execute(intent("RaiseDisplayBrightness"))
        actor.execute(intent("LowerDisplayBrightness"))
    actor.execute(AT_21)
    actor.execute(intent("SetVolume", "percent", volume=75))
    actor.execute(UNDO)
    assert (value(car, VOLUME), value(car, DRIVER)) == (30, 21)
    actor.execute(UNDO)
    assert value(car, DRIVER) == 20
    results = [actor.execute(UNDO) for _ in range(LONGEST)]
    assert cause(results[-1]) is Cause.NOTHING_TO_UNDO


def test_what_has_no_state_cannot_be_undone(actor: Actor, car: SimulatedVehicle) -> None:
    actor.execute(AT_21)
    (skipped,) = actor.execute(intent("NextTrack")).held
    assert skipped.previous is None, "nobody is shown what cannot be brought back"
    assert cause(actor.execute(UNDO)) is Cause.CANNOT_UNDO
    assert actor.execute(UNDO).held == (Held(DRIVER, 20.0, "celsius", previous=21.0),)


def test_undo_is_refused_where_doing_it_would_be(actor: Actor, car: SimulatedVehicle) -> None:
    actor.execute(intent("OpenTrunk"))
    actor.execute(intent("CloseTrunk"))
    car.drive({"Vehicle.Speed": 50})
    assert cause(actor.execute(UNDO)) is Cause.MOVING
    car.drive({"Vehicle.Speed": 0})
    assert actor.execute(UNDO).held == (Held(TRUNK, True, None, previous=False),)


def test_a_refused_action_is_not_there_to_be_undone() -> None:
    vehicle, actor = scripted()
    actor.execute(AT_21)
    vehicle.error = VehicleRefusedError("the battery is low")
    actor.execute(intent("RaiseVolume"))
    vehicle.error = None
    assert actor.execute(UNDO).held == (Held(DRIVER, 20.0, "celsius", previous=21.0),)


@pytest.mark.parametrize(
    ("error", "undone"),
    [
        (VehicleUnreachableError("away"), Held(DRIVER, 20.0, "celsius", previous=21.0)),
        (VehicleLostError("went away"), Held(VOLUME, 30, "percent", previous=30)),
    ],
    ids=["not asked", "lost"],
)
def test_what_may_have_been_done_is_there_to_be_undone(error: VehicleError, undone: Held) -> None:
    vehicle, actor = scripted()
    actor.execute(AT_21)
    vehicle.error = error
    actor.execute(intent("RaiseVolume"))
    vehicle.error = None
    assert actor.execute(UNDO).held == (undone,)


def test_a_value_that_was_not_known_is_not_restored() -> None:
    vehicle, actor = scripted()
    vehicle.values[DRIVER] = None
    assert actor.execute(AT_21).outcome is Outcome.DONE
    assert cause(actor.execute(UNDO)) is Cause.CANNOT_UNDO


def test_signals_that_the_table_has_no_more_are_not_restored() -> None:
    history = History()
    history.add({"Vehicle.Gone": 1, DRIVER: 18.0})
    vehicle, _ = scripted()
    result = Actor(vehicle, table(), speed_limit=5, history=history).execute(UNDO)
    assert result.held == (Held(DRIVER, 18.0, "celsius", previous=20),)


# --- safety ---


@pytest.mark.parametrize(
    "said",
    [
        intent("OpenTrunk"),
        intent("UnlockDoors"),
        intent("SetChildLock", state=False),
        intent("SetLaneAssist", state=False),
        intent("RaiseCruiseSpeed"),
        intent("SetSpeedLimiter", state=False),
        intent("FoldMirrors"),
        intent("RecallSeat", memory=1),
    ],
    ids=lambda said: said.name,
)
def test_what_endangers_is_refused_while_the_car_moves(
    actor: Actor, car: SimulatedVehicle, said: Intent
) -> None:
    car.drive({"Vehicle.Speed": 80})
    before = car.get(table().signals).result(0)
    assert cause(actor.execute(said)) is Cause.MOVING
    assert car.get(table().signals).result(0) == before
    car.drive({"Vehicle.Speed": 0})
    assert actor.execute(said).outcome is Outcome.DONE


def test_without_a_speed_it_is_refused() -> None:
    vehicle, actor = scripted()
    vehicle.values["Vehicle.Speed"] = None
    assert cause(actor.execute(intent("OpenTrunk"))) is Cause.SPEED_UNKNOWN
    del vehicle.values["Vehicle.Speed"]
    assert cause(actor.execute(intent("OpenTrunk"))) is Cause.SPEED_UNKNOWN
    assert vehicle.written == []


# --- once ---


def test_an_utterance_is_acted_on_once(actor: Actor, car: SimulatedVehicle) -> None:
    first = actor.execute(intent("RaiseVolume"), "utterance-1")
    assert actor.execute(intent("RaiseVolume"), "utterance-1") is first
    assert value(car, VOLUME) == 40
    actor.execute(intent("RaiseVolume"), "utterance-2")
    actor.execute(intent("RaiseVolume"))
    actor.execute(intent("RaiseVolume"))
    assert value(car, VOLUME) == 70


def test_a_refusal_and_a_time_out_are_final_too() -> None:
    vehicle, actor = scripted()
    vehicle.answers_setting = False
    assert actor.execute(AT_21, "a").outcome is Outcome.TIMED_OUT
    vehicle.answers_setting = True
    assert actor.execute(AT_21, "a").outcome is Outcome.TIMED_OUT
    assert len(vehicle.written) == 1


def test_at_the_same_time_it_is_done_once(actor: Actor, car: SimulatedVehicle) -> None:
    with ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: actor.execute(intent("RaiseVolume"), "one"), range(32)))
    assert all(result is results[0] for result in results)
    assert value(car, VOLUME) == 40


def test_what_was_done_is_forgotten_after_many_more() -> None:
    vehicle, actor = scripted()
    for number in range(300):
        actor.execute(AT_21, str(number))
    assert len(vehicle.written) == 300
    actor.execute(AT_21, "299")
    assert len(vehicle.written) == 300
    actor.execute(AT_21, "0")
    assert len(vehicle.written) == 301


# --- cars that do not do it ---


def test_a_car_that_never_answers_whether_it_did() -> None:
    vehicle, actor = scripted()
    vehicle.answers_setting = False
    result = actor.execute(AT_21)
    assert result.outcome is Outcome.TIMED_OUT
    assert result.reason is not None
    assert result.reason.text == "the car did not answer within 2 s"
    assert vehicle.unanswered[0].cancelled()
    vehicle.answers_setting = True
    assert actor.execute(UNDO).held == (Held(DRIVER, 20.0, "celsius", previous=20),)


def test_a_car_that_never_says_what_holds() -> None:
    vehicle, actor = scripted()
    vehicle.answers_reading = False
    assert actor.execute(AT_21).outcome is Outcome.TIMED_OUT
    assert vehicle.written == []


def test_the_time_is_for_reading_and_setting_together() -> None:
    class Slow(ScriptedVehicle):
        def get(self, paths: Collection[str]) -> Future[Values]:
            self.clock.now += 1.5
            return super().get(paths)

    clock = Clock()
    vehicle = Slow(clock)
    vehicle.values[DRIVER] = 20
    assert (
        Actor(vehicle, table(), speed_limit=5, clock=clock).execute(AT_21).outcome is Outcome.DONE
    )


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (VehicleRefusedError("the battery is low"), Cause.BY_VEHICLE),
        (UnknownSignalError("no such signal"), Cause.UNKNOWN_SIGNAL),
        (VehicleUnreachableError("the broker is away"), Cause.NOT_CONNECTED),
        (VehicleLostError("the broker went away"), Cause.NOT_CONNECTED),
        (VehicleNonsenseError("warm is no number"), Cause.NONSENSE),
    ],
)
def test_a_car_that_refuses(error: Exception, expected: Cause) -> None:
    vehicle, actor = scripted()
    vehicle.error = error
    result = actor.execute(AT_21)
    assert cause(result) is expected
    assert result.reason is not None
    assert result.reason.text == str(error)


def test_a_car_that_talks_nonsense() -> None:
    vehicle, actor = scripted()
    vehicle.values[DRIVER] = "warm"
    assert cause(actor.execute(AT_21)) is Cause.NONSENSE
    assert vehicle.written == []
    vehicle.values[DRIVER] = 20
    assert actor.execute(AT_21).outcome is Outcome.DONE


def test_a_car_that_does_not_say_what_it_did() -> None:
    class Silent(ScriptedVehicle):
        def hold(self, values: Mapping[str, Value]) -> Values:
            return {}

    vehicle = Silent()
    vehicle.values[DRIVER] = 20
    assert cause(Actor(vehicle, table(), speed_limit=5).execute(AT_21)) is Cause.NO_VALUE


def test_no_car() -> None:
    actor = Actor(NoVehicle(), table(), speed_limit=5)
    assert cause(actor.execute(AT_21)) is Cause.NO_VEHICLE
    assert cause(actor.execute(UNDO)) is Cause.NOTHING_TO_UNDO
